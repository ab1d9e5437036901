package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Events of lines.
const (
	// Begin: a session opened a share.
	Begin = "begin"
	// End: it is over, and has the share no more.
	End = "end"
	// Burned: a session took a set of pre-parameters, which was destroyed; a copy of the
	// database may have it still.
	Burned = "burn"
	// Repaired: a torn line was cut off.
	Repaired = "repaired"
	// Gap: lines could not be written, or may not be on disk.
	Gap = "gap"
	// FileRemoved: the oldest file of the log was removed, so that no more are kept than
	// somebody chose.
	FileRemoved = "file_removed"
)

// Events of what an operator does with shares and identity. Their lines have a Note.
const (
	// BackedUp: shares and identity leave the node, encrypted.
	BackedUp = "backup"
	// Restored: what a backup has was put back into the database. Its note is one of
	// RestoredNote.
	Restored = "restore"
	// IdentityRestored: the identity of a backup was put back, and nothing else. It says
	// nothing of the database beside it.
	IdentityRestored = "identity_restore"
	// PassphraseChanged: identity and database have another one.
	PassphraseChanged = "passphrase_change"
	// IdentityRotated: a new identity key was added.
	IdentityRotated = "identity_rotate"
	// IdentityMade: a new identity was made beside a database that had lost its own.
	IdentityMade = "identity_create"
	// DatabaseMade: an empty database was made for an identity that had lost its own.
	DatabaseMade = "database_create"
)

// restoredOf begins the note of a Restored.
const restoredOf = "backup of "

// RestoredNote is the note of a Restored: when the backup was made, and what else there is
// to say. Compare takes what was used before for known to the database again.
func RestoredNote(made time.Time, more string) string {
	return restoredOf + made.UTC().Format(time.RFC3339) + ", " + more
}

// madeOf is when the backup of such a note was made; zero of a note that does not say it.
func madeOf(note string) time.Time {
	text, _ := strings.CutPrefix(note, restoredOf)
	text, _, _ = strings.Cut(text, ",")
	made, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return made
}

// MaxNoteBytes bounds the note of such a line.
const MaxNoteBytes = 1 << 10

// IsOperation reports whether an event is of what an operator does.
func IsOperation(event string) bool {
	switch event {
	case BackedUp, Restored, IdentityRestored, PassphraseChanged, IdentityRotated, IdentityMade, DatabaseMade:
		return true
	}
	return false
}

// OutcomeOK ends a session that did what it was for; any other outcome is a typed
// reason.
const OutcomeOK = "ok"

// Entry is a line.
type Entry struct {
	// Number counts lines, from 1.
	Number uint64    `json:"n"`
	Time   time.Time `json:"time"`
	Event  string    `json:"event"`
	// Kind and Request name what the chain asked for, Key whose share was used.
	Kind    string `json:"kind,omitempty"`
	Request string `json:"request,omitempty"`
	Key     string `json:"key,omitempty"`
	Epoch   uint64 `json:"epoch"`
	// Height of the committed state in which the request was open.
	Height int64 `json:"height,omitempty"`
	// Digest that is signed, in hex; empty for a reshare.
	Digest string `json:"digest,omitempty"`
	// Session is the session's context, in hex.
	Session string `json:"session,omitempty"`
	Attempt uint32 `json:"attempt"`
	// Signers are its members.
	Signers []string `json:"signers,omitempty"`
	// Outcome of an End.
	Outcome string `json:"outcome,omitempty"`
	Note    string `json:"note,omitempty"`
	// Previous is the hash of the line before, in hex; empty for the first.
	Previous string `json:"prev"`
	// Hash is SHA-256 of the line with an empty hash, in hex.
	Hash string `json:"hash"`
}

// seal fills in the hash and gives the line, without its end.
func (e *Entry) seal() ([]byte, error) {
	e.Hash = ""
	bare, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode audit line: %w", err)
	}
	sum := sha256.Sum256(bare)
	e.Hash = hex.EncodeToString(sum[:])
	return json.Marshal(e)
}

// parse accepts the only line that seal makes of an entry.
func parse(line []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return Entry{}, fmt.Errorf("it is no line of an audit log")
	}
	again := e
	want, err := again.seal()
	switch {
	case err != nil:
		return Entry{}, err
	case again.Hash != e.Hash:
		return Entry{}, fmt.Errorf("its content is not that of its hash")
	case !bytes.Equal(want, line):
		return Entry{}, fmt.Errorf("it is written in another way than the node writes")
	}
	return e, nil
}

package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

const (
	manifestFormat = "sequencer-mpc-backup"
	// manifestVersion is the newest version. It came with Entry.Context and Entry.Request, and
	// a manifest without those is of version 1 still: programs of before read it.
	manifestVersion = 2
	// maxManifestBytes: an entry has some 350 bytes, so that is 48,000 records. Of a share
	// that is not READY it has 150 more, and a node has few of those.
	maxManifestBytes = 16 << 20
)

// Manifest says what a backup file holds, and with the files before it: what the
// node had when it was made.
type Manifest struct {
	Format string `json:"format"`
	// Version is the lowest one that has all that the manifest says, see version.
	Version int `json:"version"`
	// Number is that of the file, from 1.
	Number int `json:"number"`
	// Full: the file needs none before it.
	Full    bool      `json:"full"`
	Created time.Time `json:"created"`
	ChainID string    `json:"chain_id"`
	// Previous is the SHA-256 of the file before, in hex; empty for the first.
	Previous string `json:"previous"`
	// File is the SHA-256 of the file, in hex; empty in the copy inside.
	File string `json:"file"`
	// Identity are the public keys, in hex, oldest first.
	Identity []string `json:"identity"`
	// Records are all that the node had, by key, epoch and session.
	Records []Entry `json:"records"`
	// Tombstones are all deleted keys.
	Tombstones []string `json:"tombstones"`
	Bindings   Bindings `json:"bindings"`
}

// Entry is a record of the node.
type Entry struct {
	KeyID   string `json:"key_id"`
	Epoch   uint64 `json:"epoch"`
	Session string `json:"session"`
	Status  string `json:"status"`
	Share   bool   `json:"share"`
	// Fingerprint is the SHA-256 of the record without its share, in hex. A share
	// never changes once it is there.
	Fingerprint string `json:"fingerprint"`
	// In is the number of the file with the content.
	In int `json:"in"`
	// Context and Request are those of the session, of a share that is not READY alone: by
	// them a node that has the share no more finds out whether the chain chose it since.
	// A manifest of version 1 has none.
	Context string `json:"context,omitempty"`
	Request string `json:"request,omitempty"`
}

// Judgeable says that the entry names its session, so a chain can say what became of it.
func (e Entry) Judgeable() bool { return e.Context != "" }

// staged: it has a share that the chain had not chosen yet, as far as the node knew.
func (e Entry) staged() bool { return e.Share && e.Status != types.StatusReady.String() }

// Bindings are those of sign requests to digests.
type Bindings struct {
	Count int `json:"count"`
	// Fingerprint is the SHA-256 of all of them, in hex.
	Fingerprint string `json:"fingerprint"`
	// In is the number of the file with all of them.
	In int `json:"in"`
}

func (e Entry) name() string { return fmt.Sprintf("%s/%d/%s", e.KeyID, e.Epoch, e.Session) }

func entryOf(r *types.Record, in int) (Entry, error) {
	raw, err := storage.EncodeRecord(r)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{
		KeyID: string(r.KeyID), Epoch: r.Epoch, Session: r.Session.String(), Status: r.Status.String(),
		Share: r.HasData, Fingerprint: fingerprint(raw), In: in,
	}
	if e.staged() {
		e.Context, e.Request = r.Context.String(), r.Request.ID
	}
	return e, nil
}

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// bindingsOf describes bindings, which come in the order of their ids.
func bindingsOf(all []storage.Binding, in int) Bindings {
	h := sha256.New()
	for _, b := range all {
		h.Write(encodeBinding(b))
	}
	return Bindings{Count: len(all), Fingerprint: hex.EncodeToString(h.Sum(nil)), In: in}
}

// version is the one that a manifest is written in.
func (m Manifest) version() int {
	for _, e := range m.Records {
		if e.Context != "" || e.Request != "" {
			return manifestVersion
		}
	}
	return 1
}

// encode gives the only bytes that parseManifest accepts.
func (m Manifest) encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// readManifest reads one that is not longer than it may be.
func readManifest(r io.Reader) (Manifest, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifestBytes+1))
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	return parseManifest(b)
}

// parseManifest is strict: what it accepts, encode gives back.
func parseManifest(b []byte) (Manifest, error) { return parse(b, Manifest.encode, ErrDamaged) }

// ParseAnswer reads the manifest with which a running node answers, which is not indented.
// ErrOtherProgram if it says what this program would not write: the copy inside of the file
// says it, and one beside it without that would make the file worthless.
func ParseAnswer(b []byte) (Manifest, error) {
	return parse(b, func(m Manifest) ([]byte, error) { return json.Marshal(m) }, ErrOtherProgram)
}

// parse fails with differs if encode does not give back what it reads.
func parse(b []byte, encode func(Manifest) ([]byte, error), differs Error) (Manifest, error) {
	var m Manifest
	if len(b) > maxManifestBytes {
		return m, fmt.Errorf("%w: the manifest is longer than %d bytes", ErrDamaged, maxManifestBytes)
	}
	if err := json.Unmarshal(b, &m); err != nil || m.Format != manifestFormat {
		return Manifest{}, fmt.Errorf("%w: it has no manifest", ErrDamaged)
	}
	if m.Version > manifestVersion {
		return Manifest{}, fmt.Errorf("%w: manifest of version %d, this program knows %d", ErrNewerFormat, m.Version, manifestVersion)
	}
	again, err := encode(m)
	if err != nil || !bytes.Equal(again, b) {
		return Manifest{}, fmt.Errorf("%w: the layout of the manifest is another one", differs)
	}
	return m, m.check()
}

// check looks at numbers: no file refers to one after it.
func (m Manifest) check() error {
	inRange := func(in int) bool { return in >= 1 && in <= m.Number && (!m.Full || in == m.Number) }
	if m.Version != m.version() || m.Number < 1 || !inRange(m.Bindings.In) || m.Number == 1 && !m.Full {
		return fmt.Errorf("%w: a number in the manifest is out of range", ErrDamaged)
	}
	seen := make(map[string]bool, len(m.Records))
	for _, e := range m.Records {
		if !inRange(e.In) || seen[e.name()] {
			return fmt.Errorf("%w: record %s is in the manifest twice, or in no file", ErrDamaged, e.name())
		}
		seen[e.name()] = true
	}
	return nil
}

// inner is the copy inside the file.
func (m Manifest) inner() Manifest {
	m.File = ""
	return m
}

// In lists the files that hold what the manifest describes, ascending, its own
// among them: that one has the tombstones and the identity.
func (m Manifest) In() []int {
	used := map[int]bool{m.Number: true, m.Bindings.In: true}
	for _, e := range m.Records {
		used[e.In] = true
	}
	var files []int
	for n := 1; n <= m.Number; n++ {
		if used[n] {
			files = append(files, n)
		}
	}
	return files
}

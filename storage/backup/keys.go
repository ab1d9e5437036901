package backup

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
)

// maxWorkFactor bounds scrypt when a file is opened: a doctored one can cost 1 GiB
// and some seconds, four times what age writes.
const maxWorkFactor = 20

// ageWorkFactor is what age writes: a second of scrypt on the machines of its time.
const ageWorkFactor = 18

// Recipients are whom a file is encrypted to.
type Recipients struct{ to []age.Recipient }

// ForPassphrase encrypts to whoever knows the passphrase.
func ForPassphrase(passphrase []byte) (Recipients, error) {
	return forPassphrase(passphrase, ageWorkFactor)
}

func forPassphrase(passphrase []byte, workFactor int) (Recipients, error) {
	r, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return Recipients{}, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	r.SetWorkFactor(workFactor)
	return Recipients{[]age.Recipient{r}}, nil
}

// ForRecipients encrypts to X25519 recipients, as age-keygen prints them.
func ForRecipients(names []string) (Recipients, error) {
	var to []age.Recipient
	for _, name := range names {
		r, err := age.ParseX25519Recipient(strings.TrimSpace(name))
		if err != nil {
			return Recipients{}, fmt.Errorf("%w: recipient %.80q: %w", ErrKeys, name, err)
		}
		to = append(to, r)
	}
	if len(to) == 0 {
		return Recipients{}, ErrKeys
	}
	return Recipients{to}, nil
}

// Identities open files.
type Identities struct{ of []age.Identity }

// And opens what either opens: files of one chain may be for different recipients, or
// for a passphrase that was changed.
func (i Identities) And(more Identities) Identities {
	return Identities{append(slices.Clone(i.of), more.of...)}
}

// WithPassphrase opens files that were made for the passphrase.
func WithPassphrase(passphrase []byte) (Identities, error) {
	i, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return Identities{}, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	i.SetMaxWorkFactor(maxWorkFactor)
	return Identities{[]age.Identity{i}}, nil
}

// WithIdentities opens files that were made for X25519 recipients, with a file
// that age-keygen wrote. Errors never show what is in it.
func WithIdentities(r io.Reader) (Identities, error) {
	of, err := age.ParseIdentities(r)
	if err != nil {
		return Identities{}, fmt.Errorf("%w: the file holds no age identities (AGE-SECRET-KEY-1...)", ErrKeys)
	}
	return Identities{of}, nil
}

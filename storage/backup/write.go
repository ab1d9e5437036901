package backup

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// Source is what a node has. storage.DB implements it.
type Source interface {
	// Records lists all records, without their shares.
	Records() ([]types.Record, error)
	// OpenShare returns the share of a record. The caller owns and wipes it.
	OpenShare(types.RecordKey) ([]byte, error)
	// Tombstones lists destroyed keys.
	Tombstones() ([]types.KeyID, error)
	// Bindings lists what requests for signatures are bound to.
	Bindings() ([]storage.Binding, error)
}

// Backup is a file in the making. Nothing secret is in memory until Write.
type Backup struct {
	Manifest Manifest
	source   Source
	keys     []ed25519.PrivateKey
	// records that the file is to hold, without shares.
	records  []types.Record
	bindings []storage.Binding
}

// Plan looks at what a node has. last is the manifest of the last backup, nil if
// there is none; the file holds what changed since, or everything if full is set or the
// chain has another id since: nobody restores backups of two chains at once. keys are the
// identity's, oldest first. ErrOtherNode if none of them is in the last backup.
func Plan(source Source, keys []ed25519.PrivateKey, chainID string, last *Manifest, full bool, now time.Time) (*Backup, error) {
	b := &Backup{source: source, keys: keys, Manifest: Manifest{
		Format: manifestFormat, Number: 1, Full: full || last == nil,
		Created: now.UTC().Truncate(time.Second), ChainID: chainID, Identity: []string{}, Records: []Entry{}, Tombstones: []string{},
	}}
	for _, k := range keys {
		b.Manifest.Identity = append(b.Manifest.Identity, hex.EncodeToString(k[ed25519.SeedSize:]))
	}
	base := last
	if last != nil {
		if err := b.follow(last); err != nil {
			return nil, err
		}
	}
	if b.Manifest.Full {
		base = nil
	}
	if err := b.planRecords(base); err != nil {
		return nil, err
	}
	if err := b.planRest(base); err != nil {
		return nil, err
	}
	b.Manifest.Version = b.Manifest.version()
	if text, err := b.Manifest.encode(); err != nil || len(text) > maxManifestBytes-2*sha256.Size {
		return nil, errors.Join(ErrTooLarge, err)
	}
	return b, nil
}

// follow puts the file after the last one. Of a file whose manifest was lost nobody knows
// whose it was; a full one follows it.
func (b *Backup) follow(last *Manifest) error {
	m := &b.Manifest
	own := func(key string) bool { return slices.Contains(m.Identity, key) }
	if len(last.Identity) > 0 && !slices.ContainsFunc(last.Identity, own) {
		return fmt.Errorf("%w: file %d", ErrOtherNode, last.Number)
	}
	m.Number, m.Previous = last.Number+1, last.File
	m.Full = m.Full || last.ChainID != "" && last.ChainID != m.ChainID
	return nil
}

func (b *Backup) planRecords(last *Manifest) error {
	saved := map[string]Entry{}
	if last != nil {
		for _, e := range last.Records {
			saved[e.name()] = e
		}
	}
	records, err := b.source.Records()
	if err != nil {
		return err
	}
	for i := range records {
		e, err := entryOf(&records[i], b.Manifest.Number)
		if err != nil {
			return err
		}
		if before, ok := saved[e.name()]; ok && before.Fingerprint == e.Fingerprint {
			e.In = before.In
		} else {
			b.records = append(b.records, records[i])
		}
		b.Manifest.Records = append(b.Manifest.Records, e)
	}
	return nil
}

// planRest comes after the records: a key that is destroyed in between has its
// tombstone in the file, and none of its records.
func (b *Backup) planRest(last *Manifest) error {
	tombstones, err := b.source.Tombstones()
	if err != nil {
		return err
	}
	b.dropRecords(tombstones)
	for _, id := range tombstones {
		b.Manifest.Tombstones = append(b.Manifest.Tombstones, string(id))
	}
	if b.bindings, err = b.source.Bindings(); err != nil {
		return err
	}
	b.Manifest.Bindings = bindingsOf(b.bindings, b.Manifest.Number)
	if last != nil && last.Bindings.Fingerprint == b.Manifest.Bindings.Fingerprint {
		b.Manifest.Bindings.In, b.bindings = last.Bindings.In, nil
	}
	return nil
}

// dropRecords leaves out what was listed of keys that are destroyed. Beside its tombstone a
// share is refused when it is restored, and everything else with it.
func (b *Backup) dropRecords(destroyed []types.KeyID) {
	dead := make(map[types.KeyID]bool, len(destroyed))
	for _, id := range destroyed {
		dead[id] = true
	}
	b.records = slices.DeleteFunc(b.records, func(r types.Record) bool { return dead[r.KeyID] })
	b.Manifest.Records = slices.DeleteFunc(b.Manifest.Records, func(e Entry) bool { return dead[types.KeyID(e.KeyID)] })
}

// Write encrypts the file. Each share is in memory while it is written, and wiped.
// ErrChanged if the database changed meanwhile: what was written is worth nothing.
func (b *Backup) Write(w io.Writer, to Recipients) error {
	if len(to.to) == 0 {
		return ErrKeys
	}
	sealed, err := age.Encrypt(w, to.to...)
	if err != nil {
		return fmt.Errorf("encrypt backup: %w", err)
	}
	if _, err := io.WriteString(sealed, magic); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if err := b.writeFrames(frameWriter{sealed}); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

func (b *Backup) writeFrames(f frameWriter) error {
	manifest, err := b.Manifest.inner().encode()
	if err != nil {
		return err
	}
	if err := f.write(frameManifest, manifest); err != nil {
		return err
	}
	if err := b.writeIdentity(f); err != nil {
		return err
	}
	for _, id := range b.Manifest.Tombstones {
		if err := f.write(frameTombstone, []byte(id)); err != nil {
			return err
		}
	}
	for _, binding := range b.bindings {
		if err := f.write(frameBinding, encodeBinding(binding)); err != nil {
			return err
		}
	}
	for i := range b.records {
		if err := b.writeRecord(f, b.records[i]); err != nil {
			return err
		}
	}
	return f.write(frameEnd)
}

func (b *Backup) writeIdentity(f frameWriter) error {
	seeds := make([]byte, 0, len(b.keys)*ed25519.SeedSize) // it never grows, so nothing is left behind
	defer func() { types.Wipe(seeds) }()
	for _, k := range b.keys {
		seed := k.Seed()
		seeds = append(seeds, seed...)
		types.Wipe(seed)
	}
	return f.write(frameIdentity, seeds)
}

func (b *Backup) writeRecord(f frameWriter, r types.Record) error {
	if r.HasData {
		share, err := b.source.OpenShare(r.RecordKey)
		if errors.Is(err, types.ErrShareMissing) {
			return ErrChanged
		}
		if err != nil {
			return err
		}
		defer types.Wipe(share)
		r.Data = share
	}
	return f.record(&r)
}

package storage

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Binding ties a sign request to its content and digest, for ever.
type Binding struct {
	SignatureID string
	Content     types.Hash
	Digest      []byte
}

// Contents is what a database has that cannot be made again. Records have their
// shares.
type Contents struct {
	Records    []types.Record
	Tombstones []types.KeyID
	Bindings   []Binding
}

// Wipe overwrites the shares.
func (c *Contents) Wipe() {
	for i := range c.Records {
		types.Wipe(c.Records[i].Data)
	}
}

// Restored counts what Restore stored, and destroyed. What was there already is not counted.
type Restored struct {
	Records    int `json:"records"`
	Shares     int `json:"shares"`
	Tombstones int `json:"tombstones"`
	Bindings   int `json:"bindings"`
	// Preparams counts the sets of pre-parameters that were destroyed.
	Preparams int `json:"preparams_destroyed"`
	// BindingsDiffer are the requests that the database has bound to something else, whose
	// bindings were left out, ascending.
	BindingsDiffer []string `json:"bindings_differ,omitempty"`
}

// EncodeRecord gives the only encoding of a record, without its share, that
// DecodeRecord accepts.
func EncodeRecord(r *types.Record) ([]byte, error) { return encodeRecord(r) }

// DecodeRecord reads what EncodeRecord made. Errors: ErrNewerFormat,
// ErrEntryDamaged.
func DecodeRecord(b []byte) (types.Record, error) { return decodeRecord(b) }

// Bindings lists all bindings, ascending by id.
func (db *DB) Bindings() ([]Binding, error) {
	var all []Binding
	err := db.read(func() error {
		return db.scan([]byte{prefixBinding}, func(key, value []byte) error {
			plain, err := db.unseal(key, value)
			if err != nil {
				return err
			}
			b, err := decodeBinding(plain)
			if err != nil {
				return fmt.Errorf("entry %q: %w", key, err)
			}
			all = append(all, Binding{string(key[1:]), b.content, b.digest})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list bindings: %w", err)
	}
	return all, nil
}

// Restore stores what is missing of some contents, all of it or, on an error,
// nothing. It is for backups, and therefore takes records in any status. It keeps
// nothing of what it is given.
//
//   - What is there stays. A record that is there with another share, or a share of
//     something else, is ErrOtherContent. A record that is there without its share, as in
//     an older copy of the database, gets it. A binding that differs is left out: the
//     request was bound anew where this backup was not, and no share depends on it.
//   - A share of an epoch older than a READY one of the database is ErrOlderEpoch. A
//     share that is still PENDING keeps nothing out: the chain may never choose it.
//   - A record with a share of a key that has a tombstone, there or in the contents,
//     is types.ErrKeyDeleted.
//   - A tombstone of a key that the database has records of is left out: the chain
//     says what becomes of them.
//   - All pre-parameters go, whatever is stored: a database over which somebody restores a
//     backup may be an older copy, and have sets that were used since. That it lacks nothing of
//     the backup does not say that it is none.
//   - A field outside its bounds is ErrInvalid.
func (db *DB) Restore(c Contents) (Restored, error) {
	var done Restored
	err := db.write(func(w *change) (err error) {
		r := restoration{w, map[types.KeyID]bool{}, map[types.KeyID]uint64{}, &done}
		if err := r.survey(); err != nil {
			return err
		}
		return errors.Join(r.tombstones(c.Tombstones), r.records(c.Records), r.bindings(c.Bindings), r.burnPreparams())
	})
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	return done, nil
}

// restoration is a Restore in the making.
type restoration struct {
	*change
	dead map[types.KeyID]bool
	// newest is the newest READY epoch of the database.
	newest map[types.KeyID]uint64
	done   *Restored
}

// survey finds out what keys the database has.
func (r *restoration) survey() error {
	err := r.db.scan([]byte{prefixTombstone}, func(key, _ []byte) error {
		r.dead[types.KeyID(key[1:])] = true
		return nil
	})
	if err != nil {
		return err
	}
	return r.db.scan([]byte{prefixRecord}, func(key, value []byte) error {
		plain, err := r.db.unseal(key, value)
		if err != nil || plain == nil {
			return err
		}
		rec, err := decodeRecord(plain)
		if err == nil && rec.HasData && rec.Status == types.StatusReady {
			r.newest[rec.KeyID] = max(r.newest[rec.KeyID], rec.Epoch)
		}
		return err
	})
}

func (r *restoration) tombstones(ids []types.KeyID) error {
	for _, id := range ids {
		if err := types.ValidateID(string(id)); err != nil {
			return fmt.Errorf("tombstone: %w: %w", ErrInvalid, err)
		}
		if r.dead[id] {
			continue
		}
		held := false
		err := r.db.scan(keyRecords(prefixRecord, id), func(_, _ []byte) error { held = true; return nil })
		if err != nil {
			return err
		}
		if held {
			continue
		}
		r.dead[id] = true
		if err := r.seal(r.db.keys.sealer, tombstoneEntry(id), nil); err != nil {
			return err
		}
		r.done.Tombstones++
	}
	return nil
}

// records goes on after a refusal, so that whoever restores hears of all.
func (r *restoration) records(all []types.Record) error {
	var refused []error
	seen := make(map[types.RecordKey]bool, len(all))
	for i := range all {
		rec := all[i]
		if seen[rec.RecordKey] {
			return fmt.Errorf("%w: a record comes twice", ErrInvalid)
		}
		seen[rec.RecordKey] = true
		if err := r.record(rec); err != nil {
			refused = append(refused, fmt.Errorf("key %s epoch %d session %s: %w", rec.KeyID, rec.Epoch, rec.Session.Short(), err))
		}
	}
	return errors.Join(refused...)
}

func (r *restoration) record(rec types.Record) error {
	rec.HasData = rec.Data != nil
	if rec.HasData && len(rec.Data) == 0 || rec.Status == types.StatusReady && !rec.HasData {
		return fmt.Errorf("%w: there is no share", ErrInvalid)
	}
	plain, err := encodeRecord(&rec)
	if err != nil {
		return err
	}
	old, err := r.db.record(rec.RecordKey)
	switch newest, held := r.newest[rec.KeyID]; {
	case err != nil:
		return err
	case r.dead[rec.KeyID]:
		if rec.HasData {
			return types.ErrKeyDeleted
		}
		return nil // nothing of it is wanted any more
	case old.HasData || old.Status != types.StatusNone && !rec.HasData:
		return r.compare(old, rec)
	case held && rec.Epoch < newest:
		if rec.HasData {
			return fmt.Errorf("%w: it has epoch %d", ErrOlderEpoch, newest)
		}
		return nil
	}
	s, err := r.sealerFor(old, rec)
	if err != nil {
		return err
	}
	r.done.Records++
	if rec.HasData {
		r.done.Shares++
		if err := r.seal(s, recordEntry(prefixShare, rec.RecordKey), rec.Data); err != nil {
			return err
		}
	}
	return r.seal(s, recordEntry(prefixRecord, rec.RecordKey), plain)
}

// sealerFor gives the key of a record, a new one if it is not there. One that is there
// without a share is of a session that was under way when a copy of the database was
// made, or was interrupted when the copy was opened.
func (r *restoration) sealerFor(old, rec types.Record) (sealer, error) {
	if old.Status == types.StatusNone {
		return r.newKey(recordEntry(prefixRecordKey, rec.RecordKey))
	}
	if old.Algorithm != rec.Algorithm || old.Threshold != rec.Threshold || !slices.Equal(old.Participants, rec.Participants) {
		return sealer{}, fmt.Errorf("%w: algorithm, threshold or participants differ", ErrOtherContent)
	}
	s, _, err := r.db.sealerOf(recordEntry(prefixRecord, rec.RecordKey))
	return s, err
}

func (r *restoration) burnPreparams() error {
	return r.db.scan([]byte{prefixPreparams}, func(key, _ []byte) error {
		r.done.Preparams++
		return errors.Join(r.destroy(withPrefix(prefixPreparamsKey, key)), r.destroy(key))
	})
}

// compare accepts what says the same of the same share, in whatever status.
func (r *restoration) compare(old, rec types.Record) error {
	if !rec.HasData {
		return nil
	}
	if err := r.checkShare(old, rec); err != nil {
		return fmt.Errorf("%w: %w", ErrOtherContent, err)
	}
	return nil
}

func (r *restoration) bindings(all []Binding) error {
	seen := make(map[string]bool, len(all))
	for _, b := range all {
		if err := types.ValidateID(b.SignatureID); err != nil {
			return fmt.Errorf("binding: %w: %w", ErrInvalid, err)
		}
		if len(b.Digest) < 1 || len(b.Digest) > MaxDigestBytes || seen[b.SignatureID] {
			return fmt.Errorf("%w: binding of %s", ErrInvalid, b.SignatureID)
		}
		seen[b.SignatureID] = true
		want := binding{b.Content, b.Digest}.encode()
		have, err := r.db.load(bindingEntry(b.SignatureID))
		switch {
		case err != nil:
			return err
		case bytes.Equal(have, want):
			continue
		case have != nil:
			r.done.BindingsDiffer = append(r.done.BindingsDiffer, b.SignatureID)
			continue
		}
		if err := r.seal(r.db.keys.sealer, bindingEntry(b.SignatureID), want); err != nil {
			return err
		}
		r.done.Bindings++
	}
	slices.Sort(r.done.BindingsDiffer)
	return nil
}

// RestoreIdentity makes an identity file of the keys with these seeds, oldest first,
// where there is none, and returns how many keys it put there. A file with the same
// keys, and maybe more, is no error and stays. One that has some of them and no others,
// as an older copy has, becomes one with all of them; it must open with the passphrase.
// Errors: ErrEmptyPassphrase, ErrIdentityExists for one with other keys, ErrInvalid;
// those of LoadIdentity.
func RestoreIdentity(path string, passphrase []byte, seeds [][]byte, opts Options) (int, error) {
	if len(passphrase) == 0 {
		return 0, ErrEmptyPassphrase
	}
	id, err := identityOf(seeds)
	if err != nil {
		return 0, fmt.Errorf("restore identity: %w", err)
	}
	defer id.Wipe()
	file, err := sealIdentity(id, passphrase, opts.kdf(), opts.rand())
	if err != nil {
		return 0, fmt.Errorf("restore identity: %w", err)
	}
	err = writeNew(path, file.encode())
	if err == nil {
		return len(file.public), nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("restore identity: %w", err)
	}
	return completeIdentity(path, passphrase, file)
}

// completeIdentity puts a file in the place of one that has fewer of its keys.
func completeIdentity(path string, passphrase []byte, file identityFile) (int, error) {
	there, err := ReadIdentityPublic(path)
	if err != nil {
		return 0, err
	}
	common := 0
	for _, k := range file.public {
		if hasKey(there, k) {
			common++
		}
	}
	switch {
	case common == len(file.public):
		return 0, nil
	case common < len(there):
		return 0, fmt.Errorf("%w: %s has other keys than the backup", ErrIdentityExists, path)
	}
	old, err := LoadIdentity(path, passphrase)
	if err != nil {
		return 0, err
	}
	old.Wipe()
	if err := replace(path, file.encode()); err != nil {
		return 0, fmt.Errorf("restore identity: %w", err)
	}
	return len(file.public) - common, nil
}

// identityOf makes the keys of seeds.
func identityOf(seeds [][]byte) (Identity, error) {
	if len(seeds) < 1 || len(seeds) > maxIdentityKeys {
		return Identity{}, fmt.Errorf("%w: an identity has 1 to %d keys, not %d", ErrInvalid, maxIdentityKeys, len(seeds))
	}
	var id Identity
	for _, seed := range seeds {
		if len(seed) != ed25519.SeedSize {
			id.Wipe()
			return Identity{}, fmt.Errorf("%w: a seed has %d bytes", ErrInvalid, len(seed))
		}
		id.private = append(id.private, ed25519.NewKeyFromSeed(seed))
	}
	return id, nil
}

func hasKey(keys []ed25519.PublicKey, k ed25519.PublicKey) bool {
	for _, other := range keys {
		if k.Equal(other) {
			return true
		}
	}
	return false
}

package memstore

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Store implements mpc.Store. It is not safe for concurrent use.
type Store struct {
	records    map[types.RecordKey]types.Record
	tombstones map[types.KeyID]bool
	// hadShares are those of which shares were destroyed, or are being destroyed.
	hadShares map[types.KeyID]bool
	bindings  map[string]binding
	preparams map[uint64][]byte
	nextSet   uint64
	// BeforeWrite is called before each write; an error refuses it.
	BeforeWrite func(what string) error
	// Halfway is called where a crash leaves package storage with neither what was
	// before the write nor what comes after it: the records of a destroyed key are
	// gone, and its tombstone is not there yet. TestCrashesLeaveWhatMemstoreKnows of
	// package storage holds the two to each other.
	Halfway func(what string)
	// AfterWrite is called when the write is done, before its caller hears of it.
	AfterWrite func(what string)
}

type binding struct {
	content types.Hash
	digest  []byte
}

// New makes an empty store.
func New() *Store {
	return &Store{
		records: make(map[types.RecordKey]types.Record), tombstones: make(map[types.KeyID]bool), hadShares: make(map[types.KeyID]bool),
		bindings: make(map[string]binding), preparams: make(map[uint64][]byte), nextSet: 1,
		BeforeWrite: func(string) error { return nil }, Halfway: func(string) {}, AfterWrite: func(string) {},
	}
}

// Clone copies what is stored, as somebody copies the folder of a database. The hooks
// stay behind.
func (s *Store) Clone() *Store {
	c := New()
	for k, r := range s.records {
		c.records[k] = r.Clone()
	}
	maps.Copy(c.tombstones, s.tombstones)
	maps.Copy(c.hadShares, s.hadShares)
	maps.Copy(c.bindings, s.bindings)
	for id, set := range s.preparams {
		c.preparams[id] = bytes.Clone(set)
	}
	c.nextSet = s.nextSet
	return c
}

// PutRecord implements mpc.RecordStore.
func (s *Store) PutRecord(r types.Record) error {
	if err := s.BeforeWrite("put record"); err != nil {
		return err
	}
	if s.tombstones[r.KeyID] {
		return fmt.Errorf("%w: key %s has a tombstone", types.ErrKeyDeleted, r.KeyID)
	}
	old := s.records[r.RecordKey]
	if !old.Status.CanMoveTo(r.Status) {
		return fmt.Errorf("%w: record of %s may not go from %s to %s", types.ErrWriteRefused, r.KeyID, old.Status, r.Status)
	}
	r = r.Clone()
	if old.Data != nil {
		if r.Data != nil && !bytes.Equal(r.Data, old.Data) {
			return fmt.Errorf("%w: share of %s would be replaced by another", types.ErrWriteRefused, r.KeyID)
		}
		r.Data = old.Data
	}
	r.HasData = r.Data != nil
	s.records[r.RecordKey] = r
	s.AfterWrite("put record")
	return nil
}

// Records implements mpc.RecordStore.
func (s *Store) Records() ([]types.Record, error) {
	list := make([]types.Record, 0, len(s.records))
	for _, r := range s.records {
		r = r.Clone()
		r.Data = nil
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b types.Record) int {
		if d := strings.Compare(string(a.KeyID), string(b.KeyID)); d != 0 {
			return d
		}
		return slices.Compare(a.Session[:], b.Session[:])
	})
	return list, nil
}

// OpenShare implements mpc.RecordStore.
func (s *Store) OpenShare(k types.RecordKey) ([]byte, error) {
	r, ok := s.records[k]
	if !ok || r.Data == nil {
		return nil, fmt.Errorf("%w: no share of %s", types.ErrShareMissing, k.KeyID)
	}
	return bytes.Clone(r.Data), nil
}

// DestroyRecord implements mpc.RecordStore.
func (s *Store) DestroyRecord(k types.RecordKey) error {
	if err := s.BeforeWrite("destroy record"); err != nil {
		return err
	}
	delete(s.records, k)
	s.AfterWrite("destroy record")
	return nil
}

// DestroyKey implements mpc.TombstoneStore.
func (s *Store) DestroyKey(id types.KeyID) error {
	if err := s.BeforeWrite("destroy key"); err != nil {
		return err
	}
	before := len(s.records)
	for k, r := range s.records {
		if k.KeyID == id && r.HasData && !s.tombstones[id] {
			s.hadShares[id] = true
		}
	}
	maps.DeleteFunc(s.records, func(k types.RecordKey, _ types.Record) bool { return k.KeyID == id })
	if len(s.records) < before {
		s.Halfway("destroy key")
	}
	s.tombstones[id] = true
	s.AfterWrite("destroy key")
	return nil
}

// HadShares implements mpc.TombstoneStore.
func (s *Store) HadShares(id types.KeyID) (bool, error) {
	return s.tombstones[id] && s.hadShares[id], nil
}

// Tombstones implements mpc.TombstoneStore.
func (s *Store) Tombstones() ([]types.KeyID, error) {
	var ids []types.KeyID
	for id := range s.tombstones {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// BindDigests implements mpc.BindingStore.
func (s *Store) BindDigests(bindings []types.Binding) error {
	fresh := make(map[string]binding)
	for _, b := range bindings {
		if _, bound := s.bindings[b.SignatureID]; !bound {
			fresh[b.SignatureID] = binding{b.Content, bytes.Clone(b.Digest)}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := s.BeforeWrite("bind digests"); err != nil {
		return err
	}
	maps.Copy(s.bindings, fresh)
	s.AfterWrite("bind digests")
	return nil
}

// BindDigest implements mpc.BindingStore.
func (s *Store) BindDigest(id string, content types.Hash, digest []byte) error {
	old, bound := s.bindings[id]
	if bound {
		if old.content != content || !bytes.Equal(old.digest, digest) {
			return fmt.Errorf("%w: %s", types.ErrDigestBound, id)
		}
		return nil
	}
	if err := s.BeforeWrite("bind digest"); err != nil {
		return err
	}
	s.bindings[id] = binding{content, bytes.Clone(digest)}
	s.AfterWrite("bind digest")
	return nil
}

// AddPreparams implements mpc.PreparamStore.
func (s *Store) AddPreparams(set []byte) (uint64, error) {
	if err := s.BeforeWrite("add preparams"); err != nil {
		return 0, err
	}
	id := s.nextSet
	s.nextSet++
	s.preparams[id] = bytes.Clone(set)
	s.AfterWrite("add preparams")
	return id, nil
}

// Preparams implements mpc.PreparamStore.
func (s *Store) Preparams() ([]uint64, error) {
	var ids []uint64
	for id := range s.preparams {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// OpenPreparams implements mpc.PreparamStore.
func (s *Store) OpenPreparams(id uint64) ([]byte, error) {
	set, ok := s.preparams[id]
	if !ok {
		return nil, fmt.Errorf("%w: no set %d", types.ErrNoPreparams, id)
	}
	return bytes.Clone(set), nil
}

// BurnPreparams implements mpc.PreparamStore.
func (s *Store) BurnPreparams(id uint64) error {
	if err := s.BeforeWrite("burn preparams"); err != nil {
		return err
	}
	if _, ok := s.preparams[id]; !ok {
		return fmt.Errorf("%w: no set %d", types.ErrNoPreparams, id)
	}
	delete(s.preparams, id)
	s.AfterWrite("burn preparams")
	return nil
}

package mpcnode

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// writtenKeys is a state of keys and their writes; it counts how often one is read.
type writtenKeys struct {
	State
	keys   map[types.KeyID]types.Key
	writes []types.KeyID
	forgot bool
	reads  int
	err    error
}

func (s *writtenKeys) write(key types.Key) {
	s.keys[key.ID] = key
	s.writes = append(s.writes, key.ID)
}

func (s *writtenKeys) EngineKey(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	s.reads++
	key, known := s.keys[id]
	return key, known, s.err
}

func (s *writtenKeys) EngineKeyChanges(_ context.Context, since uint64) (uint64, []types.KeyID, bool, error) {
	count := uint64(len(s.writes))
	if s.forgot || since > count {
		return count, nil, false, nil
	}
	return count, s.writes[since:], true, nil
}

func TestKnownKeys(t *testing.T) {
	s := &writtenKeys{keys: make(map[types.KeyID]types.Key)}
	var k knownKeys
	reads := func(n int, want map[types.KeyID]types.Key, ids ...types.KeyID) {
		t.Helper()
		s.reads = 0
		got, err := k.read(t.Context(), s, ids)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, n, s.reads)
	}
	a, b := types.Key{ID: "a", Status: types.KeyPending}, types.Key{ID: "b"}
	s.write(a)
	both := map[types.KeyID]types.Key{"a": a}
	reads(2, both, "a", "b")
	reads(0, both, "a", "b") // that there is no b is known, too
	s.write(b)
	both["b"] = b
	reads(1, both, "a", "b")
	a.Status = types.KeyReady
	s.write(a)
	both["a"] = a
	reads(1, both, "a", "b")
	reads(0, map[types.KeyID]types.Key{"b": b}, "b")
	reads(1, both, "a", "b") // nobody asked for it, so it was dropped

	s.forgot = true
	reads(2, both, "a", "b")
	s.forgot = false
	s.writes = s.writes[:1] // another chain
	reads(2, both, "a", "b")

	s.write(a)
	s.err = errors.New("the disk is gone")
	_, err := k.read(t.Context(), s, []types.KeyID{"a", "b"})
	require.ErrorContains(t, err, "read key a: the disk is gone")
	s.err = nil
	reads(1, both, "a", "b")
}

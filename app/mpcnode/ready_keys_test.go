package mpcnode

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// EngineReadyKeys counts as a reading of each.
func (s *writtenKeys) EngineReadyKeys(context.Context) (keys []types.Key, err error) {
	for _, key := range s.keys {
		if key.Status == types.KeyReady {
			s.reads++
			keys = append(keys, key)
		}
	}
	return keys, s.err
}

func TestReadyKeys(t *testing.T) {
	s := &writtenKeys{keys: make(map[types.KeyID]types.Key)}
	var r readyKeys
	reads := func(n int, want ...types.Key) {
		t.Helper()
		s.reads = 0
		got, err := r.read(t.Context(), s)
		require.NoError(t, err)
		all := make(map[types.RequestID]bool)
		for _, key := range want {
			all[types.PresignID(&key)] = true
		}
		require.Equal(t, all, got)
		require.Equal(t, n, s.reads)
	}
	a := types.Key{ID: "a", Status: types.KeyReady, Session: types.Context{1}}
	b := types.Key{ID: "b", Status: types.KeyPending, Session: types.Context{2}}
	reads(0)
	s.write(a)
	s.write(b)
	reads(2, a)
	reads(0, a)
	b.Status = types.KeyReady
	s.write(b)
	reads(1, a, b)
	a.Session = types.Context{3} // another epoch
	s.write(a)
	before := r.presigns
	reads(1, a, b)
	require.NotContains(t, before, types.PresignID(&a), "whoever has the old map may read it")
	b.Status = types.KeyDeleting
	s.write(b)
	reads(1, a)
	delete(s.keys, "a") // a chain that was taken back
	s.forgot = true
	reads(0)
	s.forgot = false
	s.write(a)
	s.err = errors.New("the disk is gone")
	_, err := r.read(t.Context(), s)
	require.ErrorContains(t, err, "the disk is gone")
	s.err = nil
	reads(1, a)
	r.forget()
	reads(1, a)
}

package mpcnode

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// registrations is a state of participants; it counts how often they are read.
type registrations struct {
	State
	changes uint64
	reads   int
	err     error
}

func (s *registrations) EngineRosterChanges(context.Context) (uint64, error) { return s.changes, nil }

func (s *registrations) EngineRoster(context.Context) (*types.Roster, error) {
	s.reads++
	return types.NewRoster(nil), s.err
}

// The roster is the very same one until somebody registers, at the price of one number.
func TestKnownRoster(t *testing.T) {
	var k knownRoster
	s := &registrations{err: errors.New("the disk is gone")}
	_, err := k.read(t.Context(), s)
	require.ErrorContains(t, err, "read the roster: the disk is gone")
	s.err = nil
	last, err := k.read(t.Context(), s) // of a chain that counts since now
	require.NoError(t, err)
	require.Equal(t, 2, s.reads)
	for _, c := range []struct {
		changes uint64
		reads   int
	}{{0, 2}, {1, 3}, {1, 3}, {4, 4}, {2, 5}, {2, 5}} {
		s.changes = c.changes
		before := s.reads
		roster, err := k.read(t.Context(), s)
		require.NoError(t, err)
		require.Equal(t, c.reads, s.reads)
		require.Equal(t, s.reads == before, roster == last)
		last = roster
	}
}

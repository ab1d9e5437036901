package mpcnode

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A node without its database waits before it says so on chain, and says nothing while the
// database is there again, or nobody knows.
func TestLossIsDeclaredAfterAWhile(t *testing.T) {
	var out logBuffer
	began := time.Unix(1000, 0)
	now, back, unknown := began, false, error(nil)
	var noted [][]types.KeyID
	l := &loss{
		note: func(keys []types.KeyID) { noted = append(noted, keys) }, after: time.Minute, since: began,
		now: func() time.Time { return now }, back: func() (bool, error) { return back, unknown },
		log: slog.New(slog.NewTextHandler(&out, nil)),
	}
	keys := []types.KeyID{"a", "b"}
	l.declare(keys)
	now = began.Add(time.Minute - 1)
	l.declare(keys)
	require.Empty(t, out.String())
	now = began.Add(time.Minute)
	unknown = errors.New("the disk does not answer")
	l.declare(keys)
	require.Contains(t, out.String(), "the disk does not answer")
	unknown, back = nil, true
	l.declare(keys)
	l.declare(keys)
	require.Equal(t, 1, strings.Count(out.String(), "start this node again"))
	require.Empty(t, noted)
	back = false
	l.declare(keys)
	l.declare(keys[:1])
	require.Equal(t, [][]types.KeyID{keys, keys[:1]}, noted)
	require.Equal(t, 1, strings.Count(out.String(), "says on chain"))
}

// Whether the database is there again is asked of the disk; one that is damaged is there
// all the time. A node that has its database declares at once.
func TestWhoWaitsToDeclare(t *testing.T) {
	var out logBuffer
	cfg, home := vaultConfig(t, "horse")
	paths := cfg.PathsOf(home)
	noted := 0
	note := func([]types.KeyID) { noted++ }
	m := testMember(&out)
	m.cfg.ShareMissingAfter = time.Hour
	declares := func(lost error, after time.Duration) int {
		noted, m.cfg.ShareMissingAfter = 0, after
		m.vault = &Vault{lost: lost}
		m.declares(note, paths)(nil)
		return noted
	}
	require.Equal(t, 1, declares(nil, time.Hour))
	require.Equal(t, 0, declares(ErrNoDatabase, time.Hour))
	require.Equal(t, 1, declares(ErrNoDatabase, 0))
	require.NoError(t, os.MkdirAll(paths.Database+"/main", 0o700))
	require.Equal(t, 0, declares(ErrNoDatabase, 0))
	require.Equal(t, 1, declares(types.ErrDatabaseDamaged, 0))
}

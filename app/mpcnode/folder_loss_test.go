package mpcnode

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// signerState is a chain on which "me" signs blocks with one key.
type signerState struct {
	fakeState
	consensus []byte
	err       error
	revoked   *atomic.Bool
	panics    bool
}

func (s signerState) EngineOperatorOf(_ context.Context, consensus []byte) (types.Operator, bool, error) {
	if s.panics {
		panic("version does not exist")
	}
	if s.revoked != nil && s.revoked.Load() {
		return "", false, nil
	}
	return "me", bytes.Equal(consensus, s.consensus), s.err
}

type signerApp struct {
	*fakeApp
	signerState
}

func (a signerApp) MPCState() State { return a.signerState }

// A node without an MPC folder says so if its validator is a participant, and goes on
// looking as long as it is none, or as nobody can tell.
func TestFolderThatIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		state signerState
		lost  bool
	}{
		"a participant":        {signerState{consensus: []byte("mine")}, true},
		"somebody else":        {signerState{consensus: []byte("theirs")}, false},
		"nobody can read that": {signerState{consensus: []byte("mine"), err: errors.New("no state")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			state := idleEngine(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			told := make(chan error, 1)
			f := newFolderLoss(signerApp{&fakeApp{height: 5}, c.state}, []byte("mine"), func(err error) { state.found.Store(&err); told <- err }, slog.New(slog.DiscardHandler))
			looks := 0
			f.now = func() time.Time {
				if looks++; looks == 3 {
					cancel()
				}
				return time.Unix(0, 0).Add(time.Duration(looks) * sharesInterval)
			}
			done := make(chan error, 1)
			go func() { done <- f.run(ctx) }()
			for running := true; running; {
				f.viewed()
				select {
				case err := <-done:
					require.NoError(t, err)
					running = false
				case <-time.After(time.Millisecond): // it looks once for each view
				}
			}
			if !c.lost {
				require.NoError(t, state.problem())
				require.Empty(t, told)
				return
			}
			require.ErrorIs(t, <-told, types.ErrFolderLost)
			s := reportStatus(state.engine.Status(), state, nil)
			require.Equal(t, string(types.ErrFolderLost), s.Problem)
			require.Contains(t, s.Remedy, "sequencerd mpc backup restore")
			m := newMetrics("seq-1")
			m.watch(state, nil)
			require.InDelta(t, 1, gather(t, m)["sequencer_mpc_database_missing"].Metric[0].GetGauge().GetValue(), 0)
		})
	}
}

// What was found is taken back when it is no longer so.
func TestFolderThatIsMissedNoMore(t *testing.T) {
	revoked, told := new(atomic.Bool), make(chan error)
	state := signerState{consensus: []byte("mine"), revoked: revoked}
	f := newFolderLoss(signerApp{&fakeApp{height: 5}, state}, []byte("mine"), func(err error) { told <- err }, slog.New(slog.DiscardHandler))
	looks := 0
	f.now = func() time.Time {
		looks++
		return time.Unix(0, 0).Add(time.Duration(looks) * sharesInterval)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.run(ctx) }()
	hears := func() error {
		f.viewed()
		select {
		case err := <-told:
			return err
		case <-time.After(10 * time.Second): // a bound on failure, not a wait
			require.Fail(t, "nobody is told")
			return nil
		}
	}
	for range 2 {
		revoked.Store(false)
		require.ErrorIs(t, hears(), types.ErrFolderLost)
		revoked.Store(true)
		require.NoError(t, hears())
	}
	cancel()
	require.NoError(t, <-done)
}

// Who reads committed state beside the engine survives a store that panics, as over a
// version that was pruned meanwhile: a report is no reason to end a validator.
func TestReportsSurviveAStoreThatPanics(t *testing.T) {
	f := newFolderLoss(signerApp{&fakeApp{height: 5}, signerState{panics: true}}, []byte("mine"), nil, slog.New(slog.DiscardHandler))
	err := f.find()
	require.ErrorContains(t, err, "version does not exist")
	require.NotErrorIs(t, err, types.ErrFolderLost)

	w := newShareWatch(rosterlessApp{&fakeApp{height: 5}}, nil, func() []types.Record { return []types.Record{} }, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, w.compare(), "version does not exist")
	require.Empty(t, w.found())
}

// rosterlessApp has a store that panics when somebody asks for the roster.
type rosterlessApp struct{ *fakeApp }

func (rosterlessApp) MPCState() State { return rosterlessState{} }

type rosterlessState struct{ fakeState }

func (rosterlessState) EngineRoster(context.Context) (*types.Roster, error) {
	panic("version does not exist")
}

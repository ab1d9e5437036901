package mpcnode

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	chaintest "github.com/sequencer-mpc/sequencer/testutil/chain"
)

// Records that the chain does not know are shown, as what they are, beside keys
// whose share is not there.
func TestReportOfARunningNode(t *testing.T) {
	missing := []MissingShare{{KeyID: "lost", Epoch: 2, What: ShareMissing}}
	later := types.RecordKey{KeyID: "known", Epoch: 1}
	r := reportRunning(mpc.Status{
		Records: []types.Record{
			{RecordKey: types.RecordKey{KeyID: "known"}, HasData: true}, {RecordKey: types.RecordKey{KeyID: "stray"}, HasData: true},
			{RecordKey: later, HasData: true},
		},
		Unknown: []types.KeyID{"stray"}, Withheld: []mpc.Withheld{{RecordKey: later, Why: mpc.WithheldUnasked}},
	}, missing)
	require.Len(t, r.Keys, 3)
	require.Empty(t, r.Keys[0].Withheld)
	require.Equal(t, string(mpc.WithheldUnasked), r.Keys[2].Withheld, "the chain has not reached its epoch")
	require.False(t, r.Keys[0].Unknown)
	require.True(t, r.Keys[1].Unknown)
	require.True(t, r.Keys[1].HasShare, "it is kept")
	require.Equal(t, missing, r.Missing)
}

// A node without its database says so wherever it is asked.
func TestNodeThatLostItsDatabaseSaysSo(t *testing.T) {
	state := idleEngine(t)
	state.lost = ErrNoDatabase
	missing := []MissingShare{{KeyID: "a", What: ShareMissing}, {KeyID: "b", What: ShareBehind}, {KeyID: "c", What: ShareMissing}}
	s := reportStatus(state.engine.Status(), state, missing)
	require.Equal(t, EngineRunning, s.Engine, "it passes results of others on")
	require.Equal(t, string(types.ErrDatabaseLost), s.Problem)
	require.Equal(t, types.ErrDatabaseLost.Remedy(), s.Remedy)
	require.Equal(t, missing, s.MissingShares)

	m := newMetrics("seq-1")
	w := &shareWatch{}
	w.missing.Store(&missing)
	m.watch(state, w)
	all := gather(t, m)
	require.InDelta(t, 1, all["sequencer_mpc_database_missing"].Metric[0].GetGauge().GetValue(), 0)
	counts := map[string]float64{}
	for _, one := range all["sequencer_mpc_shares_missing"].Metric {
		for _, label := range one.Label {
			if label.GetName() == "share" {
				counts[label.GetValue()] = one.GetGauge().GetValue()
			}
		}
	}
	require.Equal(t, map[string]float64{ShareMissing: 2, ShareBehind: 1}, counts)

	state.lost = nil
	require.Empty(t, reportStatus(state.engine.Status(), state, nil).Problem)
	require.InDelta(t, 0, gather(t, m)["sequencer_mpc_database_missing"].Metric[0].GetGauge().GetValue(), 0)
}

// The log says it once, with reason and remedy.
func TestLogOfANodeThatLostItsDatabase(t *testing.T) {
	var out logBuffer
	m := testMember(&out)
	m.tellLost(nil)
	require.Empty(t, out.String())
	m.tellLost(ErrNoDatabase)
	require.Contains(t, out.String(), "level=ERROR")
	require.Contains(t, out.String(), "reason=database_missing")
	require.Contains(t, out.String(), "sequencerd mpc backup restore")
}

// What is kept, and what was found at the start, is shown with what to do, and counted.
func TestReportOfWarnings(t *testing.T) {
	state := idleEngine(t)
	state.warnings = []Warning{{Reason: string(types.ErrDatabaseOld), Detail: "x", Remedy: types.ErrDatabaseOld.Remedy()}}
	kept := mpc.Withheld{RecordKey: types.RecordKey{KeyID: "stray", Epoch: 2}, Why: mpc.WithheldUnasked}
	s := reportStatus(mpc.Status{Withheld: []mpc.Withheld{kept}}, state, nil)
	require.Equal(t, state.warnings, s.Warnings)
	require.Equal(t, []WithheldShare{{
		KeyID: "stray", Epoch: 2, Session: types.SessionID{}.String(), Why: "unknown_reshare", Remedy: mpc.WithheldUnasked.Remedy(),
	}}, s.Withheld)
	require.Equal(t, map[mpc.Withholding]int{
		mpc.WithheldForeign: 0, mpc.WithheldUnasked: 1, mpc.WithheldUncommitted: 0, mpc.WithheldPrevious: 0,
		mpc.WithheldEarlier: 0, mpc.WithheldNext: 0,
	}, countWithheld([]mpc.Withheld{kept}))
	m := newMetrics("seq-1")
	m.watch(state, &shareWatch{})
	require.InDelta(t, 1, gather(t, m)["sequencer_mpc_warnings"].Metric[0].GetGauge().GetValue(), 0)
	require.Len(t, gather(t, m)["sequencer_mpc_records_withheld"].Metric, 6)
}

// A node whose identity was revoked says who did so, and one that is not registered does not.
func TestReportOfARevokedIdentity(t *testing.T) {
	f := chaintest.NewPlain(t, 2)
	own := []ed25519.PublicKey{chaintest.Public(f.Participants[0].Identity)}
	state := idleEngine(t)
	state.identity = true
	says := func(public []ed25519.PublicKey) string {
		w := newShareWatch(newKeeperApp(f), public, nil, slog.New(slog.DiscardHandler))
		return reporter{engine: state, peers: p2p.NewReactor(p2p.Options{ChainID: "c"}), shares: w}.status().RevokedBy
	}
	operator := f.Participants[0].Operator
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, operator))
	require.Empty(t, says(own), "the engine has no view yet: it may be of before it registered again")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- state.engine.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	require.Eventually(t, func() bool { return !state.engine.Status().CatchingUp }, 10*time.Second, time.Millisecond)
	require.Equal(t, operator, says(own))
	require.Empty(t, says(nil), "nobody's")
	require.Empty(t, says([]ed25519.PublicKey{chaintest.Public(f.Participants[1].Identity)}), "it is registered")
	state.identity = false
	require.Empty(t, says(own), "it could not take part anyway")
}

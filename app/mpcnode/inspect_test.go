package mpcnode

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	chaintest "github.com/sequencer-mpc/sequencer/testutil/chain"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// memory is an engine that remembers one thing.
type memory struct{ h mpc.History }

func (memory) Status() mpc.Status { return mpc.Status{Operator: "op-0"} }
func (m memory) History(_ context.Context, id string) (mpc.History, error) {
	if id != "late" {
		return mpc.History{}, nil
	}
	return m.h, nil
}

// deadEngine has stopped.
type deadEngine struct{ memory }

func (deadEngine) History(ctx context.Context, _ string) (mpc.History, error) {
	return mpc.History{}, context.DeadlineExceeded
}

func TestInspect(t *testing.T) {
	f := chaintest.NewPlain(t, 3)
	f.ReadyKey("key", 1)
	f.KeySign("late", "key", "text")
	chain := chainQueries{mpcmodule.NewQueryClient(askApp{newKeeperApp(f)})}
	opened := time.Unix(1000, 0).UTC()
	h := mpc.History{
		Sessions: []mpc.SessionHistory{{
			ID: types.SessionID{1}, Request: types.RequestID{Kind: types.KindSign, ID: "late"}, KeyID: "key", Leader: "op-0", Opened: opened,
			Candidates: []session.Candidate{
				{Operator: "op-0", Leader: true, Signer: true}, {Operator: "op-1", Ready: 1, Signer: true}, {Operator: "op-2"},
				{Operator: "op-3", Ready: 2}, {Operator: "op-4", Ready: 3, Suspicion: 2}, {Operator: "op-5", Refused: types.ErrShareMissing},
				{Operator: "op-6", Ready: 4, Shunned: true},
			},
			Steps: []mpc.HistoryStep{
				{Phase: session.Preparing, Began: opened, Took: time.Second, Waits: []mpc.Wait{{Operator: "op-2", Took: time.Second}}},
				{Phase: session.Running, Round: 1, Rounds: 9, Began: opened.Add(time.Second), Took: 2 * time.Second, Computed: time.Second},
			},
			Traffic: session.Traffic{Sent: 4, SentBytes: 4000, Received: 2, ReceivedBytes: 100}, Resent: 1, Ended: opened.Add(3 * time.Second),
			Reason: types.ErrStalled, Culprits: []types.Operator{"op-2"}, Left: "op-1", LeftFor: types.ErrStalled, Detail: "nothing of op-2",
		}},
		Notes: []mpc.Note{{At: opened, Request: types.RequestID{Kind: types.KindSign, ID: "late"}, What: "refused", Reason: types.ErrBusy, Of: "op-1"}},
	}
	path := filepath.Join(t.TempDir(), "mpc.sock")
	mux := http.NewServeMux()
	mux.Handle("GET "+pathInspect, &inspector{chain, memory{h}, noPeers{}})
	serveSocket(t, path, mux)
	r, err := NewClient(path).Inspect(t.Context(), "late")
	require.NoError(t, err)
	require.Empty(t, r.Problem)
	require.Len(t, r.Outcomes, 1)
	require.Equal(t, "PENDING", r.Outcomes[0].Status)
	require.Positive(t, r.Outcomes[0].ExpiryHeight)
	require.Len(t, r.Notes, 1)
	require.NotEmpty(t, r.Notes[0].Remedy)
	require.Len(t, r.Sessions, 1)
	s := r.Sessions[0]
	var why []string
	for _, c := range s.Candidates {
		why = append(why, c.Why)
	}
	require.Equal(t, []string{
		"it leads", "it was ready", "it had not said that it is ready", "it was ready, and enough others were before it",
		"it was ready, and others are less suspected", "it refused: share_missing",
		"the leader does without it: it kept an attempt from its end, or lied",
	}, why)
	require.Equal(t, []WaitReport{{"op-2", 1}}, s.Steps[0].Waits)
	require.Equal(t, uint32(1), s.Steps[1].Round)
	require.InDelta(t, 1, s.Steps[1].Computed, 0)
	require.Equal(t, "stalled", s.Reason)
	require.Equal(t, []string{"op-2"}, s.Culprits)
	require.Equal(t, h.Sessions[0].Ended, *s.Ended)

	_, err = NewClient(path).Inspect(t.Context(), "")
	require.ErrorContains(t, err, "give the id")
}

// An id may be any word, and a deleted key has a remedy.
func TestInspectOutcomes(t *testing.T) {
	f := chaintest.NewPlain(t, 3)
	x := &inspector{chainQueries{mpcmodule.NewQueryClient(askApp{newKeeperApp(f)})}, memory{}, noPeers{}}
	for _, id := range []string{"pruned", "unknown_key", "unknown_signature:pruned"} {
		r := x.inspect(t.Context(), id)
		require.Empty(t, r.Outcomes, id)
		require.Empty(t, r.Problem, id)
	}
	f.ReadyKey("key", 1)
	_, err := f.Msg.KeyDelete(f.Ctx, &mpcmodule.MsgKeyDelete{Requester: f.Requester, KeyId: "key"})
	require.NoError(t, err)
	r := x.inspect(t.Context(), "key")
	require.Len(t, r.Outcomes, 1)
	require.Equal(t, "DELETING", r.Outcomes[0].Status)
	require.Positive(t, r.Outcomes[0].RetireHeight)
	require.Equal(t, types.ErrKeyDeleted.Remedy(), r.Outcomes[0].Remedy)
}

// What the chain does not keep any more is not what it never knew.
func TestInspectPruned(t *testing.T) {
	f := chaintest.NewPlain(t, 3)
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	params.RetentionBlocks = 1
	require.NoError(t, f.Keeper.SetParams(f.Ctx, params))
	secret := f.ReadyKey("k", 1)
	f.KeyGen("x", 1)
	f.Reshare("x", "k", 1)
	f.Stage("x", secret)
	f.PassTest("x", secret)
	s := f.KeySign("x", "k", "text")
	result := secret.Sign("x", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.KeygenLifetimeBlocks+params.RetireBlocks) + 2)
	x := &inspector{chainQueries{mpcmodule.NewQueryClient(askApp{newKeeperApp(f)})}, memory{}, noPeers{}}
	var kinds []string
	for _, o := range x.inspect(t.Context(), "x").Outcomes {
		require.Equal(t, OutcomeReport{Kind: o.Kind, ID: "x", Status: StatusPruned, Reason: "pruned", Remedy: types.ErrPruned.Remedy()}, o)
		kinds = append(kinds, o.Kind)
	}
	require.Equal(t, []string{"keygen", "sign", "reshare"}, kinds)
	require.Len(t, x.inspect(t.Context(), "test:x").Outcomes, 1)
	require.Empty(t, x.inspect(t.Context(), "never").Outcomes)
}

// After a restart the node remembers nothing, and the chain what became of it.
func TestInspectAfterARestart(t *testing.T) {
	f := chaintest.NewPlain(t, 3)
	f.KeyGen("key", 1)
	p := f.Participants[1]
	a := p.Attest("key", 0, chaintest.Session("s"), chaintest.NewSecret("key").Payload(3))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	x := &inspector{chainQueries{mpcmodule.NewQueryClient(askApp{newKeeperApp(f)})}, memory{}, noPeers{}}
	r := x.inspect(t.Context(), "key")
	require.Empty(t, r.Sessions)
	require.Len(t, r.Outcomes, 1)
	require.Equal(t, []string{p.Operator}, r.Outcomes[0].Attested)

	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.KeygenLifetimeBlocks) + 1)
	r = x.inspect(t.Context(), "key")
	require.Equal(t, "ERROR", r.Outcomes[0].Status)
	require.Equal(t, "expired", r.Outcomes[0].Reason)
	require.NotEmpty(t, r.Outcomes[0].Remedy)

	stopped := &inspector{x.chain, deadEngine{}, noPeers{}}
	r = stopped.inspect(t.Context(), "key")
	require.Contains(t, r.Problem, "the engine does not answer")
	require.Len(t, r.Outcomes, 1)
}

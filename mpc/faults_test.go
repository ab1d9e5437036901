package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// waiting is a session that op-00 said Ready for; nobody starts it.
func waiting(t *testing.T) (*desk, *types.Request, *live) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
	require.Len(t, d.core.sessions, 1)
	for _, l := range d.core.sessions {
		return d, &r, l
	}
	return nil, nil, nil
}

// accuse is what one participant says of another.
func (d *desk) accuse(r *types.Request, by, accused types.Operator) types.Accusation {
	a := types.Accusation{Request: r.ID, Session: types.Context{4}, Accused: accused, Reason: types.ErrStalled, Operator: by, IdentityVersion: 1}
	a.Sign(deskChain, d.keys[by])
	return a
}

// prove is proof against a participant.
func (d *desk) prove(r *types.Request, culprit types.Operator) types.Evidence {
	return d.proveIn(r, culprit, types.Context(append(make([]byte, 31), 4)))
}

// proveIn is such proof in this session.
func (d *desk) proveIn(r *types.Request, culprit types.Operator, session types.Context) types.Evidence {
	envelope := func(body string) *wire.Envelope {
		return types.SignEnvelope(&wire.Header{
			ChainId: deskChain, Context: session[:], Kind: wire.KIND_ROUND, Round: 1, Type: "k1", From: string(culprit),
			IdentityVersion: 1, RequestKind: uint32(r.ID.Kind), RequestId: r.ID.ID,
		}, []byte(body), d.keys[culprit])
	}
	return types.NewEvidence(envelope("one"), envelope("other"))
}

// told is how a result is told.
func told(sum any) *wire.Gossip {
	g := &wire.Gossip{}
	switch s := sum.(type) {
	case types.Accusation:
		g.Sum = &wire.Gossip_Accusation{Accusation: s.ToWire()}
	case types.Attestation:
		g.Sum = &wire.Gossip_Attestation{Attestation: s.ToWire()}
	case types.SignatureResult:
		g = gossipOf(s)
	case types.Evidence:
		g.Sum = &wire.Gossip_Evidence{Evidence: s.ToWire()}
	}
	return g
}

func (d *desk) hear(sum any) {
	d.t.Helper()
	j, err := d.core.Judge(told(sum))
	require.NoError(d.t, err)
	d.core.HandleGossip(d.t.Context(), j)
}

// TestAccuses: whoever kept a session from its end is accused, signed, once.
func TestAccuses(t *testing.T) {
	d, r, l := waiting(t)
	initiator := r.Initiator(0)
	d.now = d.now.Add(2 * time.Minute)
	d.core.Tick()
	require.Equal(t, session.Ended, l.Phase())
	said := d.core.Results().Accusations
	require.Len(t, said, 1)
	require.NoError(t, said[0].Verify(deskChain, d.public("op-00")))
	require.Equal(t, initiator, said[0].Accused)
	require.Equal(t, types.ErrStartTimeout, said[0].Reason)
	require.Equal(t, r.ID, said[0].Request)
	require.Equal(t, 1, d.core.suspicion(initiator))
	require.Empty(t, d.core.spoilers, "who is silent is left out anyway")

	d.view.Height++
	d.view.Faults = []types.Fault{{Participant: initiator, Accuser: "op-00", Reason: types.ErrStartTimeout, Request: r.ID}}
	d.commit()
	require.Empty(t, d.core.Results().Accusations, "the chain has it")
	require.Equal(t, 1, d.core.suspicion(initiator), "and counts it once")
	d.core.blame(l, session.End{Reason: types.ErrStalled, Culprits: []types.Operator{initiator}}, d.now)
	require.Empty(t, d.core.Results().Accusations)
}

// TestAccusesNobody for what is nobody's fault.
func TestAccusesNobody(t *testing.T) {
	d, _, l := waiting(t)
	l.Stop(types.ErrAlreadyDecided)
	d.core.blame(l, session.End{Reason: types.ErrInterrupted, Culprits: []types.Operator{"op-01"}}, d.now)
	require.Empty(t, d.core.Results().Accusations)
	require.Zero(t, d.core.suspicion("op-01"))
}

// TestHearsAccusations takes the true and wanted ones, each once.
func TestHearsAccusations(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(d *desk, r *types.Request, a *types.Accusation)
		want   int
	}{
		"true":            {func(*desk, *types.Request, *types.Accusation) {}, 1},
		"wrong signature": {func(_ *desk, _ *types.Request, a *types.Accusation) { a.Signature[3]++ }, 0},
		"signed by another": {func(d *desk, r *types.Request, a *types.Accusation) {
			a.Sign(deskChain, d.keys["op-03"])
		}, 0},
		"of a request that nobody asked": {func(d *desk, r *types.Request, a *types.Accusation) {
			a.Request.ID = "other"
			a.Sign(deskChain, d.keys["op-01"])
		}, 0},
		"of a stranger": {func(d *desk, _ *types.Request, a *types.Accusation) {
			a.Accused = "op-77"
			a.Sign(deskChain, d.keys["op-01"])
		}, 0},
		"under another identity": {func(d *desk, _ *types.Request, a *types.Accusation) {
			a.IdentityVersion = 2
			a.Sign(deskChain, d.keys["op-01"])
		}, 0},
		"of an attempt to come": {func(d *desk, _ *types.Request, a *types.Accusation) {
			a.Attempt = 2
			a.Sign(deskChain, d.keys["op-01"])
		}, 0},
		"on chain already": {func(d *desk, _ *types.Request, a *types.Accusation) {
			d.view.Faults = []types.Fault{{Participant: a.Accused, Accuser: a.Operator}}
			d.commit()
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d, r, _ := waiting(t)
			a := d.accuse(r, "op-01", "op-02")
			tt.change(d, r, &a)
			d.hear(a)
			d.hear(a)
			require.Len(t, d.core.Results().Accusations, tt.want)
		})
	}
}

// TestHearsEvidence takes what is true and wanted, once for each culprit and
// session, and forgets it when the chain has it.
func TestHearsEvidence(t *testing.T) {
	d, r, _ := waiting(t)
	e := d.prove(r, "op-02")
	e.Second.Signature[1]++
	_, err := d.core.Judge(told(e))
	require.ErrorIs(t, err, types.ErrBadResult)
	other := d.request(types.KindSign)
	d.hear(d.prove(&other, "op-02"))
	require.Empty(t, d.core.Results().Evidence, "the request is not open")

	e = d.prove(r, "op-02")
	d.hear(e)
	d.hear(e)
	require.Equal(t, []types.Evidence{e}, d.core.Results().Evidence)
	d.view.Faults = []types.Fault{{Participant: "op-02", Request: r.ID, Session: e.Context(), Reason: types.ErrBroadcastDiffer}}
	d.commit()
	require.Empty(t, d.core.Results().Evidence)
	require.Equal(t, provenSuspicion, d.core.suspicion("op-02"))
	d.hear(e)
	require.Empty(t, d.core.Results().Evidence)
}

// TestSuspicion counts with whom somebody quarrels, whoever accuses.
func TestSuspicion(t *testing.T) {
	d, _, _ := waiting(t)
	d.view.Faults = []types.Fault{
		{Participant: "op-01", Accuser: "op-02"}, {Participant: "op-01", Accuser: "op-03"}, {Participant: "op-02", Accuser: "op-01"},
	}
	d.commit()
	d.core.suspects["op-02"] = d.now.Add(time.Second)
	require.Equal(t, []int{0, 2, 2, 1}, []int{
		d.core.suspicion("op-00"), d.core.suspicion("op-01"), d.core.suspicion("op-02"), d.core.suspicion("op-03"),
	})
	d.now = d.now.Add(time.Second)
	require.Equal(t, 1, d.core.suspicion("op-02"), "our own lapses")

	d.core.liars["op-03"] = d.now.Add(time.Second)
	require.Greater(t, d.core.suspicion("op-03"), types.MaxMembers, "what this node saw itself it knows")
}

// TestLiars: who lied in a session that ran is remembered longer than who did not
// fit before it, and never shorter because of a smaller fault after it.
func TestLiars(t *testing.T) {
	d, _, l := waiting(t)
	end := session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{"op-01"}}
	d.core.blame(l, end, d.now)
	require.Equal(t, d.now.Add(misfitFor), d.core.liars["op-01"], "nothing ran")
	d.core.remember(end.Culprits, true, d.now)
	d.core.blame(l, end, d.now)
	require.Equal(t, d.now.Add(liarFor), d.core.liars["op-01"])

	d.core.blame(l, session.End{Reason: types.ErrStalled, Culprits: []types.Operator{"op-02"}}, d.now)
	require.NotContains(t, d.core.liars, types.Operator("op-02"), "silence is no lie")
}

// TestAccusationOfANewerVersion: a reason that only a newer version knows is passed on as
// it is, and counts as a quarrel like the others.
func TestAccusationOfANewerVersion(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign)
	d.view.Requests = []types.Request{r}
	d.start()
	a := types.Accusation{Request: r.ID, Accused: "op-02", Reason: "withheld_in_round_7", Operator: "op-01", IdentityVersion: 1}
	a.Sign(deskChain, d.keys["op-01"])
	d.hear(a)
	require.Equal(t, []types.Accusation{a}, d.core.Results().Accusations)
	d.view.Faults = []types.Fault{{Participant: "op-02", Accuser: "op-01", Reason: a.Reason, Request: r.ID}}
	d.commit()
	require.Empty(t, d.core.Results().Accusations, "the chain has it")
	require.Equal(t, 1, d.core.suspicion("op-02"))
}

package mpc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestEvidenceOutlivesItsRequest: proof is held, and taken from others, until the chain
// shows it, also when its request is decided, for as long as the chain takes it.
func TestEvidenceOutlivesItsRequest(t *testing.T) {
	for _, blocks := range []int64{1, 600, 5000} {
		t.Run(fmt.Sprint(blocks), func(t *testing.T) { evidenceOutlives(t, blocks) })
	}
}

func evidenceOutlives(t *testing.T, blocks int64) {
	d, r, _ := waiting(t)
	d.view.FaultBlocks = blocks
	held, late := d.prove(r, "op-02"), d.proveIn(r, "op-03", types.Context{8})
	d.hear(held)
	d.view.Requests = nil
	d.commit()
	require.Equal(t, []types.Evidence{held}, d.core.Results().Evidence)
	d.hear(late)
	require.Equal(t, []types.Evidence{held, late}, d.core.Results().Evidence)
	stranger := d.prove(r, "op-02")
	stranger.First.Header.RequestId, stranger.Second.Header.RequestId = "other", "other"
	d.hear(stranger)
	require.Len(t, d.core.Results().Evidence, 2)

	d.view.Faults = []types.Fault{{Participant: "op-02", Request: r.ID, Session: held.Context()}}
	d.commit()
	require.Equal(t, []types.Evidence{late}, d.core.Results().Evidence)
	d.hear(held)
	require.Equal(t, []types.Evidence{late}, d.core.Results().Evidence, "the chain has it")
	d.view.Faults, d.proven = nil, map[types.Context]types.Operator{held.Context(): "op-02"}
	d.commit()
	d.hear(held)
	require.Equal(t, []types.Evidence{late}, d.core.Results().Evidence, "the chain has it, though it counts no longer")
	d.view.Height += d.view.FaultBlocks
	d.commit()
	require.Equal(t, []types.Evidence{late}, d.core.Results().Evidence)
	d.view.Height++
	d.commit()
	require.Empty(t, d.core.Results().Evidence)
	require.Empty(t, d.core.decidedLately)
}

// TestDecidedRequestsAreBounded: what is remembered of requests that are over, and of
// those that come back by a rollback.
func TestDecidedRequestsAreBounded(t *testing.T) {
	d := newDesk(t, 4)
	d.start()
	for range maxDecided + 5 {
		r := d.request(types.KindSign)
		d.view.Height++
		r.ID.ID = string(rune('a'+d.view.Height%26)) + r.ID.ID + types.Hash{byte(d.view.Height >> 8), byte(d.view.Height)}.Short()
		d.view.Requests = []types.Request{r}
		d.commit()
	}
	require.LessOrEqual(t, len(d.core.decidedLately), int(d.view.FaultBlocks)+1)
	for range 2 * maxDecided {
		d.view.Requests = append(d.view.Requests, d.view.Requests[0])
		d.view.Requests[len(d.view.Requests)-1].ID.ID = types.Hash{byte(len(d.view.Requests) >> 8), byte(len(d.view.Requests))}.Short()
	}
	open := d.view.Requests
	d.commit()
	d.view.Requests = nil
	d.commit()
	require.Len(t, d.core.decidedLately, maxDecided)
	d.view.Requests = open
	d.commit()
	require.Empty(t, d.core.decidedLately)
}

// TestProofsInThePool: whoever signs contradictions about itself fills no pool.
func TestProofsInThePool(t *testing.T) {
	d, r, _ := waiting(t)
	for i := range 2 * types.MaxProofs {
		d.hear(d.proveIn(r, "op-02", types.Context{byte(i + 1)}))
	}
	require.Len(t, d.core.Results().Evidence, types.MaxProofs)
	d.hear(d.prove(r, "op-03"))
	require.Len(t, d.core.Results().Evidence, types.MaxProofs+1)
	for i := range types.MaxProofs {
		d.view.Faults = append(d.view.Faults, types.Fault{Participant: "op-02", Session: types.Context{byte(i + 100)}})
	}
	d.commit()
	require.Len(t, d.core.Results().Evidence, types.MaxProofs+1, "as many as count are on chain, but its members need it")
	d.view.Requests = nil
	d.commit()
	require.Len(t, d.core.Results().Evidence, 1)
}

// TestProofEndsSessionsWhateverCounts: as many proofs as count are on chain, and the pool is
// full of made-up ones. Proof of a session that runs ends it all the same, and is told.
func TestProofEndsSessionsWhateverCounts(t *testing.T) {
	p, l := running(t)
	const culprit = "op-01"
	for i := range byte(types.MaxProofs) {
		p.view.Faults = append(p.view.Faults, types.Fault{Participant: culprit, Session: types.Context{100, i}})
	}
	p.commit()
	for i := range byte(types.MaxProofs) {
		p.hear(p.proveIn(l.Request(), culprit, types.Context{1, i}))
	}
	require.Len(t, p.core.Results().Evidence, types.MaxProofs)
	p.hear(p.proveIn(l.Request(), culprit, types.Context{2}))
	require.Len(t, p.core.Results().Evidence, types.MaxProofs)
	proof := p.proveIn(l.Request(), culprit, l.Context())
	p.hear(proof)
	require.Equal(t, session.Ended, l.Phase())
	held := p.core.Results().Evidence
	require.Len(t, held, types.MaxProofs)
	require.Contains(t, held, proof)
}

// TestMadeUpProofsKeepOutNone: who signs contradictions under the names of sessions that ran
// here without it keeps out no proof of one that runs with it, nor does what ran with it go
// for that.
func TestMadeUpProofsKeepOutNone(t *testing.T) {
	p, l := running(t)
	const culprit = "op-01"
	var of []types.Evidence
	for i := range byte(types.MaxProofs) {
		signers := []types.Operator{"op-00", "op-02"}
		if i == 0 {
			signers = append(signers, culprit)
		}
		p.core.early.end(l.Request().ID, types.Context{1, i}, signers, nil, p.now)
		of = append(of, p.proveIn(l.Request(), culprit, types.Context{1, i}))
		p.hear(of[i])
	}
	require.Equal(t, of, p.core.Results().Evidence)
	proof := p.proveIn(l.Request(), culprit, l.Context())
	p.hear(proof)
	require.Equal(t, session.Ended, l.Phase())
	held := p.core.Results().Evidence
	require.Len(t, held, types.MaxProofs)
	require.Contains(t, held, proof)
	require.Contains(t, held, of[0])
}

// TestProofsOfEndedSessionsGiveWay: as many sessions as it has places for, in which the culprit
// had a part, are over. What runs, and what this node finds itself, comes before them.
func TestProofsOfEndedSessionsGiveWay(t *testing.T) {
	p, l := running(t)
	const culprit = "op-01"
	for i := range byte(types.MaxProofs) {
		p.core.early.end(l.Request().ID, types.Context{1, i}, []types.Operator{culprit}, nil, p.now)
		p.hear(p.proveIn(l.Request(), culprit, types.Context{1, i}))
	}
	late := types.Context{2}
	p.core.early.end(l.Request().ID, late, []types.Operator{culprit}, nil, p.now)
	p.hear(p.proveIn(l.Request(), culprit, late))
	require.NotContains(t, p.core.Results().Evidence, p.proveIn(l.Request(), culprit, late))
	found := p.proveIn(l.Request(), culprit, types.Context{3})
	p.core.early.end(l.Request().ID, found.Context(), []types.Operator{culprit}, nil, p.now)
	p.core.findEvidence(found)
	require.Contains(t, p.core.Results().Evidence, found)
	proof := p.proveIn(l.Request(), culprit, l.Context())
	p.hear(proof)
	held := p.core.Results().Evidence
	require.Len(t, held, types.MaxProofs)
	require.Subset(t, held, []types.Evidence{found, proof})
}

// TestMadeUpStarts: a session is not named by its context before it has one, so two Starts
// under that name are of nothing, and do not stand for what else its culprit said twice.
func TestMadeUpStarts(t *testing.T) {
	p, l := running(t)
	const culprit = "op-01"
	context := l.Context()
	start := func(body string) *wire.Envelope {
		return types.SignEnvelope(&wire.Header{
			ChainId: deskChain, Context: context[:], Kind: wire.KIND_START, From: culprit,
			IdentityVersion: 1, RequestKind: uint32(p.request.ID.Kind), RequestId: p.request.ID.ID,
		}, []byte(body), p.keys[culprit])
	}
	starts := types.NewEvidence(start("one"), start("other"))
	p.hear(starts)
	require.Equal(t, []types.Evidence{starts}, p.core.Results().Evidence)
	require.Equal(t, session.Running, l.Phase())
	proof := p.proveIn(l.Request(), culprit, context)
	p.hear(proof)
	require.Equal(t, session.Ended, l.Phase())
	require.Equal(t, []types.Evidence{proof}, p.core.Results().Evidence)
	p.hear(starts)
	require.Equal(t, []types.Evidence{proof}, p.core.Results().Evidence)
}

// TestProofBeforeTheStart: proof that came before this node knew the session's name ends it
// when it does.
func TestProofBeforeTheStart(t *testing.T) {
	p := newPartner(t)
	var proof types.Evidence
	p.before = func(e *wire.Envelope) {
		if e.Header.Kind == wire.KIND_START && proof.First == nil {
			proof = p.proveIn(&p.request, "op-01", p.s.Context())
			p.hear(proof)
			require.Equal(t, session.Waiting, p.live().Phase())
		}
	}
	p.settle()
	require.NotNil(t, proof.First)
	require.Empty(t, p.core.ordered())
	require.Len(t, p.ends, 1)
	require.Equal(t, types.ErrBroadcastDiffer, p.ends[0].Reason)
	require.Equal(t, []types.Evidence{proof}, p.core.Results().Evidence)
}

// running is a session that runs with op-01, which computes nothing.
func running(t *testing.T) (*partner, *live) {
	t.Helper()
	p := newPartner(t)
	p.idle = true
	p.settle()
	require.Equal(t, session.Running, p.live().Phase())
	return p, p.live()
}

// TestProofIsToldAtOnce: who finds proof tells it before anything else can happen to it.
func TestProofIsToldAtOnce(t *testing.T) {
	d, r, _ := waiting(t)
	spy := &telling{Transport: d}
	d.core.opts.Transport = spy
	proof := d.prove(r, "op-02")
	d.core.findEvidence(proof)
	require.Len(t, spy.said, 1)
	require.NotNil(t, spy.said[0].GetEvidence())
	d.core.findEvidence(proof)
	require.Len(t, spy.said, 1)
}

// telling remembers what was told.
type telling struct {
	Transport
	said []*wire.Gossip
}

func (t *telling) Gossip(g *wire.Gossip) { t.said = append(t.said, g) }

// TestHearsEvidenceOfPresignatures: the key that it names must be one that makes such, by
// the shares of that epoch, and the culprit one of its participants; whatever became of
// the identity.
func TestHearsEvidenceOfPresignatures(t *testing.T) {
	d := newDesk(t, 4)
	key := types.Key{ID: "key", Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops[:3], RetireHeight: 1000}
	d.view.Keys["key"] = key
	presign, ok := types.PresignRequest(&key, d.view.Roster)
	require.True(t, ok)
	d.start()
	e := d.prove(&presign, "op-02")
	e.KeyID = "key"
	for name, change := range map[string]func(k *types.Key, e *types.Evidence){
		"of no key":         func(_ *types.Key, e *types.Evidence) { e.KeyID = "" },
		"of another key":    func(_ *types.Key, e *types.Evidence) { e.KeyID = "other" },
		"of another epoch":  func(k *types.Key, _ *types.Evidence) { k.Session = types.Context{6} },
		"of a DELETING key": func(k *types.Key, _ *types.Evidence) { k.Status = types.KeyDeleting },
		"of no participant": func(k *types.Key, _ *types.Evidence) { k.Participants = d.ops[:2] },
		"of two versions": func(_ *types.Key, e *types.Evidence) {
			*e = d.prove(&presign, "op-02")
			e.KeyID = "key"
			e.First.Header.IdentityVersion++
		},
		"of an unknown version": func(_ *types.Key, e *types.Evidence) {
			*e = d.prove(&presign, "op-02")
			e.KeyID = "key"
			e.First.Header.IdentityVersion++
			e.Second.Header.IdentityVersion++
		},
	} {
		k, said := key, e
		change(&k, &said)
		d.view.Keys["key"] = k
		d.commit()
		j, err := d.core.Judge(told(said))
		if malformed := said.KeyID == "" || said.First.Header.IdentityVersion != said.Second.Header.IdentityVersion; malformed {
			require.ErrorIs(t, err, types.ErrBadResult, name)
			continue
		}
		require.NoError(t, err, name)
		d.core.HandleGossip(t.Context(), j)
		require.Empty(t, d.core.Results().Evidence, name)
	}
	d.view.Keys["key"] = key
	d.commit()
	forged := d.prove(&presign, "op-02")
	forged.KeyID = "key"
	forged.First.Signature[0]++
	_, err := d.core.Judge(told(forged))
	require.ErrorIs(t, err, types.ErrBadResult)
	roster := make(map[types.Operator][]types.Identity)
	for _, op := range d.ops {
		roster[op] = []types.Identity{{Version: 1, Key: d.public(op), Revoked: op == "op-02"}}
	}
	d.view.Roster = types.NewRoster(roster)
	d.commit()
	d.hear(e)
	require.Equal(t, []types.Evidence{e}, d.core.Results().Evidence)
	key.Session = types.Context{6}
	d.view.Keys["key"] = key
	d.commit()
	require.Empty(t, d.core.Results().Evidence)
}

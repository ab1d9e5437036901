package mpc

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// presigner is a desk with a READY key of which op-00 has a share.
type presigner struct {
	*desk
	request types.Request
	from    types.Operator
	attempt uint32
	height  int64
	version uint32
	asked   *wire.Envelope // the last Prepare
}

var deskKeySession = types.Context{5}

func newPresigner(t *testing.T) *presigner {
	p := &presigner{desk: newDesk(t, 4), version: 1}
	p.view.Presign = 2
	key := types.Key{
		ID: "key", Status: types.KeyReady, Session: deskKeySession, Algorithm: types.ECDSASecp256k1, Threshold: 1,
		Participants: p.ops, PublicKey: []byte("public"),
	}
	p.view.Keys["key"] = key
	p.hold(deskKeySession, types.StatusReady)
	p.request, _ = types.PresignRequest(&key, p.view.Roster)
	for p.request.Initiator(p.attempt) == "op-00" {
		p.attempt++
	}
	p.from, p.height = p.request.Initiator(p.attempt), p.view.Height
	return p
}

// ask delivers a Prepare, each time another one.
func (p *presigner) ask() {
	p.t.Helper()
	v := p.desk.prepare(p.from, p.request.ID, p.attempt, p.version)
	var body wire.Prepare
	require.NoError(p.t, body.Unmarshal(v.Body()))
	commitment := p.request.Commitment(deskChain)
	body.Height, body.Commitment = p.height, commitment[:]
	bz, err := body.Marshal()
	require.NoError(p.t, err)
	v = p.signed(p.from, wire.KIND_PREPARE, p.version, p.request.ID, bz)
	p.asked = v.Envelope()
	p.core.HandleEnvelope(v)
}

// pins is what the first request of the view pinned of a member.
func (p *presigner) pins(op types.Operator) *types.Member {
	members := p.view.Requests[0].Members
	return &members[slices.IndexFunc(members, func(m types.Member) bool { return m.Operator == op })]
}

// TestAdmitPresign: what a participant answers to the Prepare of a presignature.
func TestAdmitPresign(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*presigner)
		after  func(*presigner)
		said   string
	}{
		"ready":                      {nil, nil, "ready"},
		"nobody wants any":           {func(p *presigner) { p.view.Presign = 0 }, nil, "unknown_request"},
		"key that is being deleted":  {func(p *presigner) { p.changeKey(func(k *types.Key) { k.Status = types.KeyDeleting }) }, nil, "unknown_request"},
		"key of another epoch":       {func(p *presigner) { p.changeKey(func(k *types.Key) { k.Epoch, k.Session = 1, types.Context{6} }) }, nil, "unknown_request"},
		"no participant of the key":  {func(p *presigner) { p.changeKey(func(k *types.Key) { k.Participants = p.ops[1:] }) }, nil, "unknown_request"},
		"not its turn":               {nil, func(p *presigner) { p.attempt++ }, "wrong_initiator"},
		"identity that is not there": {nil, func(p *presigner) { p.version = 2 }, "wrong_initiator"},
		"a liar":                     {nil, func(p *presigner) { p.core.liars[p.from] = p.now.Add(time.Hour) }, "wrong_initiator"},
		"said again much later":      {nil, func(p *presigner) { p.view.Height += presignSlack + 1; p.commit() }, "wrong_attempt"},
		"from the future":            {nil, func(p *presigner) { p.height += presignSlack + 1 }, "wrong_attempt"},
		"the same attempt again":     {nil, func(p *presigner) { p.ask(); p.core.Shutdown(); p.sent = nil }, "wrong_attempt"},
		"another identity of a member, seen here only": {nil, func(p *presigner) { p.rotate(); p.commit() }, "wrong_attempt"},
		"another identity of a member, seen there only": {func(p *presigner) {
			before := p.view.Roster
			p.rotate()
			key := p.view.Keys["key"]
			p.request, _ = types.PresignRequest(&key, p.view.Roster)
			p.view.Roster = before
		}, nil, "wrong_attempt"},
		"one is being made":  {nil, func(p *presigner) { p.ask(); p.sent = nil; p.attempt += 4 }, "busy"},
		"too many in memory": {nil, func(p *presigner) { p.core.presigns.count = DefaultMaxPresignatures }, "busy"},
		"an owner that wastes them": {nil, func(p *presigner) {
			p.core.presigns.wasted[p.from] = waste{count: 2*2 + presignWasteExtra, since: p.now}
		}, "busy"},
		"an owner that wasted them": {nil, func(p *presigner) {
			p.core.presigns.wasted[p.from] = waste{count: 2*2 + presignWasteExtra, since: p.now.Add(-presignWasteFor)}
		}, "ready"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPresigner(t)
			if c.before != nil {
				c.before(p)
			}
			p.start()
			if c.after != nil {
				c.after(p)
			}
			p.ask()
			said, to, _ := p.answer()
			require.Equal(t, c.said, said)
			require.Equal(t, string(p.from), to)
		})
	}
}

// rotate gives another identity to somebody who is neither op-00 nor the owner.
func (p *presigner) rotate() {
	roster := make(map[types.Operator][]types.Identity)
	for _, op := range p.ops {
		roster[op] = []types.Identity{{Version: 1, Key: p.public(op)}}
	}
	i := slices.IndexFunc(p.ops, func(op types.Operator) bool { return op != "op-00" && op != p.from })
	roster[p.ops[i]] = append(roster[p.ops[i]], types.Identity{Version: 2, Key: make([]byte, 32)})
	p.view.Roster = types.NewRoster(roster)
}

func (p *presigner) changeKey(f func(*types.Key)) {
	key := p.view.Keys["key"]
	f(&key)
	p.view.Keys["key"] = key
}

// A node leads one of its own at a time, and waits longer after each that failed.
func TestOpenPresign(t *testing.T) {
	p := newPresigner(t)
	p.start()
	prepares := func() (n int) {
		p.core.Tick()
		for _, e := range p.sent {
			if e.Header.Kind == wire.KIND_PREPARE {
				n++
			}
		}
		p.sent = nil
		return n
	}
	require.Equal(t, 3, prepares(), "one to each other member")
	require.Equal(t, []PresignStatus{{KeyID: "key", Building: 1}}, p.core.Status().Presignatures)
	require.Zero(t, prepares())
	fail := func() {
		for _, l := range p.core.ordered() {
			l.Stop(types.ErrStartTimeout)
		}
		p.sent = nil
	}
	fail()
	for _, wait := range []time.Duration{presignPause, 2 * presignPause} {
		p.now = p.now.Add(wait - time.Millisecond)
		p.commit()
		require.Zero(t, prepares())
		p.now = p.now.Add(time.Millisecond)
		p.commit()
		require.Equal(t, 3, prepares())
		fail()
	}
	p.now = p.now.Add(time.Hour)
	p.view.CatchingUp = true
	p.commit()
	require.Zero(t, prepares(), "a node that is behind begins nothing")
}

// A session that never became a presignature is none that was discarded.
func TestPresignedIsWhatWasReady(t *testing.T) {
	for _, ready := range []bool{false, true} {
		p := newPresigner(t)
		p.start()
		p.ask()
		for _, l := range p.core.ordered() {
			l.parked = ready // as noticeParked does
			l.Stop(types.ErrReleased)
		}
		require.Len(t, p.ends, 1)
		require.Equal(t, ready, p.ends[0].Presigned)
	}
}

// TestEndTellsWhyItWasLeft: an Observer is told why somebody left, beside that it did.
func TestEndTellsWhyItWasLeft(t *testing.T) {
	p := newPresigner(t)
	p.start()
	p.core.End(p.started(), session.End{Reason: types.ErrAborted, Left: p.from, LeftFor: types.ErrPresignDropped})
	require.Len(t, p.ends, 1)
	require.Equal(t, types.ErrAborted, p.ends[0].Reason)
	require.Equal(t, types.ErrPresignDropped, p.ends[0].LeftFor)
}

// What is made next is of the key that was last asked for, then of that of which there are
// fewest; while one has as many as it wants, or is paused, of another.
func TestNeediestKey(t *testing.T) {
	p := newPresigner(t)
	p.changeKey(func(k *types.Key) { p.view.Keys["other"] = *k })
	other := p.view.Keys["other"]
	other.ID, other.Session = "other", types.Context{7}
	p.view.Keys["other"] = other
	r := types.Record{
		RecordKey: types.RecordKey{KeyID: "other", Session: types.SessionID{8}}, Context: other.Session, Data: []byte("share"),
		Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
	}
	require.NoError(t, p.store.PutRecord(r))
	r.Status = types.StatusReady
	require.NoError(t, p.store.PutRecord(r))
	p.start()
	ps := &p.core.presigns
	neediest := func() types.KeyID {
		if r := p.core.neediest(p.now); r != nil {
			return r.KeyID
		}
		return ""
	}
	require.Equal(t, types.KeyID("key"), neediest(), "the first by name")
	for i, id := range []types.KeyID{"other", "key", "other"} {
		p.now = p.now.Add(time.Second)
		asked := p.desk.request(types.KindSign)
		asked.ID.ID, asked.KeyID, asked.KeySession = fmt.Sprintf("%s-%d", id, i), id, p.view.Keys[id].Session
		p.view.Requests = []types.Request{asked}
		p.commit()
		p.view.Requests = nil
		p.commit()
		require.Equal(t, id, neediest(), "a signature of it was asked for last")
	}
	ps.pauses["other"] = pause{until: p.now.Add(time.Second)}
	require.Equal(t, types.KeyID("key"), neediest())
	delete(ps.pauses, "other")
	ps.losses["other"] = pause{until: p.now.Add(time.Second)}
	require.Equal(t, types.KeyID("key"), neediest())
	clear(ps.losses)

	key, others := p.core.presignRequest(types.RequestID{Kind: types.KindPresign, ID: deskKeySession.String()}), p.core.presignRequest(types.RequestID{Kind: types.KindPresign, ID: other.Session.String()})
	own := map[string]int{key.ID.ID: 0, others.ID.ID: 1}
	require.True(t, p.core.needsMore(others, key, own), "use comes first")
	ps.used["key"] = ps.used["other"]
	require.True(t, p.core.needsMore(key, others, own), "then there are fewer")
	require.False(t, p.core.needsMore(others, key, own))

	p.core.opts.MaxPresignatures = len(p.ops) - 1
	require.Empty(t, neediest(), "no owner may have any")
	p.core.opts.MaxPresignatures = len(p.ops)
	require.NotEmpty(t, neediest())
	ps.count = len(p.ops)
	require.Empty(t, neediest(), "there is room for none")
	ps.count = 0
	p.view.Presign = 0
	p.commit()
	require.Empty(t, neediest(), "nobody wants any")
}

// One owner has no more than its part of what a node keeps, be it of one key or of several.
func TestPresignQuota(t *testing.T) {
	p := newPresigner(t)
	p.start(func(o *Options) { o.MaxPresignatures = 3 })
	p.ask()
	said, _, _ := p.answer()
	require.Equal(t, "busy", said, "three for four owners are none for one")
	p.core.opts.MaxPresignatures = 4
	p.ask()
	said, _, _ = p.answer()
	require.Equal(t, "ready", said)
}

// started is a session that its leader started with op-00 alone.
func (p *presigner) started() *session.Session {
	p.t.Helper()
	p.ask()
	require.Len(p.t, p.sent, 1)
	ready := p.sent[0]
	p.sent = nil
	l := p.core.ordered()[0]
	start := wire.Start{Prepare: p.asked, Readys: []*wire.Envelope{ready}, Signers: []string{"op-00", string(p.from)}}
	body, err := start.Marshal()
	require.NoError(p.t, err)
	id := l.ID()
	v, err := types.VerifyEnvelope(types.SignEnvelope(&wire.Header{
		ChainId: deskChain, Context: id[:], Kind: wire.KIND_START, From: string(p.from), IdentityVersion: p.version, Sequence: 2,
		RequestKind: uint32(p.request.ID.Kind), RequestId: p.request.ID.ID,
	}, body, p.keys[p.from]), deskChain, p.public(p.from))
	require.NoError(p.t, err)
	p.core.HandleEnvelope(v)
	require.Equal(p.t, session.Running, l.Phase())
	return l.Session
}

// TestAdmitConsume: for what a signer lets the owner of a presignature use it.
func TestAdmitConsume(t *testing.T) {
	type use struct {
		*presigner
		wanted  types.Request
		attempt uint32
		digest  []byte
	}
	for name, c := range map[string]struct {
		change func(*use)
		reason types.Reason
	}{
		"committed":                 {func(*use) {}, ""},
		"of a later block":          {func(u *use) { u.view.Requests = nil }, types.ErrUnknownRequest},
		"of a later attempt":        {func(u *use) { u.attempt++ }, types.ErrUnknownRequest},
		"of an attempt far away":    {func(u *use) { u.attempt += 2 }, types.ErrWrongAttempt},
		"another digest":            {func(u *use) { u.digest = append(make([]byte, 31), 2) }, types.ErrBadDigest},
		"expired":                   {func(u *use) { u.view.Height = 100 }, types.ErrExpired},
		"led by somebody else":      {func(u *use) { u.view.Requests[0].ID.ID = "other"; u.wanted.ID.ID = "other" }, types.ErrWrongInitiator},
		"shares of another session": {func(u *use) { u.view.Requests[0].KeySession = types.Context{6} }, types.ErrPresignLost},
		"used in vain too often": {func(u *use) {
			u.presigner.core.presigns.tries[useBy{u.wanted.ID, u.from}] = maxPresignTries
		}, types.ErrPresignLost},
		"used in vain by somebody else": {func(u *use) {
			u.presigner.core.presigns.tries[useBy{u.wanted.ID, "op-00"}] = maxPresignTries
		}, ""},
		"a reshare's test":             {func(u *use) { u.view.Requests[0].Test = true }, types.ErrPresignLost},
		"another identity of a signer": {func(u *use) { u.pins(u.from).IdentityVersion = 2 }, types.ErrPresignLost},
		"another key of a signer":      {func(u *use) { u.pins("op-00").IdentityKey = u.public("op-03") }, types.ErrPresignLost},
		"another identity of somebody else": {func(u *use) {
			u.pins(u.ops[slices.IndexFunc(u.ops, func(op types.Operator) bool { return op != "op-00" && op != u.from })]).IdentityVersion = 2
		}, ""},
		"decided": {func(u *use) {
			u.view.Requests = nil
			u.sigs[u.wanted.ID.ID] = types.SignatureResult{RequestID: u.wanted.ID.ID, R: make([]byte, 32), S: make([]byte, 32)}
		}, types.ErrAlreadyDecided},
	} {
		t.Run(name, func(t *testing.T) {
			u := &use{presigner: newPresigner(t)}
			u.wanted = u.desk.request(types.KindSign)
			u.wanted.PublicKey = []byte("public")
			for u.request.Initiator(u.presigner.attempt) != u.wanted.Initiator(0) {
				u.presigner.attempt++
			}
			u.from = u.request.Initiator(u.presigner.attempt)
			u.wanted.Members = slices.Clone(u.wanted.Members)
			u.view.Requests, u.digest = []types.Request{u.wanted}, u.wanted.Digest
			u.start()
			s := u.started()
			require.ElementsMatch(t, []types.Operator{"op-00", u.from}, s.Signers())
			c.change(u)
			for u.wanted.ID.ID == "other" && u.wanted.Initiator(0) == u.from { // not by chance the same leader
				u.wanted.ID.ID += "r"
				u.view.Requests[0].ID = u.wanted.ID
			}
			u.commit()
			_, reason := u.core.admitConsume(s, u.wanted.ID, u.attempt, u.digest)
			require.Equal(t, c.reason, reason)
		})
	}
}

// What can wait waits while blocks are late, at who would begin it and at who is asked;
// blocks that are caught up with tell nothing of that.
func TestNoPresignaturesWhileBlocksAreLate(t *testing.T) {
	p := newPresigner(t)
	block := func(after time.Duration) {
		p.now, p.view.Height = p.now.Add(after), p.view.Height+1
		p.commit()
	}
	begins := func() bool {
		p.sent = nil
		p.core.Tick()
		return slices.ContainsFunc(p.sent, func(e *wire.Envelope) bool { return e.Header.Kind == wire.KIND_PREPARE })
	}
	p.start()
	p.view.CatchingUp = true
	for range 20 {
		block(time.Millisecond)
	}
	p.view.CatchingUp = false
	for range 3 {
		block(time.Second)
		require.False(t, p.core.Status().BlocksLate)
	}
	block(3 * time.Second)
	require.True(t, p.core.Status().BlocksLate)
	require.False(t, begins())
	p.height = p.view.Height
	p.ask()
	require.Empty(t, p.core.sessions)
	block(time.Second)
	require.False(t, p.core.Status().BlocksLate)
	require.True(t, begins())
}

// What can wait waits from the Prepare of a request's session until that has its result, at who
// would begin it and at who is asked.
func TestNoPresignaturesBesideARequest(t *testing.T) {
	for name, begin := range map[string]func(p *presigner, sign types.Request){
		"waiting": func(p *presigner, sign types.Request) {
			p.core.HandleEnvelope(p.desk.prepare(sign.Initiator(0), sign.ID, 0, 1))
		},
		"preparing": func(*presigner, types.Request) {}, // with the block
	} {
		t.Run(name, func(t *testing.T) {
			p := newPresigner(t)
			sign := p.desk.request(types.KindSign)
			for leads := name == "preparing"; leads != (sign.Initiator(0) == "op-00"); {
				sign.ID.ID += "x"
			}
			p.view.Requests = []types.Request{sign}
			p.start()
			begin(p, sign)
			require.Len(t, p.core.sessions, 1)
			require.Equal(t, name, p.core.ordered()[0].Phase().String())

			p.sent = nil
			p.core.Tick()
			require.Len(t, p.core.sessions, 1, "it begins one beside the request")
			p.sent = nil
			p.ask()
			said, to, _ := p.answer()
			require.Equal(t, "busy", said)
			require.Equal(t, string(p.from), to)

			p.view.Requests = nil
			p.commit()
			p.core.Tick()
			require.Len(t, p.core.sessions, 1)
			require.Equal(t, types.KindPresign, p.core.ordered()[0].Request().ID.Kind)
		})
	}
}

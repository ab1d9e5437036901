package mpc

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// admission is one Prepare on its way to a desk.
type admission struct {
	*desk
	request types.Request
	from    types.Operator
	attempt uint32
	version uint32
}

func none(*admission) {}

// admitTests are ways in which a Prepare meets a participant.
var admitTests = []struct {
	name   string
	kind   types.RequestKind
	before func(*admission) // the Core starts
	after  func(*admission) // it started
	said   string           // empty: parked
}{
	{"keygen", types.KindKeygen, none, none, "ready"},
	{"sign", types.KindSign, func(a *admission) { a.hold(a.request.KeySession, types.StatusReady) }, none, "ready"},
	{"request of a later block", types.KindKeygen, func(a *admission) { a.view.Requests = nil }, none, ""},
	{"expired", types.KindKeygen, func(a *admission) { a.view.Height = 100 }, none, "expired"},
	{"attempt of the next block", types.KindKeygen, func(a *admission) { a.view.Height, a.attempt = 14, 1 }, none, ""},
	{"attempt after the next", types.KindKeygen, func(a *admission) { a.view.Height, a.attempt = 14, 2 }, none, "wrong_attempt"},
	{"attempt that just ended", types.KindKeygen, func(a *admission) { a.view.Height = 16 }, none, "ready"},
	{"attempt long over", types.KindKeygen, func(a *admission) { a.view.Height = 17 }, none, "wrong_attempt"},
	{"attempt opened twice", types.KindKeygen, none, func(a *admission) { a.deliver(); a.sent = nil }, "wrong_attempt"},
	{"not its turn", types.KindKeygen, none, func(a *admission) { a.from = a.request.Initiator(1) }, "wrong_initiator"},
	{"no member", types.KindKeygen, func(a *admission) {
		a.request.Members = a.request.Members[:3]
		a.view.Requests[0] = a.request
		a.from = "op-03"
	}, none, "wrong_initiator"},
	{"identity that was not pinned", types.KindKeygen, none, func(a *admission) { a.version = 2 }, "wrong_initiator"},
	{"no pre-parameters", types.KindKeygen, func(a *admission) { require.NoError(a.t, a.store.BurnPreparams(1)) }, none, "no_preparams"},
	{"no share", types.KindSign, none, none, "share_missing"},
	{"share of another session", types.KindSign, func(a *admission) { a.hold(types.Context{6}, types.StatusReady) }, none, "share_missing"},
	{"share about to be READY", types.KindSign, func(a *admission) { a.hold(a.request.KeySession, types.StatusPending) }, none, ""},
	{"digest bound to another", types.KindSign, func(a *admission) {
		a.hold(a.request.KeySession, types.StatusReady)
		require.NoError(a.t, a.store.BindDigest(a.request.ID.ID, types.Hash{1}, a.request.Digest))
	}, none, "digest_bound"},
	{"bound to another key", types.KindSign, func(a *admission) {
		a.hold(a.request.KeySession, types.StatusReady)
		other := a.request
		other.KeyID = "other"
		require.NoError(a.t, a.store.BindDigest(other.ID.ID, other.BindingHash(), other.Digest))
	}, none, "digest_bound"},
	{"bound to another digest of the key", types.KindSign, func(a *admission) {
		a.hold(a.request.KeySession, types.StatusReady)
		require.NoError(a.t, a.store.BindDigest(a.request.ID.ID, a.request.BindingHash(), append(make([]byte, 31), 2)))
	}, none, "digest_bound"},
	{"digest that nobody may sign", types.KindSign, func(a *admission) {
		a.hold(a.request.KeySession, types.StatusReady)
		a.view.Requests[0].Digest = make([]byte, 32)
	}, none, "bad_digest"},
	{"decided", types.KindSign, func(a *admission) {
		a.view.Requests = nil
		a.sigs[a.request.ID.ID] = types.SignatureResult{RequestID: a.request.ID.ID, R: make([]byte, 32), S: make([]byte, 32)}
	}, none, "already_decided"},
	{"no kind of request", types.KindKeygen, none, func(a *admission) { a.request.ID.Kind = 77 }, ""},
}

// TestAdmit: what a participant answers to a Prepare, by its own committed state
// and store.
func TestAdmit(t *testing.T) {
	for _, tt := range admitTests {
		t.Run(tt.name, func(t *testing.T) {
			a := &admission{desk: newDesk(t, 4), version: 1}
			a.request = a.desk.request(tt.kind)
			a.view.Requests = []types.Request{a.request}
			a.from = a.request.Initiator(0)
			tt.before(a)
			if a.attempt > 0 {
				a.from = a.request.Initiator(a.attempt)
			}
			a.start()
			tt.after(a)
			a.deliver()
			said, to, result := a.answer()
			require.Equal(t, tt.said, said)
			require.Equal(t, said == "already_decided", result != nil)
			if said == "" {
				require.Len(t, a.core.parked, 1)
				return
			}
			require.Equal(t, string(a.from), to)
			require.Empty(t, a.core.parked)
		})
	}
}

func (a *admission) deliver() {
	a.core.HandleEnvelope(a.prepare(a.from, a.request.ID, a.attempt, a.version))
}

// TestRequestOfAnotherEpoch: a chain that was rolled back over a reshare commits the same
// request again, for the shares of before; a node that said Ready for it in the later
// epoch signs. Another digest it refuses in whatever epoch.
func TestRequestOfAnotherEpoch(t *testing.T) {
	d := newDesk(t, 4)
	before := d.request(types.KindSign)
	after := before
	after.Epoch, after.KeySession, after.Threshold = 1, types.Context{6}, 2
	after.Members = append([]types.Member{{Operator: "op-00", IdentityVersion: 1, IdentityKey: d.public("op-00")}}, after.Members[2:]...)
	other := before
	other.Digest = append(make([]byte, 31), 2)
	for _, r := range []types.Request{before, after} {
		rec := types.Record{
			RecordKey: types.RecordKey{KeyID: r.KeyID, Epoch: r.Epoch, Session: types.SessionID{byte(r.Epoch + 1)}},
			Context:   r.KeySession, Data: []byte("share"), Status: types.StatusPending, Algorithm: r.Algorithm,
		}
		require.NoError(t, d.store.PutRecord(rec))
		rec.Status = types.StatusReady
		require.NoError(t, d.store.PutRecord(rec))
	}
	for _, c := range []struct {
		request types.Request
		said    string
	}{{after, "ready"}, {before, "ready"}, {after, "ready"}, {other, "digest_bound"}} {
		r, attempt := c.request, uint32(0)
		for r.Initiator(attempt) == "op-00" {
			attempt++
		}
		d.view.Height = r.Height + int64(attempt)*r.AttemptBlocks
		d.view.Requests = []types.Request{r}
		d.sent = nil
		d.start() // a node starts anew on a chain that was rolled back
		d.core.HandleEnvelope(d.prepare(r.Initiator(attempt), r.ID, attempt, 1))
		said, _, _ := d.answer()
		require.Equal(t, c.said, said, "epoch %d", r.Epoch)
	}
}

// TestAdmitDrops: no answer at all.
func TestAdmitDrops(t *testing.T) {
	tests := []struct {
		name    string
		spoil   func(*desk)
		body    []byte
		dropped types.Reason
	}{
		{"catching up", func(d *desk) { d.view.CatchingUp = true }, nil, types.ErrCatchingUp},
		{"no participant", func(d *desk) { d.view.Roster = types.NewRoster(nil) }, nil, types.ErrCatchingUp},
		{"no Prepare", func(*desk) {}, []byte{0xff}, types.ErrProtocolFault},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, 4)
			r := d.request(types.KindKeygen)
			d.view.Requests = []types.Request{r}
			tt.spoil(d)
			d.start()
			v := d.prepare(r.Initiator(0), r.ID, 0, 1)
			if tt.body != nil {
				v = d.signed(r.Initiator(0), wire.KIND_PREPARE, 1, r.ID, tt.body)
			}
			d.core.HandleEnvelope(v)
			require.Empty(t, d.sent)
			require.Empty(t, d.core.parked)
			require.Equal(t, map[types.Reason]int{tt.dropped: 1}, d.dropped)
		})
	}
}

// TestParkedJoins: a Prepare that overtook its block is answered when the block
// comes.
func TestParkedJoins(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.start()
	d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
	require.Len(t, d.core.parked, 1)
	d.view.Requests = []types.Request{r}
	d.commit()
	said, to, _ := d.answer()
	require.Equal(t, []string{"ready", string(r.Initiator(0))}, []string{said, to})
	require.Empty(t, d.core.parked)
	require.Equal(t, session.Waiting, d.core.Status().Sessions[0].Phase)
}

// TestParkedLapses: it waits for parkedAge, however many blocks come by, and is
// refused with the reason that it waited for.
func TestParkedLapses(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.start()
	v := d.prepare(r.Initiator(0), r.ID, 0, 1)
	d.core.HandleEnvelope(v)
	d.now = d.now.Add(parkedAge - 1)
	d.commit()
	d.core.HandleEnvelope(v) // a resend
	d.core.Tick()
	require.Len(t, d.core.parked, 1)
	require.Empty(t, d.sent)
	d.now = d.now.Add(1)
	d.core.Tick()
	said, _, _ := d.answer()
	require.Equal(t, string(types.ErrUnknownRequest), said)
	require.Empty(t, d.core.parked)
}

// TestParkedBounds: each sender has some room, all together have more.
func TestParkedBounds(t *testing.T) {
	d := newDesk(t, maxParked/maxParkedPerSender+2)
	d.start()
	id := types.RequestID{Kind: types.KindKeygen, ID: "later"}
	fill := func(op types.Operator, count int) {
		for range count {
			d.core.HandleEnvelope(d.prepare(op, id, 0, 1))
		}
	}
	fill(d.ops[1], maxParkedPerSender+3)
	require.Len(t, d.core.parked, maxParkedPerSender)
	require.Equal(t, 3, d.dropped[types.ErrBusy])
	for _, op := range d.ops[2:] {
		fill(op, maxParkedPerSender)
	}
	require.Len(t, d.core.parked, maxParked)
	require.Equal(t, 3+maxParkedPerSender, d.dropped[types.ErrBusy])
	require.Empty(t, d.sent)
}

// TestPreparesSaidAgain: what somebody once led, anybody can say again: decided long ago or
// just now, ahead of this node or not, and as often as it likes. What is led next is answered
// with its block all the same, and decided requests are told of before it.
func TestPreparesSaidAgain(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign)
	d.hold(r.KeySession, types.StatusReady)
	leader, height := r.Initiator(0), int64(1000)
	r.Height, r.ExpiryHeight = height+1, height+100
	d.view.Height = height
	d.start()
	again := func(name string, at int64) {
		for i := range maxOutcomes + 2*maxParkedPerSender {
			d.core.HandleEnvelope(d.prepareAt(at, leader, types.RequestID{Kind: types.KindSign, ID: fmt.Sprint(name, "-", i)}))
		}
	}
	d.reads.Store(0)
	again("old", height-outcomeBlocks-1)
	require.Zero(t, d.reads.Load(), "nobody is so far behind")
	require.Empty(t, d.core.parked)
	decided := types.RequestID{Kind: types.KindSign, ID: "decided"}
	d.sigs[decided.ID] = types.SignatureResult{RequestID: decided.ID, R: make([]byte, 32), S: make([]byte, 32)}
	d.sent = nil
	d.core.HandleEnvelope(d.prepareAt(height-1, leader, decided))
	said, _, result := d.answer()
	require.Equal(t, "already_decided", said)
	require.NotNil(t, result)

	again("recent", height)
	require.Empty(t, d.core.parked, "they wait for no block")
	again("ahead", height+1)
	require.Len(t, d.core.parked, maxParkedPerSender)
	r.Height = height + 2
	d.core.HandleEnvelope(d.prepareAt(height+2, leader, r.ID))
	for i := range maxParkedPerSender - 1 {
		d.core.HandleEnvelope(d.prepareAt(height+2, leader, types.RequestID{Kind: types.KindSign, ID: fmt.Sprint("next-", i)}))
	}
	again("ahead-too", height+1)
	require.Len(t, d.core.parked, maxParkedPerSender)

	d.sent = nil
	d.view.Requests, d.view.Height = []types.Request{r}, height+2
	d.commit()
	ready := 0
	for _, e := range d.sent {
		if e.Header.Kind == wire.KIND_READY && e.Header.RequestId == r.ID.ID {
			ready++
		}
	}
	require.Equal(t, 1, ready)
}

// TestPrepareSaysItsHeight: others tell by it what is new.
func TestPrepareSaysItsHeight(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	attempt := uint32(0)
	for r.Initiator(attempt) != "op-00" {
		attempt++
	}
	d.view.Height = r.Height + int64(attempt)*r.AttemptBlocks
	d.view.Requests = []types.Request{r}
	d.start()
	require.NotEmpty(t, d.sent)
	require.Equal(t, wire.KIND_PREPARE, d.sent[0].Header.Kind)
	var p wire.Prepare
	require.NoError(t, p.Unmarshal(d.sent[0].Body))
	require.Equal(t, d.view.Height, p.Height)
}

// TestMakeRoom: at the limit of sessions an unstarted one of a later request
// gives way, of an earlier one it does not.
func TestMakeRoom(t *testing.T) {
	tests := []struct {
		name   string
		height int64 // of the second request; the first is of 10
		said   string
	}{
		{"earlier", 9, "ready"},
		{"later", 11, "busy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.hold(types.Context{5}, types.StatusReady)
			first := d.request(types.KindSign)
			second := first
			second.ID.ID, second.Height = "second", tt.height
			second.AttemptBlocks = 50
			d.view.Height = 11
			d.view.Requests = []types.Request{first, second}
			if second.Initiator(0) == "op-00" {
				t.Fatal("choose another id: this node leads it")
			}
			d.start(func(o *Options) { o.MaxSessions = 1 })
			d.core.HandleEnvelope(d.prepare(first.Initiator(0), first.ID, 0, 1))
			said, _, _ := d.answer()
			require.Equal(t, "ready", said)
			d.core.HandleEnvelope(d.prepare(second.Initiator(0), second.ID, 0, 1))
			said, _, _ = d.answer()
			require.Equal(t, tt.said, said)
			sessions := d.core.Status().Sessions
			require.Len(t, sessions, 1)
			require.Equal(t, tt.said == "ready", sessions[0].Request == second.ID)
		})
	}
}

// TestLaterAttemptSupersedes: an unstarted session gives way to the next attempt
// of its request; the same attempt or an earlier one does not.
func TestLaterAttemptSupersedes(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
	said, _, _ := d.answer()
	require.Equal(t, "ready", said)
	d.view.Height = 15
	d.commit()
	d.now = d.now.Add(time.Second)
	d.core.HandleEnvelope(d.prepare(r.Initiator(1), r.ID, 1, 1))
	said, to, _ := d.answer()
	require.Equal(t, []string{"ready", string(r.Initiator(1))}, []string{said, to}, "with the one set of pre-parameters there is")
	sessions := d.core.Status().Sessions
	require.Len(t, sessions, 1)
	require.Equal(t, uint32(1), sessions[0].Attempt)
	statuses := make(map[types.Status]types.Reason)
	for _, rec := range d.core.Status().Records {
		statuses[rec.Status] = rec.Reason
	}
	require.Equal(t, map[types.Status]types.Reason{types.StatusError: types.ErrSuperseded, types.StatusPending: ""}, statuses)
}

// TestRevokedMemberRefuses: who revoked the identity that a request pinned, and has another one,
// says so with that one, whether the request is closed for it or not.
func TestRevokedMemberRefuses(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	second := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	roster := make(map[types.Operator][]types.Identity)
	for _, op := range d.ops {
		roster[op] = []types.Identity{{Version: 1, Key: d.public(op)}}
	}
	roster["op-00"][0].Revoked = true
	roster["op-00"] = append(roster["op-00"], types.Identity{Version: 2, Key: second.Public().(ed25519.PublicKey)})
	d.view.Roster = types.NewRoster(roster)
	d.start(func(o *Options) { o.Identities = append(o.Identities, second) })
	attempt := uint32(0)
	for r.Initiator(attempt) == "op-00" {
		attempt++
	}
	d.view.Height = r.Height + int64(attempt)*r.AttemptBlocks
	d.commit()
	d.core.HandleEnvelope(d.prepare(r.Initiator(attempt), r.ID, attempt, 1))
	require.Len(t, d.sent, 1)
	require.Equal(t, wire.KIND_REFUSE, d.sent[0].Header.Kind)
	require.Equal(t, uint32(2), d.sent[0].Header.IdentityVersion)
	_, err := types.VerifyEnvelope(d.sent[0], deskChain, roster["op-00"][1].Key)
	require.NoError(t, err)
	var refusal wire.Refuse
	require.NoError(t, refusal.Unmarshal(d.sent[0].Body))
	require.Equal(t, string(types.ErrIdentityRevoked), refusal.Reason)
}

package mpc

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
)

const deskChain = "desk-test"

// desk is one Core in virtual time. The test is its chain, its network and the
// other participants; its executor computes nothing.
type desk struct {
	nopObserver
	t          *testing.T
	now        time.Time
	core       *Core
	store      *memstore.Store
	view       View
	sigs       map[string]types.SignatureResult
	ended      []string         // reshares of which the chain says no more
	stagedEnds map[string]int64 // of reshares of "key" that failed, by id
	// proven says against whom the chain has proof in a session, if it does not count.
	proven map[types.Context]types.Operator
	// reads counts how often it was asked for a key, for proof or for a signature.
	reads   atomic.Int64
	ops     []types.Operator
	keys    map[types.Operator]ed25519.PrivateKey
	sent    []*wire.Envelope
	dropped map[types.Reason]int
	ends    []SessionEnd
	nonces  uint64
}

// newDesk seats op-00; there are this many participants.
func newDesk(t *testing.T, participants int) *desk {
	d := &desk{
		t: t, now: poolEpoch, store: memstore.New(), keys: make(map[types.Operator]ed25519.PrivateKey),
		sigs: make(map[string]types.SignatureResult), dropped: make(map[types.Reason]int),
	}
	roster := make(map[types.Operator][]types.Identity)
	for i := range participants {
		op := types.Operator(fmt.Sprintf("op-%02d", i))
		seed := sha256.Sum256([]byte(op))
		d.ops = append(d.ops, op)
		d.keys[op] = ed25519.NewKeyFromSeed(seed[:])
		roster[op] = []types.Identity{{Version: 1, Key: d.public(op)}}
	}
	d.view = View{Height: 10, Time: poolEpoch, Roster: types.NewRoster(roster), Keys: make(map[types.KeyID]types.Key), FaultBlocks: 600}
	_, err := d.store.AddPreparams([]byte("pre-parameters"))
	require.NoError(t, err)
	return d
}

// start makes the Core and shows it the chain.
func (d *desk) start(change ...func(*Options)) {
	d.t.Helper()
	opts := Options{
		ChainID: deskChain, Identities: []ed25519.PrivateKey{d.keys["op-00"]}, Chain: d, Store: d.store, Transport: d,
		Protocols: fakeproto.Protocols{}, Now: func() time.Time { return d.now }, Rand: rand.NewChaCha8([32]byte{1}), Observer: d,
	}
	for _, f := range change {
		f(&opts)
	}
	var err error
	d.core, err = NewCore(opts, d)
	require.NoError(d.t, err)
	require.NoError(d.t, d.core.Restore())
	d.commit()
}

// pass lets time pass for a Core that is awake.
func (d *desk) pass(t time.Duration) {
	for end := d.now.Add(t); d.now.Before(end); d.core.Tick() {
		d.now = d.now.Add(time.Second)
	}
}

// commit shows the Core what the view became.
func (d *desk) commit() {
	d.t.Helper()
	require.NoError(d.t, d.core.Reconcile(d.t.Context()))
}

func (d *desk) public(op types.Operator) ed25519.PublicKey {
	return d.keys[op].Public().(ed25519.PublicKey)
}

// request is of all participants, committed at height 10, with attempts of five
// blocks. No attempt of the first three is led by op-00.
func (d *desk) request(kind types.RequestKind) types.Request {
	r := types.Request{
		ID: types.RequestID{Kind: kind}, KeyID: "key", Algorithm: types.ECDSASecp256k1, Threshold: 1, Height: 10,
		ExpiryHeight: 100, AttemptBlocks: 5, StartTimeout: time.Minute,
	}
	if kind == types.KindSign {
		r.KeySession, r.Digest = types.Context{5}, append(make([]byte, 31), 1)
	}
	for _, op := range d.ops {
		r.Members = append(r.Members, types.Member{Operator: op, IdentityVersion: 1, IdentityKey: d.public(op)})
	}
	for i := 0; r.ID.ID == "" || r.Initiator(0) == "op-00" || r.Initiator(1) == "op-00" || r.Initiator(2) == "op-00"; i++ {
		r.ID.ID = fmt.Sprintf("id-%d", i)
		if kind == types.KindKeygen {
			r.KeyID = types.KeyID(r.ID.ID)
		}
	}
	return r
}

// prepare is a Prepare by anybody for anything; each is another one. Its sender is a block
// ahead.
func (d *desk) prepare(from types.Operator, id types.RequestID, attempt, version uint32) types.Verified {
	d.t.Helper()
	return d.prepareKey(from, id, attempt, version, append([]byte{9}, make([]byte, 31)...))
}

// prepareAt is one by who saw this block last.
func (d *desk) prepareAt(height int64, from types.Operator, id types.RequestID) types.Verified {
	d.t.Helper()
	defer func(now int64) { d.view.Height = now }(d.view.Height)
	d.view.Height = height - 1
	return d.prepare(from, id, 0, 1)
}

// prepareKey is one with this session key.
func (d *desk) prepareKey(from types.Operator, id types.RequestID, attempt, version uint32, key []byte) types.Verified {
	d.t.Helper()
	d.nonces++
	p := wire.Prepare{Attempt: attempt, Nonce: binary.BigEndian.AppendUint64(make([]byte, 24), d.nonces), EphemeralKey: key, Height: d.view.Height + 1}
	body, err := p.Marshal()
	require.NoError(d.t, err)
	return d.signed(from, wire.KIND_PREPARE, version, id, body)
}

func (d *desk) signed(from types.Operator, kind wire.Kind, version uint32, id types.RequestID, body []byte) types.Verified {
	d.t.Helper()
	return d.signedIn(types.Context{}, from, kind, version, id, body)
}

// refuses answers the one session that is open here.
func (d *desk) refuses(from types.Operator, id types.RequestID, r wire.Refuse) {
	d.t.Helper()
	body, err := r.Marshal()
	require.NoError(d.t, err)
	require.Len(d.t, d.core.sessions, 1)
	for session := range d.core.sessions {
		d.core.HandleEnvelope(d.signedIn(session, from, wire.KIND_REFUSE, 1, id, body))
	}
}

// signedIn is an envelope of a session.
func (d *desk) signedIn(session types.Hash, from types.Operator, kind wire.Kind, version uint32, id types.RequestID, body []byte) types.Verified {
	d.t.Helper()
	h := wire.Header{
		ChainId: deskChain, Context: session[:], Kind: kind, From: string(from), IdentityVersion: version, Sequence: 1,
		RequestKind: uint32(id.Kind), RequestId: id.ID,
	}
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, body, d.keys[from]), deskChain, d.public(from))
	require.NoError(d.t, err)
	return v
}

// answer is what was said last, and to whom: "ready" or the reason of a refusal;
// empty if nothing was said since the last call.
func (d *desk) answer() (said, to string, result *wire.Gossip) {
	d.t.Helper()
	if len(d.sent) == 0 {
		return "", "", nil
	}
	require.Len(d.t, d.sent, 1)
	e := d.sent[0]
	d.sent = nil
	_, err := types.VerifyEnvelope(e, deskChain, d.public("op-00"))
	require.NoError(d.t, err)
	if e.Header.Kind == wire.KIND_READY {
		return "ready", e.Header.To, nil
	}
	require.Equal(d.t, wire.KIND_REFUSE, e.Header.Kind)
	var r wire.Refuse
	require.NoError(d.t, r.Unmarshal(e.Body))
	return r.Reason, e.Header.To, r.Result
}

// hold gives op-00 a share of "key" in its store.
func (d *desk) hold(context types.Context, status types.Status) {
	d.t.Helper()
	r := types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{9}}, Context: context, Data: []byte("share"),
		Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
	}
	require.NoError(d.t, d.store.PutRecord(r))
	r.Status = status
	require.NoError(d.t, d.store.PutRecord(r))
}

func (d *desk) Send(_ types.Operator, e *wire.Envelope) bool {
	d.sent = append(d.sent, e)
	return true
}

func (d *desk) Gossip(*wire.Gossip) {}

func (d *desk) SetRoster(*types.Roster) {}

func (d *desk) SetSelf(Self) {}

func (d *desk) Dropped(reason types.Reason) { d.dropped[reason]++ }

func (d *desk) SessionEnded(end SessionEnd) { d.ends = append(d.ends, end) }

func (d *desk) Submit(*types.Request, func() (session.Step, error), func(session.Step, error)) {}

func (d *desk) View(context.Context, []types.KeyID) (*View, error) {
	v := d.view
	return &v, nil
}

func (d *desk) Key(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	d.reads.Add(1)
	k, ok := d.view.Keys[id]
	return k, ok, nil
}

func (d *desk) Unacknowledged(_ context.Context, op types.Operator) (ids []types.KeyID, err error) {
	for id, k := range d.view.Keys {
		if k.AwaitsAck(op) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (d *desk) Proven(_ context.Context, op types.Operator, session types.Context) (bool, error) {
	d.reads.Add(1)
	return d.proven[session] == op, nil
}

func (d *desk) ReshareEnded(_ context.Context, id string) (types.EndedReshare, bool, error) {
	if end, own := d.stagedEnds[id]; own {
		return types.EndedReshare{KeyID: "key", RetireHeight: end}, true, nil
	}
	return types.EndedReshare{}, slices.Contains(d.ended, id), nil
}

func (d *desk) Signature(_ context.Context, id string) (types.SignatureResult, bool, error) {
	d.reads.Add(1)
	s, ok := d.sigs[id]
	return s, ok, nil
}

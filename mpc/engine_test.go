package mpc_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
)

const chainID = "engine-test"

// ledger is a committed state that the test sets.
type ledger struct {
	mu   sync.Mutex
	view mpc.View
	sigs map[string]types.SignatureResult
	fail error
	// views counts the views that engines took, reads what they read beside those on
	// their loops.
	views, reads int
}

// read notes who reads. The caller holds the lock.
func (l *ledger) read() {
	if bytes.Contains(debug.Stack(), []byte("mpc.(*Engine).loop")) {
		l.reads++
	}
}

func (l *ledger) change(f func(*mpc.View)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.view
	v.Height++
	f(&v)
	l.view = v
}

func (l *ledger) View(context.Context, []types.KeyID) (*mpc.View, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.views++
	v := l.view
	return &v, l.fail
}

func (l *ledger) Key(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read()
	k, ok := l.view.Keys[id]
	return k, ok, nil
}

func (l *ledger) Unacknowledged(context.Context, types.Operator) ([]types.KeyID, error) {
	return nil, nil
}

func (l *ledger) Proven(context.Context, types.Operator, types.Context) (bool, error) {
	return false, nil
}
func (l *ledger) ReshareEnded(context.Context, string) (types.EndedReshare, bool, error) {
	return types.EndedReshare{}, false, nil
}

func (l *ledger) Signature(_ context.Context, id string) (types.SignatureResult, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read()
	s, ok := l.sigs[id]
	return s, ok, nil
}

// member is an engine with its transport to the others.
type member struct {
	op     types.Operator
	key    ed25519.PrivateKey
	engine *mpc.Engine
	store  *memstore.Store
	club   *club
}

type club struct {
	t       *testing.T
	ledger  *ledger
	members []*member
	stop    context.CancelFunc
	ended   sync.WaitGroup
	errs    chan error
	// breaks says for which envelopes a transport panics; nil: for none.
	breaks atomic.Pointer[func(*wire.Envelope) bool]
}

func (m *member) Send(to types.Operator, e *wire.Envelope) bool {
	if breaks := m.club.breaks.Load(); breaks != nil && (*breaks)(e) {
		panic("secret")
	}
	for _, peer := range m.club.members {
		if peer.op == to {
			v, err := types.VerifyEnvelope(e, chainID, m.key.Public().(ed25519.PublicKey))
			if e.Header.From != string(m.op) { // passed on for somebody else
				v, err = types.VerifyEnvelope(e, chainID, m.club.member(types.Operator(e.Header.From)).key.Public().(ed25519.PublicKey))
			}
			if err != nil {
				m.club.errs <- err
				return false
			}
			peer.engine.Receive(v)
			return true
		}
	}
	return false
}

func (m *member) Gossip(g *wire.Gossip) {
	for _, peer := range m.club.members {
		if peer != m {
			if err := peer.engine.ReceiveGossip("peer", g); err != nil {
				m.club.errs <- err
			}
		}
	}
}

func (m *member) SetRoster(*types.Roster) {}
func (m *member) SetSelf(mpc.Self)        {}

func (c *club) member(op types.Operator) *member {
	for _, m := range c.members {
		if m.op == op {
			return m
		}
	}
	return nil
}

func newClub(t *testing.T, n int, protocols session.Protocols) *club {
	c := &club{t: t, ledger: &ledger{}, errs: make(chan error, 64)}
	roster := make(map[types.Operator][]types.Identity)
	for i := range n {
		seed := sha256.Sum256(fmt.Append(nil, "member", i))
		m := &member{
			op: types.Operator(fmt.Sprint("seqvaloper1member", i)), key: ed25519.NewKeyFromSeed(seed[:]),
			store: memstore.New(), club: c,
		}
		_, err := m.store.AddPreparams([]byte("fake"))
		require.NoError(t, err)
		roster[m.op] = []types.Identity{{Version: 1, Key: m.key.Public().(ed25519.PublicKey)}}
		c.members = append(c.members, m)
	}
	c.ledger.view = mpc.View{Height: 1, Roster: types.NewRoster(roster), Keys: map[types.KeyID]types.Key{}}
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	for _, m := range c.members {
		engine, err := mpc.New(mpc.Options{
			ChainID: chainID, Identities: []ed25519.PrivateKey{m.key}, Chain: c.ledger, Store: m.store,
			Transport: m, Protocols: protocols,
		}, 2)
		require.NoError(t, err)
		m.engine = engine
	}
	for _, m := range c.members {
		c.ended.Go(func() {
			if err := m.engine.Run(ctx); err != nil {
				c.errs <- err
			}
		})
	}
	return c
}

func (c *club) close() {
	c.stop()
	c.ended.Wait()
	close(c.errs)
	for err := range c.errs {
		c.t.Error(err)
	}
}

func (c *club) commit(f func(*mpc.View)) {
	c.ledger.change(f)
	for _, m := range c.members {
		m.engine.Wake()
	}
}

func (c *club) request(id types.RequestID) types.Request {
	r := types.Request{
		ID: id, KeyID: "key", Algorithm: types.ECDSASecp256k1, Threshold: 1, Height: 2, ExpiryHeight: 1000,
		AttemptBlocks: 100, StartTimeout: 20 * time.Second,
	}
	for _, m := range c.members {
		r.Members = append(r.Members, types.Member{
			Operator: m.op, IdentityVersion: 1, IdentityKey: m.key.Public().(ed25519.PublicKey),
		})
	}
	return r
}

// TestEngine runs three engines with their loops and workers: they make a key,
// sign with it, and leave nothing behind.
func TestEngine(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	c := newClub(t, 3, fakeproto.Protocols{})
	defer c.close()

	keygen := c.request(types.RequestID{Kind: types.KindKeygen, ID: "key"})
	c.commit(func(v *mpc.View) {
		v.Requests = []types.Request{keygen}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyPending}}
	})
	var attested []types.Attestation
	require.Eventually(t, func() bool {
		attested = c.members[0].engine.Results().Attestations
		return len(attested) == 3
	}, 20*time.Second, 10*time.Millisecond)
	for _, a := range attested[1:] {
		require.Equal(t, attested[0].Session, a.Session)
		require.Equal(t, attested[0].Payload, a.Payload)
	}
	payload, err := types.DecodeKeygenPayload(attested[0].Payload)
	require.NoError(t, err)

	sign := c.request(types.RequestID{Kind: types.KindSign, ID: "sig"})
	sign.Digest = make([]byte, 32)
	sign.Digest[31] = 1
	sign.KeySession, sign.PublicKey = attested[0].Session, payload.PublicKey
	c.commit(func(v *mpc.View) {
		v.Requests = []types.Request{sign}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyReady, Session: attested[0].Session}}
	})
	for _, m := range c.members {
		require.Eventually(t, func() bool { return len(m.engine.Results().Signatures) == 1 }, 20*time.Second, 10*time.Millisecond)
		sig := m.engine.Results().Signatures[0]
		require.NoError(t, types.VerifySignature(payload.PublicKey, sign.Digest, &sig))
	}

	c.commit(func(v *mpc.View) { v.Requests = nil })
	for _, m := range c.members {
		require.Eventually(t, func() bool {
			st := m.engine.Status()
			return len(st.Sessions) == 0 && st.Results == 0 && len(st.Records) == 1 && st.Records[0].Status == types.StatusReady
		}, 20*time.Second, 10*time.Millisecond)
	}
}

// TestEngineWithoutChain: committed state that cannot be read is no reason to
// end.
func TestEngineWithoutChain(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	c := newClub(t, 2, fakeproto.Protocols{})
	defer c.close()
	c.ledger.mu.Lock()
	c.ledger.fail = errors.New("no state yet")
	c.ledger.mu.Unlock()
	c.commit(func(*mpc.View) {})
	c.ledger.mu.Lock()
	c.ledger.fail = nil
	c.ledger.mu.Unlock()
	c.commit(func(*mpc.View) {})
	require.Eventually(t, func() bool { return c.members[0].engine.Status().Operator == c.members[0].op }, 20*time.Second, 10*time.Millisecond)
}

// TestEngineEndsWithItsStore: an engine that cannot write what the chain decided
// ends with an error; it takes no part on a guess.
func TestEngineEndsWithItsStore(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	c := newClub(t, 1, fakeproto.Protocols{})
	c.stop()
	c.ended.Wait()
	m := c.members[0]
	staged := types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{1}}, Context: types.Context{2},
		Status: types.StatusPending, Data: []byte("share"), Algorithm: types.ECDSASecp256k1,
	}
	require.NoError(t, m.store.PutRecord(staged))
	full := errors.New("disk is full")
	m.store.BeforeWrite = func(string) error { return full }
	c.ledger.change(func(v *mpc.View) {
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyReady, Session: staged.Context}}
	})
	engine, err := mpc.New(mpc.Options{
		ChainID: chainID, Identities: []ed25519.PrivateKey{m.key}, Chain: c.ledger, Store: m.store,
		Transport: m, Protocols: fakeproto.Protocols{},
	}, 1)
	require.NoError(t, err)
	require.ErrorIs(t, engine.Run(t.Context()), full)
}

// panicking is a protocol whose parties panic.
type panicking struct{ fakeproto.Protocols }

func (p panicking) Protocol(kind types.RequestKind, a types.Algorithm) (session.Protocol, error) {
	inner, err := p.Protocols.Protocol(kind, a)
	return panickingProtocol{inner}, err
}

type panickingProtocol struct{ session.Protocol }

func (panickingProtocol) NewParty(session.PartyConfig) (session.Party, error) { panic("secret") }

// TestPartyPanics: the session ends, its pre-parameters are gone, the engine
// goes on.
func TestPartyPanics(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	c := newClub(t, 2, panicking{})
	defer c.close()
	c.commit(func(v *mpc.View) {
		v.Requests = []types.Request{c.request(types.RequestID{Kind: types.KindKeygen, ID: "key"})}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyPending}}
	})
	for _, m := range c.members {
		require.Eventually(t, func() bool {
			st := m.engine.Status()
			return len(st.Records) == 1 && st.Records[0].Status == types.StatusError && st.Preparams == 0 &&
				(st.Records[0].Reason == types.ErrOwnFailure || st.Records[0].Reason == types.ErrAborted)
		}, 20*time.Second, 10*time.Millisecond)
	}
}

// TestLoopPanics: what members say makes the loops of all others panic; the next attempt at
// the request ends as if nothing had been.
func TestLoopPanics(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	c := newClub(t, 3, fakeproto.Protocols{})
	defer c.close()
	var panicked atomic.Int32
	breaks := func(e *wire.Envelope) bool {
		if e.Header.Kind == wire.KIND_READY {
			panicked.Add(1)
			return true
		}
		return false
	}
	c.breaks.Store(&breaks)
	keygen := c.request(types.RequestID{Kind: types.KindKeygen, ID: "key"})
	c.commit(func(v *mpc.View) {
		v.Height = 2
		v.Requests = []types.Request{keygen}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyPending}}
	})
	require.Eventually(t, func() bool { return panicked.Load() >= 2 }, 20*time.Second, 10*time.Millisecond)
	c.breaks.Store(nil)
	c.commit(func(v *mpc.View) { v.Height += keygen.AttemptBlocks })
	for _, m := range c.members {
		require.Eventually(t, func() bool { return len(m.engine.Results().Attestations) == 3 }, 20*time.Second, 10*time.Millisecond)
		require.Empty(t, m.engine.Results().Accusations)
	}
}

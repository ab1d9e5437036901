package mpc_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
)

// watchedStore shows a Watch the secrets that it opens.
type watchedStore struct {
	*memstore.Store
	watch  *fakeproto.Watch
	opened atomic.Int32
}

func (s *watchedStore) OpenPreparams(id uint64) ([]byte, error) {
	set, err := s.Store.OpenPreparams(id)
	s.watch.Secret(fmt.Sprint("opened pre-parameters ", id), set)
	s.opened.Add(1)
	return set, err
}

func (s *watchedStore) OpenShare(k types.RecordKey) ([]byte, error) {
	share, err := s.Store.OpenShare(k)
	s.watch.Secret("an opened share", share)
	s.opened.Add(1)
	return share, err
}

// gated is a protocol whose first steps wait at a gate, with their party made.
type gated struct {
	fakeproto.Protocols
	begun atomic.Int32
	gate  chan struct{}
}

func (g *gated) Protocol(kind types.RequestKind, a types.Algorithm) (session.Protocol, error) {
	inner, err := g.Protocols.Protocol(kind, a)
	return gatedProtocol{inner, g}, err
}

type gatedProtocol struct {
	session.Protocol
	gated *gated
}

func (p gatedProtocol) NewParty(cfg session.PartyConfig) (session.Party, error) {
	party, err := p.Protocol.NewParty(cfg)
	p.gated.begun.Add(1)
	<-p.gated.gate
	return party, err
}

// endings counts sessions that are over.
type endings struct{ count atomic.Int32 }

func (*endings) SessionOpened(types.RequestID, types.SessionID)                    {}
func (e *endings) SessionEnded(mpc.SessionEnd)                                     { e.count.Add(1) }
func (*endings) RoundDone(types.RequestID, types.SessionID, uint32, time.Duration) {}
func (*endings) Dropped(types.Reason)                                              {}
func (*endings) Reconciled(int64, time.Duration)                                   {}

// stopped is a node alone with open requests that nobody has worked on.
type stopped struct {
	club      *club
	store     *watchedStore
	watch     *fakeproto.Watch
	protocols *gated
}

func newStopped(t *testing.T, kind types.RequestKind, requests int) *stopped {
	watch := &fakeproto.Watch{}
	s := &stopped{
		watch: watch, store: &watchedStore{Store: memstore.New(), watch: watch},
		protocols: &gated{Protocols: fakeproto.Protocols{Watch: watch}, gate: make(chan struct{})},
	}
	s.club = newClub(t, 1, s.protocols)
	s.club.stop()
	s.club.ended.Wait()
	share := types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{1}}, Context: types.Context{2},
		Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
		Data: fakeproto.Share([]byte("private"), s.club.members[0].op, types.Context{2}),
	}
	require.NoError(t, s.store.PutRecord(share))
	s.club.ledger.change(func(v *mpc.View) {
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyReady, Session: share.Context}}
		for i := range requests {
			r := s.club.request(types.RequestID{Kind: kind, ID: fmt.Sprint("id-", i)})
			if r.Threshold = 0; kind == types.KindSign {
				r.KeySession, r.Digest = share.Context, append(make([]byte, 31), 1)
			} else {
				r.KeyID = types.KeyID(r.ID.ID)
				_, err := s.store.AddPreparams([]byte("pre-parameters"))
				require.NoError(t, err)
			}
			v.Requests = append(v.Requests, r)
		}
	})
	return s
}

// run runs an engine until this many sessions have their secrets and all workers
// are busy.
func (s *stopped) run(t *testing.T, store mpc.Store, ends *endings, sessions, workers int) (stop func(), ran chan error) {
	t.Helper()
	m := s.club.members[0]
	engine, err := mpc.New(mpc.Options{
		ChainID: chainID, Identities: []ed25519.PrivateKey{m.key}, Chain: s.club.ledger, Store: store,
		Transport: m, Protocols: s.protocols, Observer: ends,
	}, workers)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ran = make(chan error, 1)
	go func() { ran <- engine.Run(ctx) }()
	require.Eventually(t, func() bool {
		return int(s.store.opened.Load()) == sessions && int(s.protocols.begun.Load()) == workers
	}, 20*time.Second, time.Millisecond)
	return stop, ran
}

// TestEngineStopsWithStepsQueued: two steps run and the others wait when the
// engine is stopped. The secrets of those that wait are wiped while the workers
// are still busy, those of the running ones when they return.
func TestEngineStopsWithStepsQueued(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	const requests, workers = 6, 2
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		t.Run(kind.String(), func(t *testing.T) {
			s, ends := newStopped(t, kind, requests), &endings{}
			stop, ran := s.run(t, s.store, ends, requests, workers)
			require.Len(t, s.watch.Leaks(), requests+2*workers, "opened secrets, the parties' and the parties themselves")

			stop()
			require.Eventually(t, func() bool { return ends.count.Load() == requests }, 20*time.Second, time.Millisecond)
			require.Len(t, s.watch.Leaks(), 3*workers, "only what runs still holds secrets")
			close(s.protocols.gate)
			require.NoError(t, <-ran)
			require.Equal(t, workers, s.watch.Made(), "nothing begins after the end")
			require.Empty(t, s.watch.Leaks())
		})
	}
}

// startPanics is a protocol whose parties panic in their first step.
type startPanics struct{ fakeproto.Protocols }

func (p startPanics) Protocol(kind types.RequestKind, a types.Algorithm) (session.Protocol, error) {
	inner, err := fakeproto.Protocols{}.Protocol(kind, a)
	return p.Watch.Over(startPanicsProtocol{inner}), err
}

type startPanicsProtocol struct{ session.Protocol }

func (p startPanicsProtocol) NewParty(cfg session.PartyConfig) (session.Party, error) {
	party, err := p.Protocol.NewParty(cfg)
	return startPanicsParty{party}, err
}

type startPanicsParty struct{ session.Party }

func (startPanicsParty) Start() (session.Step, error) { panic("secret") }

// TestPanickedPartyIsClosed: a party that panics is closed like any other.
func TestPanickedPartyIsClosed(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	watch := &fakeproto.Watch{}
	c := newClub(t, 2, startPanics{fakeproto.Protocols{Watch: watch}})
	c.commit(func(v *mpc.View) {
		v.Requests = []types.Request{c.request(types.RequestID{Kind: types.KindKeygen, ID: "key"})}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyPending}}
	})
	for _, m := range c.members {
		require.Eventually(t, func() bool {
			st := m.engine.Status()
			return len(st.Records) == 1 && st.Records[0].Status == types.StatusError
		}, 20*time.Second, 10*time.Millisecond)
	}
	c.close()
	require.Positive(t, watch.Made()) // the first one's end may come before the other began
	require.Empty(t, watch.Leaks())
}

// brokenStore panics when it marks a session as over.
type brokenStore struct{ *watchedStore }

func (s brokenStore) PutRecord(r types.Record) error {
	if r.Status == types.StatusError {
		panic("disk driver")
	}
	return s.watchedStore.PutRecord(r)
}

// TestEngineThatBreaksAtItsEnd: a panic in the end of one session keeps neither
// the others from wiping their secrets nor the workers from ending.
func TestEngineThatBreaksAtItsEnd(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	s, ends := newStopped(t, types.KindKeygen, 4), &endings{}
	stop, ran := s.run(t, brokenStore{s.store}, ends, 4, 1)
	stop()
	require.Eventually(t, func() bool { return ends.count.Load() == 4 }, 20*time.Second, time.Millisecond)
	close(s.protocols.gate)
	require.ErrorContains(t, <-ran, "panicked")
	require.Equal(t, 1, s.watch.Made())
	require.Empty(t, s.watch.Leaks())
}

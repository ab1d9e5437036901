package mpc_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

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

func (*endings) SessionOpened(types.RequestKind)                    {}
func (e *endings) SessionEnded(mpc.SessionEnd)                      { e.count.Add(1) }
func (*endings) RoundDone(types.RequestKind, uint32, time.Duration) {}
func (*endings) Dropped(types.Reason)                               {}
func (*endings) Reconciled(int64, time.Duration)                    {}

// TestEngineStopsWithStepsQueued: two steps run and the others wait when the
// engine is stopped. The secrets of those that wait are wiped while the workers
// are still busy, those of the running ones when they return.
func TestEngineStopsWithStepsQueued(t *testing.T) {
	defer goleak.VerifyNone(t)
	const requests, workers = 6, 2
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		t.Run(kind.String(), func(t *testing.T) {
			watch, ends := &fakeproto.Watch{}, &endings{}
			store := &watchedStore{Store: memstore.New(), watch: watch}
			protocols := &gated{Protocols: fakeproto.Protocols{Watch: watch}, gate: make(chan struct{})}
			c := newClub(t, 1, protocols)
			c.stop()
			c.ended.Wait()
			m := c.members[0]
			share := types.Record{
				RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{1}}, Context: types.Context{2},
				Status: types.StatusPending, Data: fakeproto.Share([]byte("private"), m.op, types.Context{2}), Algorithm: types.ECDSASecp256k1,
			}
			require.NoError(t, store.PutRecord(share))
			c.ledger.change(func(v *mpc.View) {
				v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyReady, Session: share.Context}}
				for i := range requests {
					r := c.request(types.RequestID{Kind: kind, ID: fmt.Sprint("id-", i)})
					if r.Threshold = 0; kind == types.KindSign {
						r.KeySession, r.Digest = share.Context, append(make([]byte, 31), 1)
					} else {
						r.KeyID = types.KeyID(r.ID.ID)
						_, err := store.AddPreparams([]byte("pre-parameters"))
						require.NoError(t, err)
					}
					v.Requests = append(v.Requests, r)
				}
			})
			engine, err := mpc.New(mpc.Options{
				ChainID: chainID, Identities: []ed25519.PrivateKey{m.key}, Chain: c.ledger, Store: store,
				Transport: m, Protocols: protocols, Observer: ends,
			}, workers)
			require.NoError(t, err)
			ctx, stop := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- engine.Run(ctx) }()
			require.Eventually(t, func() bool {
				return store.opened.Load() == requests && protocols.begun.Load() == workers
			}, 20*time.Second, time.Millisecond)
			require.Len(t, watch.Leaks(), requests+2*workers, "opened secrets, the parties' and the parties themselves")

			stop()
			require.Eventually(t, func() bool { return ends.count.Load() == requests }, 20*time.Second, time.Millisecond)
			require.Equal(t, workers, watch.Made())
			require.Len(t, watch.Leaks(), 3*workers, "only what runs still holds secrets")
			close(protocols.gate)
			require.NoError(t, <-ran)
			require.Equal(t, workers, watch.Made(), "nothing begins after the end")
			require.Empty(t, watch.Leaks())
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
	defer goleak.VerifyNone(t)
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

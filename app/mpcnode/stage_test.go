package mpcnode

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/p2p"
	chaintest "github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// stage are engines of all participants of a chain, which hear each other unless they are
// down. The first one is examined.
type stage struct {
	t       *testing.T
	app     *keeperApp
	roster  *types.Roster
	engines map[types.Operator]*mpc.Engine
	stores  map[types.Operator]*memstore.Store
	told    map[types.Operator]*toldChain
	// strangers are the examined node's, consensus is the key that it signs blocks with.
	strangers []p2p.Stranger
	consensus crypto.PubKey
	// voted are the addresses of validators that voted in the last blocks.
	voted [][]byte
	// passed is by how much all clocks were put forward.
	passed atomic.Int64

	mu   sync.Mutex
	down map[types.Operator]bool
	// ahead are clocks that are wrong.
	ahead map[types.Operator]time.Duration
}

// toldChain is what an engine was told of the chain last. What it reads is made by the
// goroutine of the test, which alone uses the keeper.
type toldChain struct {
	idleChain
	reads *chain
	view  atomic.Pointer[mpc.View]
}

func (c *toldChain) View(context.Context, []types.KeyID) (*mpc.View, error) {
	return c.view.Load(), nil
}

// newStage runs the engines until the test ends; prepare may give them shares before.
func newStage(t *testing.T, n int, prepare func(*stage)) *stage {
	t.Helper()
	f := chaintest.NewPlain(t, n)
	s := &stage{
		t: t, app: newKeeperApp(f), engines: make(map[types.Operator]*mpc.Engine), stores: make(map[types.Operator]*memstore.Store),
		told: make(map[types.Operator]*toldChain), down: make(map[types.Operator]bool), ahead: make(map[types.Operator]time.Duration),
	}
	var err error
	s.roster, err = f.Keeper.EngineRoster(f.Ctx)
	require.NoError(t, err)
	for _, p := range f.Participants {
		s.stores[types.Operator(p.Operator)] = memstore.New()
	}
	prepare(s)
	for _, p := range f.Participants {
		s.newEngine(p)
	}
	s.tell()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, e := range s.engines {
		running.Go(func() {
			if err := e.Run(ctx); err != nil {
				t.Errorf("engine: %v", err)
			}
		})
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	for op, e := range s.engines {
		require.Eventually(t, func() bool { return e.Status().Operator == op }, 10*time.Second, time.Millisecond)
	}
	return s
}

func (s *stage) newEngine(p *chaintest.Participant) {
	op := types.Operator(p.Operator)
	now := s.clock(op)
	s.told[op] = &toldChain{reads: &chain{
		app: s.app, sync: waits(false), now: now, seen: func(sight) {}, nobody: types.NewRoster(nil), clock: clockWatch{maxAge: minBlockAge},
	}}
	engine, err := mpc.New(mpc.Options{
		ChainID: chaintest.ChainID, Identities: []ed25519.PrivateKey{p.Identity}, Chain: s.told[op], Store: s.stores[op],
		Transport: heard{s, op}, Protocols: fakeproto.Protocols{}, Now: now, Version: "v1",
	}, 1)
	require.NoError(s.t, err)
	s.engines[op] = engine
}

// clock is a participant's.
func (s *stage) clock(op types.Operator) func() time.Time {
	ahead := s.ahead[op]
	return func() time.Time { return time.Now().Add(ahead + time.Duration(s.passed.Load())) }
}

// tell lets all engines see the chain as it is.
func (s *stage) tell() {
	s.t.Helper()
	for op, told := range s.told {
		v, err := told.reads.View(s.t.Context(), nil)
		require.NoError(s.t, err)
		told.view.Store(v)
		s.engines[op].Wake()
	}
}

// pass lets time go by, and the chain make blocks in it.
func (s *stage) pass(blocks int64, took time.Duration) {
	s.passed.Add(int64(took))
	f := s.app.f
	f.EndBlocks(f.Ctx.BlockHeight() + blocks)
	f.Ctx = f.Ctx.WithBlockTime(f.Ctx.BlockTime().Add(took))
	s.tell()
}

func (s *stage) operator(i int) types.Operator {
	return types.Operator(s.app.f.Participants[i].Operator)
}

// askKey asks for a key of all, the first attempt at which the examined node leads.
func (s *stage) askKey(threshold uint32) (id string) {
	s.t.Helper()
	f := s.app.f
	for i := range 100 {
		id, before := fmt.Sprint("key-", i), f.Ctx
		f.Ctx, _ = before.CacheContext()
		f.KeyGen(id, threshold)
		requests, err := f.Keeper.EngineRequests(f.Ctx)
		require.NoError(s.t, err)
		if slices.ContainsFunc(requests, func(r types.Request) bool { return r.ID.ID == id && r.Initiator(0) == s.operator(0) }) {
			f.EndBlocks(f.Ctx.BlockHeight() + 1) // who has not seen it yet is a block behind
			return id
		}
		f.Ctx = before // without it
	}
	require.FailNow(s.t, "no key is led by the first participant")
	return ""
}

// cut takes a participant's node from the others.
func (s *stage) cut(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[s.operator(i)] = true
}

// heard hands an engine's envelopes to the others.
type heard struct {
	s    *stage
	from types.Operator
}

func (h heard) Send(to types.Operator, e *wire.Envelope) bool {
	h.s.mu.Lock()
	down := h.s.down[to] || h.s.down[h.from]
	h.s.mu.Unlock()
	if down {
		return true // queued, and lost
	}
	key, _ := h.s.roster.Key(h.from, e.Header.IdentityVersion)
	v, err := types.VerifyEnvelope(e, chaintest.ChainID, key)
	if err != nil {
		h.s.t.Errorf("an envelope of %s: %v", h.from, err)
		return false
	}
	h.s.engines[to].Receive(v)
	return true
}

func (heard) Gossip(*wire.Gossip)     {}
func (heard) SetRoster(*types.Roster) {}
func (heard) SetSelf(mpc.Self)        {}

// Reachable are all that are up but the last: the examined node hears that one by relay.
func (s *stage) Reachable() (ops []types.Operator) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.app.f.Participants)-1; i++ {
		if !s.down[s.operator(i)] {
			ops = append(ops, s.operator(i))
		}
	}
	return ops
}

func (s *stage) Strangers() []p2p.Stranger { return s.strangers }
func (s *stage) Peers() int                { return len(s.Reachable()) }

// examine asks the first node.
func (s *stage) examine(key, request string) Checkup {
	s.t.Helper()
	c := s.examineEngine(&engineState{engine: s.engines[s.operator(0)]}, key, request)
	require.True(s.t, c.Asked)
	return c
}

// examineAnswered asks the first node until these answer: a machine that has other work may
// keep an answer from one look.
func (s *stage) examineAnswered(key, request string, participants ...int) Checkup {
	s.t.Helper()
	for until := time.Now().Add(time.Minute); ; {
		c := s.examine(key, request)
		if !slices.ContainsFunc(participants, func(i int) bool { return !s.participant(c, i).Answered }) {
			return c
		}
		require.True(s.t, time.Now().Before(until), "all answer: %+v", c.Participants)
	}
}

// examineEngine asks the first node through its socket, with this engine in it.
func (s *stage) examineEngine(state *engineState, key, request string) Checkup {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "mpc.sock")
	s.serve(path, state)
	c, err := NewClient(path).Checkup(s.t.Context(), Question{Key: key, Request: request, Held: true})
	require.NoError(s.t, err)
	require.Empty(s.t, c.ChainError)
	require.Len(s.t, c.Participants, len(s.app.f.Participants))
	return c
}

// serve answers at a socket what doctor and inspect ask the first node, with this engine
// in it.
func (s *stage) serve(path string, state *engineState) {
	s.t.Helper()
	chain := chainQueries{mpcmodule.NewQueryClient(askApp{s.app})}
	mux := http.NewServeMux()
	mux.Handle("GET "+pathCheckup, &examiner{
		app: s.app, chain: chain, engine: state.engine, peers: s,
		public: []ed25519.PublicKey{chaintest.Public(s.app.f.Participants[0].Identity)}, status: reporter{engine: state, peers: s}.status,
		consensus: s.signer(), votedLately: s.votedLately, maxAge: minBlockAge, preparams: 2, now: s.clock(s.operator(0)),
	})
	mux.Handle("GET "+pathInspect, &inspector{chain, state.engine, s})
	serveSocket(s.t, path, mux)
}

// signer is who signs the first node's blocks; nil if it signs none.
func (s *stage) signer() *consensusKey {
	if s.consensus == nil {
		return nil
	}
	return &consensusKey{ask: func() (crypto.PubKey, error) { return s.consensus, nil }}
}

func (s *stage) votedLately(validator []byte) bool {
	return slices.ContainsFunc(s.voted, func(a []byte) bool { return bytes.Equal(a, validator) })
}

// participant is what a checkup says of one.
func (s *stage) participant(c Checkup, i int) ParticipantReport {
	for _, p := range c.Participants {
		if p.Operator == string(s.operator(i)) {
			return p
		}
	}
	require.FailNow(s.t, "it is not there")
	return ParticipantReport{}
}

// The tests of the commands are outside of this package, which the commands import.

// Stage is what they see of a stage.
type Stage struct{ s *stage }

// NewStage runs the engines of four participants, each of which has pre-parameters but
// those of poor.
func NewStage(t *testing.T, poor int, ahead time.Duration) Stage {
	t.Helper()
	return Stage{newStage(t, 4, func(s *stage) {
		for i := range s.app.f.Participants {
			for range 2 {
				if i == poor {
					continue
				}
				_, err := s.stores[s.operator(i)].AddPreparams([]byte("set"))
				require.NoError(t, err)
			}
		}
		s.ahead[s.operator(0)] = ahead
	})}
}

// Serve answers doctor and inspect at a socket.
func (s Stage) Serve(path string) {
	s.s.serve(path, &engineState{engine: s.s.engines[s.s.operator(0)]})
}

// Chain is where to ask for something; Tell lets the engines know.
func (s Stage) Chain() *chaintest.Fixture { return s.s.app.f }

// Tell lets all engines see the chain as it is.
func (s Stage) Tell() { s.s.tell() }

// Pass lets time go by, and the chain make blocks in it.
func (s Stage) Pass(blocks int64, took time.Duration) { s.s.pass(blocks, took) }

// AskKey asks for a key that the examined node leads.
func (s Stage) AskKey() string { return s.s.askKey(2) }

// Operator is a participant's; 0 is examined.
func (s Stage) Operator(i int) string { return string(s.s.operator(i)) }

// Cut takes a participant's node from the others.
func (s Stage) Cut(i int) { s.s.cut(i) }

// Stranger gives the examined node a peer without the channel.
func (s Stage) Stranger(id string) { s.s.strangers = append(s.s.strangers, p2p.Stranger{ID: id}) }

// Status is the examined engine's.
func (s Stage) Status() mpc.Status { return s.s.engines[s.s.operator(0)].Status() }

package mpc_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
)

// words is what a member may say, and nobody has a use for.
type words struct {
	prepares []types.Verified
	gossip   []*wire.Gossip
}

// useless makes well-formed words of one member: each leads another signature that nobody
// asked for, or says that another key that there is not is deleted.
func useless(t *testing.T, m *member, count int) (w words) {
	for i := range count {
		p := wire.Prepare{
			Nonce: binary.BigEndian.AppendUint64(make([]byte, 24), uint64(i)), EphemeralKey: append([]byte{9}, make([]byte, 31)...),
		}
		body, err := p.Marshal()
		require.NoError(t, err)
		h := wire.Header{
			ChainId: chainID, Context: make([]byte, 32), Kind: wire.KIND_PREPARE, From: string(m.op), IdentityVersion: 1, Sequence: uint64(i + 1),
			RequestKind: uint32(types.KindSign), RequestId: fmt.Sprint("made-up-", i),
		}
		v, err := types.VerifyEnvelope(types.SignEnvelope(&h, body, m.key), chainID, m.key.Public().(ed25519.PublicKey))
		require.NoError(t, err)
		a := types.Attestation{
			Request: types.RequestID{Kind: types.KindDelete, ID: fmt.Sprint("made-up-", i)}, Payload: types.DeletionPayload(true),
			Operator: m.op, IdentityVersion: 1,
		}
		a.Sign(chainID, m.key)
		w.prepares = append(w.prepares, v)
		w.gossip = append(w.gossip, &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}})
	}
	return w
}

// TestEngineUnderUselessWords: a member that says as much as it can of what does not exist
// has the loops of others read committed state a few times a block, and keeps them from
// nothing.
func TestEngineUnderUselessWords(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	const perBlock = 32 // reads for one member, as maxOutcomes
	c := newClub(t, 4, fakeproto.Protocols{})
	defer c.close()
	c.commit(func(*mpc.View) {})
	for _, m := range c.members {
		require.Eventually(t, func() bool { return m.engine.Status().Operator == m.op }, 20*time.Second, 10*time.Millisecond)
	}
	said := useless(t, c.members[3], 3*flood().words)
	var floods sync.WaitGroup
	defer floods.Wait()
	for _, m := range c.members[:3] {
		floods.Go(func() {
			for i := range said.prepares {
				m.engine.Receive(said.prepares[i])
				if err := m.engine.ReceiveGossip("peer", said.gossip[i]); err != nil {
					c.errs <- err
					return
				}
			}
		})
	}
	c.commit(func(v *mpc.View) {
		v.Requests = []types.Request{c.request(types.RequestID{Kind: types.KindKeygen, ID: "key"})}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyPending}}
	})
	require.Eventually(t, func() bool { return len(c.members[0].engine.Results().Attestations) == 4 }, 20*time.Second, 10*time.Millisecond)
	floods.Wait()
	for _, m := range c.members {
		require.Eventually(t, func() bool { _, inputs := m.engine.Queued(); return inputs == 0 }, 20*time.Second, 10*time.Millisecond)
		require.Empty(t, m.engine.Results().Accusations)
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	require.Positive(t, c.ledger.reads, "the flood did not come to anything")
	require.LessOrEqual(t, c.ledger.reads, perBlock*c.ledger.views)
}

// flooding is how much a member says.
type flooding struct {
	// words are how many it has of each kind; it says them again and again.
	words int
	// rate and burst are what package p2p takes of a member's own connection, and twice
	// that: others may say the rest.
	rate  rate.Limit
	burst int
}

// flood is a tenth of it with -short: the race detector, which that is for, makes engines ten
// times slower, and their networks are not.
func flood() flooding {
	if testing.Short() {
		return flooding{100, 200, 400}
	}
	return flooding{1000, 2000, 4000}
}

const (
	// floodedSignatures are made under a flood of words for them.
	floodedSignatures = 8
	// maxFlooded bounds how long one of them takes: many times what it does on two cores that
	// have other work too, and time for what found no room to be said again twice.
	maxFlooded = 10 * time.Second
	// maxFloodHeap bounds what a flood may leave in the memory of three engines.
	maxFloodHeap = 8 << 20
)

// sign makes a word of a member.
func (m *member) sign(t *testing.T, h wire.Header, body interface{ Marshal() ([]byte, error) }) types.Verified {
	t.Helper()
	bz, err := body.Marshal()
	require.NoError(t, err)
	h.ChainId, h.From, h.IdentityVersion = chainID, string(m.op), 1
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, bz, m.key), chainID, m.key.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	return v
}

// next is the height after that of the last block: what is said of it and does not fit now
// waits for it.
func (c *club) next() int64 {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	return c.ledger.view.Height + 1
}

// leading makes words of a height that lead attempts of a request, and start them: each Prepare is
// another one, for the attempts in turn, and each has a Start with what the member itself
// can put into one. All is signed as it should be.
func leading(t *testing.T, m *member, id types.RequestID, height int64, attempts ...uint32) (words []types.Verified) {
	t.Helper()
	for i := range flood().words {
		h := wire.Header{
			Context: make([]byte, 32), Kind: wire.KIND_PREPARE, Sequence: uint64(i + 1), RequestKind: uint32(id.Kind), RequestId: id.ID,
		}
		prepare := m.sign(t, h, &wire.Prepare{
			Attempt: attempts[i%len(attempts)], Nonce: binary.BigEndian.AppendUint64(make([]byte, 24), uint64(i)),
			EphemeralKey: append([]byte{9}, make([]byte, 31)...), Height: height,
		})
		session := prepare.Hash()
		h.Kind, h.Context = wire.KIND_START, session[:]
		start := m.sign(t, h, &wire.Start{Prepare: prepare.Envelope(), Signers: []string{string(m.op)}})
		words = append(words, prepare, start)
	}
	return words
}

// floodOf has a member say its words to others, again and again, until end is called.
func floodOf(words []types.Verified, others []*member) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for _, m := range others {
		pace := rate.NewLimiter(flood().rate, flood().burst)
		wait.Go(func() {
			for i := 0; pace.Wait(ctx) == nil; i++ {
				m.engine.Receive(words[i%len(words)])
			}
		})
	}
	return func() {
		cancel()
		wait.Wait()
	}
}

// heap is what is in memory and not garbage.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// makeKey has a club make a key, and returns the request for a signature with it that others
// are made of.
func (c *club) makeKey() (sign types.Request) {
	c.t.Helper()
	c.commit(func(v *mpc.View) {
		v.Requests = []types.Request{c.request(types.RequestID{Kind: types.KindKeygen, ID: "key"})}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyPending}}
	})
	var attested []types.Attestation
	require.Eventually(c.t, func() bool {
		attested = c.members[0].engine.Results().Attestations
		return len(attested) == len(c.members)
	}, 20*time.Second, 10*time.Millisecond)
	payload, err := types.DecodeKeygenPayload(attested[0].Payload)
	require.NoError(c.t, err)
	c.commit(func(v *mpc.View) {
		v.Requests = nil
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyReady, Session: attested[0].Session}}
	})
	sign = c.request(types.RequestID{Kind: types.KindSign})
	sign.Digest = append(make([]byte, 31), 1)
	sign.KeySession, sign.PublicKey = attested[0].Session, payload.PublicKey
	return sign
}

// named gives a request an id for which an attempt is, or is not, led by a member.
func named(r types.Request, id string, attempt uint32, op types.Operator, leads bool) types.Request {
	for i := 0; r.ID.ID == "" || (r.Initiator(attempt) == op) != leads; i++ {
		r.ID.ID = fmt.Sprintf("%s-%d", id, i)
	}
	return r
}

// signed: a member has the signature of a request.
func (m *member) signed(id string) bool {
	return slices.ContainsFunc(m.engine.Results().Signatures, func(s types.SignatureResult) bool { return s.RequestID == id })
}

// A member that leads open requests of others with all that it can say, Prepares for
// this attempt and the next and a Start of each, signed as it should be, delays no
// signature beyond a bound, leaves nothing in memory and has nobody accused.
func TestEngineUnderWordsOfOpenRequests(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	c := newClub(t, 4, fakeproto.Protocols{})
	defer c.close()
	sign, flooder := c.makeKey(), c.members[3]
	once := func(r types.Request, flooded bool) time.Duration {
		if flooded {
			defer floodOf(leading(t, flooder, r.ID, c.next(), 0, 1), c.members[:3])()
		}
		began := time.Now()
		c.commit(func(v *mpc.View) { v.Requests = []types.Request{r} })
		require.Eventually(t, func() bool { return c.members[0].signed(r.ID.ID) }, 20*time.Second, time.Millisecond)
		return time.Since(began)
	}
	measure := func(name string, flooded bool) (took []time.Duration) {
		for i := range floodedSignatures {
			took = append(took, once(named(sign, fmt.Sprint(name, "-", i), 0, flooder.op, false), flooded))
		}
		slices.Sort(took)
		return took
	}
	var refused atomic.Int64
	count := func(e *wire.Envelope) bool {
		if e.Header.Kind == wire.KIND_REFUSE && e.Header.To == string(flooder.op) {
			refused.Add(1)
		}
		return false
	}
	c.breaks.Store(&count)
	idle := measure("idle", false)
	require.Zero(t, refused.Load())
	before := heap()
	flooded := measure("flooded", true)
	for _, m := range c.members {
		require.Eventually(t, func() bool { _, inputs := m.engine.Queued(); return inputs == 0 }, 20*time.Second, 10*time.Millisecond)
		require.Empty(t, m.engine.Results().Accusations)
	}
	grown := heap() - before
	t.Logf("a signature took %s without a flood (at most %s), %s with one (at most %s); %d words were refused, memory %+.1f MB",
		idle[len(idle)/2], idle[len(idle)-1], flooded[len(flooded)/2], flooded[len(flooded)-1], refused.Load(), float64(grown)/1e6)
	require.GreaterOrEqual(t, refused.Load(), int64(flood().words), "the flood did not come to anything")
	require.Less(t, flooded[len(flooded)-1], maxFlooded)
	require.Less(t, grown, int64(maxFloodHeap))
}

// A member whose turn it is to lead, and that says all that it can for its attempt, costs that
// attempt, as one that is silent does: another one leads the next, which signs.
func TestEngineUnderWordsOfWhoLeads(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	// When its turn is over blocks take longer: there is time for the attempts of the others,
	// also if the machine has other work.
	const block, laterBlock, attemptBlocks = 200 * time.Millisecond, time.Second, 5
	c := newClub(t, 4, fakeproto.Protocols{})
	defer c.close()
	sign, flooder := c.makeKey(), c.members[3]
	c.ledger.mu.Lock()
	sign.Height, sign.AttemptBlocks = c.ledger.view.Height+1, attemptBlocks
	c.ledger.mu.Unlock()
	r := named(sign, "led", 0, flooder.op, true)
	words := leading(t, flooder, r.ID, c.next(), 0)
	before := heap()
	for _, m := range c.members[:3] {
		m.engine.Receive(words[0]) // before what its own engine says, which is no flooder
	}
	end := sync.OnceFunc(floodOf(words, c.members[:3]))
	defer end()
	c.commit(func(v *mpc.View) { v.Requests = []types.Request{r} })
	blocks := time.NewTicker(block)
	defer blocks.Stop()
	height := r.Height
	for <-blocks.C; !c.members[0].signed(r.ID.ID); <-blocks.C {
		c.commit(func(v *mpc.View) { height = v.Height })
		require.Less(t, r.Attempt(height), uint32(len(c.members)), "it leads once before others all did")
		if r.Attempt(height) > 0 {
			blocks.Reset(laterBlock)
		}
	}
	t.Logf("signed in attempt %d", r.Attempt(height))
	end()
	require.Positive(t, r.Attempt(height), "its own came to nothing")
	for _, m := range c.members {
		require.Eventually(t, func() bool { _, inputs := m.engine.Queued(); return inputs == 0 }, 20*time.Second, 10*time.Millisecond)
	}
	require.Less(t, heap()-before, int64(maxFloodHeap))
}

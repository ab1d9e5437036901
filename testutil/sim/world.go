package sim

import (
	"container/heap"
	"crypto/sha256"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Config describes a network.
type Config struct {
	Seed uint64
	// Nodes is how many participants there are.
	Nodes int
	// Operators, if set, are their addresses.
	Operators []types.Operator
	// BlockTime is the virtual time between blocks.
	BlockTime time.Duration
	// Delay is how long messages take, at random between the two.
	Delay [2]time.Duration
	// Step is how long one step of a party takes, at random between the two.
	Step [2]time.Duration
	// Lag is how long after its block a node sees it, at random up to this.
	Lag time.Duration
	// Workers of each node.
	Workers int
	// Protocols of all nodes.
	Protocols session.Protocols
	Timing    session.Timing
	// Preparams each node begins with, fake ones unless MakePreparams is set.
	Preparams int
	// MakePreparams makes set i of a network.
	MakePreparams func(i int) []byte
	// WriteCost is for how long a write to its store keeps a node from everything else;
	// zero: for no time.
	WriteCost time.Duration
	// MaxSessions of each node; zero: the engine's default.
	MaxSessions int
	// Verified, if set, is shared by worlds that run one after the other: those that
	// begin alike say the same.
	Verified Verified
	// KeepStates keeps the state after each block, for Chain.Rollback.
	KeepStates bool
	// Params, if set, changes the chain's default parameters.
	Params func(*xtypes.Params)
	Log    *slog.Logger
	// Audits, if set, is a folder in which each node keeps an audit log.
	Audits string
	// PowerFails: who crashes loses of its audit log what was not brought to disk.
	PowerFails bool
}

// Verified remembers whose signatures of the very same bytes are right, envelopes with
// whom they are of: broadcasts and resends would cost most of a run's time otherwise.
type Verified map[types.Hash]types.Verified

// Verdict is what the network does with one message.
type Verdict struct {
	Drop  bool
	Twice bool
	Delay time.Duration // on top
}

// World is a network in virtual time.
type World struct {
	Config
	Rand  *rand.Rand
	Nodes []*Node
	Chain *Chain
	// Meddle, if set, decides about each message on its way, envelopes of sessions
	// and gossip alike.
	Meddle func(from, to *Node, m *wire.Message) Verdict
	// Lies are what dishonest nodes make of their messages.
	Lies map[types.Operator]Lie
	// Delivered, if set, is called after each delivered envelope.
	Delivered func(from, to *Node, e *wire.Envelope)
	// Trace, if set, is told of everything that happens, in order.
	Trace func(event string)
	// Messages counts delivered envelopes.
	Messages int
	// CrashAt, if set, says whether a node crashes at this moment, and for how long it
	// is away then; 0: it does not crash.
	CrashAt func(n *Node, at Moment) time.Duration

	now    time.Time
	queue  eventQueue
	events uint64
	// told are messages of all nodes, for who wants to replay them.
	told told
	// words are what engines signed that must not contradict each other.
	words words
}

type event struct {
	at  time.Time
	seq uint64
	run func()
}

type eventQueue []event

func (q eventQueue) Len() int      { return len(q) }
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q eventQueue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q *eventQueue) Push(x any) { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// New makes a network. Zero fields of the configuration get values that suit
// fake protocols.
func New(t testing.TB, cfg Config) *World {
	t.Helper()
	if cfg.BlockTime == 0 {
		cfg.BlockTime = time.Second
	}
	if cfg.Delay == [2]time.Duration{} {
		cfg.Delay = [2]time.Duration{5 * time.Millisecond, 60 * time.Millisecond}
	}
	if cfg.Step == [2]time.Duration{} {
		cfg.Step = [2]time.Duration{20 * time.Millisecond, 200 * time.Millisecond}
	}
	if cfg.Workers == 0 {
		cfg.Workers = 2
	}
	if cfg.Timing == (session.Timing{}) {
		cfg.Timing = session.DefaultTiming()
	}
	if cfg.Verified == nil {
		cfg.Verified = make(Verified)
	}
	w := &World{
		Config: cfg, Rand: rand.New(rand.NewPCG(cfg.Seed, 0x5e9)), now: time.Unix(1_700_000_000, 0).UTC(),
		Lies: make(map[types.Operator]Lie), words: newWords(),
	}
	w.Chain = newChain(t, w)
	for i := range cfg.Nodes {
		w.addNode(i)
	}
	slices.SortFunc(w.Nodes, func(a, b *Node) int { return slices.Compare([]byte(a.Operator), []byte(b.Operator)) })
	w.after(cfg.BlockTime, w.Chain.produce)
	for _, n := range w.Nodes {
		n.Start()
	}
	return w
}

func (w *World) addNode(i int) {
	n := &Node{world: w}
	n.Operator, n.Identity = w.Chain.identity(i)
	n.init()
	w.Nodes = append(w.Nodes, n)
}

// Now is the virtual time.
func (w *World) Now() time.Time { return w.now }

// after schedules an event.
func (w *World) after(d time.Duration, run func()) {
	w.events++
	heap.Push(&w.queue, event{w.now.Add(d), w.events, run})
}

// After schedules something a test does.
func (w *World) After(d time.Duration, run func()) { w.after(d, run) }

// Run lets virtual time pass until done, or for at most this long; it reports
// whether done came true.
func (w *World) Run(limit time.Duration, done func() bool) bool {
	end := w.now.Add(limit)
	for !done() {
		if len(w.queue) == 0 || w.queue[0].at.After(end) {
			w.now = end
			return done()
		}
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		w.step(e.run)
		w.now = e.at // what a write took passed for its node alone
	}
	return true
}

// crashed is what a node panics with at the moment at which it crashes: nothing after
// it happens.
type crashed struct {
	node *Node
	away time.Duration
}

// step runs an event to its end, or to where a node crashes.
func (w *World) step(run func()) {
	defer func() {
		r := recover()
		if c, ok := r.(crashed); ok {
			c.node.RestartAfter(c.away)
		} else if r != nil {
			panic(r)
		}
	}()
	run()
}

func (w *World) between(span [2]time.Duration) time.Duration {
	if span[1] <= span[0] {
		return span[0]
	}
	return span[0] + time.Duration(w.Rand.Int64N(int64(span[1]-span[0])))
}

// node finds an operator's node.
func (w *World) node(op types.Operator) *Node {
	for _, n := range w.Nodes {
		if n.Operator == op {
			return n
		}
	}
	return nil
}

// send carries what a node says, or what it makes of it.
func (w *World) send(from, to *Node, m *wire.Message) {
	if len(w.Lies) > 0 {
		w.told.add(m, w.Rand)
	}
	tell := w.Lies[from.Operator]
	if tell == nil {
		w.carry(from, to, m)
		return
	}
	says := tell(to, m)
	if !honest(says, m) {
		from.Lied++
	}
	for _, told := range says {
		w.carry(from, to, told)
	}
}

// carry moves a message from one node to another, if the network is kind.
func (w *World) carry(from, to *Node, m *wire.Message) {
	verdict := Verdict{}
	if w.Meddle != nil {
		verdict = w.Meddle(from, to, m)
	}
	if verdict.Drop {
		return
	}
	bz, err := m.Marshal()
	must(err)
	copies := 1
	if verdict.Twice {
		copies = 2
	}
	for range copies {
		w.after(w.between(w.Delay)+verdict.Delay, func() { w.arrive(from, to, bz) })
	}
}

// arrive hands over what came, envelopes verified as by the reactor. Gossip goes to
// the engine as it is: what the reactor checks of it, the engine checks again.
func (w *World) arrive(from, to *Node, bz []byte) {
	to.turn(func() { w.reach(from, to, bz) })
}

func (w *World) reach(from, to *Node, bz []byte) {
	if !to.listens() {
		return
	}
	hash := types.Hash(sha256.Sum256(bz))
	w.note("%x reaches %s from %s", hash[:8], to.Operator, from.Operator)
	w.hand(from, to, hash, bz)
	to.comes(After, Hear)
}

func (w *World) hand(from, to *Node, hash types.Hash, bz []byte) {
	if v, known := w.Verified[hash]; known {
		w.deliver(from, to, v)
		return
	}
	m := &wire.Message{}
	if err := m.Unmarshal(bz); err != nil {
		return
	}
	switch sum := m.Sum.(type) {
	case *wire.Message_Envelope:
		if v, ok := w.verify(sum.Envelope); ok {
			w.Verified[hash] = v
			w.deliver(from, to, v)
		}
	case *wire.Message_Gossip:
		if err := to.hearGossip(sum.Gossip); err != nil {
			w.note("%s finds a result of %s false: %v", to.Operator, from.Operator, err)
			if !w.Chain.ofTakenBack(sum.Gossip) {
				from.False++
			}
		}
	}
}

func (w *World) deliver(from, to *Node, v types.Verified) {
	w.Messages++
	if h := v.Header(); w.Trace != nil {
		w.note("%s hears %s of %s by %s: round %d type %q to %q, sequence %d, for %s, session %x",
			to.Operator, h.Kind, h.From, from.Operator, h.Round, h.Type, h.To, h.Sequence, h.RequestId, h.Context[:4])
	}
	to.hear(v)
	if w.Delivered != nil {
		w.Delivered(from, to, v.Envelope())
	}
}

func (w *World) verify(e *wire.Envelope) (types.Verified, bool) {
	if e.Header == nil {
		return types.Verified{}, false
	}
	key, ok := w.Chain.Roster().Key(types.Operator(e.Header.From), e.Header.IdentityVersion)
	if !ok {
		return types.Verified{}, false
	}
	v, err := types.VerifyEnvelope(e, w.Chain.ID(), key)
	return v, err == nil
}

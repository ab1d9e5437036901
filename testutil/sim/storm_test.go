package sim_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// storm is a network with dishonest members, as many as may be away at most, in which
// everything goes wrong for a while.
type storm struct {
	*sim.World
	ledger *fakeproto.Ledger
	// threshold of all keys; any one more than that sign.
	threshold int
	liars     []*sim.Node
	calm      bool
	// cut separates these nodes from the others.
	cut map[*sim.Node]bool
	// forked: a digest was taken back.
	forked bool
	// calmed is when calm came.
	calmed time.Time
	// target is how many presignatures everybody keeps.
	target int
	// patience is how long signatures may take while members lie.
	patience time.Duration
	// keys are all that were asked for, attested those of them of which a liar may have
	// attested a share that it does not have.
	keys     []types.KeyID
	attested []types.KeyID
}

// shape is the size of a storm: every eighth seed has a network in which two members may
// lie, and every eighth one in which three may.
func shape(seed uint64) (nodes, threshold int) {
	switch seed % 8 {
	case 3:
		return 5, 2
	case 7:
		return 7, 3
	}
	return 4, 2
}

func newStorm(t *testing.T, seed uint64) *storm {
	nodes, threshold := shape(seed)
	s := &storm{
		ledger: fakeproto.NewLedger(), threshold: threshold,
		keys: []types.KeyID{"key", "spoiled", "last"}, attested: []types.KeyID{"spoiled"},
		target: int(seed % 3), // a third of all seeds without
	}
	s.World = sim.New(t, sim.Config{
		Seed: seed, Nodes: nodes, Protocols: fakeproto.Protocols{Ledger: s.ledger}, Preparams: 60, Lag: 900 * time.Millisecond,
		Params: func(p *xtypes.Params) {
			p.RetireBlocks, p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 10, 12, 60
			p.SignLifetimeBlocks, p.FaultBlocks = 300, 100
			p.ReshareAttemptBlocks, p.ReshareLifetimeBlocks = 12, 60
			p.PresignTarget = uint32(s.target)
		},
	})
	for _, i := range s.Rand.Perm(nodes)[:1+s.Rand.IntN(nodes-threshold-1)] {
		s.liars = append(s.liars, s.Nodes[i])
	}
	s.patience = time.Duration(len(s.liars)) * maxAttempts * signAttempt
	s.Meddle = s.weather
	s.Chain.Bundles = s.bundle
	if only := s.Nodes[s.Rand.IntN(len(s.Nodes))]; !s.lies(only) && s.Rand.IntN(2) == 0 {
		s.Chain.Proposes = func(n *sim.Node) bool { return n == only } // all else has to reach it
	}
	return s
}

// lies says whether a node is one of the liars.
func (s *storm) lies(n *sim.Node) bool { return slices.Contains(s.liars, n) }

// lied says whether every liar did something.
func (s *storm) lied() bool {
	return !slices.ContainsFunc(s.liars, func(n *sim.Node) bool { return n.Lied == 0 })
}

// calmDown ends all trouble but the liars.
func (s *storm) calmDown() { s.calm, s.calmed = true, s.Now() }

// weather loses, repeats and delays messages, and loses all those that would cross
// a cut.
func (s *storm) weather(from, to *sim.Node, _ *wire.Message) sim.Verdict {
	if s.calm {
		return sim.Verdict{}
	}
	if s.cut[from] != s.cut[to] {
		return sim.Verdict{Drop: true}
	}
	v := sim.Verdict{Drop: s.Rand.IntN(100) < 5, Twice: s.Rand.IntN(100) < 5}
	if s.Rand.IntN(100) < 5 {
		v.Delay = time.Duration(s.Rand.IntN(4000)) * time.Millisecond
	}
	return v
}

// bundle is what a proposer injects: its results, nothing, or rubbish. Liars
// inject lies, in calm weather too.
func (s *storm) bundle(proposer *sim.Node, honest []byte) []byte {
	if s.Lies[proposer.Operator] != nil && s.Rand.IntN(3) == 0 {
		return proposer.FalseBundle()
	}
	if s.calm {
		return honest
	}
	switch s.Rand.IntN(10) {
	case 0, 1, 2:
		return nil
	case 3:
		return append([]byte(xtypes.BundlePrefix), make([]byte, s.Rand.IntN(100))...)
	case 4:
		if len(honest) > 0 {
			spoiled := append([]byte(nil), honest...)
			spoiled[s.Rand.IntN(len(spoiled))] ^= 1
			return spoiled
		}
	}
	return honest
}

// trouble cuts the network in two, restarts a node or keeps it from seeing blocks now
// and then.
func (s *storm) trouble() {
	if s.calm {
		return
	}
	n := s.Nodes[s.Rand.IntN(len(s.Nodes))]
	switch s.Rand.IntN(5) {
	case 0:
		if n.Up() {
			n.RestartAfter(time.Duration(500+s.Rand.IntN(8000)) * time.Millisecond)
		}
	case 1:
		s.cut = map[*sim.Node]bool{n: true}
		for _, other := range s.Nodes {
			if s.Rand.IntN(3) == 0 {
				s.cut[other] = true
			}
		}
	case 2:
		n.FallBehind()
		s.After(time.Duration(1000+s.Rand.IntN(7000))*time.Millisecond, n.CatchUp)
	default:
		s.cut = nil
	}
	s.After(8*time.Second, s.trouble)
}

// Liveness: with members lying and nothing else wrong, every signature is there
// within so many attempts for each of them; with nobody lying, every keygen.
const (
	maxAttempts       = 12
	signAttempt       = 10 * time.Second // 10 blocks
	maxKeygenAttempts = 2
	keygenAttempt     = 12 * time.Second // 12 blocks
)

// TestStormsOfLies: members lie, all else is well: nobody honest accuses anybody
// honest of anything.
func TestStormsOfLies(t *testing.T) {
	uses := newStormUses(t)
	forSeeds(t, 4, func(t *testing.T, seed uint64) bool { return uses.of(runLies(t, seed, nil)).lied() })
}

func runLies(t *testing.T, seed uint64, trace func(string)) *storm {
	t.Helper()
	s := newStorm(t, seed)
	s.Trace = trace
	s.calm = true // calmed long ago: nothing is forgiven
	s.Chain.Keygen("key", s.threshold)
	require.True(t, s.Run(maxKeygenAttempts*keygenAttempt, ready(s.World, "key")), "keygen is stuck")
	s.rotate(t)
	s.stock(t)
	s.lie(1 + s.Rand.IntN(100))
	s.Chain.Keygen("spoiled", s.threshold)
	const signatures = 4
	for i := range signatures {
		digest := sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, i))
		s.Chain.Sign(fmt.Sprintf("sig-%02d", i), "key", digest[:])
	}
	require.True(t, s.Run(s.patience, func() bool { return s.Chain.Height() > 10 && s.Chain.Open() == 0 }), "requests are stuck")
	for i := range signatures {
		verifies(t, s.World, fmt.Sprintf("sig-%02d", i), sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, i)))
	}
	if s.Rand.IntN(2) == 0 {
		s.reshare(t)
	}
	s.over(t)
	return s
}

// rotate gives, in a quarter of all storms, an honest node another identity while nothing is
// open; who lies has the one of before.
func (s *storm) rotate(t *testing.T) {
	t.Helper()
	n := s.Nodes[s.Rand.IntN(len(s.Nodes))]
	if s.lies(n) || s.Rand.IntN(3) > 0 {
		return
	}
	s.Rotate(n)
	registered := func() bool {
		id, _ := s.Chain.Roster().Current(n.Operator)
		return id.Version == 2 && allUp(s.World)
	}
	require.True(t, s.Run(time.Minute, registered), "an identity is not registered")
}

// reshare gives the key to all anew, the liars among them: it comes off or it does not, and
// the key signs either way.
func (s *storm) reshare(t *testing.T) {
	t.Helper()
	s.attested = append(s.attested, "key")
	s.Chain.Reshare("reshare", "key", s.threshold)
	over := func() bool {
		switch s.Chain.ReshareStatus("reshare") {
		case xtypes.RESHARE_STATUS_READY, xtypes.RESHARE_STATUS_ERROR:
			return s.Chain.Open() == 0
		}
		return false
	}
	require.True(t, s.Run(4*time.Minute, over), "a reshare is stuck")
	digest := sha256.Sum256([]byte("reshared"))
	s.Chain.Sign("reshared", "key", digest[:])
	require.True(t, s.Run(s.patience, func() bool { _, done := s.Chain.Signature("reshared"); return done }), "the key does not sign after a reshare")
	verifies(t, s.World, "reshared", digest)
}

// TestStorms: members lie, the network is bad, proposers inject rubbish.
// Whatever happens, nothing is signed twice or used twice, presignatures that were ready
// before among it, an honest member is
// never proved guilty, and when only the liars are left of the trouble, the others
// sign without it.
func TestStorms(t *testing.T) {
	uses := newStormUses(t)
	forSeeds(t, 1, func(t *testing.T, seed uint64) bool { return uses.of(runStorm(t, seed, nil)).lied() })
}

func runStorm(t *testing.T, seed uint64, trace func(string)) *storm {
	t.Helper()
	s := newStorm(t, seed)
	s.Trace = trace
	s.Chain.Keygen("key", s.threshold)
	require.True(t, s.Run(5*time.Minute, func() bool { return s.Chain.Open() == 0 && s.Chain.Height() > 2 }), "keygen is stuck")
	if key, _ := s.Chain.Key("key"); key.Status != types.KeyReady {
		s.calmDown()
		s.over(t)
		return s // the weather was too bad for all four at once
	}
	s.rotate(t)
	s.stock(t)
	for _, n := range s.liars {
		s.RandomLiar(n, 10+s.Rand.IntN(60))
	}
	s.After(3*time.Second, s.trouble)
	s.Chain.Keygen("spoiled", s.threshold)
	const signatures = 8
	for i := range signatures {
		digest := sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, i))
		s.Chain.Sign(fmt.Sprintf("sig-%02d", i), "key", digest[:])
	}
	s.Run(60*time.Second, func() bool { return false })
	s.calmDown()
	require.True(t, s.Run(s.patience, func() bool { return allUp(s.World) && s.Chain.Open() == 0 }), "requests are stuck")
	for i := range signatures {
		verifies(t, s.World, fmt.Sprintf("sig-%02d", i), sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, i)))
	}
	if s.Rand.IntN(4) == 0 {
		s.reshare(t)
	}
	s.over(t)
	return s
}

// lie makes the liars some: of the first ones three of eight are late with everything, and
// nothing else. Of those one is not late enough for anybody to accuse it. Whoever leads and
// knows it does without it; the signatures that it leads itself wait for it.
func (s *storm) lie(percent int) {
	for _, n := range s.liars[1:] {
		s.RandomLiar(n, percent)
	}
	first := s.liars[0]
	stall, resend := s.Timing.Stall, s.Timing.Resend
	switch s.Rand.IntN(8) {
	case 2:
		s.LateLiar(first, resend+time.Duration(s.Rand.Int64N(int64(stall/2-resend))), s.Rand.IntN(2) == 0)
		s.patience *= 2
	case 0:
		s.LateLiar(first, stall/2+time.Duration(s.Rand.Int64N(int64(stall/2))), s.Rand.IntN(2) == 0)
	case 1:
		s.LateLiar(first, stall+time.Duration(s.Rand.Int64N(int64(stall))), true)
	default:
		s.RandomLiar(first, percent)
	}
}

// TestStormsOverForks: a block in which a signature was asked for is taken back, and
// made again with another digest, while the network is bad and members lie. Whatever
// was said of the first one, nobody signs the other too.
func TestStormsOverForks(t *testing.T) {
	uses := newStormUses(t)
	forSeeds(t, 4, func(t *testing.T, seed uint64) bool { return uses.of(runFork(t, seed)).lied() })
}

func runFork(t *testing.T, seed uint64) *storm {
	t.Helper()
	s := newStorm(t, seed)
	s.forked, s.calm = true, true
	s.Chain.Keygen("key", s.threshold)
	require.True(t, s.Run(maxKeygenAttempts*keygenAttempt, ready(s.World, "key")), "keygen is stuck")
	s.stock(t)
	s.calm = s.Rand.IntN(2) == 0
	for _, n := range s.liars {
		s.RandomLiar(n, s.Rand.IntN(40))
	}
	s.After(3*time.Second, s.trouble)
	first, second := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("second"))
	s.Chain.Fork("forked", first[:])
	s.Chain.Sign("forked", "key", second[:])
	s.After(time.Duration(1000+s.Rand.IntN(12000))*time.Millisecond, func() {
		s.Chain.Unfork("forked", [2]time.Duration{500 * time.Millisecond, 3 * time.Second})
	})
	s.Run(40*time.Second, func() bool { return false })
	s.calmDown()
	digest := sha256.Sum256([]byte("after"))
	s.Chain.Sign("after", "key", digest[:])
	require.True(t, s.Run(s.patience, func() bool { _, done := s.Chain.Signature("after"); return done && allUp(s.World) }), "a request is stuck")
	require.True(t, s.Run(6*time.Minute, func() bool { return s.Chain.Open() == 0 }), "it never expires")
	s.over(t)
	return s
}

// honestNow ends all lies.
func (s *storm) honestNow() {
	for _, n := range s.liars {
		delete(s.Lies, n.Operator)
	}
}

// over checks what must hold when all requests are decided: all together can make a key.
func (s *storm) over(t *testing.T) {
	t.Helper()
	s.honestNow()
	s.Chain.Keygen("last", s.threshold)
	require.True(t, s.Run(maxKeygenAttempts*keygenAttempt, ready(s.World, "last")), "a keygen of all is stuck")
	s.sound(t)
}

// sound: whatever happened, nothing is left over, and nothing was done that may never be.
func (s *storm) sound(t *testing.T) {
	t.Helper()
	s.honestNow()
	s.Chain.ChangeParams(func(p *xtypes.Params) { p.PresignTarget = 0 })
	require.True(t, s.Run(4*time.Minute, s.quiet), "something is left over, of records: %v", s.allUseless())
	nothingIsHeld(t, s.World)
	require.Empty(t, s.ledger.Broken())
	require.Empty(t, s.Broken())
	require.Empty(t, s.Chain.Errors)
	fair(t, s.World, s.calmed, s.liars...)
	for _, n := range s.Nodes {
		require.Zero(t, n.Ended[types.ErrStorage])
		if !s.forked {
			require.Zero(t, n.Ended[types.ErrDigestBound])
		}
		if !s.lies(n) { // it signs behind its own back
			require.Zero(t, n.Ended[types.ErrIdentityShared])
		}
		s.agrees(t, n)
	}
}

// quiet: nothing runs, nothing is on its way to the chain, and what lost is gone from all stores.
func (s *storm) quiet() bool {
	for _, n := range s.Nodes {
		if !n.Up() {
			return false
		}
		st := n.Core().Status()
		if len(st.Sessions) > 0 || st.Results > 0 || len(s.useless(n, st.Records)) > 0 {
			return false
		}
		for _, r := range st.Records {
			if key, known := s.Chain.Key(r.KeyID); known && s.Chain.Height() < max(key.RetireHeight, key.StagedRetireHeight)+5 {
				return false
			}
		}
	}
	return true
}

// useless are those of a node's records that must go: all but its READY share of the session
// that the chain chose. A liar may have attested a share that it does not have, and keeps the
// one of the epoch before then.
func (s *storm) useless(n *sim.Node, records []types.Record) (list []types.Record) {
	for _, r := range records {
		key, known := s.Chain.Key(r.KeyID)
		chosen := known && key.Status == types.KeyReady && r.Epoch == key.Epoch && r.Context == key.Session
		if chosen && r.Status == types.StatusReady && r.HasData {
			continue
		}
		kept := s.lies(n) && slices.Contains(s.attested, r.KeyID) &&
			slices.Contains(n.Core().Status().Withheld, mpc.Withheld{RecordKey: r.RecordKey, Why: mpc.WithheldPrevious})
		if !kept {
			list = append(list, r)
		}
	}
	return list
}

// allUseless are those of all nodes that are up, in short.
func (s *storm) allUseless() (list []string) {
	for _, n := range s.Nodes {
		if !n.Up() {
			continue
		}
		for _, r := range s.useless(n, n.Core().Status().Records) {
			list = append(list, fmt.Sprintf("%s: %s epoch %d session %s %s %s", n.Operator, r.KeyID, r.Epoch, r.Context.Short(), r.Status, r.Reason))
		}
	}
	return list
}

// agrees: a node's records on disk are its shares of the chain's READY keys, one of each, and
// nothing else.
func (s *storm) agrees(t *testing.T, n *sim.Node) {
	t.Helper()
	records, err := n.Store.Records()
	require.NoError(t, err)
	require.Empty(t, s.useless(n, records), "%s has what the chain has no use for", n.Operator)
	for _, id := range s.keys {
		key, known := s.Chain.Key(id)
		if !known || key.Status != types.KeyReady || s.lies(n) && slices.Contains(s.attested, id) { // a liar attests what it has not
			continue
		}
		shares := 0
		for _, r := range records {
			if r.KeyID == id {
				shares++
			}
		}
		require.Equal(t, 1, shares, "%s has another number of shares of %s", n.Operator, id)
	}
}

package sim_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// The time that a crashed node is away: less than anybody notices, and longer than a
// session waits for it.
const (
	blink = 300 * time.Millisecond
	long  = 25 * time.Second
)

// CRASH_ALL in the environment tries each moment, and lets a node be away for either time
// at each, and not in turn. For a keygen that is done always, but not with -short: a key
// must be neither lost nor stuck. Otherwise most messages are left out: each goes to
// several nodes, and a node that crashes before the second of them is like one that does so
// before the third. Every someMoments-th is tried, with -short every shortMoments-th.
const (
	crashAll     = "CRASH_ALL"
	someMoments  = 3
	shortMoments = 17
)

// moment is one at which a node is killed: the n-th of its kind that a node comes to.
type moment struct {
	node types.Operator
	sim.Moment
	n int
}

// killer notes the moments that nodes come to, and kills at one of them.
type killer struct {
	seen   map[moment]int
	met    []moment
	target moment
	away   time.Duration
	hit    bool
	armed  bool
	// with are how many others crash at the same moment, the next ones in the order of
	// their addresses.
	with int
	// again is how many writes after its first restart the node is killed once more; 0:
	// never. The second is how often that was.
	again, second int
	// together is how many others crashed at the same moment.
	together int
	// power: what crashes loses its power, and is not just killed.
	power bool
	world *sim.World
	// verified is for all runs of one goroutine.
	verified sim.Verified
}

func (k *killer) crashAt(n *sim.Node, at sim.Moment) time.Duration {
	if !k.armed {
		return 0
	}
	here := moment{node: n.Operator, Moment: at}
	k.seen[here]++
	here.n = k.seen[here]
	if k.away == 0 {
		k.met = append(k.met, here)
		return 0
	}
	switch {
	case k.hit && k.again > 0 && n.Operator == k.target.node && !at.IsMessage():
		if k.again--; k.again == 0 {
			k.second++
			return blink
		}
		return 0
	case k.hit || here != k.target:
		return 0
	}
	k.hit = true
	k.crashOthers(n)
	return k.away
}

// crashOthers crashes those that crash at the same moment. They come back one after the
// other, the first of all of them first.
func (k *killer) crashOthers(n *sim.Node) {
	at := slices.Index(k.world.Nodes, n)
	for i := range k.with {
		if other := k.world.Nodes[(at+1+i)%len(k.world.Nodes)]; other.Up() {
			other.RestartAfter(k.away + time.Duration(i+1)*blink)
			k.together++
		}
	}
}

// some of the moments: all writes, and every so many-th message.
func (k *killer) some(every int) (list []moment) {
	messages := 0
	for _, m := range k.met {
		if m.IsMessage() {
			messages++
		}
		if !m.IsMessage() || messages%every == 0 {
			list = append(list, m)
		}
	}
	return list
}

// spread are so many of the moments at most, from the first to the last.
func spread(moments []moment, most int) (list []moment) {
	step := max(1, (len(moments)+most-1)/most)
	for i := 0; i < len(moments); i += step {
		list = append(list, moments[i])
	}
	return list
}

// crashNetwork has attempts that are shorter than a session: a member that was away finds
// the others in another one.
func (op operation) crashNetwork(t *testing.T, k *killer) (*sim.World, *fakeproto.Ledger) {
	ledger := fakeproto.NewLedger()
	audits, err := os.MkdirTemp("", "sim-audit-")
	require.NoError(t, err)
	return sim.New(t, sim.Config{
		Seed: 7, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: ledger}, Preparams: 40, Verified: k.verified,
		Audits: audits, PowerFails: k.power,
		Params: func(p *xtypes.Params) {
			p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 2, 500
			p.ReshareAttemptBlocks, p.ReshareLifetimeBlocks = 2, 500
			p.SignAttemptBlocks, p.SignLifetimeBlocks, p.RetireBlocks = 2, 100, 10
			if op.params != nil {
				op.params(p)
			}
		},
		Lag: 500 * time.Millisecond, Step: [2]time.Duration{time.Second, 3 * time.Second},
	}), ledger
}

// run lets an operation happen, with one crash or none, and checks that nobody has to
// do anything about it: all is as it should be, and who crashed signs.
func (op operation) run(t *testing.T, k *killer) {
	t.Helper()
	w, ledger := op.crashNetwork(t, k)
	defer os.RemoveAll(w.Audits)
	k.world, w.CrashAt = w, k.crashAt
	op.prepare(t, w)
	k.seen, k.armed = make(map[moment]int), true
	op.ask(w)
	require.True(t, w.Run(20*time.Minute, func() bool { return allUp(w) && w.Chain.Open() == 0 && op.over(w) }), "stuck")
	k.armed = false
	op.check(t, w)
	if k.target == (moment{}) {
		require.Equal(t, op.uses, used(w, ledger))
	}
	usable(t, w, k.target.node, op.members(w))
	op.audited.check(t, w, ledger)
	nobodyAccused(t, w)
	require.Empty(t, ledger.Broken())
	require.Empty(t, w.Broken())
	require.Empty(t, w.Chain.Errors)
}

// used is how many parts of presignatures all nodes used.
func used(w *sim.World, ledger *fakeproto.Ledger) (n int) {
	for _, node := range w.Nodes {
		n += ledger.Fixed(node.Operator)
	}
	return n
}

// usable: the key signs, and with the share of the node that crashed, if it has one.
func usable(t *testing.T, w *sim.World, crashed types.Operator, members []*sim.Node) {
	t.Helper()
	if members == nil {
		return
	}
	w.Step = [2]time.Duration{20 * time.Millisecond, 200 * time.Millisecond}
	key, _ := w.Chain.Key("key")
	for _, n := range members[:len(members)-key.Threshold-1] {
		if n.Operator == crashed {
			n = members[len(members)-1]
		}
		n.Crash()
	}
	signs(t, w, "key")
}

// idle: no node has a session, or a result that the chain lacks.
func idle(w *sim.World) bool {
	return !slices.ContainsFunc(w.Nodes, func(n *sim.Node) bool {
		if !n.Up() {
			return true
		}
		st := n.Core().Status()
		return len(st.Sessions) > 0 || st.Results > 0
	})
}

// nothingIsLeft of the key but its tombstone.
func nothingIsLeft(t *testing.T, w *sim.World) {
	t.Helper()
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		require.Empty(t, records)
		tombstones, err := n.Store.Tombstones()
		require.NoError(t, err)
		require.Equal(t, []types.KeyID{"key"}, tombstones)
	}
}

// destroyedByAll: nobody says that there was nothing to destroy.
func destroyedByAll(t *testing.T, w *sim.World) {
	t.Helper()
	key, err := w.Chain.Fixture.Keeper.Key(w.Chain.Fixture.Ctx, "key")
	require.NoError(t, err)
	require.Empty(t, key.DeletionEmpty)
}

// TestCrashAtEveryMoment kills and restarts a node before, half way in and after every
// write, before messages that leave and after those that are heard, in a keygen, a
// signature, a reshare with its retirement and a deletion, and in a reshare and a deletion
// that are taken back; at some of them also in signatures by presignatures, and in reshares
// that the module asks for, of a lost share and past a jailed participant. It prints how
// many moments there were.
func TestCrashAtEveryMoment(t *testing.T) {
	for _, name := range slices.Concat(often, rare) {
		t.Run(name, func(t *testing.T) {
			op := operations[name]
			calm := &killer{}
			op.run(t, calm)
			all := os.Getenv(crashAll) != ""
			every := all || name == "keygen" && !testing.Short()
			few := testing.Short() || name == "cancelled reshare" || name == "undelete"
			chosen := calm.some(someMoments)
			switch {
			case every:
				chosen = calm.met
			case slices.Contains(rare, name):
				chosen = spread(chosen, maxRare)
			case few:
				chosen = calm.some(shortMoments)
			}
			report(t, name, chosen, len(calm.met))
			t.Run("kill", func(t *testing.T) { op.killAtEach(t, chosen, 0, every) })
			op.audited.report(t, name)
		})
	}
}

// someWrites is which of the writes are tried twice over unless CRASH_ALL asks for all.
const someWrites = 3

// maxAgain is the last write after a restart at which a node is killed again.
const maxAgain = 3

// TestCrashWhileRecovering kills a node at a write, and once more at the first, second or
// third write after its restart, reading its store included. Where CRASH_ALL does not ask
// for all, they are tried in turn.
func TestCrashWhileRecovering(t *testing.T) {
	names := often
	if os.Getenv(crashAll) != "" {
		names = slices.Concat(often, rare)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			op := operations[name]
			calm := &killer{}
			op.run(t, calm)
			all := os.Getenv(crashAll) != ""
			var chosen [maxAgain][]moment
			writes := slices.DeleteFunc(slices.Clone(calm.met), func(m moment) bool { return m.IsMessage() })
			for i, m := range writes {
				for again := range maxAgain {
					if all || i%(someWrites*maxAgain) == someWrites*again {
						chosen[again] = append(chosen[again], m)
					}
				}
			}
			before := op.audited.runs.Load()
			t.Run("kill", func(t *testing.T) {
				for i, moments := range chosen {
					op.killAtEach(t, moments, i+1, all)
				}
			})
			runs, twice := op.audited.runs.Load()-before, op.again.Swap(0)
			t.Logf("%s: %d runs with a crash at a write, and in %d of them one more at a write after the restart", name, runs, twice)
			require.Positive(t, twice, "no node was killed twice")
			op.audited.report(t, name+" while recovering")
		})
	}
}

// killAtEach runs the operation once for each moment, and for either time that a node is
// away if it is to be both, a share of them on each core.
func (op operation) killAtEach(t *testing.T, moments []moment, again int, both bool) {
	shares := runtime.GOMAXPROCS(0)
	for share := range shares {
		t.Run(fmt.Sprintf("again-%d/share-%d", again, share), func(t *testing.T) {
			t.Parallel()
			verified := make(sim.Verified)
			for i := share; i < len(moments); i += shares {
				times := []time.Duration{blink, long}
				if !both {
					times = times[i/shares%2:][:1]
				}
				for j, away := range times {
					k := &killer{target: moments[i], away: away, verified: verified, again: again, power: (i/shares/2+j)%2 == 0}
					op.crash(t, k)
					op.again.Add(int64(k.second))
				}
			}
		})
	}
}

// crash is a run with what a killer does.
func (op operation) crash(t *testing.T, k *killer) {
	t.Helper()
	defer func() {
		if at := k.target; t.Failed() {
			t.Logf("%s was killed %s, number %d, for %s (power: %t), %d others with it, and again %d times (write %d after that)",
				at.node, at.Moment, at.n, k.away, k.power, k.together, k.second, k.again)
		}
	}()
	op.run(t, k)
	require.True(t, k.hit, "the moment did not come")
}

// report prints how many moments are tried, by what happens at them.
func report(t *testing.T, name string, chosen []moment, all int) {
	counts := make(map[string]int)
	writes, messages := 0, 0
	for _, m := range chosen {
		counts[m.String()]++
		if m.IsMessage() {
			messages++
		} else {
			writes++
		}
	}
	require.Positive(t, all)
	t.Logf("%s: crashes at %d of %d moments, %d at writes and %d at messages: %v", name, len(chosen), all, writes, messages, counts)
}

// isJailed says whether the chain has a validator as jailed.
func isJailed(w *sim.World, op types.Operator) bool {
	for _, p := range w.Chain.Fixture.Participants {
		if p.Operator == string(op) {
			return p.Staked.Jailed
		}
	}
	return false
}

package sim_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// twoStalls is what a member that only says Working may cost a session.
var twoStalls = 2 * session.DefaultTiming().Stall

// quick is more than an honest signature takes with blocks of a second.
const quick = 8 * time.Second

// stage is a network with a READY key and an Idler in it, whose Readys come first.
type stage struct {
	*sim.World
	idler  *sim.Node
	cheat  *sim.Idler
	honest []*sim.Node
	// starts are all that were received.
	starts []started
}

type started struct {
	leader  types.Operator
	signers []string
}

func newStage(t *testing.T, cfg sim.Config, threshold int, cheat sim.Idler) *stage {
	cfg.Protocols, cfg.Preparams, cfg.Lag = fakeproto.Protocols{}, 40, 300*time.Millisecond
	s := &stage{World: sim.New(t, cfg), cheat: &cheat}
	s.Chain.Keygen("key", threshold)
	require.True(t, s.Run(2*time.Minute, ready(s.World, "key")))
	require.True(t, s.Run(time.Minute, func() bool { return settled(s.World) }))
	at := int(cfg.Seed) % cfg.Nodes
	s.idler = s.Nodes[at]
	s.honest = slices.Concat(s.Nodes[:at], s.Nodes[at+1:])
	s.idler.Idle(s.cheat)
	s.Meddle = func(from, _ *sim.Node, m *wire.Message) sim.Verdict {
		if e := m.GetEnvelope(); e != nil && e.Header.Kind == wire.KIND_READY && from != s.idler {
			return sim.Verdict{Delay: 100 * time.Millisecond}
		}
		return sim.Verdict{}
	}
	seen := make(map[types.Hash]bool)
	s.Delivered = func(_, _ *sim.Node, e *wire.Envelope) {
		if hash := types.HeaderHash(e.Header); e.Header.Kind == wire.KIND_START && !seen[hash] {
			seen[hash] = true
			var start wire.Start
			require.NoError(t, start.Unmarshal(e.Body))
			s.starts = append(s.starts, started{types.Operator(e.Header.From), start.Signers})
		}
	}
	return s
}

// deceived lists the honest leaders that started a session with the idler, and
// forgets all Starts.
func (s *stage) deceived() []types.Operator {
	var leaders []types.Operator
	for _, start := range s.starts {
		if start.leader != s.idler.Operator && slices.Contains(start.signers, string(s.idler.Operator)) {
			leaders = append(leaders, start.leader)
		}
	}
	s.starts = nil
	return leaders
}

// ids of sign requests whose first attempt somebody leads.
func (s *stage) ids(leader *sim.Node, first, count int) []string {
	return idsLedBy(s.World, types.KindSign, leader, first, count)
}

// sign asks for signatures and says how long it took until the chain had all.
func (s *stage) sign(t *testing.T, ids ...string) time.Duration {
	t.Helper()
	begin := s.Now()
	for _, id := range ids {
		digest := sha256.Sum256([]byte(id))
		s.Chain.Sign(id, "key", digest[:])
	}
	require.True(t, s.Run(10*time.Minute, func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool { _, done := s.Chain.Signature(id); return !done })
	}), "no signature at all")
	return s.Now().Sub(begin)
}

// named is how many accuse the idler on chain of what it did in sessions. Nobody else is
// accused.
func (s *stage) named(t *testing.T) (count int) {
	t.Helper()
	for _, f := range s.Chain.Faults() {
		require.Equal(t, s.idler.Operator, f.Participant, "%s accuses it of %s in %s", f.Accuser, f.Reason, f.Request)
		if f.Reason != types.ErrStartTimeout { // it leads, gets its Readys, and starts nothing
			count++
		}
	}
	return count
}

// TestWorkingIdlerIsLeftOut: whoever does not know a member that says Working for
// ever takes it once. That costs two stall times, then it is left out, and accused by
// nobody: it may compute for others. Here t is 2 of 4, so one honest member is in none of the first session and
// has to find out by itself: a signature takes at most 2 * 2 * Stall, and the turn
// of each member once (10 blocks each) until somebody leads who knows.
func TestWorkingIdlerIsLeftOut(t *testing.T) {
	for _, leads := range []bool{false, true} {
		t.Run(fmt.Sprintf("leads %t", leads), func(t *testing.T) {
			for seed := uint64(1); seed <= 12; seed++ {
				s := newStage(t, sim.Config{Seed: seed, Nodes: 4}, 2, sim.Idler{Leads: leads})
				leader := s.honest[seed%3]
				if leads {
					leader = s.idler
				}
				took := s.sign(t, s.ids(leader, 0, 1)...)
				require.Greater(t, took, twoStalls, "the idler was not in it")
				require.Less(t, took, 2*twoStalls+40*time.Second)
				deceived := s.deceived()
				require.LessOrEqual(t, len(deceived), 2, "%v", deceived)
				require.Equal(t, len(deceived), len(slices.Compact(slices.Sorted(slices.Values(deceived)))), "somebody was deceived twice: %v", deceived)
				require.Zero(t, s.named(t))

				// Whoever was deceived leads the next ones.
				if len(deceived) > 0 {
					i := slices.IndexFunc(s.honest, func(n *sim.Node) bool { return n.Operator == deceived[0] })
					require.Less(t, s.sign(t, s.ids(s.honest[i], 100, 5)...), quick)
					require.Empty(t, s.deceived())
				}
			}
		})
	}
}

// TestIdlerThatLeadsWhereItStalls: 3 members take turns of five blocks, so that
// the idler's turn comes again just when its session has stalled for two stall
// times. It may not open another one before it has finished that.
func TestIdlerThatLeadsWhereItStalls(t *testing.T) {
	for seed := uint64(1); seed <= 12; seed++ {
		s := newStage(t, sim.Config{
			Seed: seed, Nodes: 3, Params: func(p *xtypes.Params) { p.SignAttemptBlocks = 5 },
		}, 1, sim.Idler{Leads: true})
		took := s.sign(t, s.ids(s.idler, 0, 1)...)
		require.Greater(t, took, twoStalls)
		require.Less(t, took, twoStalls+30*time.Second, "one turn each is lost, and one each to get to somebody who knows")
		require.LessOrEqual(t, s.cheat.Sessions, 2, "one with each of the others")
		require.Zero(t, s.named(t))
	}
}

// TestManyStalledSessions: sessions that an idler stalls fill the memory of all
// others, but not for good: they give way to attempts without it.
func TestManyStalledSessions(t *testing.T) {
	const sessions = 6
	s := newStage(t, sim.Config{Seed: 1, Nodes: 4, MaxSessions: sessions}, 2, sim.Idler{Leads: true})
	took := s.sign(t, s.ids(s.idler, 0, 2*sessions)...)
	require.Greater(t, took, twoStalls)
	require.Less(t, took, 4*time.Minute)
	require.GreaterOrEqual(t, s.cheat.Sessions, 3*sessions/2, "two honest members in each of its sessions")
}

// TestWorkingIdlerInKeygen: a keygen needs everybody. With a member that only says
// Working it expires when its time is over, costs each of the others one set of
// pre-parameters and leaves nothing.
func TestWorkingIdlerInKeygen(t *testing.T) {
	for _, leads := range []bool{false, true} {
		s := newStage(t, sim.Config{Seed: 2, Nodes: 4, Params: func(p *xtypes.Params) {
			p.RetireBlocks, p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 10, 20, 240
		}}, 2, sim.Idler{Leads: leads})
		var before []int
		for _, n := range s.honest {
			before = append(before, n.Core().Status().Preparams)
			clear(n.Ended)
		}
		height := s.Chain.Height()
		s.Chain.Keygen("other", 2)
		failed := func() bool {
			k, ok := s.Chain.Key("other")
			return ok && k.Status == types.KeyError
		}
		require.True(t, s.Run(10*time.Minute, failed), "it hangs")
		require.Equal(t, height+1+240, s.Chain.Height())
		key, err := s.Chain.Fixture.Keeper.Key(s.Chain.Fixture.Ctx, "other")
		require.NoError(t, err)
		require.Equal(t, string(types.ErrExpired), key.Reason)
		require.Zero(t, s.named(t))
		require.Equal(t, 1, s.cheat.Sessions)

		require.True(t, s.Run(time.Minute, func() bool {
			return !slices.ContainsFunc(s.honest, func(n *sim.Node) bool {
				st := n.Core().Status()
				return len(st.Sessions) > 0 || len(st.Records) != 1
			})
		}), "something is left over")
		for i, n := range s.honest {
			require.Equal(t, before[i]-1, n.Core().Status().Preparams)
			require.Equal(t, 1, n.Ended[types.ErrExpired], "%v", n.Ended)
			require.Zero(t, n.Ended[types.ErrStalled])
		}

		// The idler goes on for ever; that fills no more than its own small room.
		s.Run(3*time.Minute, func() bool { return false })
		for _, n := range s.honest {
			held := n.Core().Holdings()
			require.LessOrEqual(t, held.Early, 32)
			require.LessOrEqual(t, held.Suspects, 1, "it was late")
			require.LessOrEqual(t, held.Grudges, len(s.Nodes))
			require.LessOrEqual(t, held.Decided, 4, "what was asked for")
			require.LessOrEqual(t, held.Answered, 8, "it leads what is over")
			held.Early, held.Suspects, held.Grudges, held.Decided, held.Answered = 0, 0, 0, 0, 0
			require.Equal(t, mpc.Holdings{}, held)
		}
	}
}

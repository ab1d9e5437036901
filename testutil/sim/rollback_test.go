package sim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestRollbackOverKeygen takes the chain back over the block that made a key READY, and
// over its request. What was made stays, and is the key again if the same request is in
// the same block again; nobody else gets it by asking under the same id.
func TestRollbackOverKeygen(t *testing.T) {
	for name, c := range map[string]struct {
		// overRequest: the request is taken back as well.
		overRequest bool
		// again is what is asked then.
		again func(*past)
		// same: the key is the one of before.
		same    bool
		members int
	}{
		"decision":                             {false, func(*past) {}, true, 4},
		"request":                              {true, func(p *past) { p.Chain.Keygen("key", 2) }, true, 4},
		"request, then a later one":            {true, func(p *past) { p.blocks(2); p.Chain.Keygen("key", 2) }, false, 4},
		"request, then another threshold":      {true, func(p *past) { p.Chain.Keygen("key", 1) }, false, 4},
		"request, then other participants":     {true, func(p *past) { p.Chain.Keygen("key", 1, p.Nodes[:3]...) }, false, 3},
		"request, which nobody makes any more": {true, nil, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPast(t, 51)
			p.blocks(3)
			before := p.Chain.Height()
			p.Chain.Keygen("key", 2)
			p.blocks(1)
			require.True(t, p.Run(2*time.Minute, func() bool { return ready(p.World, "key")() && promoted(p.World, 0, p.Nodes...) }))
			made, _ := p.Chain.Key("key")
			back := made.DecidedHeight - 1
			if c.overRequest {
				back = before
			}
			p.backTo(back)
			key, known := p.Chain.Key("key")
			require.Equal(t, !c.overRequest, known)
			require.Zero(t, key.Session)
			if c.again == nil {
				p.blocks(60)
				for _, n := range p.Nodes {
					require.True(t, keeps(t, n, made.Session))
					require.Equal(t, []types.KeyID{"key"}, n.Core().Status().Unknown)
					require.True(t, p.told(n, "the chain does not know"))
				}
				return
			}
			c.again(p)
			require.True(t, p.Run(2*time.Minute, ready(p.World, "key")), "the keygen is stuck")
			p.sound(t, 0, p.Nodes[:c.members]...)
			p.blocks(60)
			key, _ = p.Chain.Key("key")
			require.Equal(t, c.same, string(key.PublicKey) == string(made.PublicKey))
			for _, n := range p.Nodes {
				require.True(t, keeps(t, n, made.Session), "a share that was READY is lost")
				require.Equal(t, !c.same, p.told(n, "the chain has another key under its id"))
			}
		})
	}
}

// TestRollbackOverReshare takes the chain back when a reshare is TESTING, or has
// switched: by a block, to the open request, and to before it, after which the same, or
// something else, or nothing is asked; also where an earlier reshare failed long ago,
// whose staged shares are over.
func TestRollbackOverReshare(t *testing.T) {
	for _, failed := range []bool{false, true} {
		for stage, staged := range map[string]func(*past) bool{
			"TESTING": func(p *past) bool { k, _ := p.Chain.Key("key"); return !k.NextSession.IsZero() },
			"READY":   func(p *past) bool { return reshared(p.World, "r")() && promoted(p.World, 1, p.Nodes[1:]...) },
		} {
			for back, c := range map[string]struct {
				height func(p *past, asked int64) int64
				again  func(*past)
				// epoch and members are what becomes of the key.
				epoch   uint64
				members func(p *past) []*sim.Node
			}{
				"a block":     {func(p *past, _ int64) int64 { return p.Chain.Height() - 1 }, nil, 1, lastThree},
				"its opening": {func(_ *past, asked int64) int64 { return asked + 1 }, nil, 1, lastThree},
				"before it": {func(_ *past, asked int64) int64 { return asked }, func(p *past) {
					p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
				}, 1, lastThree},
				"before it, then later": {func(_ *past, asked int64) int64 { return asked }, func(p *past) {
					p.blocks(2)
					p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
				}, 1, lastThree},
				"before it, then other participants": {func(_ *past, asked int64) int64 { return asked }, func(p *past) {
					p.Chain.Reshare("r", "key", 1, p.Nodes[0], p.Nodes[2], p.Nodes[3])
				}, 1, func(p *past) []*sim.Node { return []*sim.Node{p.Nodes[0], p.Nodes[2], p.Nodes[3]} }},
				"before it, then another threshold": {func(_ *past, asked int64) int64 { return asked }, func(p *past) {
					p.Chain.Reshare("r", "key", 2, p.Nodes[1:]...)
				}, 1, lastThree},
				"before it, for good": {func(_ *past, asked int64) int64 { return asked }, nil, 0,
					func(p *past) []*sim.Node { return p.Nodes[:3] }},
			} {
				name := stage + ", " + back
				if failed {
					name += ", after one that failed"
				}
				t.Run(name, func(t *testing.T) {
					p := newPast(t, 52)
					plantKey(t, p.World, 1, p.Nodes[:3]...)
					if failed {
						failsAReshare(t, p)
					}
					asked := p.Chain.Height()
					p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
					require.True(t, p.Run(2*time.Minute, func() bool { return staged(p) }))
					key, _ := p.Chain.Key("key")
					made := key.NextSession
					if made.IsZero() {
						made = key.Session
					}
					p.backTo(c.height(p, asked))
					if c.again != nil {
						c.again(p)
					}
					signsAll(t, p.World, "after-rollback")
					if c.epoch == 1 {
						require.True(t, p.Run(3*time.Minute, reshared(p.World, "r")), "the reshare is stuck")
					} else {
						p.blocks(60)
						for _, n := range p.Nodes[1:] {
							require.True(t, keeps(t, n, made), "a rollback may bring it back")
							require.True(t, p.told(n, "a reshare that the chain does not know"))
							withheld := n.Core().Status().Withheld
							require.Len(t, withheld, 1)
							require.Equal(t, mpc.WithheldUnasked, withheld[0].Why)
						}
					}
					p.sound(t, c.epoch, c.members(p)...)
					if c.epoch == 0 { // what was made is nothing to the next one
						p.Chain.Reshare("r2", "key", 1, p.Nodes[1:]...)
						require.True(t, p.Run(2*time.Minute, reshared(p.World, "r2")))
						p.sound(t, 1, p.Nodes[1:]...)
					}
					if key, _ := p.Chain.Key("key"); strings.Contains(back, ", then") {
						require.NotEqual(t, made, key.Session, "what answered one request is taken for an answer to another")
					}
					retired(t, p.World)
					members := c.members(p)
					if c.epoch == 0 {
						members = lastThree(p)
					}
					holdsEpoch(t, p.World, 1, members...)
					require.Empty(t, p.Chain.Errors)
				})
			}
		}
	}
}

func lastThree(p *past) []*sim.Node { return p.Nodes[1:] }

// failsAReshare leaves a key whose staged shares of a reshare were destroyed long ago.
func failsAReshare(t *testing.T, p *past) {
	t.Helper()
	p.Chain.Reshare("failed", "key", 1, p.Nodes[1:]...)
	p.Chain.CancelReshare("failed")
	require.True(t, p.Run(time.Minute, func() bool { return p.Chain.ReshareStatus("failed") == xtypes.RESHARE_STATUS_ERROR }))
	retired(t, p.World)
	key, _ := p.Chain.Key("key")
	require.Positive(t, key.StagedRetireHeight)
	require.Less(t, key.StagedRetireHeight, p.Chain.Height())
}

// TestRollbackOverSignature takes the chain back over a request for a signature, which
// is then asked for again. With the same digest it is signed, by whatever shares the key
// has then; with another one by nobody, and the operators are told.
func TestRollbackOverSignature(t *testing.T) {
	id := types.RequestID{Kind: types.KindSign, ID: "s"}
	prepare := func(t *testing.T) (p *past, before int64) {
		p = newPast(t, 53)
		plantKey(t, p.World, 2, p.Nodes...)
		before = p.Chain.Height()
		p.Chain.Sign("s", "key", digestOf("one"))
		return p, before
	}
	signed := func(p *past) func() bool {
		return func() bool { _, ok := p.Chain.Signature("s"); return ok }
	}
	t.Run("the same digest", func(t *testing.T) {
		p, before := prepare(t)
		require.True(t, p.Run(time.Minute, signed(p)))
		p.backTo(before)
		require.False(t, signed(p)())
		p.Chain.Sign("s", "key", digestOf("one"))
		require.True(t, p.Run(time.Minute, signed(p)))
		p.sound(t, 0, p.Nodes...)
	})
	t.Run("the same digest in the next epoch", func(t *testing.T) {
		p, before := prepare(t)
		require.True(t, p.Run(time.Minute, signed(p)))
		p.backTo(before)
		p.Chain.Reshare("r", "key", 2, p.Nodes...)
		require.True(t, p.Run(2*time.Minute, reshared(p.World, "r")))
		p.Chain.Sign("s", "key", digestOf("one"))
		require.True(t, p.Run(time.Minute, signed(p)), "what is bound stands in the way")
		require.Equal(t, []uint64{0, 1}, p.ledger.Epochs(id))
		p.sound(t, 1, p.Nodes...)
	})
	for name, begun := range map[string]func(*past) func() bool{
		"another digest, when it was signed": signed,
		"another digest, in the middle": func(p *past) func() bool {
			return func() bool { return len(p.ledger.Epochs(id)) > 0 }
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, before := prepare(t)
			require.True(t, p.Run(time.Minute, begun(p)))
			p.backTo(before)
			p.Chain.Sign("s", "key", digestOf("another"))
			p.blocks(3)
			require.True(t, p.Run(2*time.Minute, func() bool { return p.Chain.Open() == 0 }))
			require.Empty(t, p.ledger.Broken())
			require.False(t, signed(p)(), "it is signed with two digests")
			s, err := p.Chain.Fixture.Keeper.Signature(p.Chain.Fixture.Ctx, "s")
			require.NoError(t, err)
			require.Equal(t, string(types.ErrDigestBound), s.Reason, "who asked is told")
			require.GreaterOrEqual(t, len(s.Refusals), 2, "as many refuse it as keep it from its end")
			for _, r := range s.Refusals {
				i := slices.IndexFunc(p.Nodes, func(n *sim.Node) bool { return string(n.Operator) == r.Operator })
				require.True(t, p.told(p.Nodes[i], string(types.ErrDigestBound)), "%s", r.Operator)
			}
			p.sound(t, 0, p.Nodes...)
		})
	}
}

// TestRollbackOfOneNode takes blocks back on one node alone, as far as before the request,
// while something happens and after it. It executes the same blocks again: no share goes
// of which the chain has made the key's meanwhile.
func TestRollbackOfOneNode(t *testing.T) {
	for name, c := range map[string]struct {
		ask     func(*past)
		until   func(*past) bool
		epoch   uint64
		members func(*past) []*sim.Node
	}{
		"keygen": {
			func(p *past) { p.Chain.Keygen("key", 2) }, func(p *past) bool { return ready(p.World, "key")() },
			0, func(p *past) []*sim.Node { return p.Nodes },
		},
		"sign": {
			func(p *past) { p.Chain.Sign("s", "key", digestOf("s")) },
			func(p *past) bool { _, ok := p.Chain.Signature("s"); return ok },
			0, func(p *past) []*sim.Node { return p.Nodes[:3] },
		},
		"reshare that is TESTING": {
			func(p *past) { p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...) },
			func(p *past) bool { k, _ := p.Chain.Key("key"); return !k.NextSession.IsZero() }, 1, lastThree,
		},
		"reshare": {
			func(p *past) { p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...) },
			func(p *past) bool { return reshared(p.World, "r")() }, 1, lastThree,
		},
		"delete": {
			func(p *past) { p.Chain.Delete("key") },
			func(p *past) bool { k, _ := p.Chain.Key("key"); return len(k.DeletionAcked) == 3 }, 0, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 4 {
				p := newPast(t, 54)
				if name != "keygen" {
					plantKey(t, p.World, 1, p.Nodes[:3]...)
					failsAReshare(t, p)
				}
				before := p.Chain.Height()
				c.ask(p)
				n := p.Nodes[i]
				back := func(height int64) { n.Rollback(p.Chain.Height()-height, 20*time.Millisecond) }
				p.blocks(3)
				back(before)
				require.True(t, p.Run(3*time.Minute, func() bool { return c.until(p) }))
				for height, over := p.Chain.Height()-1, p.Chain.Height(); height > before; height -= max(1, (over-before)/6) {
					back(height)
					p.blocks(2)
				}
				back(before)
				if name == "delete" {
					p.blocks(5)
					for _, n := range p.Nodes {
						require.Empty(t, shares(t, n))
					}
					continue
				}
				require.True(t, p.Run(3*time.Minute, func() bool { k, _ := p.Chain.Key("key"); return k.Epoch == c.epoch }))
				retired(t, p.World)
				p.blocks(5)
				p.sound(t, c.epoch, c.members(p)...)
				holdsEpoch(t, p.World, c.epoch, c.members(p)...)
				require.Empty(t, p.Chain.Errors)
			}
		})
	}
}

// TestRollbackOverDeletion takes the chain back over the block that made a key DELETED,
// and the deletion is taken back there: as long as retire_blocks allow, every node has its
// share. After that nobody has, and says why.
func TestRollbackOverDeletion(t *testing.T) {
	deleted := func(t *testing.T) (p *past, buried int64) {
		p = newPast(t, 55)
		plantKey(t, p.World, 2, p.Nodes...)
		p.Chain.Delete("key")
		require.True(t, p.Run(5*time.Minute, is(p.World, types.KeyDeleted)))
		return p, p.Chain.Height()
	}
	undelete := func(t *testing.T, p *past, height int64) {
		t.Helper()
		p.backTo(height)
		require.True(t, is(p.World, types.KeyDeleting)())
		p.Chain.Undelete("key")
		p.blocks(1)
		require.True(t, is(p.World, types.KeyReady)())
	}
	for name, after := range map[string]int64{"at once": 0, "in the last block": 29} {
		t.Run(name, func(t *testing.T) {
			p, buried := deleted(t)
			p.blocks(after)
			undelete(t, p, buried-1)
			p.sound(t, 0, p.Nodes...)
			p.blocks(60)
			holdsEpoch(t, p.World, 0, p.Nodes...)

			p.Chain.Delete("key")
			require.True(t, p.Run(10*time.Minute, func() bool { k, _ := p.Chain.Key("key"); return len(k.DeletionAcked) == 4 }))
			nothingIsLeft(t, p.World)
		})
	}
	t.Run("too late", func(t *testing.T) {
		p, buried := deleted(t)
		require.True(t, p.Run(10*time.Minute, func() bool { k, _ := p.Chain.Key("key"); return len(k.DeletionAcked) == 4 }))
		require.GreaterOrEqual(t, p.Chain.Height(), buried+30)
		undelete(t, p, buried-1)
		p.Chain.Sign("s", "key", digestOf("s"))
		p.blocks(70)
		_, signed := p.Chain.Signature("s")
		require.False(t, signed)
		for _, n := range p.Nodes {
			require.True(t, p.told(n, "remedy=\""+types.ErrKeyDeleted.Remedy()), "%s", n.Operator)
			require.Zero(t, n.Ended[types.ErrStorage])
		}
	})
}

package sim_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// operation is one of the things that a network does to a key, with crashes from when
// it is asked for until all of it is over.
type operation struct {
	params  func(*xtypes.Params) // beyond those of crashNetwork; nil: none
	prepare func(*testing.T, *sim.World)
	ask     func(*sim.World)
	over    func(*sim.World) bool
	check   func(*testing.T, *sim.World)
	// members of what is there in the end; nil if nothing is to be.
	members func(*sim.World) []*sim.Node
	// uses is how many parts of presignatures are used where nobody crashes.
	uses int
	// again counts the second crashes of all runs.
	again *atomic.Int64
	// audited counts what the audit logs of all runs say.
	audited *auditCount
}

var operations = map[string]operation{
	"keygen": {
		again: new(atomic.Int64), audited: new(auditCount),
		prepare: func(*testing.T, *sim.World) {},
		ask: func(w *sim.World) {
			w.Chain.Keygen("key", 2)
			w.After(2500*time.Millisecond, func() {
				w.Chain.Jail(w.Nodes[1].Operator) // it is pinned
				w.Chain.Do(stillPending(w, "key"))
			})
		},
		over: func(w *sim.World) bool { return ready(w, "key")() && promoted(w, 0, w.Nodes...) && idle(w) },
		check: func(t *testing.T, w *sim.World) {
			require.True(t, isJailed(w, w.Nodes[1].Operator))
			outlastsAttempt(t, w, "key")
			holdsWinner(t, w, "key")
		},
		members: func(w *sim.World) []*sim.Node { return w.Nodes },
	},
	"sign": {
		again: new(atomic.Int64), audited: new(auditCount),
		prepare: func(t *testing.T, w *sim.World) { plantKey(t, w, 2, w.Nodes...) },
		ask:     func(w *sim.World) { w.Chain.Sign("signed", "key", digestOf("signed")) },
		over: func(w *sim.World) bool {
			_, signed := w.Chain.Signature("signed")
			return signed && idle(w)
		},
		check:   func(t *testing.T, w *sim.World) { holdsEpoch(t, w, 0, w.Nodes...) },
		members: func(w *sim.World) []*sim.Node { return w.Nodes },
	},
	"reshare": {
		again: new(atomic.Int64), audited: new(auditCount),
		prepare: func(t *testing.T, w *sim.World) { plantKey(t, w, 1, w.Nodes[:3]...) },
		ask:     func(w *sim.World) { w.Chain.Reshare("reshare", "key", 1, w.Nodes[1:]...) },
		over: func(w *sim.World) bool {
			key, _ := w.Chain.Key("key")
			return key.Epoch == 1 && w.Chain.Height() > key.RetireHeight+2 && promoted(w, 1, w.Nodes[1:]...) && idle(w)
		},
		check:   func(t *testing.T, w *sim.World) { holdsEpoch(t, w, 1, w.Nodes[1:]...) },
		members: func(w *sim.World) []*sim.Node { return w.Nodes[1:] },
	},
	"delete": {
		again: new(atomic.Int64), audited: &auditCount{unused: true},
		prepare: func(t *testing.T, w *sim.World) { plantKey(t, w, 2, w.Nodes...) },
		ask:     func(w *sim.World) { w.Chain.Delete("key") },
		over: func(w *sim.World) bool {
			k, _ := w.Chain.Key("key")
			return k.Status == types.KeyDeleted && len(k.DeletionAcked) == 4 && idle(w)
		},
		check: func(t *testing.T, w *sim.World) {
			nothingIsLeft(t, w)
			destroyedByAll(t, w)
		},
		members: func(*sim.World) []*sim.Node { return nil },
	},
	"cancelled reshare": {
		again: new(atomic.Int64), audited: new(auditCount),
		prepare: func(t *testing.T, w *sim.World) { plantKey(t, w, 1, w.Nodes[:3]...) },
		ask: func(w *sim.World) {
			w.Chain.Reshare("reshare", "key", 1, w.Nodes[1:]...)
			cancelWhenStaged(w)
		},
		over: func(w *sim.World) bool {
			key, _ := w.Chain.Key("key")
			ended := w.Chain.ReshareStatus("reshare") == xtypes.RESHARE_STATUS_ERROR
			return ended && w.Chain.Height() > key.StagedRetireHeight+2 && promoted(w, 0, w.Nodes[:3]...) && idle(w)
		},
		check:   func(t *testing.T, w *sim.World) { holdsEpoch(t, w, 0, w.Nodes[:3]...) },
		members: func(w *sim.World) []*sim.Node { return w.Nodes[:3] },
	},
	"undelete": {
		again: new(atomic.Int64), audited: new(auditCount),
		prepare: func(t *testing.T, w *sim.World) { plantKey(t, w, 2, w.Nodes...) },
		ask: func(w *sim.World) {
			w.Chain.Sign("cut-off", "key", digestOf("cut-off"))
			w.After(deleteAfter, func() { w.Chain.Delete("key") })
			w.After(undeleteAfter, func() { w.Chain.Undelete("key") })
			w.After(undeleteAfter+time.Second, func() { w.Chain.Sign("after", "key", digestOf("after")) })
		},
		over: func(w *sim.World) bool {
			_, signed := w.Chain.Signature("after")
			return signed && w.Chain.Height() > undeletedHeight && promoted(w, 0, w.Nodes...) && idle(w)
		},
		check: func(t *testing.T, w *sim.World) {
			_, signed := w.Chain.Signature("cut-off")
			require.False(t, signed)
			holdsEpoch(t, w, 0, w.Nodes...)
		},
		members: func(w *sim.World) []*sim.Node { return w.Nodes },
	},
}

// Operations whose crashes are tried everywhere, and those that end in what the others try
// as well: of these maxRare moments are enough, unless CRASH_ALL asks for all.
var (
	often = []string{"keygen", "sign", "reshare", "delete", "cancelled reshare", "undelete"}
	rare  = []string{"presigned sign", "repair", "auto reshare"}
)

const maxRare = 12

func init() {
	operations["presigned sign"] = operation{
		again: new(atomic.Int64), audited: new(auditCount),
		params: func(p *xtypes.Params) { p.PresignTarget = 1 }, uses: 2 * 3, // of three signers in each of two requests
		prepare: func(t *testing.T, w *sim.World) {
			plantKey(t, w, 2, w.Nodes...)
			require.True(t, w.Run(10*time.Minute, func() bool { return stocked(w, 1) }))
		},
		ask: func(w *sim.World) {
			for _, n := range w.Nodes[:2] {
				for _, id := range idsLedBy(w, types.KindSign, n, 0, 1) {
					w.Chain.Sign(id, "key", digestOf(id))
				}
			}
		},
		over: func(w *sim.World) bool { return stocked(w, 1) && idle(w) },
		check: func(t *testing.T, w *sim.World) {
			for _, n := range w.Nodes[:2] {
				_, signed := w.Chain.Signature(idsLedBy(w, types.KindSign, n, 0, 1)[0])
				require.True(t, signed)
			}
			holdsEpoch(t, w, 0, w.Nodes...)
		},
		members: func(w *sim.World) []*sim.Node { return w.Nodes },
	}
	byItself := func(p *xtypes.Params) { p.AutoReshare, p.AutoResharePauseBlocks = true, 20 }
	moved := func(members func(*sim.World) []*sim.Node) func(*sim.World) bool {
		return func(w *sim.World) bool {
			key, _ := w.Chain.Key("key")
			return key.Epoch == 1 && w.Chain.Height() > key.RetireHeight+2 && promoted(w, 1, members(w)...) && idle(w)
		}
	}
	all := func(w *sim.World) []*sim.Node { return w.Nodes }
	operations["repair"] = operation{
		again: new(atomic.Int64), audited: new(auditCount), params: byItself, members: all, over: moved(all),
		prepare: func(t *testing.T, w *sim.World) { plantKey(t, w, 2, w.Nodes...) },
		ask: func(w *sim.World) {
			w.Nodes[1].LoseStore()
			w.Nodes[1].Start()
		},
		check: func(t *testing.T, w *sim.World) {
			key, _ := w.Chain.Key("key")
			require.Empty(t, key.MissingShares)
			holdsEpoch(t, w, 1, w.Nodes...)
		},
	}
	rest := func(w *sim.World) []*sim.Node { return w.Nodes[1:] }
	operations["auto reshare"] = operation{
		again: new(atomic.Int64), audited: new(auditCount), params: byItself, members: rest, over: moved(rest),
		prepare: func(t *testing.T, w *sim.World) { plantKey(t, w, 1, w.Nodes[:3]...) },
		ask:     func(w *sim.World) { w.Chain.Jail(w.Nodes[0].Operator) },
		check:   func(t *testing.T, w *sim.World) { holdsEpoch(t, w, 1, w.Nodes[1:]...) },
	}
}

// Times of what the chain takes back, after a signature was asked for, which cannot be
// made by then.
const (
	deleteAfter   = 4 * time.Second
	undeleteAfter = 8 * time.Second
	// undeletedHeight is one at which the key would long be DELETED.
	undeletedHeight = 40
)

// cancelWhenStaged gives a reshare up when somebody has a share of it.
func cancelWhenStaged(w *sim.World) {
	w.After(time.Second, func() {
		for _, n := range w.Nodes {
			records, err := n.Store.Records()
			if err == nil && slices.ContainsFunc(records, func(r types.Record) bool { return r.Epoch == 1 && r.HasData }) {
				w.Chain.CancelReshare("reshare")
				return
			}
		}
		cancelWhenStaged(w)
	})
}

// stillPending is an error of the chain if a key is decided: what was to happen before that
// comes too late.
func stillPending(w *sim.World, id string) func(sdk.Context) error {
	return func(ctx sdk.Context) error {
		key, err := w.Chain.Fixture.Keeper.Key(ctx, id)
		if err == nil && key.Status != xtypes.KEY_STATUS_PENDING {
			err = fmt.Errorf("key %s is %s already", id, key.Status)
		}
		return err
	}
}

// outlastsAttempt: the keygen took longer than the attempt in which it began, as crashNetwork
// has it.
func outlastsAttempt(t *testing.T, w *sim.World, id string) {
	t.Helper()
	keeper, ctx := w.Chain.Fixture.Keeper, w.Chain.Fixture.Ctx
	key, err := keeper.Key(ctx, id)
	require.NoError(t, err)
	params, err := keeper.Params(ctx)
	require.NoError(t, err)
	require.Greater(t, key.DecidedHeight-key.RequestedHeight, int64(params.KeygenAttemptBlocks))
}

package mpc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestDeletingDestroysNothing: while a key is DELETING nobody can say that its share is
// missing, so shares of other epochs stay, whatever ended meanwhile, for members, for those
// that were left out and for newcomers. When the deletion is taken back the chain gives them
// another end, by which it knows who lost what; and if it is not taken back all of it goes.
func TestDeletingDestroysNothing(t *testing.T) {
	for name, c := range map[string]struct {
		held   []uint64 // the key is at epoch 1
		member bool
		lost   int // others, as is known when the deletion was taken back
		revoke bool
		kept   Withholding
	}{
		"a member":                                        {held: []uint64{0, 1}, member: true},
		"a member, and too few have a share":              {held: []uint64{0, 1}, member: true, lost: 2, kept: WithheldEarlier},
		"a member without its share":                      {held: []uint64{0}, member: true, kept: WithheldPrevious},
		"left out":                                        {held: []uint64{0}},
		"left out, and too few have a share":              {held: []uint64{0}, lost: 2, kept: WithheldEarlier},
		"left out, without an identity":                   {held: []uint64{0}, revoke: true},
		"staged":                                          {held: []uint64{1, 2}, member: true},
		"staged, and too few have a share":                {held: []uint64{1, 2}, member: true, lost: 2, kept: WithheldNext},
		"staged, of a newcomer":                           {held: []uint64{2}},
		"staged, of a newcomer, and too few have a share": {held: []uint64{2}, lost: 2, kept: WithheldNext},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			key := types.Key{
				ID: "key", Status: types.KeyDeleting, Epoch: 1, Session: types.Context{2}, Commitment: types.Hash{2}, PublicKey: []byte("public"),
				Participants: d.ops[1:], Threshold: 1, Holders: d.ops, RetireHeight: 51, StagedRetireHeight: 50,
				EndedEpochs: []types.EndedEpoch{{Epoch: 0, RetireHeight: 50}},
			}
			if c.member {
				key.Participants = []types.Operator{d.ops[0], d.ops[2], d.ops[3]}
			}
			for _, epoch := range c.held {
				status := types.StatusReady
				if epoch > key.Epoch {
					status = types.StatusPending
				}
				d.holdEpoch(epoch, status)
			}
			if c.revoke {
				d.revoke()
			}
			d.view.Keys["key"], d.ended = key, []string{"r"}
			store := &openings{Store: d.store}
			d.view.Height = 49
			d.start(func(o *Options) { o.Store = store })
			for _, d.view.Height = range []int64{50, 51, 1000} { // and burying it may take its time
				d.commit()
				require.Len(t, d.core.records, len(c.held), "at height %d", d.view.Height)
			}
			require.Zero(t, store.count, "what stays anyway is opened at each look")
			forever := key

			key.Status, key.RetireHeight, key.StagedRetireHeight = types.KeyReady, 1100, 1100
			for i := range key.EndedEpochs {
				key.EndedEpochs[i].RetireHeight = 1100
			}
			d.view.Keys["key"], d.view.Height = key, 1099
			d.commit()
			require.Len(t, d.core.records, len(c.held), "it is READY again, and has its time")
			key.MissingShares = d.ops[4-c.lost:]
			d.view.Keys["key"], d.view.Height = key, 1100
			d.start(func(o *Options) { o.Store = store }) // as who comes back late
			d.commit()
			if c.kept != "" {
				require.Len(t, d.core.records, len(c.held), "a share that may be one of the last of the key is destroyed")
				require.Contains(t, d.whys(), c.kept)
			} else {
				for k := range d.core.records {
					require.Equal(t, key.Epoch, k.Epoch)
				}
			}

			forever.Status, forever.RetireHeight = types.KeyDeleted, 1200
			d.view.Keys["key"], d.view.Height = forever, 1200
			d.commit()
			require.Empty(t, d.core.records, "a deletion ends all of it")
		})
	}
}

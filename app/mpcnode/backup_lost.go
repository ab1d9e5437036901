package mpcnode

import (
	"context"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// word is what the chain says of what the newest backup has and this node has not, see
// backup.Lost.Check. What it does not know now, or as it was before the share, is of blocks
// that this node has to catch up with. While it cannot be asked it says of nothing that it
// is over. An entry that names no session is none that it could judge: whoever adds the file
// names it.
func (w *shareWatch) word(lost backup.Lost) (elsewhere []string, wanted []backup.Entry) {
	judgeable := slices.DeleteFunc(slices.Clone(lost.Staged), func(e backup.Entry) bool { return !e.Judgeable() })
	ctx, err := (&chain{app: w.app}).committed()
	if err != nil {
		return nil, judgeable
	}
	state := w.app.MPCState()
	for _, e := range judgeable {
		if mayCount(ctx, state, e) {
			wanted = append(wanted, e)
		}
	}
	return w.elsewhere(ctx, state, lost), wanted
}

// elsewhere are those keys that the chain gave to others since, or destroyed: this participant
// needs no share of them.
func (w *shareWatch) elsewhere(ctx context.Context, state State, lost backup.Lost) (list []string) {
	roster, err := state.EngineRoster(ctx)
	if err != nil {
		return nil
	}
	self := w.operator(roster)
	for _, id := range lost.Gone {
		key, known, err := state.EngineKey(ctx, types.KeyID(id))
		given := self != "" && key.Epoch > lost.Epoch(id) && !slices.Contains(key.Participants, self)
		if err == nil && known && (given || key.Status == types.KeyDeleted) {
			list = append(list, id)
		}
	}
	return list
}

// mayCount: the chain signs with a share that was staged here, may choose it yet, or may need
// it. It is false of each that the engine would destroy by what the chain says now
// (settleRecord in package mpc), at whatever height: when a reshare is pruned the chain forgets
// when the shares of one that failed were to go. So one for which a backup is refused can
// be restored and stays, and that ends it. Of a failed reshare the engine keeps them while t or
// fewer participants have a share of the chain's epoch: they may be all that is left of the key.
// If this one went before that, it is worth restoring all the same.
func mayCount(ctx context.Context, state State, e backup.Entry) bool {
	key, known, err := state.EngineKey(ctx, types.KeyID(e.KeyID))
	switch {
	case err != nil || !known || key.Status == types.KeyPending:
		return true
	case key.Status == types.KeyDeleted || key.Status == types.KeyError || e.Epoch < key.Epoch:
		return false
	case e.Epoch == key.Epoch:
		return e.Context == key.Session.String()
	case e.Context == key.NextSession.String() || key.LacksShares():
		return true
	}
	_, ended, err := state.EngineReshareEnded(ctx, e.Request)
	return err != nil || !ended
}

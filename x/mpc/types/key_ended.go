package types

import (
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// MaxEndedEpochs bounds what a key remembers of its earlier epochs: some 300 bytes of state.
// Who is not reshared more often than that within retire_blocks never comes to it.
const MaxEndedEpochs = 16

// endEpoch notes from which block on the shares of the present epoch, which a switch ends at
// a height, may be destroyed. It is no earlier than that of any epoch before. Of what is
// over the newest stays, which speaks for all before it.
func (k *Key) endEpoch(height, retireHeight int64) {
	ended := k.EndedEpochs
	if len(ended) == 0 && k.Epoch > 0 { // of before a key remembered any: they have one end
		ended = []EndedEpoch{{Epoch: k.Epoch - 1, RetireHeight: max(k.RetireHeight, 1)}}
	}
	over := 0
	for over+1 < len(ended) && ended[over+1].RetireHeight <= height {
		over++
	}
	// Beyond the bound the newest one waits for this one. Were it the oldest that waits for
	// the next, each switch would put off the end of some epoch before it comes.
	kept := slices.Clone(ended[over:min(len(ended), over+MaxEndedEpochs-1)])
	k.EndedEpochs = append(kept, EndedEpoch{Epoch: k.Epoch, RetireHeight: retireHeight})
}

// putOffEnds lets no earlier epoch end before a height. It does so with those that are over,
// too: who has a share of them for any reason keeps it as long.
func (k *Key) putOffEnds(retireHeight int64) {
	k.EndedEpochs = slices.Clone(k.EndedEpochs) // other values of the key stay as they are
	for i := range k.EndedEpochs {
		k.EndedEpochs[i].RetireHeight = max(k.EndedEpochs[i].RetireHeight, retireHeight)
	}
}

// lastEnd is the last height up to which shares of an earlier epoch are kept for a
// rollback; 0 if none is remembered.
func (k Key) lastEnd() int64 {
	if n := len(k.EndedEpochs); n > 0 {
		return k.EndedEpochs[n-1].RetireHeight
	}
	return 0
}

// shiftEnded moves the ends in time, after retire_height. What is over stays above 0, where
// retire_height goes below: when both come up again on another chain, none of a READY key may
// be after that.
func (k *Key) shiftEnded(blocks int64) {
	k.EndedEpochs = slices.Clone(k.EndedEpochs) // an import leaves the file as it is
	for i := range k.EndedEpochs {
		end := max(k.EndedEpochs[i].RetireHeight+blocks, 1)
		if k.Status == KEY_STATUS_READY {
			end = min(end, max(k.RetireHeight, 1))
		}
		k.EndedEpochs[i].RetireHeight = end
	}
}

// validateEnded checks that epochs and their ends ascend up to the epoch before this one.
func (k Key) validateEnded() error {
	n := len(k.EndedEpochs)
	switch {
	case n == 0:
		return nil
	case n > MaxEndedEpochs:
		return fmt.Errorf("key %s has %d ended_epochs, more than %d", k.Id, n, MaxEndedEpochs)
	case k.EndedEpochs[n-1].Epoch+1 != k.Epoch:
		return fmt.Errorf("key %s: the last of ended_epochs is %d, the key is at epoch %d", k.Id, k.EndedEpochs[n-1].Epoch, k.Epoch)
	case k.Status == KEY_STATUS_READY && k.lastEnd() > max(k.RetireHeight, 1):
		return fmt.Errorf("key %s: ended_epochs until %d, after its retire_height %d", k.Id, k.lastEnd(), k.RetireHeight)
	case k.EndedEpochs[0].RetireHeight < 1:
		return fmt.Errorf("key %s: an epoch ended at height %d", k.Id, k.EndedEpochs[0].RetireHeight)
	}
	for i := 1; i < n; i++ {
		if a, b := k.EndedEpochs[i-1], k.EndedEpochs[i]; a.Epoch >= b.Epoch || a.RetireHeight > b.RetireHeight {
			return fmt.Errorf("key %s: ended_epochs must ascend, and their retire_height must not descend", k.Id)
		}
	}
	return nil
}

func (k Key) endedToEngine() []mpctypes.EndedEpoch {
	ended := make([]mpctypes.EndedEpoch, len(k.EndedEpochs))
	for i, e := range k.EndedEpochs {
		ended[i] = mpctypes.EndedEpoch{Epoch: e.Epoch, RetireHeight: e.RetireHeight}
	}
	return ended
}

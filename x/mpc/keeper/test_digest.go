package keeper

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// The new shares of a reshare prove themselves by a signature over a digest that belongs to
// their session. The old shares make the same signatures: who could ask them for one over
// that digest, as the owner of a key that signs raw digests could, would stand in for the
// proof. Members know of a session before the chain does. So the digest has a seed in it that
// nobody knows before the block that opens the test: the app hash in the header of that block
// is a hash over all the state of before, any request in it included, so that no such request
// can have been for a digest made of it. Results are applied before the transactions of their
// block: from these on, and as long as the test is open, nobody may ask for its digest. What
// other modules ask for in that block before is looked through when the test is opened.

// noState is the app hash in the header of a chain's first block.
var noState = sha256.Sum256(nil)

// testSeed is the seed of a test that this block opens. Each node has it of the state before
// the block, however it came by that.
func testSeed(ctx context.Context) ([]byte, error) {
	header := sdk.UnwrapSDKContext(ctx).HeaderInfo()
	if string(header.AppHash) == string(noState[:]) {
		return nil, errors.New("the first block of a chain has an app hash that everybody knows before; new shares are tested from the next one on")
	}
	if len(header.AppHash) != len(mpctypes.Hash{}) {
		return nil, fmt.Errorf("the header of block %d has an app hash of %d bytes and not of %d, by which new shares prove themselves: the application must give it to the context of each block, as baseapp does",
			sdk.UnwrapSDKContext(ctx).BlockHeight(), len(header.AppHash), len(mpctypes.Hash{}))
	}
	return header.AppHash, nil
}

// testDigest is what the shares that a test is of sign to prove themselves to this chain.
func testDigest(ctx context.Context, r types.Request) mpctypes.Hash {
	chainID := sdk.UnwrapSDKContext(ctx).ChainID()
	return mpctypes.ReshareTestDigest(chainID, mpctypes.KeyID(r.KeyId), r.Epoch, mpctypes.Context(r.KeySession), r.TestSeed)
}

// refuseTestDigest refuses what the new shares of a key sign to prove themselves.
func (k *Keeper) refuseTestDigest(ctx context.Context, key types.Key, digest []byte) error {
	if len(key.NextSession) == 0 {
		return nil
	}
	test, err := k.Signature(ctx, types.Reshare{Id: key.ReshareId}.TestID())
	if err != nil {
		return err
	}
	if string(test.Digest) != string(digest) {
		return nil
	}
	return types.ErrResharePending.Wrapf("by a signature over this digest the new shares of key %s prove themselves, of which %s makes the old ones no part",
		key.Id, key.ReshareId)
}

// checkUnasked says that nobody asked for the digest of a test that is about to be opened,
// as another module that executes before it in the block and knows the seed might.
func (k *Keeper) checkUnasked(ctx context.Context, test types.Request) error {
	ids, err := requestsOf(ctx, k.requestsByKey, test.KeyId)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id.K1() != uint32(types.REQUEST_KIND_SIGN) {
			continue
		}
		r, open, err := k.request(ctx, id)
		if err != nil {
			return err
		}
		if open && string(r.Digest) == string(test.Digest) {
			return fmt.Errorf("what the new shares of key %s would sign to prove themselves is asked of the old ones as signature %s of this block; they are tested from the next one on", test.KeyId, r.Id)
		}
	}
	return nil
}

// isSpoiled says whether an imported test cannot prove its shares to this chain, which has
// another id than the one that opened it: its digest would be another one, which the old shares
// may have been asked for since the seed was known, also where no genesis file shows it.
func isSpoiled(ctx context.Context, r types.Request) bool {
	digest := testDigest(ctx, r)
	return string(digest[:]) != string(r.Digest)
}

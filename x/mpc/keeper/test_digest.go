package keeper

import (
	"context"
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
// block: from these on, and as long as the test is open, nobody may ask for its digest.

// testSeed is the seed of a test that this block opens. Each node has it of the state before
// the block, however it came by that.
func testSeed(ctx context.Context) ([]byte, error) {
	header := sdk.UnwrapSDKContext(ctx).HeaderInfo()
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

// spoiledTests lists the open tests of a genesis file whose digest on this chain the old
// shares may have been asked for on the one before: the seed was known there while the
// test was open, and the digest was another if the chains have other ids. Where the file does
// not have all signatures any more that were asked for since, it may have been one of
// those.
func spoiledTests(ctx context.Context, gs types.GenesisState) (spoiled []mpctypes.RequestID) {
	type signed struct{ key, digest string }
	tests := make(map[signed]types.Request)
	for _, r := range gs.Requests {
		if !r.Test {
			continue
		}
		digest := testDigest(ctx, r)
		tests[signed{r.KeyId, string(digest[:])}] = r
		pruned := gs.Params.RetentionBlocks > 0 && r.Height+int64(gs.Params.RetentionBlocks) <= gs.ExportHeight
		if pruned && string(digest[:]) != string(r.Digest) {
			spoiled = append(spoiled, r.RequestID())
		}
	}
	for _, s := range gs.Signatures {
		if r, asked := tests[signed{s.KeyId, string(s.Digest)}]; asked && s.Id != r.Id {
			spoiled = append(spoiled, r.RequestID())
		}
	}
	return spoiled
}

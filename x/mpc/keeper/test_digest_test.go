package keeper_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// testOf is what the shares that the session r made of k for epoch 1 sign to prove themselves,
// where the test is opened in a block before which the state was this one.
func testOf(chainID, state string) []byte {
	seed := sha256.Sum256([]byte(state))
	digest := mpctypes.ReshareTestDigest(chainID, "k", 1, chain.Session("r"), seed[:])
	return digest[:]
}

// askRaw asks for a signature by k over a digest as it is.
func askRaw(f *chain.Fixture, id string, digest []byte) error {
	_, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{
		Requester: f.Requester, SignatureId: id, KeyId: "k", Payload: types.DigestPayload(digest),
	})
	return err
}

// Nobody asks the old shares for the signature by which the new ones prove themselves: not
// before the test is open, since the state of before is in its digest, and not meanwhile.
func TestTestIsSignedByNewSharesAlone(t *testing.T) {
	f, secret := resharing(t)
	f.Reshare("r", "k", 1)
	unseeded := mpctypes.ReshareTestDigest(chain.ChainID, "k", 1, chain.Session("r"), nil)
	f.Ctx = chain.WithAppHash(f.Ctx, "one state")
	require.NoError(t, askRaw(f, "early", testOf(chain.ChainID, "one state")), "in a block before")
	require.NoError(t, askRaw(f, "unseeded", unseeded[:]))
	f.Ctx = chain.WithAppHash(f.Ctx, "another state")
	f.Stage("r", secret)
	test := requireSignature(t, f, "test:r", types.SIGNATURE_STATUS_PENDING, "")
	require.Equal(t, testOf(chain.ChainID, "another state"), test.Digest)
	seed := sha256.Sum256([]byte("another state"))
	require.Equal(t, seed[:], engineRequest(t, f, mpctypes.KindSign, "test:r").TestSeed)

	f.Ctx = chain.WithAppHash(f.Ctx, "a later state")
	require.ErrorIs(t, askRaw(f, "s", test.Digest), types.ErrResharePending)
	_, err := f.Keeper.Signature(f.Ctx, "s")
	require.ErrorIs(t, err, types.ErrUnknownSignature)
	require.NoError(t, askRaw(f, "late", testOf(chain.ChainID, "a later state")), "of no test that there is")
	f.PassTest("r", secret)
	require.NoError(t, askRaw(f, "s", test.Digest), "it proved them, and says nothing any more")
}

// Without the hash of a state nothing is staged.
func TestTestNeedsAnAppHash(t *testing.T) {
	f, secret := resharing(t)
	r := f.Reshare("r", "k", 1, f.Participants[:2]...)
	header := f.Ctx.HeaderInfo()
	header.AppHash = nil
	f.Ctx = f.Ctx.WithHeaderInfo(header)
	first := f.Participants[0].AttestReshare("r", 0, chain.Session("r"), secret.Payload(len(r.Participants)))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &first))
	last := f.Participants[1].AttestReshare("r", 0, chain.Session("r"), secret.Payload(len(r.Participants)))
	alone := func() sdk.Context { ctx, _ := f.Ctx.CacheContext(); return ctx } // as a result of a bundle is applied
	require.ErrorContains(t, f.Keeper.ApplyAttestation(alone(), &last), "app hash of 0 bytes")
	require.ErrorContains(t, f.Keeper.ApplyAttestation(chain.WithAppHash(alone(), ""), &last), "first block")
	require.NoError(t, f.Keeper.ApplyAttestation(chain.WithAppHash(f.Ctx, "of it"), &last))
	requireReshare(t, f, "r", types.RESHARE_STATUS_TESTING, "")
}

// A module that knows the app hash may ask in the same block before the test is open.
func TestTestThatIsAskedForInItsBlock(t *testing.T) {
	f, secret := resharing(t)
	r := f.Reshare("r", "k", 1, f.Participants[:2]...)
	first := f.Participants[0].AttestReshare("r", 0, chain.Session("r"), secret.Payload(len(r.Participants)))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &first))
	last := f.Participants[1].AttestReshare("r", 0, chain.Session("r"), secret.Payload(len(r.Participants)))
	require.NoError(t, askRaw(f, "s", testOf(chain.ChainID, "one state")))
	cached, _ := f.Ctx.CacheContext() // as a bundle is applied
	require.ErrorContains(t, f.Keeper.ApplyAttestation(chain.WithAppHash(cached, "one state"), &last), "signature s of this block")
	require.NoError(t, f.Keeper.ApplyAttestation(chain.WithAppHash(f.Ctx, "the next state"), &last))
	requireReshare(t, f, "r", types.RESHARE_STATUS_TESTING, "")
}

// A test goes on after an import, but for a chain of another id: who knew that could ask the old
// shares for the digest that it had there, on the chain before, where it was no test's.
func TestTestOnAnotherChain(t *testing.T) {
	for name, chainID := range map[string]string{"the same id": chain.ChainID, "another id": "mpc-test-2"} {
		t.Run(name, func(t *testing.T) {
			old, secret := resharing(t)
			old.Reshare("r", "k", 1)
			old.Stage("r", secret)
			require.NoError(t, askRaw(old, "s", testOf("mpc-test-2", "a state")))
			gs, err := old.Keeper.ExportGenesis(old.Ctx)
			require.NoError(t, err)
			require.NoError(t, gs.Validate())

			f := chain.NewEmpty(t)
			f.Ctx = chain.WithAppHash(f.Ctx.WithChainID(chainID), "of the first block")
			require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
			f.Ctx = f.Ctx.WithBlockHeight(1)
			test := requireSignature(t, f, "test:r", types.SIGNATURE_STATUS_PENDING, "")
			result := secret.Sign("test:r", test.Digest)
			if chainID != chain.ChainID {
				require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &result), types.ErrAlreadyDecided)
				f.EndBlocks(2)
				requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "cancelled")
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.Zero(t, key.Epoch)
				require.Zero(t, key.FailedReshares)
				return
			}
			require.Equal(t, testOf(chainID, "a state"), engineRequest(t, f, mpctypes.KindSign, "test:r").Digest)
			require.ErrorIs(t, askRaw(f, "again", test.Digest), types.ErrResharePending)
			require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
			requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
		})
	}
}

// A test of before there were seeds goes on without one. No other file has a seed that is none.
func TestGenesisOfTestSeeds(t *testing.T) {
	for name, c := range map[string]struct {
		seed  []byte
		of    string // whose it is
		wrong bool
	}{
		"none":                     {of: "test:r"},
		"31 bytes":                 {seed: make([]byte, 31), of: "test:r", wrong: true},
		"33 bytes":                 {seed: make([]byte, 33), of: "test:r", wrong: true},
		"of another block":         {seed: bytes.Repeat([]byte{1}, 32), of: "test:r"},
		"of a common signature":    {seed: bytes.Repeat([]byte{1}, 32), of: "s", wrong: true},
		"none of a common request": {of: "s"},
	} {
		t.Run(name, func(t *testing.T) {
			old, secret := resharing(t)
			old.Reshare("r", "k", 1)
			old.Stage("r", secret)
			old.KeySign("s", "k", "a")
			gs, err := old.Keeper.ExportGenesis(old.Ctx)
			require.NoError(t, err)
			digest := mpctypes.ReshareTestDigest(chain.ChainID, "k", 1, chain.Session("r"), c.seed)
			for i := range gs.Requests {
				if gs.Requests[i].Id == c.of {
					gs.Requests[i].TestSeed = c.seed
				}
				if gs.Requests[i].Test {
					gs.Requests[i].Digest = digest[:]
				}
			}
			for i := range gs.Signatures {
				if gs.Signatures[i].Test {
					gs.Signatures[i].SetTestDigest(digest)
				}
			}
			if c.wrong {
				require.ErrorContains(t, gs.Validate(), "only a test has a seed")
				return
			}
			require.NoError(t, gs.Validate())
			if c.of != "test:r" {
				return
			}
			f := chain.NewEmpty(t)
			require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
			f.Ctx = f.Ctx.WithBlockHeight(1)
			require.Equal(t, digest[:], engineRequest(t, f, mpctypes.KindSign, "test:r").Digest)
			require.ErrorIs(t, askRaw(f, "again", digest[:]), types.ErrResharePending)
			f.PassTest("r", secret)
			requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
		})
	}
}

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// testOf is what the shares that this session made of k for an epoch sign to prove themselves.
func testOf(chainID string, epoch uint64, session string) []byte {
	digest := mpctypes.ReshareTestDigest(chainID, "k", epoch, chain.Session(session))
	return digest[:]
}

// askRaw asks for a signature by k over a digest as it is.
func askRaw(f *chain.Fixture, id string, digest []byte) error {
	_, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{
		Requester: f.Requester, SignatureId: id, KeyId: "k", Payload: types.DigestPayload(digest),
	})
	return err
}

// Nobody asks the old shares for the signature by which the new ones prove themselves, on a
// chain that starts anew under another name either.
func TestTestIsSignedByNewSharesAlone(t *testing.T) {
	f, secret := resharing(t)
	f.Reshare("r", "k", 1)
	require.NoError(t, askRaw(f, "early", testOf(chain.ChainID, 1, "another")), "of no session that there is")
	f.Stage("r", secret)
	require.ErrorIs(t, askRaw(f, "s", testOf(chain.ChainID, 1, "r")), types.ErrResharePending)
	_, err := f.Keeper.Signature(f.Ctx, "s")
	require.ErrorIs(t, err, types.ErrUnknownSignature)
	require.NoError(t, askRaw(f, "of-no-epoch", testOf(chain.ChainID, 2, "r")))

	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	anew := chain.NewEmpty(t)
	anew.Ctx = anew.Ctx.WithChainID("mpc-test-2")
	require.NoError(t, anew.Keeper.InitGenesis(anew.Ctx, *gs))
	anew.Ctx = anew.Ctx.WithBlockHeight(1)
	require.ErrorIs(t, askRaw(anew, "s", testOf("mpc-test-2", 1, "r")), types.ErrResharePending)
	require.NoError(t, askRaw(anew, "of-before", testOf(chain.ChainID, 1, "r")))

	f.PassTest("r", secret)
	require.NoError(t, askRaw(f, "s", testOf(chain.ChainID, 1, "r")), "it proved them, and says nothing any more")
}

// Members know of a session before the chain does. If one of them lets somebody ask for the
// signature that its test needs, the session makes no shares, on an imported chain either;
// the next one does.
func TestSessionWhoseTestWasAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		attested int  // before it is asked for
		imported bool // after it
		pruned   bool // what was asked for
		refused  bool
	}{
		"before anybody attests":        {refused: true},
		"after some did":                {attested: 2, refused: true},
		"on an imported chain":          {imported: true, refused: true},
		"that is not known any more is": {pruned: true},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := resharing(t)
			f.EndBlocks(10)
			r := f.Reshare("r", "k", 1, f.Participants[2:5]...)
			attest := func(i int, attempt uint32, session string) error {
				a := f.Participants[i].AttestReshare("r", attempt, chain.Session(session), secret.Payload(len(r.Participants)))
				require.Equal(t, f.Keeper.CheckAttestation(f.Ctx, &a) == nil, f.Keeper.ApplyAttestation(f.Ctx, &a) == nil)
				return f.Keeper.CheckAttestation(f.Ctx, &a)
			}
			for i := range c.attested {
				require.ErrorIs(t, attest(2+i, 0, "r"), types.ErrAlreadyDecided, "it is stored")
			}
			require.NoError(t, askRaw(f, "s", testOf(chain.ChainID, 1, "r")))
			require.Equal(t, 1, f.Entries(types.RawDigestsPrefix))
			s := requireSignature(t, f, "s", types.SIGNATURE_STATUS_PENDING, "")
			result := secret.Sign("s", s.Digest)
			require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
			f.EndBlocks(200)
			if c.pruned {
				setParams(t, f, func(p *types.Params) { p.RetentionBlocks = 10 })
				f.EndBlocks(201)
				require.Zero(t, f.Entries(types.RawDigestsPrefix))
			}
			if c.imported {
				participants := f.Participants
				f = exportImport(t, f)
				for _, p := range participants {
					f.Participants = append(f.Participants, p.On(f))
				}
			}
			for i := 2 + c.attested; i < 5; i++ {
				if c.refused {
					require.ErrorIs(t, attest(i, 0, "r"), types.ErrBadResult)
				} else {
					require.ErrorIs(t, attest(i, 0, "r"), types.ErrAlreadyDecided)
				}
			}
			if !c.refused {
				requireReshare(t, f, "r", types.RESHARE_STATUS_TESTING, "")
				return
			}
			requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
			for i := 2; i < 5; i++ {
				require.ErrorIs(t, attest(i, 1, "again"), types.ErrAlreadyDecided)
			}
			f.PassTest("r", secret)
			requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
		})
	}
}

// What is signed while no reshare is open, or says what it is of, is not noted.
func TestOnlyRawDigestsOfResharesAreNoted(t *testing.T) {
	f, secret := resharing(t)
	f.KeySign("before", "k", "a")
	f.Reshare("r", "k", 1)
	f.KeySign("during", "k", "b")
	f.Stage("r", secret)
	f.PassTest("r", secret)
	f.KeySign("after", "k", "c")
	require.Equal(t, 1, f.Entries(types.RawDigestsPrefix))
}

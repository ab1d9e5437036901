package abci_test

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestPreBlockSurvivesEveryProposal(t *testing.T) {
	c := newScene(t)
	for name, p := range proposals(t, c) {
		t.Run(name, func(t *testing.T) {
			ctx, _ := c.Ctx.CacheContext()
			resp, err := c.handlers(nil).PreBlocker(nil)(ctx, &cmtabci.RequestFinalizeBlock{Height: 2, Txs: p.txs})
			require.NoError(t, err)
			require.NotNil(t, resp)
			key, err := c.Keeper.Key(ctx, "k")
			require.NoError(t, err)
			full := name == "bundle" || name == "bundle alone" || name == "at positions 0 and 1"
			require.Equal(t, full, key.Status == types.KEY_STATUS_READY)
		})
	}
}

func TestPreBlockApplies(t *testing.T) {
	c := newScene(t)
	req := &cmtabci.RequestFinalizeBlock{Height: 2, Txs: [][]byte{bundle(t, c.results)}}
	ctx := c.Ctx.WithEventManager(sdk.NewEventManager())
	_, err := c.handlers(nil).PreBlocker(nil)(ctx, req)
	require.NoError(t, err)
	key, err := c.Keeper.Key(ctx, "k")
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_READY, key.Status)
	s, err := c.Keeper.Signature(ctx, "s")
	require.NoError(t, err)
	require.Equal(t, types.SIGNATURE_STATUS_READY, s.Status)
	var names []string
	for _, e := range ctx.EventManager().Events() {
		names = append(names, e.Type)
	}
	require.Equal(t, []string{
		"sequencer.mpc.v1.EventFault", "sequencer.mpc.v1.EventFault", "sequencer.mpc.v1.EventKeyReady", "sequencer.mpc.v1.EventSignatureReady",
	}, names, "faults first: the results close their requests")
	// The same block again, as after a rollback of less than it: nothing more.
	_, err = c.handlers(nil).PreBlocker(nil)(ctx, req)
	require.NoError(t, err)
	require.Len(t, ctx.EventManager().Events(), 4)
}

// Of a signature and as many refusals as end its request, all in one block, the signature
// counts: the request could not be signed without those who refuse, and was.
func TestPreBlockSignatureBeforeRefusals(t *testing.T) {
	for name, signed := range map[string]bool{"signed": true, "not signed": false} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 4)
			secret := f.ReadyKey("k", 2)
			s := f.KeySign("s", "k", "pay")
			f.EndBlocks(2)
			results := mpctypes.Results{Accusations: []mpctypes.Accusation{
				f.Participants[0].Refuse("s", mpctypes.ErrDigestBound), f.Participants[1].Refuse("s", mpctypes.ErrDigestBound),
			}}
			if signed {
				results.Signatures = []mpctypes.SignatureResult{secret.Sign("s", s.Digest)}
			}
			c := scene{Fixture: f}
			txs := [][]byte{bundle(t, results)}
			resp, err := c.handlers(nil).ProcessProposal(accept)(f.Ctx, &cmtabci.RequestProcessProposal{Height: 2, Txs: txs})
			require.NoError(t, err)
			require.Equal(t, cmtabci.ResponseProcessProposal_ACCEPT, resp.Status)
			_, err = c.handlers(nil).PreBlocker(nil)(f.Ctx, &cmtabci.RequestFinalizeBlock{Height: 2, Txs: txs})
			require.NoError(t, err)
			f.EndBlocks(3)
			got, err := f.Keeper.Signature(f.Ctx, "s")
			require.NoError(t, err)
			if signed {
				require.Equal(t, types.SIGNATURE_STATUS_READY, got.Status)
				require.Empty(t, got.Refusals, "they came too late")
				return
			}
			require.Equal(t, types.SIGNATURE_STATUS_ERROR, got.Status)
			require.Equal(t, string(mpctypes.ErrDigestBound), got.Reason)
			require.Len(t, got.Refusals, 2)
		})
	}
}

// A bad entry, which only a decided block can hold, costs the others nothing.
func TestPreBlockSkipsEntries(t *testing.T) {
	c := newScene(t)
	r := c.results
	bad := c.Participants[0].Attest("k", 0, chain.Session("k"), chain.NewSecret("liar").Payload(3))
	bad.Operator = r.Attestations[0].Operator
	bad.Request.ID = "j"
	r.Attestations = append([]mpctypes.Attestation{bad}, r.Attestations...)
	_, err := c.handlers(nil).PreBlocker(nil)(c.Ctx, &cmtabci.RequestFinalizeBlock{Txs: [][]byte{bundle(t, r)}})
	require.NoError(t, err)
	key, err := c.Keeper.Key(c.Ctx, "k")
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_READY, key.Status)
}

func TestPreBlockInner(t *testing.T) {
	c := newScene(t)
	req := &cmtabci.RequestFinalizeBlock{Height: 2, Txs: [][]byte{bundle(t, c.results)}}
	ran := false
	resp, err := c.handlers(nil).PreBlocker(func(ctx sdk.Context, _ *cmtabci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
		s, err := c.Keeper.Signature(ctx, "s")
		require.NoError(t, err)
		require.Equal(t, types.SIGNATURE_STATUS_PENDING, s.Status, "the chain's own PreBlocker runs first")
		ran = true
		return &sdk.ResponsePreBlock{ConsensusParamsChanged: true}, nil
	})(c.Ctx, req)
	require.NoError(t, err)
	require.True(t, ran)
	require.True(t, resp.ConsensusParamsChanged)

	broken := errors.New("upgrade needed")
	_, err = c.handlers(nil).PreBlocker(func(sdk.Context, *cmtabci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
		return nil, broken
	})(c.Ctx, req)
	require.Equal(t, broken, err, "passed on as it is")

	for name, k := range map[string]abci.Keeper{"error": brokenKeeper{}, "panic": brokenKeeper{panics: true}} {
		_, err := abci.NewHandlers(k, nil, c.Ctx.Logger()).PreBlocker(nil)(c.Ctx, req)
		require.NoError(t, err, name)
	}
}

// A disk that fails concerns this node alone: it stops at the block, which it executes
// again when it is well, and does not commit what nobody else has.
func TestPreBlockerStopsAtABrokenDisk(t *testing.T) {
	c := newScene(t)
	disk := &fs.PathError{Op: "read", Path: "application.db", Err: syscall.EIO}
	apply := abci.NewHandlers(brokenKeeper{panics: true, err: fmt.Errorf("get: %w", disk)}, nil, c.Ctx.Logger()).PreBlocker(nil)
	req := &cmtabci.RequestFinalizeBlock{Txs: [][]byte{bundle(t, c.results)}}
	require.PanicsWithError(t, "get: "+disk.Error(), func() { _, _ = apply(c.Ctx, req) })
}

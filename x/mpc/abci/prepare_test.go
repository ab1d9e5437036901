package abci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const roomy = 1 << 20

func txsOf(n, size int) [][]byte {
	txs := make([][]byte, n)
	for i := range txs {
		txs[i] = append([]byte{0x0a, byte(i)}, bytes.Repeat([]byte{0xaa}, size-2)...)
	}
	return txs
}

// all proposes what the request brings, whatever its size.
func all(_ sdk.Context, req *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
	return &cmtabci.ResponsePrepareProposal{Txs: req.Txs}, nil
}

// selecting proposes what fits, as the SDK's default does.
func selecting(_ sdk.Context, req *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
	resp := &cmtabci.ResponsePrepareProposal{}
	for _, tx := range req.Txs {
		if size(append(resp.Txs, tx)) <= req.MaxTxBytes {
			resp.Txs = append(resp.Txs, tx)
		}
	}
	return resp, nil
}

func size(txs [][]byte) int64 { return cmttypes.ComputeProtoSizeForTxs(cmttypes.ToTxs(txs)) }

func prepare(t *testing.T, c scene, s abci.ResultSource, inner sdk.PrepareProposalHandler, max int64, txs [][]byte) [][]byte {
	t.Helper()
	req := &cmtabci.RequestPrepareProposal{Height: 2, MaxTxBytes: max, Txs: txs}
	resp, err := c.handlers(s).PrepareProposal(inner)(c.Ctx, req)
	require.NoError(t, err)
	require.Equal(t, max, req.MaxTxBytes, "the request is the caller's")
	require.LessOrEqual(t, size(resp.Txs), max)
	return resp.Txs
}

func TestPrepareCarriesWhatApplies(t *testing.T) {
	c := newScene(t)
	good := bundle(t, c.results)
	// Out of order, twice, and with what does not apply.
	messy := mpctypes.Results{
		Signatures: append([]mpctypes.SignatureResult{chain.NewSecret("other").Sign("s", chain.Digest("text"))}, c.results.Signatures...),
		Attestations: []mpctypes.Attestation{
			c.results.Attestations[2], c.results.Attestations[0], c.results.Attestations[1], c.results.Attestations[0],
			c.Participants[0].Attest("ready", 0, chain.Session("late"), chain.NewSecret("ready").Payload(3)),
			c.Participants[0].AttestDeletion("ready"),
		},
		Evidence: []mpctypes.Evidence{
			c.results.Evidence[0], c.Participants[0].Contradict(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "none"}), c.results.Evidence[0],
		},
		Accusations: []mpctypes.Accusation{
			c.Participants[0].Accuse(mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "none"}, c.Participants[1].Operator),
			c.results.Accusations[0], c.results.Accusations[0],
		},
	}
	before := c.Ctx.MultiStore().GetKVStore(c.StoreKey).Get([]byte{3})
	txs := prepare(t, c, source(messy), all, roomy, txsOf(2, 100))
	require.Equal(t, append([][]byte{good}, txsOf(2, 100)...), txs)
	require.Equal(t, before, c.Ctx.MultiStore().GetKVStore(c.StoreKey).Get([]byte{3}))

	resp, err := c.handlers(nil).ProcessProposal(accept)(c.Ctx, &cmtabci.RequestProcessProposal{Height: 2, Txs: txs})
	require.NoError(t, err)
	require.True(t, resp.IsAccepted(), "what one proposes, others accept")
}

func TestPrepareWithoutResults(t *testing.T) {
	c := newScene(t)
	txs := txsOf(3, 100)
	for name, s := range map[string]abci.ResultSource{
		"no source": nil, "empty source": source{}, "empty holder": &abci.Holder{}, "panicking source": panicking{},
		"nothing applies": source{Signatures: []mpctypes.SignatureResult{{RequestID: "none", R: make([]byte, 32), S: make([]byte, 32)}}},
	} {
		require.Equal(t, txs, prepare(t, c, s, all, roomy, txs), name)
	}
	// A keeper that fails costs the bundle, not the block.
	for name, k := range map[string]abci.Keeper{"error": brokenKeeper{}, "panic": brokenKeeper{panics: true}} {
		resp, err := abci.NewHandlers(k, source(c.results), c.Ctx.Logger()).PrepareProposal(all)(c.Ctx,
			&cmtabci.RequestPrepareProposal{MaxTxBytes: roomy, Txs: txs})
		require.NoError(t, err)
		require.Equal(t, txs, resp.Txs, name)
	}
}

func TestPrepareStripsBundles(t *testing.T) {
	c := newScene(t)
	good := bundle(t, c.results)
	foreign := []byte("\x07MPCB\x02something")
	txs := [][]byte{foreign, txsOf(1, 50)[0], good}
	require.Equal(t, txsOf(1, 50), prepare(t, c, nil, all, roomy, txs))
	require.Equal(t, [][]byte{good, txsOf(1, 50)[0]}, prepare(t, c, source(c.results), all, roomy, txs))
	// What inner makes itself is stripped, too.
	own := func(sdk.Context, *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
		return &cmtabci.ResponsePrepareProposal{Txs: [][]byte{foreign}}, nil
	}
	require.Empty(t, prepare(t, c, nil, own, roomy, txs))
}

func TestPrepareBudget(t *testing.T) {
	c := newScene(t)
	good := bundle(t, c.results)
	max := 8 * size([][]byte{good})
	full := txsOf(int(max/102), 100) // 102: tag and length of each
	t.Run("inner has the rest", func(t *testing.T) {
		var got int64
		txs := prepare(t, c, source(c.results), func(ctx sdk.Context, req *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
			got = req.MaxTxBytes
			return selecting(ctx, req)
		}, max, full)
		require.Equal(t, max-size([][]byte{good}), got)
		require.Equal(t, good, txs[0])
		require.Greater(t, size(txs), max-110)
	})
	t.Run("an inner handler without measure costs the bundle", func(t *testing.T) {
		txs := prepare(t, c, source(c.results), all, max, full)
		require.Equal(t, full, txs)
	})
	t.Run("and then transactions", func(t *testing.T) {
		txs := prepare(t, c, source(c.results), all, max, append(full, full...))
		require.Equal(t, full, txs)
	})
	t.Run("exactly full", func(t *testing.T) {
		fill := func(_ sdk.Context, req *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
			tx := make([]byte, req.MaxTxBytes)
			for size([][]byte{tx}) > req.MaxTxBytes {
				tx = tx[1:]
			}
			return &cmtabci.ResponsePrepareProposal{Txs: [][]byte{tx}}, nil
		}
		txs := prepare(t, c, source(c.results), fill, max, nil)
		require.Equal(t, good, txs[0])
		require.Len(t, txs, 2)
		require.Equal(t, max, size(txs))
	})
	t.Run("small blocks carry a part", func(t *testing.T) {
		txs := prepare(t, c, source(c.results), selecting, 4*700, full)
		require.True(t, types.IsBundle(txs[0]))
		require.Less(t, len(txs[0]), len(good))
		require.LessOrEqual(t, len(txs[0]), 700)
	})
	t.Run("no room at all", func(t *testing.T) {
		require.Empty(t, prepare(t, c, source(c.results), selecting, 40, full))
	})
	t.Run("the chain's limits", func(t *testing.T) {
		p, err := c.Keeper.Params(c.Ctx)
		require.NoError(t, err)
		p.BundleMaxEntries = 2
		require.NoError(t, c.Keeper.SetParams(c.Ctx, p))
		txs := prepare(t, c, source(c.results), all, roomy, nil)
		r, err := types.DecodeBundle(txs[0], types.MaxBundle)
		require.NoError(t, err)
		require.Len(t, r.Signatures, 1, "signatures first")
		require.Len(t, r.Attestations, 1)
	})
}

func TestPrepareSurvivesInner(t *testing.T) {
	c := newScene(t)
	good := bundle(t, c.results)
	for name, inner := range map[string]sdk.PrepareProposalHandler{
		"error": func(sdk.Context, *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
			return nil, errors.New("broken")
		},
		"panic": func(sdk.Context, *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
			panic("broken")
		},
		"nothing": func(sdk.Context, *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
			return nil, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			txs := append(txsOf(3, 100), good)
			require.Equal(t, append([][]byte{good}, txsOf(3, 100)...), prepare(t, c, source(c.results), inner, roomy, txs))
			max := 4 * size([][]byte{good})
			got := prepare(t, c, source(c.results), inner, max, txsOf(500, 100))
			require.Equal(t, good, got[0])
			require.Greater(t, len(got), 10)
		})
	}
}

func TestHolder(t *testing.T) {
	c := newScene(t)
	h := &abci.Holder{}
	require.Empty(t, h.Results())
	h.Set(source(c.results))
	require.Equal(t, c.results, h.Results())
	h.Set(nil)
	require.Empty(t, h.Results())
}

type panicking struct{}

func (panicking) Results() mpctypes.Results { panic("broken") }

// brokenKeeper has a store that cannot be read.
type brokenKeeper struct {
	panics bool
	err    error // another than that of the store
}

func (k brokenKeeper) fail() error {
	err := k.err
	if err == nil {
		err = fmt.Errorf("store is gone")
	}
	if k.panics {
		panic(err)
	}
	return err
}

func (k brokenKeeper) Params(context.Context) (types.Params, error) {
	return types.DefaultParams(), k.fail()
}

func (k brokenKeeper) ForBundle(ctx sdk.Context) sdk.Context { return ctx }

func (k brokenKeeper) CheckAttestation(context.Context, *mpctypes.Attestation) error { return k.fail() }

func (k brokenKeeper) CheckSignature(context.Context, *mpctypes.SignatureResult) error {
	return k.fail()
}

func (k brokenKeeper) CheckEvidence(context.Context, mpctypes.Evidence) error { return k.fail() }

func (k brokenKeeper) CheckAccusation(context.Context, *mpctypes.Accusation) error { return k.fail() }

func (k brokenKeeper) ApplyEvidence(context.Context, mpctypes.Evidence) error { return k.fail() }

func (k brokenKeeper) ApplyAccusation(context.Context, *mpctypes.Accusation) error { return k.fail() }

func (k brokenKeeper) ApplyAttestation(context.Context, *mpctypes.Attestation) error { return k.fail() }

func (k brokenKeeper) ApplySignature(context.Context, *mpctypes.SignatureResult) error {
	return k.fail()
}

// countingKeeper counts what is checked.
type countingKeeper struct {
	abci.Keeper
	attestations int
}

func (k *countingKeeper) CheckAttestation(ctx context.Context, a *mpctypes.Attestation) error {
	k.attestations++
	return k.Keeper.CheckAttestation(ctx, a)
}

// TestPrepareTires: of thousands of results that do not apply a proposer checks
// some, and its proposal is in time.
func TestPrepareTires(t *testing.T) {
	c := newScene(t)
	none := c.Participants[0].Attest("none", 0, chain.Session("none"), chain.NewSecret("none").Payload(3))
	results := c.results
	results.Attestations = slices.Repeat([]mpctypes.Attestation{none}, 5000)
	k := &countingKeeper{Keeper: c.Keeper}
	resp, err := abci.NewHandlers(k, source(results), c.Ctx.Logger()).PrepareProposal(all)(c.Ctx,
		&cmtabci.RequestPrepareProposal{MaxTxBytes: roomy})
	require.NoError(t, err)
	require.Equal(t, 1000, k.attestations)
	results.Attestations = nil
	require.Equal(t, [][]byte{bundle(t, results)}, resp.Txs, "the others are there")
}

package abci_test

import (
	"errors"
	"fmt"
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func accept(sdk.Context, *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
	return &cmtabci.ResponseProcessProposal{Status: cmtabci.ResponseProcessProposal_ACCEPT}, nil
}

// proposals are blocks of one proposer, right and wrong. PreBlock must survive
// every one of them, too.
func proposals(t *testing.T, c scene) map[string]struct {
	txs      [][]byte
	accepted bool
} {
	t.Helper()
	good, tx := bundle(t, c.results), txsOf(1, 50)[0]
	a := c.results.Attestations
	swapped := mpctypes.Results{Attestations: []mpctypes.Attestation{a[1], a[0], a[2]}}
	if a[0].Less(&a[1]) == a[1].Less(&a[0]) {
		t.Fatal("two attestations are equal")
	}
	if a[1].Less(&a[0]) { // one of the two orders is wrong for sure
		swapped.Attestations = []mpctypes.Attestation{a[0], a[1], a[2]}
	}
	foreign := a[0]
	foreign.Operator = a[1].Operator
	innocent := c.results.Evidence[0]
	innocent.Second = &wire.Envelope{Header: innocent.Second.Header, Signature: make([]byte, 64)}
	framed := c.results.Accusations[0]
	framed.Operator = mpctypes.Operator(c.Participants[0].Operator)
	twice := bundle(t, mpctypes.Results{Accusations: c.results.Accusations})
	twice = append(twice, twice[6:]...)
	future := c.Participants[0].Attest("k", 7, chain.Session("k"), a[0].Payload)
	earlier := c.Participants[0].Attest("k", 0, chain.Session("k"), a[0].Payload)
	earlier.Commitment = mpctypes.Hash{1} // what the chain asked under this id on another branch
	earlier.Sign(chain.ChainID, c.Participants[0].Identity)
	over := make([]byte, types.MaxBundleBytes+1)
	copy(over, good)
	return map[string]struct {
		txs      [][]byte
		accepted bool
	}{
		"empty block":            {nil, true},
		"no bundle":              {[][]byte{tx}, true},
		"bundle":                 {[][]byte{good, tx}, true},
		"bundle alone":           {[][]byte{good}, true},
		"some results":           {[][]byte{bundle(t, mpctypes.Results{Attestations: a[:1]})}, true},
		"garbage, no bundle":     {[][]byte{{0xff, 0xfe}, tx}, true},
		"bundle of garbage":      {[][]byte{[]byte("\x07MPCB\x02\xff\xff\xff")}, false},
		"magic alone":            {[][]byte{[]byte("\x07MPCB")}, false},
		"other version":          {[][]byte{append([]byte("\x07MPCB\x01"), good[6:]...)}, false},
		"empty bundle":           {[][]byte{good[:6]}, false},
		"truncated":              {[][]byte{good[:len(good)-1]}, false},
		"one byte more":          {[][]byte{append(append([]byte{}, good...), 0)}, false},
		"unknown field":          {[][]byte{append(append([]byte{}, good...), 0x2a, 0)}, false},
		"empty evidence":         {[][]byte{append([]byte("\x07MPCB\x02"), 0x1a, 0)}, false},
		"empty accusation":       {[][]byte{append([]byte("\x07MPCB\x02"), 0x22, 0)}, false},
		"faults alone":           {[][]byte{bundle(t, mpctypes.Results{Evidence: c.results.Evidence, Accusations: c.results.Accusations})}, true},
		"evidence that is none":  {[][]byte{bundle(t, mpctypes.Results{Evidence: []mpctypes.Evidence{innocent}})}, false},
		"in another's name":      {[][]byte{bundle(t, mpctypes.Results{Accusations: []mpctypes.Accusation{framed}})}, false},
		"accused twice":          {[][]byte{twice}, false},
		"over all limits":        {[][]byte{over}, false},
		"at position 1":          {[][]byte{tx, good}, false},
		"at positions 0 and 1":   {[][]byte{good, good}, false},
		"reordered":              {[][]byte{raw(t, swapped)}, false},
		"attestation twice":      {[][]byte{raw(t, mpctypes.Results{Attestations: []mpctypes.Attestation{a[0], a[0]}})}, false},
		"signature twice":        {[][]byte{raw(t, mpctypes.Results{Signatures: append(c.results.Signatures, c.results.Signatures...)})}, false},
		"foreign signature":      {[][]byte{raw(t, mpctypes.Results{Attestations: []mpctypes.Attestation{foreign}})}, false},
		"attempt of the future":  {[][]byte{raw(t, mpctypes.Results{Attestations: []mpctypes.Attestation{future}})}, false},
		"of an earlier request":  {[][]byte{raw(t, mpctypes.Results{Attestations: []mpctypes.Attestation{earlier}})}, false},
		"signature by other key": {[][]byte{raw(t, mpctypes.Results{Signatures: []mpctypes.SignatureResult{chain.NewSecret("x").Sign("s", chain.Digest("text"))}})}, false},
		"unknown request":        {[][]byte{raw(t, mpctypes.Results{Signatures: []mpctypes.SignatureResult{chain.NewSecret("ready").Sign("t", chain.Digest("text"))}})}, false},
	}
}

func TestProcess(t *testing.T) {
	c := newScene(t)
	for name, p := range proposals(t, c) {
		t.Run(name, func(t *testing.T) {
			resp, err := c.handlers(nil).ProcessProposal(accept)(c.Ctx, &cmtabci.RequestProcessProposal{Height: 2, Txs: p.txs})
			require.NoError(t, err)
			require.Equal(t, p.accepted, resp.IsAccepted())
		})
	}
}

// A bundle that is right in everything is refused where it goes beyond what the chain
// set: as it is, with one entry or one byte less allowed.
func TestProcessLimits(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("ready", 1)
	var results mpctypes.Results
	for i := range 60 { // more than the 4096 bytes that are always allowed
		s := f.KeySign(fmt.Sprint("s-", i), "ready", "text")
		results.Signatures = append(results.Signatures, secret.Sign(s.Id, s.Digest))
	}
	f.EndBlocks(2)
	good, entries := bundle(t, results), len(results.Signatures)
	accepted := func(limits types.BundleLimits) bool {
		t.Helper()
		p, err := f.Keeper.Params(f.Ctx)
		require.NoError(t, err)
		p.BundleMaxEntries, p.BundleMaxBytes = uint32(limits.Entries), uint32(limits.Bytes)
		require.NoError(t, f.Keeper.SetParams(f.Ctx, p))
		resp, err := scene{Fixture: f}.handlers(nil).ProcessProposal(accept)(f.Ctx, &cmtabci.RequestProcessProposal{Txs: [][]byte{good}})
		require.NoError(t, err)
		return resp.IsAccepted()
	}
	require.True(t, accepted(types.BundleLimits{Entries: entries, Bytes: len(good)}))
	require.False(t, accepted(types.BundleLimits{Entries: entries - 1, Bytes: len(good)}))
	require.False(t, accepted(types.BundleLimits{Entries: entries, Bytes: len(good) - 1}))
}

func TestProcessInner(t *testing.T) {
	c := newScene(t)
	good, tx := bundle(t, c.results), txsOf(1, 50)[0]
	run := func(k abci.Keeper, inner sdk.ProcessProposalHandler) bool {
		t.Helper()
		req := &cmtabci.RequestProcessProposal{Height: 2, Txs: [][]byte{good, tx}}
		resp, err := abci.NewHandlers(k, nil, c.Ctx.Logger()).ProcessProposal(inner)(c.Ctx, req)
		require.NoError(t, err)
		require.Len(t, req.Txs, 2, "the request is the caller's: optimistic execution runs it")
		return resp.IsAccepted()
	}
	require.True(t, run(c.Keeper, func(_ sdk.Context, req *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
		require.Equal(t, [][]byte{tx}, req.Txs, "inner does not see the bundle")
		return accept(c.Ctx, req)
	}))
	require.False(t, run(c.Keeper, func(sdk.Context, *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
		return &cmtabci.ResponseProcessProposal{Status: cmtabci.ResponseProcessProposal_REJECT}, nil
	}))
	require.False(t, run(c.Keeper, func(sdk.Context, *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
		return nil, errors.New("broken")
	}))
	require.False(t, run(c.Keeper, func(sdk.Context, *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
		panic("broken")
	}))
	require.False(t, run(c.Keeper, func(sdk.Context, *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
		return nil, nil
	}), "no answer is none that a proposal could pass with")
	require.False(t, run(brokenKeeper{}, accept))
	require.False(t, run(brokenKeeper{panics: true}, accept))
}

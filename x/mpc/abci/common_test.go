package abci_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	cosmoslog "cosmossdk.io/log/v2"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// source is a ResultSource with fixed results.
type source mpctypes.Results

func (s source) Results() mpctypes.Results { return mpctypes.Results(s) }

// scene is a fixture at the block after its requests: key "k" waits for
// attestations, signature "s" by key "ready" for its result.
type scene struct {
	*chain.Fixture
	results mpctypes.Results
}

func newScene(t *testing.T) scene {
	t.Helper()
	f := chain.New(t, 3)
	secret := f.ReadyKey("ready", 1)
	s := f.KeySign("s", "ready", "text")
	f.KeyGen("k", 1)
	f.EndBlocks(2)
	c := scene{Fixture: f}
	for _, p := range f.Participants {
		c.results.Attestations = append(c.results.Attestations, p.Attest("k", 0, chain.Session("k"), chain.NewSecret("k").Payload(3)))
	}
	c.results.Signatures = []mpctypes.SignatureResult{secret.Sign("s", s.Digest)}
	sign := mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "s"}
	c.results.Evidence = []mpctypes.Evidence{f.Participants[0].Contradict(sign)}
	c.results.Accusations = []mpctypes.Accusation{f.Participants[1].Accuse(sign, f.Participants[2].Operator)}
	return c
}

func (c scene) handlers(s abci.ResultSource, opts ...abci.Option) *abci.Handlers {
	return abci.NewHandlers(c.Keeper, s, cosmoslog.NewNopLogger(), opts...)
}

// bundle encodes results as a correct proposer would.
func bundle(t *testing.T, r mpctypes.Results) []byte {
	t.Helper()
	b := types.NewBundleBuilder(types.MaxBundle)
	for i := range r.Attestations {
		require.True(t, b.AddAttestation(&r.Attestations[i]))
	}
	for i := range r.Signatures {
		require.True(t, b.AddSignature(&r.Signatures[i]))
	}
	for _, e := range r.Evidence {
		require.True(t, b.AddEvidence(e))
	}
	for i := range r.Accusations {
		require.True(t, b.AddAccusation(&r.Accusations[i]))
	}
	bz, err := b.Encode()
	require.NoError(t, err)
	return bz
}

// raw encodes results in the order in which they are given, right or wrong.
func raw(t *testing.T, r mpctypes.Results) []byte {
	t.Helper()
	var b types.Bundle
	for _, a := range r.Attestations {
		b.Attestations = append(b.Attestations, types.Attestation{
			Kind: types.RequestKind(a.Request.Kind), RequestId: a.Request.ID, Attempt: a.Attempt, Session: a.Session[:],
			Payload: a.Payload, Operator: string(a.Operator), IdentityVersion: a.IdentityVersion, Signature: a.Signature,
			Commitment: a.Commitment[:],
		})
	}
	for _, s := range r.Signatures {
		b.Signatures = append(b.Signatures, types.SignatureResult{RequestId: s.RequestID, R: s.R, S: s.S, V: s.V})
	}
	body, err := b.Marshal()
	require.NoError(t, err)
	return append([]byte("\x07MPCB\x02"), body...)
}

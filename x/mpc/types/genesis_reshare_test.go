package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// exportedReshares is a state with reshares: of key k, "a" is READY and "b" TESTING;
// of key l, "c" is PENDING with an attestation, and "d" ERROR.
func exportedReshares(t *testing.T) types.GenesisState {
	t.Helper()
	f := chain.New(t, 4)
	secret := f.ReadyKey("k", 1)
	f.ReadyKey("l", 1)
	f.Reshare("a", "k", 1, f.Participants[:3]...)
	f.Stage("a", secret)
	f.PassTest("a", secret)
	f.Reshare("b", "k", 2)
	f.Stage("b", secret)
	f.Reshare("d", "l", 1)
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "d"})
	require.NoError(t, err)
	f.Reshare("c", "l", 1, f.Participants[1:3]...)
	p := f.Participants[2]
	a := p.AttestReshare("c", 0, chain.Session("c"), chain.NewSecret("l").Payload(2))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	return *gs
}

func TestReshareGenesisValidate(t *testing.T) {
	// In exportedReshares: keys are k and l, reshares a, b, c, d, signatures the tests of
	// a and b, requests the test of b and the reshare c.
	for name, spoil := range map[string]func(*types.GenesisState){
		"ended, not the last one": func(g *types.GenesisState) { g.Keys[0].EndedEpochs[0].Epoch = 1 },
		"ended, of no reshare":    func(g *types.GenesisState) { g.Keys[1].EndedEpochs = g.Keys[0].EndedEpochs },
		"ended, below 1":          func(g *types.GenesisState) { g.Keys[0].EndedEpochs[0].RetireHeight = 0 },
		"ended, after the key":    func(g *types.GenesisState) { g.Keys[0].EndedEpochs[0].RetireHeight = g.Keys[0].RetireHeight + 1 },
		"ended, twice": func(g *types.GenesisState) {
			g.Keys[0].EndedEpochs = append(g.Keys[0].EndedEpochs, g.Keys[0].EndedEpochs[0])
		},
		"ended, out of order": func(g *types.GenesisState) {
			end := g.Keys[0].EndedEpochs[0]
			g.Keys[0].EndedEpochs = []types.EndedEpoch{{Epoch: 1, RetireHeight: 1}, end}
		},
		"ended, too many": func(g *types.GenesisState) {
			g.Keys[0].EndedEpochs = make([]types.EndedEpoch, types.MaxEndedEpochs+1)
		},
		"ended, out of reach": func(g *types.GenesisState) {
			g.Keys[0].Status = types.KEY_STATUS_DELETED
			g.Keys[0].EndedEpochs[0].RetireHeight = g.ExportHeight + types.MaxLengthBlocks + 1
		},
		"id":                   func(g *types.GenesisState) { g.Reshares[0].Id = "" },
		"not of the module":    func(g *types.GenesisState) { g.Reshares[0].Auto = true },
		"twice":                func(g *types.GenesisState) { g.Reshares = append(g.Reshares, g.Reshares[0]) },
		"unknown key":          func(g *types.GenesisState) { g.Reshares[0].KeyId = "none" },
		"status":               func(g *types.GenesisState) { g.Reshares[0].Status = 9 },
		"owner":                func(g *types.GenesisState) { g.Reshares[0].Owner = "" },
		"module":               func(g *types.GenesisState) { g.Reshares[0].Module = "vault" },
		"content hash":         func(g *types.GenesisState) { g.Reshares[0].ContentHash = nil },
		"reason":               func(g *types.GenesisState) { g.Reshares[0].Reason = "expired" },
		"ERROR without reason": func(g *types.GenesisState) { g.Reshares[0].Status = types.RESHARE_STATUS_ERROR },
		"READY, with an end":   func(g *types.GenesisState) { g.Reshares[0].RetireHeight = 100 },
		"TESTING, with an end": func(g *types.GenesisState) { g.Reshares[1].RetireHeight = 100 },
		"ERROR, over before":   func(g *types.GenesisState) { g.Reshares[3].RetireHeight = g.Reshares[3].DecidedHeight },
		"ERROR, end below 1": func(g *types.GenesisState) {
			g.Reshares[3].DecidedHeight, g.Reshares[3].RetireHeight = -9, -1
		},
		"ERROR, end out of reach": func(g *types.GenesisState) {
			g.Reshares[3].RetireHeight = g.ExportHeight + types.MaxLengthBlocks + 1
		},
		"READY, undecided":         func(g *types.GenesisState) { g.Reshares[0].DecidedHeight = 0 },
		"TESTING, decided":         func(g *types.GenesisState) { g.Reshares[1].DecidedHeight = 1 },
		"threshold":                func(g *types.GenesisState) { g.Reshares[0].Threshold = 3 },
		"old threshold":            func(g *types.GenesisState) { g.Reshares[0].OldThreshold = 0 },
		"participants":             func(g *types.GenesisState) { g.Reshares[0].Participants[0] = "z" },
		"READY, of the future":     func(g *types.GenesisState) { g.Reshares[0].Epoch = 2 },
		"of epoch 0":               func(g *types.GenesisState) { g.Reshares[0].Epoch = 0 },
		"TESTING, of the past":     func(g *types.GenesisState) { g.Reshares[1].Epoch = 1 },
		"READY, another session":   func(g *types.GenesisState) { g.Reshares[0].Session = chain.Digest("z") },
		"READY, no session":        func(g *types.GenesisState) { g.Reshares[0].Session = nil },
		"READY, no parameters":     func(g *types.GenesisState) { g.Reshares[0].ParametersHash = nil },
		"READY, a share less":      func(g *types.GenesisState) { g.Reshares[0].PublicShares = g.Reshares[0].PublicShares[1:] },
		"PENDING with a result":    func(g *types.GenesisState) { g.Reshares[2].ParametersHash = g.Reshares[0].ParametersHash },
		"TESTING, another session": func(g *types.GenesisState) { g.Reshares[1].Session = chain.Digest("z") },
		"old committee":            func(g *types.GenesisState) { g.Reshares[2].OldThreshold = 2 },
		"PENDING without request":  func(g *types.GenesisState) { g.Requests, g.Attestations = g.Requests[:1], nil },
		"request without reshare":  func(g *types.GenesisState) { g.Reshares = g.Reshares[:2]; g.Keys[1].ReshareId = "" },
		"key without reshare": func(g *types.GenesisState) {
			g.Reshares = g.Reshares[:2]
			g.Requests = g.Requests[:1]
			g.Attestations = nil
		},
		"epoch without reshare": func(g *types.GenesisState) { g.Reshares = g.Reshares[1:]; g.Signatures = g.Signatures[1:] },
		"test without reshare": func(g *types.GenesisState) {
			g.Signatures = append(g.Signatures, g.Signatures[0])
			g.Signatures[2].Id = "test:z"
		},
		"reshare without test":    func(g *types.GenesisState) { g.Signatures = g.Signatures[1:] },
		"key's open reshare":      func(g *types.GenesisState) { g.Keys[0].ReshareId = "a" },
		"key's next session":      func(g *types.GenesisState) { g.Keys[0].NextSession = nil },
		"next session is old":     func(g *types.GenesisState) { g.Keys[0].NextSession = g.Keys[0].Session },
		"next session, none open": func(g *types.GenesisState) { g.Keys[0].ReshareId = "" },
		"test of a module":        func(g *types.GenesisState) { g.Signatures[1].Module = "vault" },
		"test is no test":         func(g *types.GenesisState) { g.Signatures[1].Test = false },
		"test's epoch":            func(g *types.GenesisState) { g.Signatures[0].Epoch = 0 },
		"test's session":          func(g *types.GenesisState) { g.Requests[0].KeySession = g.Keys[0].Session },
		"test's threshold":        func(g *types.GenesisState) { g.Requests[0].Threshold = 1 },
		"test's members":          func(g *types.GenesisState) { g.Requests[0].Members = g.Requests[0].Members[1:] },
		"request is no test":      func(g *types.GenesisState) { g.Requests[0].Test = false },
		"request's epoch":         func(g *types.GenesisState) { g.Requests[1].Epoch = 2 },
		"request's key session":   func(g *types.GenesisState) { g.Requests[1].KeySession = g.Keys[0].Session },
		"no handover":             func(g *types.GenesisState) { g.Requests[1].Handover = nil },
		"holders":                 func(g *types.GenesisState) { g.Requests[1].Handover.Holders = g.Requests[1].Handover.Holders[1:] },
		"receivers":               func(g *types.GenesisState) { g.Requests[1].Handover.Receivers = g.Requests[1].Handover.Receivers[1:] },
		"handover's threshold":    func(g *types.GenesisState) { g.Requests[1].Handover.Threshold = 2 },
		"public shares":           func(g *types.GenesisState) { g.Requests[1].Handover.PublicShares[0] = g.Keys[0].PublicKey },
		"a receiver less":         func(g *types.GenesisState) { g.Requests[1].Members = withoutReceiver(g.Requests[1]) },
		"a member of neither": func(g *types.GenesisState) {
			m := g.Requests[1].Members[0]
			m.Operator = "z"
			g.Requests[1].Members = append(g.Requests[1].Members, m)
		},
		"attestation by a holder": func(g *types.GenesisState) { g.Attestations[0].Operator = chain.Operator(0) },
		"attestation of another key": func(g *types.GenesisState) {
			g.Attestations[0].Payload = chain.NewSecret("k").Payload(2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			gs := exportedReshares(t)
			require.NoError(t, gs.Validate())
			spoil(&gs)
			require.ErrorIs(t, gs.Validate(), types.ErrBadGenesis)
		})
	}
}

func withoutReceiver(r types.Request) (members []types.Member) {
	for _, m := range r.Members {
		if m.Operator != r.Handover.Receivers[0] {
			members = append(members, m)
		}
	}
	return members
}

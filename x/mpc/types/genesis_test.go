package types_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// exported is a small state as a chain exports it: a READY key, a PENDING one
// with an attestation, a READY and a PENDING signature.
func exported(t *testing.T) types.GenesisState {
	t.Helper()
	f := chain.New(t, 3)
	secret := f.ReadyKey("ready", 1)
	s := f.KeySign("done", "ready", "a")
	result := secret.Sign("done", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	f.KeySign("open", "ready", "b")
	f.KeyGen("wanted", 1)
	a := f.Participants[0].Attest("wanted", 0, chain.Session("w"), chain.NewSecret("wanted").Payload(3))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	return *gs
}

func fault(height int64) types.Fault {
	session := chain.Session("ready")
	return types.Fault{
		Kind: types.FAULT_KIND_EQUIVOCATION, Participant: chain.Operator(0), Reason: "broadcast_differs",
		RequestKind: types.REQUEST_KIND_KEYGEN, RequestId: "ready", Session: session[:], Height: height,
	}
}

func TestGenesisValidate(t *testing.T) {
	// In exported: keys are ready and wanted, signatures done and open, requests
	// the keygen of wanted and the sign request open.
	for name, spoil := range map[string]func(*types.GenesisState){
		"negative export height":      func(g *types.GenesisState) { g.ExportHeight = -1 },
		"new participant, no proof":   func(g *types.GenesisState) { g.ExportHeight = 0 },
		"participant without address": func(g *types.GenesisState) { g.Participants[0].Participant.Operator = "" },
		"participant without key":     func(g *types.GenesisState) { g.Participants[0].Participant.Identities = nil },
		"participant twice":           func(g *types.GenesisState) { g.Participants = append(g.Participants, g.Participants[0]) },
		"identity key twice": func(g *types.GenesisState) {
			g.Participants[1].Participant.Identities = g.Participants[0].Participant.Identities
		},
		"too many identities": func(g *types.GenesisState) {
			p := &g.Participants[0].Participant
			for i := len(p.Identities); i <= types.MaxIdentities; i++ {
				key := chain.Public(chain.IdentityKey(fmt.Sprint(i)))
				p.Identities = append(p.Identities, types.Identity{Version: uint32(i) + 1, PublicKey: key})
			}
		},
		"identity version": func(g *types.GenesisState) { g.Participants[0].Participant.Identities[0].Version = 2 },
		"identity key":     func(g *types.GenesisState) { g.Participants[0].Participant.Identities[0].PublicKey = nil },
		"proof of a revoked key": func(g *types.GenesisState) {
			g.Participants[0].ProofOfPossession = []byte{1}
			g.Participants[0].Participant.Identities[0].RevokedHeight = 1
		},
		"key id":                  func(g *types.GenesisState) { g.Keys[0].Id = "" },
		"key twice":               func(g *types.GenesisState) { g.Keys = append(g.Keys, g.Keys[0]) },
		"key status":              func(g *types.GenesisState) { g.Keys[0].Status = 9 },
		"key algorithm":           func(g *types.GenesisState) { g.Keys[0].Algorithm = 9 },
		"key threshold":           func(g *types.GenesisState) { g.Keys[0].Threshold = 3 },
		"key participants":        func(g *types.GenesisState) { g.Keys[0].Participants[0] = "z" },
		"key owner":               func(g *types.GenesisState) { g.Keys[0].Owner = "" },
		"key content hash":        func(g *types.GenesisState) { g.Keys[0].ContentHash = nil },
		"READY key, no session":   func(g *types.GenesisState) { g.Keys[0].Session = nil },
		"READY key, no point":     func(g *types.GenesisState) { g.Keys[0].PublicKey = make([]byte, 33) },
		"READY key, two shares":   func(g *types.GenesisState) { g.Keys[0].PublicShares = g.Keys[0].PublicShares[:2] },
		"READY key, share":        func(g *types.GenesisState) { g.Keys[0].PublicShares[1] = nil },
		"READY key with request":  func(g *types.GenesisState) { g.Requests[0].Id, g.Requests[0].KeyId = "ready", "ready" },
		"PENDING key with result": func(g *types.GenesisState) { g.Keys[1].PublicKey = g.Keys[0].PublicKey },
		"PENDING key, decided":    func(g *types.GenesisState) { g.Keys[1].DecidedHeight = 1 },
		"PENDING key, an end":     func(g *types.GenesisState) { g.Keys[1].RetireHeight = 1 },
		"READY key without end":   func(g *types.GenesisState) { g.Keys[0].RetireHeight = 0 },
		"end with the decision":   func(g *types.GenesisState) { g.Keys[0].RetireHeight = g.Keys[0].DecidedHeight },
		"end out of reach":        func(g *types.GenesisState) { g.Keys[0].RetireHeight = g.ExportHeight + types.MaxLengthBlocks + 1 },
		"decided after export":    func(g *types.GenesisState) { g.Keys[0].DecidedHeight = g.ExportHeight + 1 },
		"PENDING key, no request": func(g *types.GenesisState) { g.Requests = g.Requests[1:]; g.Attestations = nil },
		"request kind":            func(g *types.GenesisState) { g.Requests[0].Kind = types.REQUEST_KIND_RESHARE },
		"request of another key":  func(g *types.GenesisState) { g.Requests[0].KeyId = "ready" },
		"request twice":           func(g *types.GenesisState) { g.Requests = append(g.Requests, g.Requests[0]) },
		"request id":              func(g *types.GenesisState) { g.Requests[0].Id = "" },
		"request without members": func(g *types.GenesisState) { g.Requests[0].Members = nil },
		"request with two":        func(g *types.GenesisState) { g.Requests[0].Members = g.Requests[0].Members[:2] },
		"request members' order": func(g *types.GenesisState) {
			m := g.Requests[0].Members
			m[0], m[1] = m[1], m[0]
		},
		"request member's key":     func(g *types.GenesisState) { g.Requests[0].Members[0].IdentityKey = nil },
		"request without expiry":   func(g *types.GenesisState) { g.Requests[0].ExpiryHeight = 0 },
		"request without attempt":  func(g *types.GenesisState) { g.Requests[0].AttemptBlocks = 0 },
		"request without owner":    func(g *types.GenesisState) { g.Requests[0].Owner = "" },
		"request, unknown key":     func(g *types.GenesisState) { g.Requests[1].KeyId = "none" },
		"request, PENDING key":     func(g *types.GenesisState) { g.Requests[1].KeyId = "wanted" },
		"request, no signature":    func(g *types.GenesisState) { g.Signatures = g.Signatures[:1] },
		"signature id":             func(g *types.GenesisState) { g.Signatures[0].Id = "" },
		"signature twice":          func(g *types.GenesisState) { g.Signatures = append(g.Signatures, g.Signatures[0]) },
		"signature, unknown key":   func(g *types.GenesisState) { g.Signatures[0].KeyId = "none" },
		"signature's digest":       func(g *types.GenesisState) { g.Signatures[0].Digest = chain.Digest("z") },
		"signature's payload":      func(g *types.GenesisState) { g.Signatures[0].Payload = types.SignPayload{} },
		"signature's owner":        func(g *types.GenesisState) { g.Signatures[0].Owner = "" },
		"signature's status":       func(g *types.GenesisState) { g.Signatures[0].Status = 9 },
		"signature does not hold":  func(g *types.GenesisState) { g.Signatures[0].S = g.Signatures[0].R },
		"PENDING one has a result": func(g *types.GenesisState) { g.Signatures[1].R = g.Signatures[0].R },
		"PENDING one, no request":  func(g *types.GenesisState) { g.Requests = g.Requests[:1] },
		"request's digest":         func(g *types.GenesisState) { g.Requests[1].Digest = chain.Digest("z") },
		"request's epoch":          func(g *types.GenesisState) { g.Requests[1].Epoch, g.Signatures[1].Epoch = 1, 1 },
		"request's key session":    func(g *types.GenesisState) { g.Requests[1].KeySession = chain.Digest("z") },
		"request, no key session":  func(g *types.GenesisState) { g.Requests[1].KeySession = nil },
		"keygen's key session":     func(g *types.GenesisState) { g.Requests[0].KeySession = g.Keys[0].Session },
		"keygen with a handover":   func(g *types.GenesisState) { g.Requests[0].Handover = &types.Handover{} },
		"keygen as a test":         func(g *types.GenesisState) { g.Requests[0].Test = true },
		"signature as a test":      func(g *types.GenesisState) { g.Signatures[0].Test = true },
		"request as a test":        func(g *types.GenesisState) { g.Requests[1].Test = true },
		"key of epoch 1":           func(g *types.GenesisState) { g.Keys[0].Epoch = 1 },
		"key with a reshare":       func(g *types.GenesisState) { g.Keys[0].ReshareId = "r" },
		"key's next session":       func(g *types.GenesisState) { g.Keys[0].NextSession = chain.Digest("z") },
		"PENDING key, staged end":  func(g *types.GenesisState) { g.Keys[1].StagedRetireHeight = 1 },
		"staged end below 0":       func(g *types.GenesisState) { g.Keys[0].StagedRetireHeight = -1 },
		"staged end out of reach": func(g *types.GenesisState) {
			g.Keys[0].StagedRetireHeight = g.ExportHeight + types.MaxLengthBlocks + 1
		},
		"nothing to destroy, not acknowledged": func(g *types.GenesisState) { g.Keys[0].DeletionEmpty = g.Keys[0].Participants[:1] },
		"missing, no participant":              func(g *types.GenesisState) { g.Keys[0].MissingShares = []string{"z"} },
		"missing twice": func(g *types.GenesisState) {
			g.Keys[0].MissingShares = []string{g.Keys[0].Participants[0], g.Keys[0].Participants[0]}
		},
		"missing, PENDING key": func(g *types.GenesisState) { g.Keys[1].MissingShares = g.Keys[1].Participants[:1] },
		"absentee without failure": func(g *types.GenesisState) {
			g.Keys[0].Absentees = []types.Absentee{{Operator: "z", UntilHeight: 1}}
		},
		"absentees' order": func(g *types.GenesisState) {
			g.Keys[0].FailedReshares, g.Keys[0].Absentees = 1, []types.Absentee{{Operator: "z", UntilHeight: 1}, {Operator: "y", UntilHeight: 1}}
		},
		"absentee until no height": func(g *types.GenesisState) {
			g.Keys[0].FailedReshares, g.Keys[0].Absentees = 1, []types.Absentee{{Operator: "z"}}
		},
		"absentee out of reach": func(g *types.GenesisState) {
			g.Keys[0].FailedReshares = 1
			g.Keys[0].Absentees = []types.Absentee{{Operator: "z", UntilHeight: g.ExportHeight + types.MaxLengthBlocks + 1}}
		},
		"absentee, words of nobody": func(g *types.GenesisState) {
			g.Keys[0].FailedReshares, g.Keys[0].Absentees = 1, []types.Absentee{{Operator: "z", UntilHeight: 1, Words: 1}}
		},
		"absentee of the chain, nobody says so": func(g *types.GenesisState) {
			g.Absentees = []types.Absentee{{Operator: "z", UntilHeight: 1, Accused: true}}
		},
		"absentee of the chain, too many say so": func(g *types.GenesisState) {
			g.Absentees = []types.Absentee{{Operator: "z", UntilHeight: 1, Accused: true, Words: 65}}
		},
		"absentees of the chain, twice": func(g *types.GenesisState) {
			a := types.Absentee{Operator: "z", UntilHeight: 1, Accused: true, Words: 3}
			g.Absentees = []types.Absentee{a, a}
		},
		"absentee of the chain, out of reach": func(g *types.GenesisState) {
			g.Absentees = []types.Absentee{{Operator: "z", UntilHeight: g.ExportHeight + types.MaxLengthBlocks + 1, Accused: true, Words: 3}}
		},
		"repair in epoch 0": func(g *types.GenesisState) {
			g.Keys[0].Repairs = []types.ShareRepair{{Operator: g.Keys[0].Participants[0], Times: 1, UntilHeight: 1}}
		},
		"too many failures":     func(g *types.GenesisState) { g.Keys[0].FailedReshares = types.MaxPauseDoublings + 2 },
		"PENDING key, failures": func(g *types.GenesisState) { g.Keys[1].FailedReshares = 1 },
		"pause below 0":         func(g *types.GenesisState) { g.Keys[0].AutoReshareHeight = -1 },
		"return below 0":        func(g *types.GenesisState) { g.Keys[0].ReturnHeight = -1 },
		"PENDING key, return":   func(g *types.GenesisState) { g.Keys[1].ReturnHeight = 1 },
		"kept end below 0":      func(g *types.GenesisState) { g.Keys[0].ReadyRetireHeight = -1 },
		"kept end, READY key":   func(g *types.GenesisState) { g.Keys[0].ReadyRetireHeight = 1 },
		"urgent below 0":        func(g *types.GenesisState) { g.Keys[0].UrgentHeight = -1 },
		"urgent out of reach": func(g *types.GenesisState) {
			g.Keys[0].UrgentHeight = g.ExportHeight + types.MaxLengthBlocks + 1
		},
		"able at no failure": func(g *types.GenesisState) { g.Keys[0].FailedAble = 1 },
		"able, too many": func(g *types.GenesisState) {
			g.Keys[0].UrgentHeight, g.Keys[0].FailedAble = 1, uint32(len(g.Keys[0].Participants))+1
		},
		"awaited, no return": func(g *types.GenesisState) { g.Keys[0].Awaited = g.Keys[0].Participants[:1] },
		"awaited, no participant": func(g *types.GenesisState) {
			g.Keys[0].ReturnHeight, g.Keys[0].Awaited = 1, []string{"z"}
		},
		"waits since below 0": func(g *types.GenesisState) { g.Keys[0].EndangeredHeight = -1 },
		"PENDING key, waits":  func(g *types.GenesisState) { g.Keys[1].EndangeredHeight = 1 },
		"waits out of reach": func(g *types.GenesisState) {
			g.Keys[0].EndangeredHeight = g.ExportHeight + types.MaxLengthBlocks + 1
		},
		"return out of reach": func(g *types.GenesisState) {
			g.Keys[0].ReturnHeight = g.ExportHeight + types.MaxLengthBlocks + 1
		},
		"PENDING key, pause": func(g *types.GenesisState) { g.Keys[1].AutoReshareHeight = 1 },
		"pause out of reach": func(g *types.GenesisState) {
			g.Keys[0].AutoReshareHeight = g.ExportHeight + types.MaxLengthBlocks + 1
		},
		"attestation, no request": func(g *types.GenesisState) { g.Attestations[0].RequestId = "ready" },
		"attestation, no keygen": func(g *types.GenesisState) {
			g.Attestations[0].Kind = types.REQUEST_KIND_SIGN
			g.Attestations[0].RequestId = "open"
		},
		"attestation, stranger": func(g *types.GenesisState) { g.Attestations[0].Operator = "z" },
		"attestation's session": func(g *types.GenesisState) { g.Attestations[0].Session = nil },
		"attestation's payload": func(g *types.GenesisState) { g.Attestations[0].Payload = nil },
		"fault after the export": func(g *types.GenesisState) {
			g.Faults = []types.Fault{fault(g.ExportHeight + 1)}
		},
		"fault twice": func(g *types.GenesisState) {
			g.Faults = []types.Fault{fault(0), fault(-1)}
		},
		"queued hook of nothing": func(g *types.GenesisState) { g.QueuedHooks = []types.QueuedHook{{Hook: "AfterParty", Id: "ready"}} },
		"queued hook, PENDING key": func(g *types.GenesisState) {
			g.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterKeyReady, Id: "wanted"}}
		},
		"queued hook, PENDING signature": func(g *types.GenesisState) {
			g.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterSignatureReady, Id: "open"}}
		},
		"queued hook, no fault": func(g *types.GenesisState) {
			g.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterFault, Id: chain.Operator(0)}}
		},
		"queued hook twice": func(g *types.GenesisState) {
			g.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterKeyReady, Id: "ready"}, {Hook: types.HookAfterKeyReady, Id: "ready"}}
		},
		"queued hook out of reach": func(g *types.GenesisState) {
			g.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterKeyReady, Id: "ready", Height: g.ExportHeight + types.MaxLengthBlocks + 1}}
		},
		"signature decided after export": func(g *types.GenesisState) { g.Signatures[0].DecidedHeight = g.ExportHeight + 1 },
		"condemned, not open": func(g *types.GenesisState) {
			g.Condemned = []types.CondemnedRequest{{Kind: types.REQUEST_KIND_SIGN, Id: "done", Reason: "key_deleted"}}
		},
		"condemned without reason": func(g *types.GenesisState) {
			g.Condemned = []types.CondemnedRequest{{Kind: types.REQUEST_KIND_SIGN, Id: "open"}}
		},
		"condemned twice": func(g *types.GenesisState) {
			c := types.CondemnedRequest{Kind: types.REQUEST_KIND_SIGN, Id: "open", Reason: "key_deleted"}
			g.Condemned = []types.CondemnedRequest{c, c}
		},
		"pruned and there": func(g *types.GenesisState) {
			g.PrunedSignatures = []types.PrunedSignature{{Id: "done", ContentHash: chain.Digest("a")}}
		},
		"pruned twice": func(g *types.GenesisState) {
			p := types.PrunedSignature{Id: "gone", ContentHash: chain.Digest("a")}
			g.PrunedSignatures = []types.PrunedSignature{p, p}
		},
		"pruned without content": func(g *types.GenesisState) { g.PrunedSignatures = []types.PrunedSignature{{Id: "gone"}} },
		"pruned test": func(g *types.GenesisState) {
			g.PrunedSignatures = []types.PrunedSignature{{Id: "test:gone", ContentHash: chain.Digest("a")}}
		},
		"pruned without id": func(g *types.GenesisState) {
			g.PrunedSignatures = []types.PrunedSignature{{ContentHash: chain.Digest("a")}}
		},
		"attestation twice": func(g *types.GenesisState) { g.Attestations = append(g.Attestations, g.Attestations[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			gs := exported(t)
			require.NoError(t, gs.Validate())
			spoil(&gs)
			require.ErrorIs(t, gs.Validate(), types.ErrBadGenesis)
		})
	}
	gs := exported(t)
	gs.Faults = []types.Fault{fault(-1000)}
	gs.QueuedHooks = []types.QueuedHook{
		{Hook: types.HookAfterKeyReady, Id: "ready", Height: -1}, {Hook: types.HookAfterSignatureReady, Id: "done"},
		{Hook: types.HookAfterFault, Id: chain.Operator(0), Place: "accusation/" + chain.Operator(1)},
	}
	require.NoError(t, gs.Validate(), "what was before the first block, and a fault that lapsed")
	gs.Params.MaxPending = 0
	require.ErrorIs(t, gs.Validate(), types.ErrBadParams)
	require.NoError(t, types.DefaultGenesis().Validate())
}

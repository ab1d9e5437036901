package chain

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Operators are the addresses of participants.
func Operators(participants ...*Participant) []string {
	ops := make([]string, len(participants))
	for i, p := range participants {
		ops[i] = p.Operator
	}
	return ops
}

// Reshare asks for a reshare of a key to these participants; of none, to all.
func (f *Fixture) Reshare(id, keyID string, threshold uint32, to ...*Participant) types.Reshare {
	f.t.Helper()
	resp, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{
		Requester: f.Requester, ReshareId: id, KeyId: keyID, Threshold: threshold, Participants: Operators(to...),
	})
	require.NoError(f.t, err)
	return resp.Reshare
}

// Stage lets the whole new committee attest a reshare, so that it is TESTING.
func (f *Fixture) Stage(id string, secret Secret) {
	f.t.Helper()
	r, err := f.Keeper.Reshare(f.Ctx, id)
	require.NoError(f.t, err)
	for _, p := range f.Participants {
		if slices.Contains(r.Participants, p.Operator) {
			a := p.AttestReshare(id, 0, Session(id), secret.Payload(len(r.Participants)))
			require.NoError(f.t, f.Keeper.ApplyAttestation(f.Ctx, &a))
		}
	}
}

// PassTest signs the test of a reshare, so that it is READY.
func (f *Fixture) PassTest(id string, secret Secret) {
	f.t.Helper()
	s, err := f.Keeper.Signature(f.Ctx, "test:"+id)
	require.NoError(f.t, err)
	result := secret.Sign(s.Id, s.Digest)
	require.NoError(f.t, f.Keeper.ApplySignature(f.Ctx, &result))
}

package types_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	errorsmod "cosmossdk.io/errors"
	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// codes is the whole list: a code that clients know never changes its meaning.
var codes = []struct {
	code   uint32
	reason mpctypes.Reason
	err    *errorsmod.Error
}{
	{2, "bad_id", types.ErrBadID},
	{3, "id_taken", types.ErrIDTaken},
	{4, "request_pending", types.ErrRequestPending},
	{5, "bad_threshold", types.ErrBadThreshold},
	{6, "too_few_participants", types.ErrTooFewParticipants},
	{7, "too_many_participants", types.ErrTooManyParticipants},
	{8, "duplicate_participant", types.ErrDuplicateParticipant},
	{9, "unknown_participant", types.ErrUnknownParticipant},
	{10, "unregistered_participant", types.ErrUnregistered},
	{11, "participant_not_bonded", types.ErrNotBonded},
	{12, "bad_digest", types.ErrBadDigest},
	{13, "bad_payload", types.ErrBadPayload},
	{14, "unsupported_algorithm", types.ErrUnsupportedAlgorithm},
	{15, "unknown_key", types.ErrUnknownKey},
	{16, "unknown_signature", types.ErrUnknownSignature},
	{17, "key_not_ready", types.ErrKeyNotReady},
	{18, "key_deleted", types.ErrKeyDeleted},
	{19, "not_owner", types.ErrNotOwner},
	{20, "not_requester", types.ErrNotRequester},
	{21, "unauthorized", types.ErrUnauthorized},
	{22, "too_many_pending", types.ErrTooManyPending},
	{23, "bad_proof_of_possession", types.ErrBadProof},
	{24, "bad_params", types.ErrBadParams},
	{25, "identity_key_in_use", types.ErrIdentityKeyInUse},
	{26, "duplicate_registration", types.ErrDuplicateRegistration},
	{27, "bad_bundle", types.ErrBadBundle},
	{28, "unknown_request", types.ErrUnknownRequest},
	{29, "already_decided", types.ErrAlreadyDecided},
	{30, "bad_result", types.ErrBadResult},
	{31, "bad_genesis", types.ErrBadGenesis},
	{32, "too_many_identities", types.ErrTooManyIdentities},
	{33, "unknown_reshare", types.ErrUnknownReshare},
	{34, "reshare_pending", types.ErrResharePending},
	{35, "bad_address", types.ErrBadAddress},
	{36, "key_failed", types.ErrKeyFailed},
	{37, "too_few_signers", types.ErrTooFewSigners},
	{38, "key_not_deleting", types.ErrKeyNotDeleting},
	{39, "pruned", types.ErrPruned},
	{40, "fee_not_paid", types.ErrFeeNotPaid},
	{41, "unknown_payload_kind", types.ErrUnknownKind},
	{42, "payload_not_canonical", types.ErrNotCanonical},
	{43, "payload_too_large", types.ErrPayloadTooLarge},
	{44, "raw_not_allowed", types.ErrRawNotAllowed},
	{45, "place_taken", types.ErrPlaceTaken},
	{46, "wrong_chain_id", types.ErrWrongChain},
	{47, "policy_refused", types.ErrPolicy},
}

func TestErrors(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Len(t, codes, types.Registered(), "the list is whole")
	for _, c := range codes {
		wrapped := c.err.Wrap("detail")
		space, code, text := errorsmod.ABCIInfo(wrapped, false)
		require.Equal(t, types.ModuleName, space)
		require.Equal(t, c.code, code)
		require.Equal(t, fmt.Sprintf("detail: %s: %s", c.reason, c.reason.Remedy()), text)
		require.NotEmpty(t, c.reason.Remedy(), c.reason)
		require.Equal(t, c.reason, types.ReasonOf(wrapped))

		// The way back, with a detail and without.
		from := types.FromReason(fmt.Errorf("%w: detail", c.reason))
		require.ErrorIs(t, from, c.err)
		require.Equal(t, text, from.Error())
		require.Equal(t, error(c.err), types.FromReason(c.reason))
		require.Contains(t, string(readme), fmt.Sprintf("| %d | `%s` |", c.code, c.reason), "the README lists it")
	}
	other := errors.New("disk is full")
	require.Equal(t, other, types.FromReason(other))
	require.NoError(t, types.FromReason(nil))
	require.Empty(t, types.ReasonOf(other))
	require.Equal(t, mpctypes.ErrStalled, types.ReasonOf(fmt.Errorf("%w: waiting", mpctypes.ErrStalled)))
}

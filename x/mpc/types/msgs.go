package types

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

var (
	_ sdk.HasValidateBasic = &MsgRegisterParticipant{}
	_ sdk.HasValidateBasic = &MsgKeyGen{}
	_ sdk.HasValidateBasic = &MsgKeySign{}
	_ sdk.HasValidateBasic = &MsgKeyDelete{}
	_ sdk.HasValidateBasic = &MsgKeyReshare{}
	_ sdk.HasValidateBasic = &MsgCancelReshare{}
	_ sdk.HasValidateBasic = &MsgUndelete{}
	_ sdk.HasValidateBasic = &MsgUpdateParams{}
)

// ValidateBasic checks what needs no state. The proof needs the chain id and is
// checked by the keeper.
func (m *MsgRegisterParticipant) ValidateBasic() error {
	if err := ValidateIdentityKey(m.IdentityKey); err != nil {
		return err
	}
	if len(m.ProofOfPossession) != ed25519.SignatureSize {
		return ErrBadProof.Wrapf("the proof has %d bytes, not %d", len(m.ProofOfPossession), ed25519.SignatureSize)
	}
	return nil
}

// ValidateBasic checks what needs no state: id, algorithm, threshold, and that a
// list of participants is one.
func (m *MsgKeyGen) ValidateBasic() error {
	if err := mpctypes.ValidateID(m.KeyId); err != nil {
		return FromReason(err)
	}
	if m.Algorithm != ALGORITHM_ECDSA_SECP256K1 {
		return ErrUnsupportedAlgorithm.Wrapf("algorithm %d", m.Algorithm)
	}
	return validateAsked(m.Threshold, m.Participants)
}

// validateAsked checks a committee that a requester named, or left to the chain.
func validateAsked(threshold uint32, participants []string) error {
	n := len(participants)
	switch {
	case n > mpctypes.MaxMembers:
		return ErrTooManyParticipants.Wrapf("%d, at most %d are possible", n, mpctypes.MaxMembers)
	case threshold < 1 || threshold >= mpctypes.MaxMembers, n > 0 && int(threshold) >= n:
		return ErrBadThreshold.Wrapf("t = %d, %d participants named", threshold, n)
	}
	sorted := slices.Clone(participants)
	slices.Sort(sorted)
	if !ascending(sorted) {
		return ErrDuplicateParticipant
	}
	return nil
}

// ContentHash is what the key's id is bound to: all that was asked, and by whom.
// The order of the participants does not count.
func (m *MsgKeyGen) ContentHash() mpctypes.Hash {
	sorted := *m
	sorted.Participants = slices.Clone(m.Participants)
	slices.Sort(sorted.Participants)
	return contentHash("keygen", &sorted)
}

// ValidateBasic checks what needs no state: ids and payload.
func (m *MsgKeySign) ValidateBasic() error {
	if err := mpctypes.ValidateID(m.SignatureId); err != nil {
		return FromReason(err)
	}
	if IsTestID(m.SignatureId) {
		return ErrBadID.Wrapf("ids that begin with %q are those of tests of reshares", testPrefix)
	}
	if err := mpctypes.ValidateID(m.KeyId); err != nil {
		return FromReason(err)
	}
	return m.Payload.Validate()
}

// ContentHash is what the signature's id is bound to: all that was asked, and by
// whom.
func (m *MsgKeySign) ContentHash() mpctypes.Hash { return contentHash("sign", m) }

// ValidateBasic checks what needs no state: the id.
func (m *MsgKeyDelete) ValidateBasic() error {
	return FromReason(mpctypes.ValidateID(m.KeyId))
}

// ValidateBasic checks what needs no state: the id.
func (m *MsgUndelete) ValidateBasic() error {
	return FromReason(mpctypes.ValidateID(m.KeyId))
}

// ValidateBasic checks what needs no state: ids, threshold, and that a list of
// participants is one.
func (m *MsgKeyReshare) ValidateBasic() error {
	if err := ValidateReshareID(m.ReshareId); err != nil {
		return err
	}
	if IsAutoID(m.ReshareId) {
		return ErrBadID.Wrapf("ids that begin with %q are those of reshares that the module asks for", autoPrefix)
	}
	if err := mpctypes.ValidateID(m.KeyId); err != nil {
		return FromReason(err)
	}
	return validateAsked(m.Threshold, m.Participants)
}

// ContentHash is what the reshare's id is bound to: all that was asked, and by
// whom. The order of the participants does not count.
func (m *MsgKeyReshare) ContentHash() mpctypes.Hash {
	sorted := *m
	sorted.Participants = slices.Clone(m.Participants)
	slices.Sort(sorted.Participants)
	return contentHash("reshare", &sorted)
}

// ValidateBasic checks what needs no state: the id.
func (m *MsgCancelReshare) ValidateBasic() error { return ValidateReshareID(m.ReshareId) }

// ValidateBasic checks all parameters.
func (m *MsgUpdateParams) ValidateBasic() error { return m.Params.Validate() }

// contentHash hashes a message in its generated encoding, which is deterministic:
// the messages have neither maps nor unknown fields. A field added later leaves
// the hash of messages without it as it was.
func contentHash(kind string, m proto.Message) mpctypes.Hash {
	bz, err := proto.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("marshal of a decoded message failed: %v", err)) // the generated code has no error path for it
	}
	return sha256.Sum256(append([]byte("sequencer/mpc/v1/content/"+kind+"\x00"), bz...))
}

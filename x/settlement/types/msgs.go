package types

import (
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

var (
	_ sdk.HasValidateBasic = &MsgProposeBatch{}
	_ sdk.HasValidateBasic = &MsgReportReceipt{}
	_ sdk.HasValidateBasic = &MsgMakeKey{}
	_ sdk.HasValidateBasic = &MsgSetPurpose{}
	_ sdk.HasValidateBasic = &MsgUpdateParams{}
)

// Range is what the message proposes.
func (m *MsgProposeBatch) Range() Range {
	return Range{FirstBlock: m.FirstBlock, LastBlock: m.LastBlock, StateRoot: m.StateRoot}
}

// ValidateBasic checks what needs no state.
func (m *MsgProposeBatch) ValidateBasic() error {
	if err := m.Purpose.Validate(); err != nil {
		return ErrBadBatch.Wrap(err.Error())
	}
	return m.Range().Validate()
}

// ValidateBasic checks what needs no state.
func (m *MsgReportReceipt) ValidateBasic() error { return m.Receipt.Validate() }

// ValidateBasic checks what needs no state: x/mpc judges the rest.
func (m *MsgMakeKey) ValidateBasic() error {
	if !strings.HasPrefix(m.KeyId, IDPrefix) || len(m.KeyId) == len(IDPrefix) {
		return ErrBadKeyID.Wrapf("%.64q", m.KeyId)
	}
	return validateTakes(m.Takes)
}

func validateTakes(takes []Purpose) error {
	for i, p := range takes {
		if err := p.Validate(); err != nil {
			return ErrBadKeyID.Wrap(err.Error())
		}
		if i > 0 && takes[i-1] >= p {
			return ErrBadKeyID.Wrap("the purposes that it takes are sorted, each once")
		}
	}
	return nil
}

// ValidateBasic checks what needs no state.
func (m *MsgSetPurpose) ValidateBasic() error {
	if err := m.Purpose.Validate(); err != nil {
		return ErrUnknownKey.Wrap(err.Error())
	}
	return nil
}

// ValidateBasic checks all parameters.
func (m *MsgUpdateParams) ValidateBasic() error { return m.Params.Validate() }

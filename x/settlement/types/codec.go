package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterLegacyAminoCodec registers the messages under the names that their .proto files
// give, for signers that still speak amino JSON.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	cdc.RegisterConcrete(Params{}, "sequencer/x/settlement/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgProposeBatch{}, "sequencer/settlement/MsgProposeBatch")
	legacy.RegisterAminoMsg(cdc, &MsgBumpFee{}, "sequencer/settlement/MsgBumpFee")
	legacy.RegisterAminoMsg(cdc, &MsgReportReceipt{}, "sequencer/settlement/MsgReportReceipt")
	legacy.RegisterAminoMsg(cdc, &MsgMakeKey{}, "sequencer/settlement/MsgMakeKey")
	legacy.RegisterAminoMsg(cdc, &MsgSetPurpose{}, "sequencer/settlement/MsgSetPurpose")
	legacy.RegisterAminoMsg(cdc, &MsgResubmitBatch{}, "sequencer/settlement/MsgResubmit")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "sequencer/settlement/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgProposeBatch{}, &MsgBumpFee{}, &MsgReportReceipt{}, &MsgMakeKey{},
		&MsgSetPurpose{}, &MsgResubmitBatch{}, &MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}

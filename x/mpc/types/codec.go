package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterLegacyAminoCodec registers the messages under the names that their
// .proto files give, for signers that still speak amino JSON.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	cdc.RegisterConcrete(Params{}, "sequencer/x/mpc/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgRegisterParticipant{}, "sequencer/x/mpc/MsgRegister")
	legacy.RegisterAminoMsg(cdc, &MsgRevokeParticipant{}, "sequencer/x/mpc/MsgRevoke")
	legacy.RegisterAminoMsg(cdc, &MsgKeyGen{}, "sequencer/x/mpc/MsgKeyGen")
	legacy.RegisterAminoMsg(cdc, &MsgKeySign{}, "sequencer/x/mpc/MsgKeySign")
	legacy.RegisterAminoMsg(cdc, &MsgKeyDelete{}, "sequencer/x/mpc/MsgKeyDelete")
	legacy.RegisterAminoMsg(cdc, &MsgKeyReshare{}, "sequencer/x/mpc/MsgKeyReshare")
	legacy.RegisterAminoMsg(cdc, &MsgCancelReshare{}, "sequencer/x/mpc/MsgCancelReshare")
	legacy.RegisterAminoMsg(cdc, &MsgUndelete{}, "sequencer/x/mpc/MsgUndelete")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "sequencer/x/mpc/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgRegisterParticipant{},
		&MsgRevokeParticipant{},
		&MsgKeyGen{},
		&MsgKeySign{},
		&MsgKeyDelete{},
		&MsgKeyReshare{},
		&MsgCancelReshare{},
		&MsgUndelete{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}

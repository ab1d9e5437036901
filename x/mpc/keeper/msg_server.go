package keeper

import (
	"context"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// msgServer answers messages. Who signed a message was checked before: the signer
// is the account in its requester, operator or authority field.
type msgServer struct{ k *Keeper }

// NewMsgServer serves the Msg service.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k} }

// RegisterParticipant implements types.MsgServer.
func (s msgServer) RegisterParticipant(ctx context.Context, msg *types.MsgRegisterParticipant) (*types.MsgRegisterParticipantResponse, error) {
	version, err := s.k.RegisterParticipant(ctx, msg.Operator, msg.IdentityKey, msg.ProofOfPossession)
	if err != nil {
		return nil, err
	}
	return &types.MsgRegisterParticipantResponse{Version: version}, nil
}

// RevokeParticipant implements types.MsgServer.
func (s msgServer) RevokeParticipant(ctx context.Context, msg *types.MsgRevokeParticipant) (*types.MsgRevokeParticipantResponse, error) {
	if err := s.k.RevokeParticipant(ctx, msg.Operator); err != nil {
		return nil, err
	}
	return &types.MsgRevokeParticipantResponse{}, nil
}

// KeyGen implements types.MsgServer.
func (s msgServer) KeyGen(ctx context.Context, msg *types.MsgKeyGen) (*types.MsgKeyGenResponse, error) {
	key, err := s.k.keyGen(ctx, *msg, "")
	if err != nil {
		return nil, err
	}
	return &types.MsgKeyGenResponse{Key: key}, nil
}

// KeySign implements types.MsgServer.
func (s msgServer) KeySign(ctx context.Context, msg *types.MsgKeySign) (*types.MsgKeySignResponse, error) {
	signature, err := s.k.keySign(ctx, *msg, "")
	if err != nil {
		return nil, err
	}
	return &types.MsgKeySignResponse{Signature: signature}, nil
}

// KeyDelete implements types.MsgServer.
func (s msgServer) KeyDelete(ctx context.Context, msg *types.MsgKeyDelete) (*types.MsgKeyDeleteResponse, error) {
	height, err := s.k.keyDelete(ctx, *msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgKeyDeleteResponse{RetireHeight: height}, nil
}

// KeyReshare implements types.MsgServer.
func (s msgServer) KeyReshare(ctx context.Context, msg *types.MsgKeyReshare) (*types.MsgKeyReshareResponse, error) {
	reshare, err := s.k.keyReshare(ctx, *msg, "")
	if err != nil {
		return nil, err
	}
	return &types.MsgKeyReshareResponse{Reshare: reshare}, nil
}

// CancelReshare implements types.MsgServer.
func (s msgServer) CancelReshare(ctx context.Context, msg *types.MsgCancelReshare) (*types.MsgCancelReshareResponse, error) {
	reshare, err := s.k.cancelReshare(ctx, *msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgCancelReshareResponse{Reshare: reshare}, nil
}

// Undelete implements types.MsgServer.
func (s msgServer) Undelete(ctx context.Context, msg *types.MsgUndelete) (*types.MsgUndeleteResponse, error) {
	key, err := s.k.undelete(ctx, *msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgUndeleteResponse{Key: key}, nil
}

// UpdateParams implements types.MsgServer.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	authority, err := s.k.account(msg.Authority)
	if err != nil {
		return nil, err
	}
	if !s.k.isAuthority(ctx, authority) {
		return nil, types.ErrUnauthorized.Wrapf("%s is not the authority", authority)
	}
	if err := s.k.SetParams(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}

package keeper

import (
	"context"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// msgServer answers messages. Who signed a message was checked before: the signer is the
// account in its operator or authority field.
type msgServer struct{ k *Keeper }

// NewMsgServer serves the Msg service.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k} }

// ProposeBatch implements types.MsgServer.
func (s msgServer) ProposeBatch(ctx context.Context, msg *types.MsgProposeBatch) (*types.MsgProposeBatchResponse, error) {
	return s.k.proposeBatch(ctx, msg)
}

// BumpFee implements types.MsgServer.
func (s msgServer) BumpFee(ctx context.Context, msg *types.MsgBumpFee) (*types.MsgBumpFeeResponse, error) {
	a, err := s.k.bumpFee(ctx, msg.Operator, msg.TransactionId)
	if err != nil {
		return nil, err
	}
	return &types.MsgBumpFeeResponse{FeePerGas: a.FeePerGas, TipPerGas: a.TipPerGas, GasLimit: a.GasLimit}, nil
}

// ReportReceipt implements types.MsgServer.
func (s msgServer) ReportReceipt(ctx context.Context, msg *types.MsgReportReceipt) (*types.MsgReportReceiptResponse, error) {
	decided, err := s.k.reportReceipt(ctx, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgReportReceiptResponse{Decided: decided}, nil
}

// MakeKey implements types.MsgServer.
func (s msgServer) MakeKey(ctx context.Context, msg *types.MsgMakeKey) (*types.MsgMakeKeyResponse, error) {
	if err := s.k.requireAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.ValidateBasic(); err != nil {
		return nil, err
	}
	return &types.MsgMakeKeyResponse{}, s.k.makeKey(ctx, msg)
}

// SetPurpose implements types.MsgServer.
func (s msgServer) SetPurpose(ctx context.Context, msg *types.MsgSetPurpose) (*types.MsgSetPurposeResponse, error) {
	if err := s.k.requireAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgSetPurposeResponse{}, s.k.setPurpose(ctx, msg.Purpose, msg.KeyId)
}

// ResubmitBatch implements types.MsgServer.
func (s msgServer) ResubmitBatch(ctx context.Context, msg *types.MsgResubmitBatch) (*types.MsgResubmitBatchResponse, error) {
	if err := s.k.requireAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	id, err := s.k.resubmitBatch(ctx, msg.Purpose, msg.Batch)
	if err != nil {
		return nil, err
	}
	return &types.MsgResubmitBatchResponse{TransactionId: id}, nil
}

// UpdateParams implements types.MsgServer.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := s.k.requireAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, s.k.SetParams(ctx, msg.Params)
}

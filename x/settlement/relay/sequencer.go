package relay

import (
	"context"
	"fmt"
	"slices"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/cosmos/cosmos-sdk/x/authz"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

const (
	// page is how many open transactions are asked for at once.
	page = 100
	// gasMargin is how much more gas is asked for than was simulated: whose word decides is
	// not known before, and deciding costs more.
	gasMargin = 2
)

// node is a node of this chain, and the account that speaks for the operator.
type node struct {
	ctx     client.Context
	factory tx.Factory
	query   types.QueryClient
	// grants are what lets the account do so; nil where it is the operator's own.
	grants *grants
}

// newNode speaks to the node of a client's context, for the operator with this account.
func newNode(ctx client.Context, factory tx.Factory, operator sdk.AccAddress) *node {
	n := &node{ctx: ctx, factory: factory.WithGasAdjustment(gasMargin), query: types.NewQueryClient(ctx)}
	if !operator.Equals(ctx.FromAddress) {
		n.grants = &grants{query: authz.NewQueryClient(ctx), granter: operator, grantee: ctx.FromAddress, chain: ctx.ChainID}
	}
	return n
}

// Open implements Sequencer.
func (n *node) Open(ctx context.Context) (open []types.Transaction, err error) {
	request := &types.QueryOpenRequest{Pagination: &query.PageRequest{Limit: page}}
	for {
		answer, err := n.query.Open(ctx, request)
		if err != nil {
			return nil, err
		}
		open = append(open, answer.Transactions...)
		if answer.Pagination == nil || len(answer.Pagination.NextKey) == 0 {
			return open, nil
		}
		request.Pagination.Key = answer.Pagination.NextKey
	}
}

// Address implements Sequencer.
func (n *node) Address(ctx context.Context, keyID string) (string, error) {
	request := &types.QueryKeysRequest{Pagination: &query.PageRequest{Limit: page}}
	for {
		answer, err := n.query.Keys(ctx, request)
		if err != nil {
			return "", err
		}
		for _, key := range answer.Keys {
			if key.Id == keyID && key.Address != "" {
				return key.Address, nil
			}
		}
		if answer.Pagination == nil || len(answer.Pagination.NextKey) == 0 {
			return "", fmt.Errorf("there is no READY key %s", keyID)
		}
		request.Pagination.Key = answer.Pagination.NextKey
	}
}

// Settled implements Sequencer. Nonces of a key rise with ids, so it looks backwards from the
// newest transaction until it is past them.
func (n *node) Settled(ctx context.Context, keyID string, from, to uint64) (found []types.Transaction, err error) {
	request := &types.QueryTransactionsRequest{Pagination: &query.PageRequest{Limit: page, Reverse: true}}
	for {
		answer, err := n.query.Transactions(ctx, request)
		if err != nil {
			return nil, err
		}
		past := false
		for _, t := range answer.Transactions {
			mine := t.KeyId == keyID && t.Nonce < to
			if mine && t.Nonce >= from {
				found = append(found, t)
			}
			past = past || mine && t.Nonce <= from
		}
		if past || answer.Pagination == nil || len(answer.Pagination.NextKey) == 0 {
			slices.Reverse(found)
			return found, nil
		}
		request.Pagination.Key = answer.Pagination.NextKey
	}
}

// Reported implements Sequencer.
func (n *node) Reported(ctx context.Context, id uint64, operator string) (*types.Receipt, error) {
	answer, err := n.query.Transaction(ctx, &types.QueryTransactionRequest{Id: id})
	if err != nil {
		return nil, err
	}
	for _, r := range answer.Reports {
		if r.Operator == operator {
			return &r.Receipt, nil
		}
	}
	return nil, nil
}

// GasLimit implements Sequencer.
func (n *node) GasLimit(ctx context.Context) (uint64, error) {
	answer, err := n.query.Params(ctx, &types.QueryParamsRequest{})
	if err != nil {
		return 0, err
	}
	return answer.Params.GasLimit, nil
}

// Send implements Sequencer.
func (n *node) Send(ctx context.Context, msg sdk.Msg) error {
	if n.grants == nil {
		return n.send(ctx, msg)
	}
	return n.grants.explain(msg, n.send(ctx, n.grants.exec(msg)))
}

// send sends a message of the account's own.
func (n *node) send(ctx context.Context, msg sdk.Msg) error {
	bz, err := n.sign(ctx, msg)
	if err != nil {
		return err
	}
	rpc, err := n.ctx.GetNode()
	if err != nil {
		return err
	}
	// Before it is sent: it is in a later block.
	status, err := rpc.Status(ctx)
	if err != nil {
		return fmt.Errorf("ask this chain's node for its height: %w", err)
	}
	sent, err := n.ctx.BroadcastTxSync(bz)
	if err != nil {
		return fmt.Errorf("send the message: %w", err)
	}
	if sent.Code != 0 {
		return fmt.Errorf("the message was refused (%s %d): %s", sent.Codespace, sent.Code, sent.RawLog)
	}
	return included(ctx, rpc, bz, status.SyncInfo.LatestBlockHeight)
}

// sign makes a transaction of a message. What would fail fails here, in the simulation.
func (n *node) sign(ctx context.Context, msg sdk.Msg) ([]byte, error) {
	factory, err := n.factory.Prepare(n.ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the account %s: %w", n.ctx.FromAddress, err)
	}
	_, gas, err := tx.CalculateGas(n.ctx, factory, msg)
	if err != nil {
		return nil, err
	}
	builder, err := factory.WithGas(gas).BuildUnsignedTx(msg)
	if err != nil {
		return nil, fmt.Errorf("build the message's transaction: %w", err)
	}
	if err := tx.Sign(ctx, factory, n.ctx.FromName, builder, true); err != nil {
		return nil, fmt.Errorf("sign the message: %w", err)
	}
	return n.ctx.TxConfig.TxEncoder()(builder.GetTx())
}

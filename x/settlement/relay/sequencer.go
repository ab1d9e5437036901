package relay

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

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
	// inclusionTimeout is how long a message may take into a block.
	inclusionTimeout = time.Minute
	// inclusionPoll is the pause between two looks for it.
	inclusionPoll = 500 * time.Millisecond
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
	sent, err := n.ctx.BroadcastTxSync(bz)
	if err != nil {
		return fmt.Errorf("send the message: %w", err)
	}
	if sent.Code != 0 {
		return fmt.Errorf("the message was refused (%s %d): %s", sent.Codespace, sent.Code, sent.RawLog)
	}
	return n.included(ctx, sent.TxHash)
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

// included waits until a message is in a block. Nodes do not know it before.
func (n *node) included(ctx context.Context, hash string) error {
	bz, err := hex.DecodeString(hash)
	if err != nil {
		return fmt.Errorf("the hash of the message's transaction: %w", err)
	}
	rpc, err := n.ctx.GetNode()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, inclusionTimeout)
	defer cancel()
	tick := time.NewTicker(inclusionPoll)
	defer tick.Stop()
	for {
		if found, err := rpc.Tx(ctx, bz, false); err == nil {
			if result := found.TxResult; result.Code != 0 {
				return fmt.Errorf("the message failed (%s %d): %s", result.Codespace, result.Code, result.Log)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the message's transaction %s is in no block after %s: %w", hash, inclusionTimeout, ctx.Err())
		case <-tick.C:
		}
	}
}

package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// offer gives the newest attempt that can be sent to the node, and asks for a higher fee where
// that is not enough for long, or for other gas. It says how it is.
func (r *Relay) offer(ctx context.Context, t types.Transaction, a types.Attempt, head uint64, next bool) (string, error) {
	since, refused, err := r.send(ctx, t, a, head)
	if gas := (&gasRefusal{}); errors.As(err, &gas) {
		return r.otherGas(ctx, t, a, gas, head, next)
	}
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("sent: nonce %d, %s, up to %d wei per gas", t.Nonce, a.Hash, a.FeePerGas)
	if refused != nil {
		said = fmt.Sprintf("not taken by the node: nonce %d, %s, up to %d wei per gas: %s", t.Nonce, a.Hash, a.FeePerGas, refused)
	}
	switch {
	case t.Current().Status == types.ATTEMPT_STATUS_SIGNING:
		return said + "; another offer " + r.signature(ctx, t, head), nil
	case !next || head < since+r.BumpAfter:
		return said, nil
	}
	if err := r.bump(ctx, t); err != nil {
		return "", fmt.Errorf("%s; %w", said, err)
	}
	return fmt.Sprintf("%s; waited since block %d, asked for a signature with a higher fee", said, since), nil
}

// send gives an attempt to the node, which may have it. since is the block of the other chain
// at which it should have had it first. refused is why it does not take it, where a higher fee
// may help.
func (r *Relay) send(ctx context.Context, t types.Transaction, a types.Attempt, head uint64) (since uint64, refused, err error) {
	var tx ethtypes.Transaction
	if err := tx.UnmarshalBinary(a.Raw); err != nil {
		return 0, nil, fmt.Errorf("decode the signed transaction: %w", err)
	}
	if answer := r.ethereum.SendTransaction(ctx, &tx); answer != nil {
		if refused, err = r.refusal(ctx, t, &tx, answer); err != nil {
			return 0, nil, fmt.Errorf("send %s: %w", a.Hash, err)
		}
	}
	since, sent := r.first[tx.Hash()]
	if !sent {
		since = head
		r.first[tx.Hash()] = head
	}
	return since, refused, nil
}

// refusal judges why a node does not take a transaction: not at all if it has it. A higher fee
// may help against what is refused; it does not against an error, and would make some worse.
// Nodes have many words for what is too little, and few for the rest.
func (r *Relay) refusal(ctx context.Context, t types.Transaction, tx *ethtypes.Transaction, answer error) (refused, err error) {
	var said rpc.Error
	switch {
	case r.known(ctx, tx.Hash(), answer):
		return nil, nil
	case !errors.As(answer, &said): // the node is away
		return nil, private(answer)
	}
	if gas := refusedGas(answer); gas != nil {
		answer = gas
	}
	if errors.As(answer, new(*gasRefusal)) || feeIsNoHelp(answer) {
		delete(r.first, tx.Hash()) // its time begins when it can be taken
		return nil, answer
	}
	from, err := r.address(ctx, t.KeyId)
	if err != nil {
		return nil, errors.Join(answer, err)
	}
	balance, err := r.ethereum.BalanceAt(ctx, from, nil)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; ask for the balance of %s: %w", answer, from, private(err))
	case balance.Cmp(tx.Cost()) < 0:
		delete(r.first, tx.Hash())
		return nil, fmt.Errorf("%w: %s has %s wei, this may take %s; give it funds", answer, from, balance, tx.Cost())
	}
	return answer, nil
}

// known: the node has the transaction. Where it does not say so in geth's words, it is asked:
// others have words of their own.
func (r *Relay) known(ctx context.Context, hash common.Hash, answer error) bool {
	if strings.Contains(answer.Error(), "already known") {
		return true
	}
	_, _, err := r.ethereum.TransactionByHash(ctx, hash)
	return err == nil
}

// feeIsNoHelp: the account cannot pay for all that it has in the pool, or the nonce is used up
// by now.
func feeIsNoHelp(answer error) bool {
	text := strings.ToLower(answer.Error())
	return slices.ContainsFunc([]string{"insufficient funds", "nonce too"}, func(words string) bool {
		return strings.Contains(text, words)
	})
}

func (r *Relay) bump(ctx context.Context, t types.Transaction) error {
	if err := r.sequencer.Send(ctx, &types.MsgBumpFee{Operator: r.Operator, TransactionId: t.Id}); err != nil {
		return fmt.Errorf("ask for another signature: %w", err)
	}
	return nil
}

// newestSigned is the newest attempt that can be sent.
func newestSigned(t types.Transaction) (types.Attempt, bool) {
	for i := len(t.Attempts) - 1; i >= 0; i-- {
		if t.Attempts[i].Status == types.ATTEMPT_STATUS_SIGNED {
			return t.Attempts[i], true
		}
	}
	return types.Attempt{}, false
}

package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// What was reported as included the other chain may take back all the same: where fewer
// confirmations were asked for than it takes, or its nodes agreed on other blocks than they
// called final. Nothing with a later nonce of the key is included before that is included again.

// restore sends again what the other chain took back: what used the nonces of a key from used
// up to that of its first open transaction.
func (r *Relay) restore(ctx context.Context, t types.Transaction, used, head uint64) (string, error) {
	settled, err := r.sequencer.Settled(ctx, t.KeyId, used, t.Nonce)
	if err != nil {
		return "", fmt.Errorf("ask for the transactions of key %s with nonces from %d: %w", t.KeyId, used, err)
	}
	for _, s := range settled {
		if err := r.sendSettled(ctx, s, head); err != nil {
			return "", fmt.Errorf("waits for nonce %d of its key, which the other chain took back: transaction %d: %w", s.Nonce, s.Id, err)
		}
	}
	if n := t.Nonce - used; uint64(len(settled)) < n {
		return "", fmt.Errorf("waits for %d nonces of its key from %d on, which the other chain took back; %d of their transactions are not kept any more: send them again from a node that has old states",
			n, used, n-uint64(len(settled)))
	}
	return fmt.Sprintf("waits for nonce %d of its key, which the other chain took back; it was sent again", used), nil
}

// sendSettled sends what was included already. It cannot be signed again for more.
func (r *Relay) sendSettled(ctx context.Context, t types.Transaction, head uint64) error {
	a, signed := newestSigned(t)
	switch {
	case t.Status == types.TRANSACTION_STATUS_ABANDONED:
		return fmt.Errorf("it is %s, and another one settles its batch", t.Status)
	case !signed:
		return errors.New("this chain has no signature of it; whoever sent it must send it again")
	}
	_, refused, err := r.send(ctx, t, a, head)
	if refused != nil {
		return fmt.Errorf("send %s: %w", a.Hash, refused)
	}
	return err
}

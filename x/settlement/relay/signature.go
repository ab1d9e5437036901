package relay

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// x/settlement hears of a signature by a hook of x/mpc, which may fail. MsgBumpFee has it
// look; while there is none, the message fails where its gas is simulated, and costs nothing.

// request is an open request for a signature: since which block of the other chain this
// process knows it, when it last asked this chain to look for the signature, and what is to
// be said of it.
type request struct {
	since, asked uint64
	said         string
}

// signature waits for the signature of the newest attempt, and asks this chain to look for it
// where that takes long. It says how it is.
func (r *Relay) signature(ctx context.Context, t types.Transaction, head uint64) string {
	id := t.Current().SignatureId
	q, known := r.signing[id]
	if !known {
		q = request{since: head, asked: head, said: "is being signed"}
	}
	if head >= q.asked+r.BumpAfter {
		q.asked, q.said = head, fmt.Sprintf("is being signed since block %d; asked this chain to look for the signature", q.since)
		if err := r.bump(ctx, t); err != nil {
			q.said = fmt.Sprintf("is being signed since block %d: %s", q.since, err)
		}
	}
	r.signing[id] = q
	return q.said
}

// again asks for a signature that was not made, when that failed BumpAfter blocks ago: members that
// refuse for good do so at once, and each request is a record that stays, and a message that is
// paid for. All relays see a failure at about the same time, and one of them asks. It says how it
// is.
func (r *Relay) again(ctx context.Context, t types.Transaction, head uint64) (string, error) {
	id, said := t.Current().SignatureId, "was not signed: "+t.Current().Reason
	since, known := r.failed[id]
	if !known {
		since = head
		r.failed[id] = head
	}
	if head < since+r.BumpAfter {
		return fmt.Sprintf("%s; asks again at block %d of the other chain", said, since+r.BumpAfter), nil
	}
	r.failed[id] = head
	if err := r.bump(ctx, t); err != nil {
		return "", fmt.Errorf("%s; %w", said, err)
	}
	return said + "; asked again", nil
}

package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// x/settlement hears of a signature by a hook of x/mpc, which may fail. MsgBumpFee has it
// look; while there is none, the message fails where its gas is simulated, and costs nothing.

// patience is how long what concerns signatures waits for blocks of the other chain. On a chain
// that makes blocks of transactions only, none may come before this one is signed.
const patience = 10 * time.Minute

// moment is a block of the other chain, and the time at which it was the newest one.
type moment struct {
	block uint64
	at    time.Time
}

// over reports whether BumpAfter blocks of the other chain came since, or enough time passed.
func (r *Relay) over(since moment, head uint64) bool {
	return head >= since.block+r.BumpAfter || r.Clock().Sub(since.at) >= patience
}

// request is an open request for a signature: since which block of the other chain this
// process knows it, when it last asked this chain to look for the signature, and what is to
// be said of it.
type request struct {
	since uint64
	asked moment
	said  string
}

// signature waits for the signature of the newest attempt, and asks this chain to look for it
// where that takes long. It says how it is.
func (r *Relay) signature(ctx context.Context, t types.Transaction, head uint64) string {
	id := t.Current().SignatureId
	q, known := r.signing[id]
	if !known {
		q = request{since: head, asked: moment{head, r.Clock()}, said: "is being signed"}
	}
	if r.over(q.asked, head) {
		q.asked, q.said = moment{head, r.Clock()}, fmt.Sprintf("is being signed since block %d; asked this chain to look for the signature", q.since)
		if err := r.bump(ctx, t); err != nil {
			q.said = fmt.Sprintf("is being signed since block %d: %s", q.since, err)
		}
	}
	r.signing[id] = q
	return q.said
}

// again asks for a signature that was not made, when that failed BumpAfter blocks ago, or a while
// ago: members that refuse for good do so at once, and each request is a record that stays, and a
// message that is paid for. All relays see a failure at about the same time, and one of them asks.
// It says how it is.
func (r *Relay) again(ctx context.Context, t types.Transaction, head uint64) (string, error) {
	id, said := t.Current().SignatureId, "was not signed: "+t.Current().Reason
	since, known := r.failed[id]
	if !known {
		since = moment{head, r.Clock()}
		r.failed[id] = since
	}
	if !r.over(since, head) {
		return fmt.Sprintf("%s; asks again at block %d of the other chain, at %s at the latest", said, since.block+r.BumpAfter,
			since.at.Add(patience).Format(time.TimeOnly)), nil
	}
	r.failed[id] = moment{head, r.Clock()}
	if err := r.bump(ctx, t); err != nil {
		return "", fmt.Errorf("%s; %w", said, err)
	}
	return said + "; asked again", nil
}

package p2p

import (
	"time"

	"golang.org/x/time/rate"
)

// budget is a token bucket in messages and one in bytes.
type budget struct{ messages, bytes *rate.Limiter }

func newBudget(l budgetLimit) *budget {
	return &budget{
		messages: rate.NewLimiter(rate.Limit(l.messages), l.messageBurst),
		bytes:    rate.NewLimiter(rate.Limit(l.bytes), l.byteBurst),
	}
}

// charge takes one message of a size and says whether there was enough.
func (b *budget) charge(now time.Time, size int) bool {
	return b.messages.AllowN(now, 1) && b.bytes.AllowN(now, size)
}

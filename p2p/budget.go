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

// keep leaves one part of so many in a fresh budget.
func (b *budget) keep(now time.Time, parts int) {
	b.messages.ReserveN(now, b.messages.Burst()-b.messages.Burst()/parts)
	b.bytes.ReserveN(now, b.bytes.Burst()-b.bytes.Burst()/parts)
}

// delay is how long until there is something in both buckets again.
func (b *budget) delay(now time.Time) time.Duration {
	return max(untilPositive(b.messages, now), untilPositive(b.bytes, now))
}

func untilPositive(l *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - l.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(l.Limit()) * float64(time.Second))
}

// spend takes one message of a size, below nothing if need be; what is missing
// then delays the next one.
func (b *budget) spend(now time.Time, size int) {
	b.messages.ReserveN(now, 1)
	b.bytes.ReserveN(now, min(size, b.bytes.Burst()))
}

// lend takes one message of a size if there is anything left, and says whether there was.
// Unlike charge it lets long messages through as often as short ones: where others take
// what comes in as it comes, there is never enough at once for a long one.
func (b *budget) lend(now time.Time, size int) bool {
	if b.delay(now) > 0 {
		return false
	}
	b.spend(now, size)
	return true
}

// halfFull says whether more than half of both buckets is there.
func (b *budget) halfFull(now time.Time) bool {
	half := func(l *rate.Limiter) bool { return l.TokensAt(now) > float64(l.Burst())/2 }
	return half(b.messages) && half(b.bytes)
}

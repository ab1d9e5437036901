package p2p

import (
	"slices"
	"sync"
	"time"

	"github.com/cometbft/cometbft/libs/log"
	"golang.org/x/time/rate"
)

// What the libp2p switch writes to the log: of each message so many lines at once, and then
// one in so long, 12 a minute.
const (
	sparingLines = 50
	sparingPause = 5 * time.Second
)

// sparingLog bounds what the libp2p switch writes: its peers can have it say the same as
// often as they like. A message counts by its text alone, whatever peer it is about; the
// texts are constants of CometBFT. What it says at level debug is not bounded: whoever
// turns that on wants all.
type sparingLog struct {
	to   log.Logger
	said *sayings // of all loggers that With made
}

func newSparingLog(to log.Logger, now func() time.Time) sparingLog {
	return sparingLog{to, &sayings{now: now, of: map[string]*saying{}}}
}

// Debug implements the logger.
func (l sparingLog) Debug(msg string, keyvals ...any) { l.to.Debug(msg, keyvals...) }

// Info implements the logger.
func (l sparingLog) Info(msg string, keyvals ...any) { l.say(l.to.Info, msg, keyvals) }

// Warn implements the logger.
func (l sparingLog) Warn(msg string, keyvals ...any) { l.say(l.to.Warn, msg, keyvals) }

// Error implements the logger.
func (l sparingLog) Error(msg string, keyvals ...any) { l.say(l.to.Error, msg, keyvals) }

// With implements the logger.
func (l sparingLog) With(keyvals ...any) log.Logger {
	return sparingLog{l.to.With(keyvals...), l.said}
}

// say writes a line if there is room for it, and with it how many were left out before.
func (l sparingLog) say(write func(string, ...any), msg string, keyvals []any) {
	left, ok := l.said.admit(msg)
	if !ok {
		return
	}
	if left > 0 {
		keyvals = append(slices.Clip(keyvals), "left_out", left)
	}
	write(msg, keyvals...)
}

// sayings counts the lines of each message.
type sayings struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[string]*saying
}

type saying struct {
	lines *rate.Limiter
	// left is how many were left out since the last line.
	left int
}

// admit says whether a message may be written, and how many of it were left out before.
func (s *sayings) admit(msg string) (left int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.of[msg]
	if one == nil {
		one = &saying{lines: rate.NewLimiter(rate.Every(sparingPause), sparingLines)}
		s.of[msg] = one
	}
	if !one.lines.AllowN(s.now(), 1) {
		one.left++
		return 0, false
	}
	left, one.left = one.left, 0
	return left, true
}

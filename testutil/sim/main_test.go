package sim_test

import (
	"runtime/debug"
	"testing"

	"go.uber.org/goleak"
)

// No test may leave a goroutine behind: neither engines nor parties of tss-lib. What its
// libraries start once for the whole process is theirs.
//
// Thousands of small worlds that live for milliseconds are made here: there is little to
// collect at any time, and looking for it is a twentieth of all work by default.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/ipfs/go-log/writer.(*MirrorWriter).logRoutine"),
		goleak.IgnoreTopFunction("github.com/desertbit/timer.timerRoutine"))
}

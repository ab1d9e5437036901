package sim_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No test may leave a goroutine behind: neither engines nor parties of tss-lib. What its
// libraries start once for the whole process is theirs.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/ipfs/go-log/writer.(*MirrorWriter).logRoutine"),
		goleak.IgnoreTopFunction("github.com/desertbit/timer.timerRoutine"))
}

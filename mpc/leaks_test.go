package mpc

import (
	"testing"

	"go.uber.org/goleak"
)

// VerifyNoLeaks fails a test that leaves a goroutine behind. The log of tss-lib, which the
// example carries, has one for as long as the process lives.
func VerifyNoLeaks(t *testing.T) {
	t.Helper()
	goleak.VerifyNone(t, goleak.IgnoreTopFunction("github.com/ipfs/go-log/writer.(*MirrorWriter).logRoutine"))
}

package types

import "fmt"

// Names of the hooks that may wait for the end of a block: those of results.
const (
	HookAfterKeyReady       = "AfterKeyReady"
	HookAfterSignatureReady = "AfterSignatureReady"
	HookAfterKeyReshared    = "AfterKeyReshared"
	HookAfterFault          = "AfterFault"
)

// name tells one queued hook from all others.
func (q QueuedHook) name() string {
	return fmt.Sprintf("%s of %s %s since height %d", q.Hook, q.Id, q.Place, q.Height)
}

// Shift moves the hook's turn in time, for a chain that starts anew.
func (q *QueuedHook) Shift(blocks int64) { q.Height += blocks }

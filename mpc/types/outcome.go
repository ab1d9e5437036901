package types

// Outcome is how a request ended.
type Outcome struct {
	// Height of the block that decided it; 0: none so far.
	Height int64
	// Reason why it failed; empty for success.
	Reason Reason
}

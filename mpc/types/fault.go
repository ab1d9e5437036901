package types

// Fault is what the chain holds against a participant: proof that it told two
// members different things, or another member's accusation.
type Fault struct {
	Participant Operator
	// Accuser is empty for proof.
	Accuser Operator
	Reason  Reason
	Request RequestID
	// Session is its context; of two Starts, its id; zero if it never started.
	Session Context
}

// Proven says whether the fault was proved to the chain.
func (f Fault) Proven() bool { return f.Accuser == "" }

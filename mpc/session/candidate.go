package session

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Candidate is a member of the request when the signers were chosen, and why it was
// taken or not. It is for people.
type Candidate struct {
	Operator types.Operator
	// Ready is its place among those who said Ready, from 1; 0: it did not, or nobody
	// knows. The leader is ready by itself and has none.
	Ready int
	// Leader chose. What stands below only it knows.
	Leader, Signer bool
	// Suspicion is how gladly the leader would do without it.
	Suspicion int
	// Shunned: the leader takes it in no case.
	Shunned bool
	// Refused is why it does not take part, as it says.
	Refused types.Reason
}

// Candidates are all members, in order, as of the choice of the signers; nil before it.
func (s *Session) Candidates() []Candidate { return slices.Clone(s.candidates) }

// noteChoice keeps what the leader knew when it chose.
func (s *Session) noteChoice(signers []types.Operator) {
	for _, op := range s.cfg.Request.Operators() {
		c := Candidate{
			Operator: op, Ready: slices.Index(s.order, op) + 1, Leader: op == s.initiator, Signer: slices.Contains(signers, op),
			Refused: s.refusals[op],
		}
		if s.outdated[op] {
			c.Refused = types.ErrIdentityOld
		}
		if op != s.cfg.Self {
			c.Suspicion, c.Shunned = s.suspicion(op), s.shunned(op)
		}
		s.candidates = append(s.candidates, c)
	}
}

// noteChosen keeps what a Start shows of the leader's choice.
func (s *Session) noteChosen(t *terms) {
	if s.candidates != nil {
		return
	}
	for _, op := range s.cfg.Request.Operators() {
		_, ready := t.keys[op]
		c := Candidate{Operator: op, Leader: op == s.initiator, Signer: slices.Contains(t.signers, op)}
		if ready && !c.Leader {
			c.Ready = 1 // in which order, the Start does not say
		}
		s.candidates = append(s.candidates, c)
	}
}

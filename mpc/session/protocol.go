package session

import (
	"fmt"
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// MessageSpec describes one message type of a round.
type MessageSpec struct {
	// Type is the name on the wire, unique within the protocol.
	Type string
	// Broadcast: one for all members, echoed. Otherwise one for each other
	// member, sealed to it.
	Broadcast bool
	// MaxBytes bounds the body before sealing.
	MaxBytes int
	// From says which signers send it, To which get it if it is no broadcast.
	// What a member of both has for itself stays in its party.
	From, To Role
}

// Role is a part of the signers of a session.
type Role uint8

// The roles. Only a reshare has other than Everybody; one signer may have both.
const (
	// Everybody: all signers.
	Everybody Role = iota
	// Dealers deal their shares of the old epoch anew.
	Dealers
	// Receivers get shares of the new epoch.
	Receivers
	// Owner is the initiator of a session that parks.
	Owner
)

// Round lists what the signers send in a round.
type Round []MessageSpec

// Inbound is a message of another member, opened and verified.
type Inbound struct {
	From types.Operator
	Type string
	Body []byte
}

// Outbound is a message of our own party.
type Outbound struct {
	Type string
	// To is empty for a broadcast.
	To   types.Operator
	Body []byte
}

// Step is what a party answers to one call.
type Step struct {
	// Out are the messages of the next round; empty after the last one.
	Out []Outbound
	// Result is set by the last step.
	Result *Result
}

// Result is what a session made.
type Result struct {
	// Share is the secret of a keygen or reshare, opaque outside mpc/tss; nil for
	// a member of the old committee only. The receiver owns it and wipes it.
	Share []byte
	// Payload is what a keygen's participants attest, and a reshare's receivers.
	Payload types.KeygenPayload
	// Signature is what a signing session made.
	Signature *types.SignatureResult
}

// Party is one member's run of a protocol. Calls come one at a time, on an
// executor's goroutine; each may take seconds. A party that returned an error
// or a result is only closed.
type Party interface {
	// Start makes the messages of round 1.
	Start() (Step, error)
	// Deliver hands over all messages of a round (counted from 1) from all
	// other members at once, ordered by sender and type, and makes those of the
	// next round or the result. It keeps nothing of the bodies, which are wiped
	// afterwards.
	Deliver(round uint32, in []Inbound) (Step, error)
	// Close wipes what the party holds. It is the last call, made exactly once
	// whatever happened before, a panic of another call included, and quick.
	Close()
}

// PartyConfig is what a party is made from.
type PartyConfig struct {
	Request types.Request
	Context types.Context
	Self    types.Operator
	// Signers run the rounds, ascending.
	Signers []types.Operator
	// Dealers are those that deal in a reshare, ascending.
	Dealers []types.Operator
	// Preparams are reserved for this session (keygen, receivers of a reshare).
	Preparams []byte
	// Share is this node's share of the key (sign, dealers of a reshare). The
	// caller wipes it and Preparams once Start returned: the party works on copies
	// of its own.
	Share []byte
}

// Protocol is one kind of session.
type Protocol interface {
	// Rounds describes the rounds in order.
	Rounds(threshold, members int) []Round
	// NewParty checks its configuration and may take a while. It leaves nothing
	// behind if it fails.
	NewParty(PartyConfig) (Party, error)
}

// Parker is a Protocol that can stop after a round until it is known what for.
type Parker interface {
	Protocol
	// ParksAfter is that round. Its step has no messages: Fix makes them. Its parties
	// are ParkedParty.
	ParksAfter() uint32
}

// ParkedParty is a Party of a Parker.
type ParkedParty interface {
	Party
	// Fix says what is signed, once, after the round at which the party parks, and
	// makes the messages of the next one. There is no way back.
	Fix(types.Request) (Step, error)
}

// Protocols finds the protocol of a request.
type Protocols interface {
	// Protocol fails with types.ErrUnsupportedAlgorithm if there is none.
	Protocol(kind types.RequestKind, algorithm types.Algorithm) (Protocol, error)
}

// Fault is a peer's violation of the protocol.
type Fault struct {
	Culprits []types.Operator
	// Among: some of them did it, and the others know who, if any of them did not.
	Among bool
	Err   error
}

// Error names the culprits.
func (f *Fault) Error() string {
	names := make([]string, len(f.Culprits))
	for i, c := range f.Culprits {
		names[i] = string(c)
	}
	return fmt.Sprintf("%s: %v", strings.Join(names, ", "), f.Err)
}

// Unwrap makes a Fault the typed reason protocol_fault and keeps its cause.
func (f *Fault) Unwrap() []error { return []error{types.ErrProtocolFault, f.Err} }

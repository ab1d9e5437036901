package tss

import (
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	"github.com/bnb-chain/tss-lib/v2/tss"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sequencer-mpc/sequencer/mpc/session"
)

// Message types on the wire. They are part of the protocol between nodes and
// never change their meaning.
const (
	typeKG1   = "kg1"
	typeKG2M1 = "kg2m1"
	typeKG2M2 = "kg2m2"
	typeKG3   = "kg3"

	typeS1M1 = "s1m1"
	typeS1M2 = "s1m2"
	typeS2   = "s2"
	typeS3   = "s3"
	typeS4   = "s4"
	typeS5   = "s5"
	typeS6   = "s6"
	typeS7   = "s7"
	typeS8   = "s8"
	typeS9   = "s9"
)

// messageSpec is a message type with the one struct that its bodies decode to.
type messageSpec struct {
	session.MessageSpec
	content func() tss.MessageContent
}

// roundSpec is what every member sends in one round.
type roundSpec []messageSpec

func broadcast(name string, maxBytes int, content func() tss.MessageContent) messageSpec {
	return messageSpec{session.MessageSpec{Type: name, Broadcast: true, MaxBytes: maxBytes}, content}
}

func direct(name string, maxBytes int, content func() tss.MessageContent) messageSpec {
	return messageSpec{session.MessageSpec{Type: name, MaxBytes: maxBytes}, content}
}

// keygenSpec lists the rounds of a keygen with threshold t: polynomials have
// t+1 coefficients.
func keygenSpec(t int) []roundSpec {
	maxKG2M2 := maxModProof + scalarBytes + fieldBytes + (t+1)*maxKG2M2Point
	return []roundSpec{
		{broadcast(typeKG1, maxKG1, func() tss.MessageContent { return new(keygen.KGRound1Message) })},
		{
			direct(typeKG2M1, maxKG2M1, func() tss.MessageContent { return new(keygen.KGRound2Message1) }),
			broadcast(typeKG2M2, maxKG2M2, func() tss.MessageContent { return new(keygen.KGRound2Message2) }),
		},
		{broadcast(typeKG3, maxKG3, func() tss.MessageContent { return new(keygen.KGRound3Message) })},
	}
}

// signSpec lists the rounds of a signing session.
func signSpec() []roundSpec {
	return []roundSpec{
		{
			direct(typeS1M1, maxS1M1, func() tss.MessageContent { return new(signing.SignRound1Message1) }),
			broadcast(typeS1M2, maxScalarMessage, func() tss.MessageContent { return new(signing.SignRound1Message2) }),
		},
		{direct(typeS2, maxS2, func() tss.MessageContent { return new(signing.SignRound2Message) })},
		{broadcast(typeS3, maxScalarMessage, func() tss.MessageContent { return new(signing.SignRound3Message) })},
		{broadcast(typeS4, maxS4, func() tss.MessageContent { return new(signing.SignRound4Message) })},
		{broadcast(typeS5, maxScalarMessage, func() tss.MessageContent { return new(signing.SignRound5Message) })},
		{broadcast(typeS6, maxS6, func() tss.MessageContent { return new(signing.SignRound6Message) })},
		{broadcast(typeS7, maxScalarMessage, func() tss.MessageContent { return new(signing.SignRound7Message) })},
		{broadcast(typeS8, maxS8, func() tss.MessageContent { return new(signing.SignRound8Message) })},
		{broadcast(typeS9, maxScalarMessage, func() tss.MessageContent { return new(signing.SignRound9Message) })},
	}
}

// sessionRounds is the description that the session works with.
func sessionRounds(spec []roundSpec) []session.Round {
	rounds := make([]session.Round, len(spec))
	for i, r := range spec {
		for _, m := range r {
			rounds[i] = append(rounds[i], m.MessageSpec)
		}
	}
	return rounds
}

// byType finds a message of the round by its name on the wire.
func (r roundSpec) byType(name string) (messageSpec, bool) {
	for _, m := range r {
		if m.Type == name {
			return m, true
		}
	}
	return messageSpec{}, false
}

// byContent finds a message of the round by the library's struct.
func (r roundSpec) byContent(content tss.MessageContent) (messageSpec, bool) {
	name := fullName(content)
	for _, m := range r {
		if fullName(m.content()) == name {
			return m, true
		}
	}
	return messageSpec{}, false
}

func fullName(content tss.MessageContent) protoreflect.FullName { return proto.MessageName(content) }

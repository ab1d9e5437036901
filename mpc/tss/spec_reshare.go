package tss

import (
	"github.com/bnb-chain/tss-lib/v2/ecdsa/resharing"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
)

// Message types of a resharing on the wire; like the others they never change
// their meaning.
const (
	typeDG1   = "dg1"
	typeDG2M1 = "dg2m1"
	typeDG2M2 = "dg2m2"
	typeDG3M1 = "dg3m1"
	typeDG3M2 = "dg3m2"
	typeDG4M1 = "dg4m1"
	typeDG4M2 = "dg4m2"
)

// reshareSpec lists the rounds of a resharing to a committee with threshold t.
// In rounds 1 and 3 the old committee sends to the new one. In round 2 the new
// one sends dg2m1 within itself and dg2m2 to the old one, in round 4 dg4m1
// within itself and dg4m2 to both. Broadcasts reach everybody, so that all echo
// the same; a party ignores those that are not for its committee.
func reshareSpec(t int) []roundSpec {
	maxDG3M2 := scalarBytes + fieldBytes + (t+1)*maxKG2M2Point
	const dealers, receivers = session.Dealers, session.Receivers
	return []roundSpec{
		{broadcast(typeDG1, maxDG1, func() tss.MessageContent { return new(resharing.DGRound1Message) }).by(dealers, receivers)},
		{
			broadcast(typeDG2M1, maxDG2M1, func() tss.MessageContent { return new(resharing.DGRound2Message1) }).by(receivers, receivers),
			broadcast(typeDG2M2, maxACK, func() tss.MessageContent { return new(resharing.DGRound2Message2) }).by(receivers, dealers),
		},
		{
			direct(typeDG3M1, maxScalarMessage, func() tss.MessageContent { return new(resharing.DGRound3Message1) }).by(dealers, receivers),
			broadcast(typeDG3M2, maxDG3M2, func() tss.MessageContent { return new(resharing.DGRound3Message2) }).by(dealers, receivers),
		},
		{
			direct(typeDG4M1, maxDG4M1, func() tss.MessageContent { return new(resharing.DGRound4Message1) }).by(receivers, receivers),
			broadcast(typeDG4M2, maxACK, func() tss.MessageContent { return new(resharing.DGRound4Message2) }).by(receivers, session.Everybody),
		},
	}
}

// by names who sends a message and which committee it is for.
func (m messageSpec) by(from, to session.Role) messageSpec {
	m.From, m.To = from, to
	return m
}

package session

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// slot is the place of one message of one round.
type slot struct {
	from types.Operator
	typ  string
}

// held is a message that took its slot: the first one wins.
type held struct {
	envelope types.Verified
	body     []byte // opened
	secret   bool   // it was sealed, and body is not the envelope's own
}

// confirmation is what a member says the broadcasts of a round were.
type confirmation struct {
	digest   types.Hash
	envelope *wire.Envelope
	// passed on to all, because it differs from ours.
	shown bool
}

// inbox holds the messages of the current round and of the next: nobody can be
// further ahead, the round after that needs ours.
type inbox struct {
	messages map[uint32]map[slot]held
	// own are our own broadcasts of a round.
	own map[uint32][]*wire.Envelope
	// confirms are the others' Confirms of a round, that of the round before
	// included: somebody may lack one of it still.
	confirms map[uint32]map[types.Operator]confirmation
	// disputes are the broadcasts as others saw them.
	disputes map[uint32]map[types.Operator][]*wire.Envelope
	// disputed is the last round of which we said what we received.
	disputed uint32
	// digest is the chained digest up to the last confirmed round, previous the
	// one before.
	digest, previous types.Hash
	// confirmed is the last round that we confirmed, with the digest we gave.
	confirmed uint32
}

func newInbox() inbox {
	return inbox{
		messages: make(map[uint32]map[slot]held),
		own:      make(map[uint32][]*wire.Envelope),
		confirms: make(map[uint32]map[types.Operator]confirmation),
		disputes: make(map[uint32]map[types.Operator][]*wire.Envelope),
	}
}

func (b *inbox) put(round uint32, s slot, m held) {
	if b.messages[round] == nil {
		b.messages[round] = make(map[slot]held)
	}
	b.messages[round][s] = m
}

// putConfirm keeps what a member confirmed.
func (b *inbox) putConfirm(round uint32, from types.Operator, c confirmation) {
	if b.confirms[round] == nil {
		b.confirms[round] = make(map[types.Operator]confirmation)
	}
	b.confirms[round][from] = c
}

// putDispute keeps what a member says that it received.
func (b *inbox) putDispute(round uint32, from types.Operator, list []*wire.Envelope) {
	if b.disputes[round] == nil {
		b.disputes[round] = make(map[types.Operator][]*wire.Envelope)
	}
	b.disputes[round][from] = list
}

// confirm extends the chained digest by a round whose broadcasts are all here.
func (b *inbox) confirm(context types.Context, round uint32, specs Round) {
	b.previous = b.digest
	b.digest = types.ConfirmDigest(b.previous, context, round, named(b.envelopes(round, specs)))
	b.confirmed = round
}

// has says whether a message is here.
func (b *inbox) has(round uint32, s slot) bool {
	_, here := b.messages[round][s]
	return here
}

// places lists where messages of a round are, by sender and type.
func (b *inbox) places(round uint32) []slot {
	return slices.SortedFunc(maps.Keys(b.messages[round]), func(a, c slot) int {
		return cmp.Or(cmp.Compare(a.from, c.from), cmp.Compare(a.typ, c.typ))
	})
}

// envelopes lists a round's broadcasts, ours among them, by sender and type.
func (b *inbox) envelopes(round uint32, specs Round) []*wire.Envelope {
	list := slices.Clone(b.own[round])
	for place, m := range b.messages[round] {
		if spec, ok := specs.spec(place.typ); ok && spec.Broadcast {
			list = append(list, m.envelope.Envelope())
		}
	}
	slices.SortFunc(list, func(a, c *wire.Envelope) int {
		return cmp.Or(cmp.Compare(a.Header.From, c.Header.From), cmp.Compare(a.Header.Type, c.Header.Type))
	})
	return list
}

// named are broadcasts as a Confirm names them.
func named(list []*wire.Envelope) []types.Broadcast {
	out := make([]types.Broadcast, len(list))
	for i, e := range list {
		out[i] = types.Broadcast{From: types.Operator(e.Header.From), Type: e.Header.Type, BodyHash: types.Hash(e.Header.BodyHash)}
	}
	return out
}

// take hands over the bodies of a round, ordered by sender and type, and those
// among them that the receiver must wipe. The envelopes stay.
func (b *inbox) take(round uint32) (in []Inbound, secrets [][]byte) {
	for s, m := range b.messages[round] {
		in = append(in, Inbound{From: s.from, Type: s.typ, Body: m.body})
		if m.secret {
			secrets = append(secrets, m.body)
		}
		b.messages[round][s] = held{envelope: m.envelope}
	}
	slices.SortFunc(in, func(a, c Inbound) int {
		return cmp.Or(cmp.Compare(a.From, c.From), cmp.Compare(a.Type, c.Type))
	})
	return in, secrets
}

// wipe empties everything.
func (b *inbox) wipe() {
	for _, messages := range b.messages {
		for _, m := range messages {
			if m.secret {
				types.Wipe(m.body)
			}
		}
	}
	*b = inbox{}
}

// forget drops what a round held.
func (b *inbox) forget(round uint32) {
	delete(b.messages, round)
	delete(b.own, round)
	delete(b.confirms, round-1)
	delete(b.disputes, round)
}

// rest drops all but the last Confirms, which somebody may lack still.
func (b *inbox) rest() {
	confirms := b.confirms
	b.wipe()
	b.confirms = confirms
}

func (r Round) hasBroadcast() bool {
	return slices.ContainsFunc(r, func(m MessageSpec) bool { return m.Broadcast })
}

func (r Round) spec(typ string) (MessageSpec, bool) {
	i := slices.IndexFunc(r, func(m MessageSpec) bool { return m.Type == typ })
	if i < 0 {
		return MessageSpec{}, false
	}
	return r[i], true
}

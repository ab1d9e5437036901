package session

import (
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
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
}

// inbox holds the messages of the current round and of the next: nobody can be
// further ahead, the round after that needs ours.
type inbox struct {
	messages map[uint32]map[slot]held
	// own are our own broadcasts of a round, for its digest.
	own map[uint32][]types.Broadcast
	// confirms are what the others said of a round.
	confirms map[uint32]map[types.Operator]types.Hash
	// digest is the chained digest up to the last confirmed round.
	digest types.Hash
	// confirmed is the last round that we confirmed, with the digest we gave.
	confirmed uint32
}

func newInbox() inbox {
	return inbox{
		messages: make(map[uint32]map[slot]held),
		own:      make(map[uint32][]types.Broadcast),
		confirms: make(map[uint32]map[types.Operator]types.Hash),
	}
}

func (b *inbox) put(round uint32, s slot, m held) {
	if b.messages[round] == nil {
		b.messages[round] = make(map[slot]held)
	}
	b.messages[round][s] = m
}

// putConfirm keeps the first word of each member; false if it is not the first.
func (b *inbox) putConfirm(round uint32, from types.Operator, digest types.Hash) bool {
	if b.confirms[round] == nil {
		b.confirms[round] = make(map[types.Operator]types.Hash)
	}
	if _, said := b.confirms[round][from]; said {
		return false
	}
	b.confirms[round][from] = digest
	return true
}

// missing lists the senders of whom a message of the round is not here.
func (b *inbox) missing(round uint32, specs Round, senders []types.Operator) []types.Operator {
	var ops []types.Operator
	for _, from := range senders {
		for _, spec := range specs {
			if _, ok := b.messages[round][slot{from, spec.Type}]; !ok {
				ops = append(ops, from)
				break
			}
		}
	}
	return ops
}

// broadcasts lists a round's broadcasts, ours among them, by sender and type.
func (b *inbox) broadcasts(round uint32, specs Round) []types.Broadcast {
	list := slices.Clone(b.own[round])
	for _, spec := range specs {
		if !spec.Broadcast {
			continue
		}
		for s, m := range b.messages[round] {
			if s.typ != spec.Type {
				continue
			}
			list = append(list, types.Broadcast{From: s.from, Type: s.typ, BodyHash: types.Hash(m.envelope.Header().BodyHash)})
		}
	}
	slices.SortFunc(list, func(a, c types.Broadcast) int {
		if d := strings.Compare(string(a.From), string(c.From)); d != 0 {
			return d
		}
		return strings.Compare(a.Type, c.Type)
	})
	return list
}

// take empties a round, ordered by sender and type.
func (b *inbox) take(round uint32) []Inbound {
	in := make([]Inbound, 0, len(b.messages[round]))
	for s, m := range b.messages[round] {
		in = append(in, Inbound{From: s.from, Type: s.typ, Body: m.body})
	}
	slices.SortFunc(in, func(a, c Inbound) int {
		if d := strings.Compare(string(a.From), string(c.From)); d != 0 {
			return d
		}
		return strings.Compare(a.Type, c.Type)
	})
	return in
}

// forget drops what rounds up to this one held.
func (b *inbox) forget(round uint32) {
	delete(b.messages, round)
	delete(b.own, round)
	delete(b.confirms, round)
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

package tss

import (
	"fmt"

	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// received is a decoded message of a peer.
type received struct {
	from    types.Operator
	spec    messageSpec
	content tss.MessageContent
}

// openRound checks that a round is complete, every peer's every message once
// and nothing else, and decodes it.
func (r *roster) openRound(spec roundSpec, in []session.Inbound) ([]received, error) {
	type slot struct {
		from types.Operator
		name string
	}
	filled := make(map[slot]bool, len(in))
	out := make([]received, 0, len(in))
	for _, msg := range in {
		if msg.From == r.self {
			return nil, fmt.Errorf("own message %.*q was delivered", types.MaxTypeBytes, msg.Type)
		}
		if _, ok := r.peer(msg.From); !ok {
			return nil, blame(fmt.Errorf("sender is no member of the session"), msg.From)
		}
		m, ok := spec.byType(msg.Type)
		if !ok {
			return nil, blame(fmt.Errorf("message %.*q does not belong to this round", types.MaxTypeBytes, msg.Type), msg.From)
		}
		s := slot{msg.From, msg.Type}
		if filled[s] {
			return nil, blame(fmt.Errorf("message %s came twice", msg.Type), msg.From)
		}
		filled[s] = true
		content, err := decodeContent(m, msg.Body)
		if err != nil {
			return nil, blame(err, msg.From)
		}
		out = append(out, received{msg.From, m, content})
	}
	for _, op := range r.operators {
		for _, m := range spec {
			if op != r.self && !filled[slot{op, m.Type}] {
				return nil, blame(fmt.Errorf("message %s is missing", m.Type), op)
			}
		}
	}
	return out, nil
}

// parsed wraps a decoded message for the library. Whether it counts as a
// broadcast follows from its type: with a flag from the wire a peer could park
// a message in a slot where it is never accepted.
func (r *roster) parsed(m received) tss.ParsedMessage {
	id := r.ids[m.from]
	routing := tss.MessageRouting{From: id, IsBroadcast: m.spec.Broadcast}
	wrapper := &tss.MessageWrapper{IsBroadcast: m.spec.Broadcast, From: id.MessageWrapper_PartyID}
	return tss.NewMessage(routing, m.content, wrapper)
}

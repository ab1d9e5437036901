package tss

import (
	"fmt"

	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// closeRound turns what the library wants to send into the messages of a round
// and checks that they are all of them and nothing else.
func (r *roster) closeRound(spec roundSpec, sent []tss.Message) ([]session.Outbound, []tss.MessageContent, error) {
	var out []session.Outbound
	var contents []tss.MessageContent
	for _, msg := range sent {
		parsed, ok := msg.(tss.ParsedMessage)
		if !ok {
			return nil, nil, fmt.Errorf("the library sent a message without content")
		}
		m, ok := spec.byContent(parsed.Content())
		if !ok {
			return nil, nil, fmt.Errorf("the library sent %s out of turn", fullName(parsed.Content()))
		}
		to, err := r.recipient(m, parsed)
		if err != nil {
			return nil, nil, err
		}
		body, err := encodeContent(parsed.Content())
		if err != nil {
			return nil, nil, err
		}
		out = append(out, session.Outbound{Type: m.Type, To: to, Body: body})
		contents = append(contents, parsed.Content())
	}
	if want := messagesOf(spec, len(r.operators)-1); len(out) != want {
		return nil, nil, fmt.Errorf("the library sent %d messages of a round, not %d", len(out), want)
	}
	return out, contents, nil
}

// recipient is empty for a broadcast.
func (r *roster) recipient(m messageSpec, msg tss.ParsedMessage) (types.Operator, error) {
	if m.Broadcast {
		return "", nil
	}
	to := msg.GetTo()
	if len(to) != 1 {
		return "", fmt.Errorf("the library sent %s to %d parties, not one", m.Type, len(to))
	}
	op, ok := r.operator(to[0])
	if !ok || op == r.self {
		return "", fmt.Errorf("the library sent %s to no peer", m.Type)
	}
	return op, nil
}

// messagesOf is how many messages a member sends in a round.
func messagesOf(spec roundSpec, peers int) int {
	n := 0
	for _, m := range spec {
		if m.Broadcast {
			n++
		} else {
			n += peers
		}
	}
	return n
}

package wire

import "github.com/cosmos/gogoproto/proto"

// Wrap puts a hello into the message that travels on the channel.
func (h *Hello) Wrap() proto.Message { return &Message{Sum: &Message_Hello{Hello: h}} }

// Wrap puts an envelope into the message that travels on the channel.
func (e *Envelope) Wrap() proto.Message { return &Message{Sum: &Message_Envelope{Envelope: e}} }

// Wrap puts a result into the message that travels on the channel.
func (g *Gossip) Wrap() proto.Message { return &Message{Sum: &Message_Gossip{Gossip: g}} }

// Wrap puts an envelope on a detour into the message that travels on the channel.
func (r *Relay) Wrap() proto.Message { return &Message{Sum: &Message_Relay{Relay: r}} }

// Wrap puts some envelopes into the message that travels on the channel.
func (f *Frame) Wrap() proto.Message { return &Message{Sum: &Message_Frame{Frame: f}} }

// Unwrap takes out what Wrap put in. A message with nothing in it that this
// version knows comes back as it is, without an error: CometBFT disconnects a
// peer whose message cannot be unwrapped, consensus and all, and a newer node
// is not an enemy. The reactor drops it.
func (m *Message) Unwrap() (proto.Message, error) {
	switch sum := m.Sum.(type) {
	case *Message_Hello:
		return sum.Hello, nil
	case *Message_Envelope:
		return sum.Envelope, nil
	case *Message_Gossip:
		return sum.Gossip, nil
	case *Message_Relay:
		return sum.Relay, nil
	case *Message_Frame:
		return sum.Frame, nil
	}
	return m, nil
}

package p2p

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Field numbers of mpc/wire that the filter looks at before decoding, and the last one of
// each message.
const (
	fieldHello     = 1 // Message.hello
	fieldEnvelope  = 2 // Message.envelope
	fieldGossip    = 3 // Message.gossip
	fieldRelay     = 4 // Message.relay
	fieldFrame     = 5 // Message.frame
	fieldFramed    = 1 // Frame.envelopes
	fieldRelayed   = 1 // Relay.envelope
	fieldHeader    = 1 // Envelope.header
	fieldKind      = 3 // Header.kind
	fieldType      = 5 // Header.type
	lastOfMessage  = fieldFrame
	lastOfFrame    = fieldFramed
	lastOfRelay    = 2
	lastOfEnvelope = 3
	lastOfHeader   = 12
)

// sizes bounds messages by what they are.
type sizes struct {
	// rounds is Options.RoundLimits.
	rounds map[string]int
}

// body is the largest body of an envelope.
func (s sizes) body(kind wire.Kind, typ string) int {
	switch kind {
	case wire.KIND_PREPARE, wire.KIND_READY, wire.KIND_CONFIRM, wire.KIND_WORKING, wire.KIND_ABORT, wire.KIND_PARKED,
		wire.KIND_PING, wire.KIND_PONG:
		return MaxSmallBody
	case wire.KIND_REFUSE:
		return MaxRefuseBody
	case wire.KIND_START:
		return MaxStartBody
	case wire.KIND_MISSING:
		return MaxMissingBody
	case wire.KIND_DISPUTE:
		return MaxDisputeBody
	case wire.KIND_FORWARD:
		return MaxForwardBody
	case wire.KIND_ROUND:
		if limit, ok := s.rounds[typ]; ok {
			return min(limit, MaxRoundBody)
		}
	}
	return MaxRoundBody // as large as a round message may be, whatever it is
}

// known says whether this version has a use for an envelope.
func (s sizes) known(kind wire.Kind, typ string) bool {
	if kind < wire.KIND_PREPARE || kind > wire.KIND_PONG {
		return false
	}
	_, ok := s.rounds[typ]
	return kind != wire.KIND_ROUND || ok || len(s.rounds) == 0
}

// encoded is the most that an encoded message of an envelope may have.
func (s sizes) encoded(kind wire.Kind, typ string) int { return s.body(kind, typ) + EnvelopeOverhead }

// checkBytes judges an encoded Message by its length before it is decoded. What
// it refuses costs the peer its connection, so kinds, types and fields that this
// version does not know pass here, within the bound of the largest. It returns how many
// bytes are such fields, which decoding leaves out. What is there twice, and of which
// decoding would keep one, nobody honest sends.
func (s sizes) checkBytes(bz []byte) (unknown int, err error) {
	p := peeked{sizes: s}
	if err := p.walk(bz, lastOfMessage, p.message); err != nil {
		return 0, fmt.Errorf("frame of a message: %w", err)
	}
	limit := MaxMessageBytes
	switch p.arm {
	case fieldHello:
		limit = MaxHelloBytes
	case fieldGossip:
		limit = MaxGossipBytes
	case fieldEnvelope, fieldRelay:
		limit = s.encoded(p.kind, string(p.typ))
	case fieldFrame:
		limit = MaxFrameBytes
	}
	if len(bz) > limit {
		return 0, fmt.Errorf("message %d of kind %d, type %.32q has %d bytes, at most %d are allowed", p.arm, p.kind, p.typ, len(bz), limit)
	}
	return p.unknown, nil
}

// checkEnvelope bounds header and body of a decoded envelope exactly.
func (s sizes) checkEnvelope(e *wire.Envelope) error {
	h := e.Header
	if h == nil {
		return errors.New("envelope without a header")
	}
	if n := h.Size(); n > maxHeaderBytes {
		return fmt.Errorf("header has %d bytes, at most %d are allowed", n, maxHeaderBytes)
	}
	if limit := s.body(h.Kind, h.Type); len(e.Body) > limit {
		return fmt.Errorf("body of %s %.32q has %d bytes, at most %d are allowed", h.Kind, h.Type, len(e.Body), limit)
	}
	return nil
}

// peeked is what a message says of itself.
type peeked struct {
	sizes sizes
	arm   protowire.Number
	kind  wire.Kind
	typ   []byte
	// framed counts the envelopes of a frame.
	framed int
	// unknown counts the bytes of fields that this version does not know.
	unknown int
}

func (p *peeked) message(num protowire.Number, value []byte, _ uint64) error {
	if p.arm != 0 {
		return fmt.Errorf("it is both a message %d and a message %d", p.arm, num)
	}
	p.arm = num
	switch num {
	case fieldEnvelope:
		return p.walk(value, lastOfEnvelope, p.envelope)
	case fieldRelay:
		return p.walk(value, lastOfRelay, p.relay)
	case fieldFrame:
		return p.walk(value, lastOfFrame, p.frame)
	}
	return nil
}

// frame judges each of its envelopes by its own kind and type.
func (p *peeked) frame(_ protowire.Number, value []byte, _ uint64) error {
	if p.framed++; p.framed > MaxFramed {
		return fmt.Errorf("frame of more than %d envelopes", MaxFramed)
	}
	var one peeked
	if err := one.walk(value, lastOfEnvelope, one.envelope); err != nil {
		return err
	}
	p.unknown += one.unknown
	if limit := p.sizes.encoded(one.kind, string(one.typ)); len(value) > limit {
		return fmt.Errorf("envelope of kind %d, type %.32q in a frame has %d bytes, at most %d are allowed", one.kind, one.typ, len(value), limit)
	}
	return nil
}

func (p *peeked) relay(num protowire.Number, value []byte, _ uint64) error {
	if num == fieldRelayed {
		return p.walk(value, lastOfEnvelope, p.envelope)
	}
	return nil
}

func (p *peeked) envelope(num protowire.Number, value []byte, _ uint64) error {
	if num == fieldHeader {
		return p.walk(value, lastOfHeader, p.header)
	}
	return nil
}

func (p *peeked) header(num protowire.Number, value []byte, number uint64) error {
	switch num {
	case fieldKind:
		p.kind = wire.Kind(number)
	case fieldType:
		if len(value) > types.MaxTypeBytes {
			return fmt.Errorf("message type has %d bytes, at most %d are allowed", len(value), types.MaxTypeBytes)
		}
		p.typ = value
	}
	return nil
}

// walk visits the fields of a protobuf message that this version knows, which are those up
// to last: value of those with a length, number of varints. It counts the bytes of others.
// What is there twice is an error, but for the envelopes of a frame.
func (p *peeked) walk(bz []byte, last protowire.Number, visit func(num protowire.Number, value []byte, number uint64) error) error {
	var seen [lastOfHeader + 1]bool
	for len(bz) > 0 {
		f, err := nextField(bz)
		if err != nil {
			return err
		}
		bz = bz[f.size:]
		if f.num > last {
			p.unknown += f.size
			continue
		}
		if seen[f.num] && last != lastOfFrame {
			return fmt.Errorf("field %d is there twice", f.num)
		}
		seen[f.num] = true
		if err := visit(f.num, f.value, f.number); err != nil {
			return err
		}
	}
	return nil
}

// field is one of an encoded message.
type field struct {
	num protowire.Number
	// value is of those with a length, number of varints.
	value  []byte
	number uint64
	// size is that of all of it.
	size int
}

// nextField reads the first one. Its number is at least 1.
func nextField(bz []byte) (f field, err error) {
	num, typ, tag := protowire.ConsumeTag(bz)
	if tag < 0 {
		return field{}, protowire.ParseError(tag)
	}
	f.num = num
	var n int
	switch rest := bz[tag:]; typ {
	case protowire.BytesType:
		f.value, n = protowire.ConsumeBytes(rest)
	case protowire.VarintType:
		f.number, n = protowire.ConsumeVarint(rest)
	default:
		n = protowire.ConsumeFieldValue(num, typ, rest)
	}
	if n < 0 {
		return field{}, protowire.ParseError(n)
	}
	f.size = tag + n
	return f, nil
}

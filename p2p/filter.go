package p2p

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
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
// bytes decoding leaves out: such fields, and lengths and numbers that are longer than they
// need be. What is there twice, and of which decoding would keep one, nobody honest sends.
func (s sizes) checkBytes(bz []byte) (leftOut int, err error) {
	p := peeked{sizes: s}
	kept, err := p.walk(bz, messageFormat)
	if err != nil {
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
	return len(bz) - kept, nil
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
	// kind and typ are of its last header.
	kind wire.Kind
	typ  []byte
	// inFrame counts the envelopes of a frame.
	inFrame int
}

// walk visits the fields of a message that this version knows, and returns the size of what
// decoding keeps of them.
func (p *peeked) walk(bz []byte, in *format) (int, error) {
	var seen [16]bool
	first, kept := protowire.Number(0), 0
	for len(bz) > 0 {
		f, err := nextField(bz)
		if err != nil {
			return 0, err
		}
		bz = bz[f.size:]
		of := in.field(f.num)
		if of == nil {
			continue
		}
		switch {
		case in.either && first != 0:
			return 0, fmt.Errorf("it is both a field %d and a field %d", first, f.num)
		case seen[f.num] && !in.repeated:
			return 0, fmt.Errorf("field %d is there twice", f.num)
		}
		first, seen[f.num] = f.num, true
		size, err := p.visit(in, of, f)
		if err != nil {
			return 0, err
		}
		kept += size
	}
	return kept, nil
}

// visit looks at a field of a message, and returns the size of what decoding keeps of it.
func (p *peeked) visit(in, of *format, f field) (int, error) {
	if err := f.wrongType(of); err != nil {
		return 0, err
	}
	switch in {
	case messageFormat:
		p.arm = f.num
	case headerFormat:
		if err := p.header(f); err != nil {
			return 0, err
		}
	case frameFormat:
		kept, err := p.framed(f.value)
		return keptAround(f.num, kept), err
	}
	if !of.isMessage() {
		return f.kept(of), nil
	}
	kept, err := p.walk(f.value, of)
	return keptAround(f.num, kept), err
}

// framed judges an envelope of a frame by its own kind and type.
func (p *peeked) framed(envelope []byte) (int, error) {
	if p.inFrame++; p.inFrame > MaxFramed {
		return 0, fmt.Errorf("frame of more than %d envelopes", MaxFramed)
	}
	var one peeked
	kept, err := one.walk(envelope, envelopeFormat)
	if err != nil {
		return 0, err
	}
	if limit := p.sizes.encoded(one.kind, string(one.typ)); len(envelope) > limit {
		return 0, fmt.Errorf("envelope of kind %d, type %.32q in a frame has %d bytes, at most %d are allowed", one.kind, one.typ, len(envelope), limit)
	}
	return kept, nil
}

func (p *peeked) header(f field) error {
	switch f.num {
	case fieldKind:
		p.kind = wire.Kind(f.number)
	case fieldType:
		if len(f.value) > types.MaxTypeBytes {
			return fmt.Errorf("message type has %d bytes, at most %d are allowed", len(f.value), types.MaxTypeBytes)
		}
		p.typ = f.value
	}
	return nil
}

package p2p

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of mpc/wire that the filter looks at before decoding.
const (
	fieldHello    = 1 // Message.hello
	fieldEnvelope = 2 // Message.envelope
	fieldGossip   = 3 // Message.gossip
	fieldRelay    = 4 // Message.relay
	fieldFrame    = 5 // Message.frame
	fieldKind     = 3 // Header.kind
	fieldType     = 5 // Header.type
)

// format is what decoding takes of a message of mpc/wire.
type format struct {
	// fields by their number, from 1 on.
	fields []*format
	// either: it is one of its fields. repeated: its field may be there more than once.
	either, repeated bool
}

// Formats of what is no message.
var (
	text     = new(format) // string or bytes
	number32 = new(format)
	number64 = new(format)
	choice   = new(format) // of an enum
)

// Formats of the messages. TestFormats compares them with the generated code.
var (
	headerFormat = &format{fields: []*format{
		text, text, choice, number32, text, text, number32, text, number64, text, number32, text,
	}}
	envelopeFormat = &format{fields: []*format{headerFormat, text, text}}
	helloFormat    = &format{fields: []*format{text, number32, text, text}}
	relayFormat    = &format{fields: []*format{envelopeFormat, number32}}
	frameFormat    = &format{fields: []*format{envelopeFormat}, repeated: true}

	attestationFormat = &format{fields: []*format{number32, text, number32, text, text, text, number32, text, text}}
	signatureFormat   = &format{fields: []*format{text, text, text, number32}}
	evidenceFormat    = &format{fields: []*format{envelopeFormat, envelopeFormat, text}}
	accusationFormat  = &format{fields: []*format{number32, text, number32, text, text, text, text, number32, text}}
	gossipFormat      = &format{fields: []*format{attestationFormat, signatureFormat, evidenceFormat, accusationFormat}, either: true}

	messageFormat = &format{fields: []*format{helloFormat, envelopeFormat, gossipFormat, relayFormat, frameFormat}, either: true}
)

// field is the format of a field; nil if this version does not know it.
func (f *format) field(num protowire.Number) *format {
	if int(num) > len(f.fields) {
		return nil
	}
	return f.fields[num-1]
}

// isMessage: it has fields of its own.
func (f *format) isMessage() bool { return len(f.fields) > 0 }

// wireType is how a field of this format is encoded.
func (f *format) wireType() protowire.Type {
	if f == text || f.isMessage() {
		return protowire.BytesType
	}
	return protowire.VarintType
}

// field is one of an encoded message.
type field struct {
	num protowire.Number
	typ protowire.Type
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
	f.num, f.typ = num, typ
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

// kept is the size of what decoding keeps of a field that is no message, as the encoder
// writes it.
func (f field) kept(of *format) int {
	number := f.number
	switch of {
	case text:
		if len(f.value) == 0 {
			return 0
		}
		return keptAround(f.num, len(f.value))
	case number32:
		number = uint64(uint32(number))
	case choice:
		number = uint64(int64(int32(number)))
	}
	if number == 0 {
		return 0
	}
	return protowire.SizeTag(f.num) + protowire.SizeVarint(number)
}

// keptAround is the size of a field with a value of some bytes.
func keptAround(num protowire.Number, bytes int) int {
	return protowire.SizeTag(num) + protowire.SizeBytes(bytes)
}

// wrongType: no encoder writes such a field so, and decoding fails.
func (f field) wrongType(of *format) error {
	if want := of.wireType(); f.typ != want {
		return fmt.Errorf("field %d is of type %d, not %d", f.num, f.typ, want)
	}
	return nil
}

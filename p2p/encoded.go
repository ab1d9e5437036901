package p2p

import (
	"crypto/sha256"
	"fmt"
	"sync"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// encodedKept is how many envelopes' bytes are remembered: a session sends a broadcast to
// one member right after the other, and a few sessions do so at once.
const encodedKept = 16

// The numbers of fields that a frame is put together with; a test compares the result with
// what the generated code makes.
const (
	frameField    = 5 // of a Message
	envelopeField = 1 // of a Frame
)

// encoded are the bytes of a whole message. Nobody changes them: peers share them.
type encoded []byte

var (
	_ proto.Marshaler = encoded(nil)
	_ cmtp2p.Wrapper  = (*outgoing)(nil)
)

func (encoded) Reset()           {}
func (e encoded) String() string { return fmt.Sprintf("%d bytes", len(e)) }
func (encoded) ProtoMessage()    {}

// Marshal is what CometBFT asks for.
func (e encoded) Marshal() ([]byte, error) { return e, nil }

// inner is the message without what is around it.
func (e encoded) inner() []byte {
	_, _, tag := protowire.ConsumeTag(e)
	inner, _ := protowire.ConsumeBytes(e[max(tag, 0):])
	return inner
}

// outgoing is a message with its bytes, which CometBFT takes as they are: for each peer,
// and for each try where a queue is full. It is a pointer, as CometBFT wants of messages.
type outgoing struct {
	proto.Message
	bytes encoded
}

// Wrap implements the Wrapper of CometBFT.
func (o *outgoing) Wrap() proto.Message { return o.bytes }

// message is one of the channel.
type message interface {
	cmtp2p.Wrapper
	Size() int
}

// newParcel encodes a message, once for all peers that get it.
func newParcel(m message) (parcel, error) {
	bz, err := proto.Marshal(m.Wrap())
	if err != nil {
		return parcel{}, fmt.Errorf("encode a message: %w", err)
	}
	return parcel{msg: m, bytes: bz[:len(bz):len(bz)], kind: kindOf(m), size: m.Size()}, nil
}

// hash is that of the envelope in it, see hashOf.
func (p parcel) hash() types.Hash { return sha256.Sum256(p.bytes.inner()) }

// envelopes remembers the parcels of envelopes that were sent last.
type envelopes struct {
	mu   sync.Mutex
	seen *simplelru.LRU[*wire.Envelope, parcel]
}

func newEnvelopes() *envelopes {
	seen, err := simplelru.NewLRU[*wire.Envelope, parcel](encodedKept, nil)
	if err != nil {
		panic(fmt.Sprintf("memory of %d envelopes: %v", encodedKept, err)) // only for a size below 1
	}
	return &envelopes{seen: seen}
}

// parcel is an envelope's, which nobody changes any more.
func (s *envelopes) parcel(e *wire.Envelope) (parcel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.seen.Get(e); ok {
		return p, nil
	}
	p, err := newParcel(e)
	if err == nil {
		s.seen.Add(e, p)
	}
	return p, err
}

// pack makes one message of parcels, of the bytes that they have.
func pack(parcels []parcel) *outgoing {
	if len(parcels) == 1 {
		return &outgoing{parcels[0].msg, parcels[0].bytes}
	}
	frame := &wire.Frame{Envelopes: make([]*wire.Envelope, 0, len(parcels))}
	var inner []byte
	for _, p := range parcels {
		if e, ok := p.msg.(*wire.Envelope); ok { // as company sees to
			frame.Envelopes = append(frame.Envelopes, e)
			inner = appendField(inner, envelopeField, p.bytes.inner())
		}
	}
	return &outgoing{frame, appendField(nil, frameField, inner)}
}

func appendField(to []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), content)
}

package p2p

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

func encode(t testing.TB, m cmtp2p.Wrapper) []byte {
	bz, err := proto.Marshal(m.Wrap())
	require.NoError(t, err)
	return bz
}

// widest is a header with every field at its largest.
func widest(kind wire.Kind) *wire.Header {
	h := &wire.Header{
		ChainId: strings.Repeat("c", types.MaxChainIDBytes), Context: make([]byte, 32), Kind: kind,
		Round: math.MaxUint32, From: strings.Repeat("f", types.MaxOperatorBytes), IdentityVersion: math.MaxUint32,
		To: strings.Repeat("t", types.MaxOperatorBytes), Sequence: math.MaxUint64, BodyHash: make([]byte, 32),
		RequestKind: math.MaxUint32, RequestId: strings.Repeat("r", types.MaxIDBytes),
	}
	if kind == wire.KIND_ROUND {
		h.Type = strings.Repeat("y", types.MaxTypeBytes)
	}
	return h
}

func widestEnvelope(kind wire.Kind, body proto.Message) *wire.Envelope {
	bz, err := proto.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &wire.Envelope{Header: widest(kind), Body: bz, Signature: make([]byte, 64)}
}

// The largest message of every kind that the formats allow fits its limit.
func TestLimitsHoldTheLargest(t *testing.T) {
	id := strings.Repeat("i", types.MaxIDBytes)
	operator := strings.Repeat("o", types.MaxOperatorBytes)
	gossip := &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: &wire.Attestation{
		RequestKind: math.MaxUint32, RequestId: id, Attempt: math.MaxUint32, Session: make([]byte, 32),
		Payload: make([]byte, types.MaxPayloadBytes), Operator: operator, IdentityVersion: math.MaxUint32,
		Signature: make([]byte, 64),
	}}}
	prepare := widestEnvelope(wire.KIND_PREPARE, &wire.Prepare{
		Attempt: math.MaxUint32, Nonce: make([]byte, 32), EphemeralKey: make([]byte, 32),
	})
	ready := widestEnvelope(wire.KIND_READY, &wire.Ready{EphemeralKey: make([]byte, 32)})
	start := &wire.Start{Prepare: prepare}
	for range types.MaxMembers {
		start.Readys = append(start.Readys, ready)
		start.Signers = append(start.Signers, operator)
	}
	round := &wire.Envelope{Header: widest(wire.KIND_ROUND), Body: make([]byte, MaxRoundBody), Signature: make([]byte, 64)}
	missing, dispute := &wire.Missing{Count: math.MaxUint32}, &wire.Dispute{}
	for range types.MaxMembers {
		place := &wire.Slot{From: operator, Type: strings.Repeat("y", types.MaxTypeBytes)}
		missing.Slots = append(missing.Slots, place, place)
		dispute.Broadcasts = append(dispute.Broadcasts, &wire.Envelope{Header: widest(wire.KIND_ROUND), Signature: make([]byte, 64)})
	}
	refuse := &wire.Refuse{Reason: strings.Repeat("r", 64), Result: gossip}
	forward := &wire.Envelope{Header: widest(wire.KIND_FORWARD), Body: make([]byte, MaxForwardBody), Signature: make([]byte, 64)}
	hello := &wire.Hello{Operator: operator, IdentityVersion: math.MaxUint32, PeerId: strings.Repeat("p", maxPeerIDBytes), Signature: make([]byte, 64)}
	for name, m := range map[string]cmtp2p.Wrapper{
		"hello": hello, "gossip": gossip, "prepare": prepare, "ready": ready, "round": round,
		"refuse":  widestEnvelope(wire.KIND_REFUSE, refuse),
		"start":   widestEnvelope(wire.KIND_START, start),
		"confirm": widestEnvelope(wire.KIND_CONFIRM, &wire.Confirm{Digest: make([]byte, 32)}),
		"working": widestEnvelope(wire.KIND_WORKING, &wire.Working{Count: math.MaxUint32}),
		"relay":   &wire.Relay{Envelope: forward, Hops: math.MaxUint32},
		"missing": widestEnvelope(wire.KIND_MISSING, missing),
		"forward": widestEnvelope(wire.KIND_FORWARD, &wire.Forward{Envelope: round}),
		"dispute": widestEnvelope(wire.KIND_DISPUTE, dispute),
		"ping":    widestEnvelope(wire.KIND_PING, &wire.Ping{Nonce: make([]byte, 16), Count: math.MaxUint32, KeyId: strings.Repeat("k", types.MaxIDBytes)}),
		"pong": widestEnvelope(wire.KIND_PONG, &wire.Pong{
			Nonce: make([]byte, 16), Count: math.MaxUint32, Version: strings.Repeat("v", 64), Height: math.MaxInt64, CatchingUp: true,
			TimeMs: math.MaxInt64, HasShare: true, Epoch: math.MaxUint64,
		}),
		"frame": &wire.Frame{Envelopes: slices.Repeat([]*wire.Envelope{ready}, MaxFramed)},
		"abort": widestEnvelope(wire.KIND_ABORT, &wire.Abort{
			Reason: strings.Repeat("r", 64), Culprits: slices.Repeat([]string{strings.Repeat("o", types.MaxOperatorBytes)}, types.MaxNamed),
		}),
	} {
		t.Run(name, func(t *testing.T) {
			bz := encode(t, m)
			require.LessOrEqual(t, len(bz), MaxMessageBytes)
			leftOut, err := sizes{}.checkBytes(bz)
			require.NoError(t, err)
			require.Zero(t, leftOut)
			if e, ok := m.(*wire.Envelope); ok {
				require.NoError(t, sizes{}.checkEnvelope(e))
			}
		})
	}
	require.Equal(t, 435, widest(wire.KIND_ROUND).Size(), "the arithmetic of maxHeaderBytes")
}

func TestFilter(t *testing.T) {
	s := sizes{map[string]int{"round1": 1000}}
	typed := func(typ string, n int) *wire.Envelope {
		e := alice.envelope(wire.KIND_ROUND, "bob", 1, make([]byte, n))
		e.Header.Type = typ
		return e
	}
	round := func(typ string, n int) []byte { return encode(t, typed(typ, n)) }
	unknownKind := alice.envelope(wire.KIND_READY, "bob", 1, make([]byte, 9999))
	unknownKind.Header.Kind = -5
	small := encode(t, alice.envelope(wire.KIND_READY, "bob", 1, nil))
	tests := []struct {
		name string
		bz   []byte
		ok   bool
	}{
		{"empty", nil, true},
		{"small", small, true},
		{"ready of a round's size", encode(t, alice.envelope(wire.KIND_READY, "", 1, make([]byte, 5000))), false},
		{"round of its type's size", round("round1", 1000), true},
		{"round beyond its type's size", round("round1", 1000+EnvelopeOverhead), false},
		{"round of an unknown type", round("other", 100_000), true},
		{"relay of a round of its type's size", encode(t, &wire.Relay{Envelope: typed("round1", 1000), Hops: 1}), true},
		{"relay of a round beyond its type's size", encode(t, &wire.Relay{Envelope: typed("round1", 1000+EnvelopeOverhead), Hops: 1}), false},
		{"relay of a ready of a round's size", encode(t, &wire.Relay{Envelope: alice.envelope(wire.KIND_READY, "", 1, make([]byte, 5000))}), false},
		{"relay of nothing", encode(t, &wire.Relay{}), true},
		{"frame of small ones", encode(t, &wire.Frame{Envelopes: slices.Repeat([]*wire.Envelope{typed("round1", 500)}, MaxFramed)}), true},
		{"frame of too many", encode(t, &wire.Frame{Envelopes: slices.Repeat([]*wire.Envelope{typed("round1", 1)}, MaxFramed+1)}), false},
		{"frame that is too long", encode(t, &wire.Frame{Envelopes: slices.Repeat([]*wire.Envelope{typed("round1", 2000)}, 34)}), false},
		{"frame with one of too many bytes for its type", encode(t, &wire.Frame{Envelopes: []*wire.Envelope{typed("round1", 1), typed("round1", 1000+EnvelopeOverhead)}}), false},
		{"frame of nothing", encode(t, &wire.Frame{}), true},
		{"frame of what is no envelope", []byte{fieldFrame<<3 | 2, 3, 1<<3 | 2, 1, 0x07}, false},
		{"type too long", round(strings.Repeat("x", types.MaxTypeBytes+1), 1), false},
		{"unknown kind", encode(t, unknownKind), true},
		{"hello too long", encode(t, newIdentity(types.Operator(strings.Repeat("x", 300)), 1).hello("p")), false},
		{"unknown field", []byte{9<<3 | 2, 1, 0}, true},
		{"unknown field beyond all limits", append([]byte{9<<3 | 2, 0x80, 0x80, 0x40}, make([]byte, 1<<20)...), false},
		{"junk behind a small one", append(bytes.Clone(small), append([]byte{9<<3 | 2, 0xd0, 0x0f}, make([]byte, 2000)...)...), false},
		{"two messages in one", append(round("other", 100_000), small...), false},
		{"a message and another one", append(bytes.Clone(small), encode(t, alice.hello("p"))...), false},
		{"truncated", small[:len(small)-1], false},
		{"bad tag", []byte{0x07}, false},
		{"endless varint", bytes.Repeat([]byte{0xff}, 11), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.checkBytes(tt.bz)
			require.Equal(t, tt.ok, err == nil, "%v", err)
		})
	}
}

// encodedField is one with a value.
func encodedField(num protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), value)
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// What decoding keeps one of, or nothing, does not pass as nothing: the first costs the
// connection, the second what it weighs.
func TestFilterOfWhatIsNotDecoded(t *testing.T) {
	e := alice.envelope(wire.KIND_ROUND, "bob", 1, []byte("body"))
	envelope, err := e.Marshal()
	require.NoError(t, err)
	header, err := e.Header.Marshal()
	require.NoError(t, err)
	long := make([]byte, 100_000)
	some := long[:100]
	hello, err := alice.hello("p").Marshal()
	require.NoError(t, err)
	attestation, err := alice.attestation(0).Marshal()
	require.NoError(t, err)
	accused := types.Accusation{Request: types.RequestID{Kind: types.KindSign, ID: "s"}, Accused: "bob", Reason: types.ErrStalled, Operator: "alice", IdentityVersion: 1}
	accused.Sign(chain, alice.key)
	accusation, err := accused.ToWire().Marshal()
	require.NoError(t, err)
	signature, err := (&wire.Signature{RequestId: "s", R: make([]byte, 32), S: make([]byte, 32), V: 1}).Marshal()
	require.NoError(t, err)
	bare, err := (&wire.Envelope{Header: e.Header, Signature: e.Signature}).Marshal()
	require.NoError(t, err)
	gossip := func(arm protowire.Number, parts ...[]byte) []byte {
		return encodedField(fieldGossip, encodedField(arm, cat(parts...)))
	}
	for name, tt := range map[string]struct {
		bz    []byte
		least int
		ok    bool
	}{
		"as it is":                    {encodedField(fieldEnvelope, envelope), 0, true},
		"of the message":              {cat(encodedField(fieldEnvelope, envelope), encodedField(9, long)), len(long), true},
		"of the envelope":             {encodedField(fieldEnvelope, cat(envelope, encodedField(4, long))), len(long), true},
		"of the header":               {encodedField(fieldEnvelope, cat(envelope[len(encodedField(1, header)):], encodedField(1, cat(header, encodedField(13, long))))), len(long), true},
		"of a relay":                  {encodedField(fieldRelay, cat(encodedField(1, envelope), encodedField(3, long))), len(long), true},
		"of a frame":                  {encodedField(fieldFrame, cat(encodedField(1, envelope), encodedField(2, long[:50_000]))), 50_000, true},
		"of a framed envelope":        {encodedField(fieldFrame, cat(encodedField(1, envelope), encodedField(1, cat(envelope, encodedField(4, long[:1000]))))), 1000, true},
		"a hello":                     {encodedField(fieldHello, hello), 0, true},
		"of a hello":                  {encodedField(fieldHello, cat(hello, encodedField(5, some))), len(some), true},
		"of a result":                 {encodedField(fieldGossip, cat(attestation, encodedField(5, some))), len(some), true},
		"an unknown result":           {gossip(5, some), len(some), true},
		"of an attestation":           {gossip(1, encodedField(10, some)), len(some), true},
		"a signature":                 {gossip(2, signature), 0, true},
		"of a signature":              {gossip(2, signature, encodedField(5, some)), len(some), true},
		"evidence":                    {gossip(3, encodedField(1, bare), encodedField(2, bare), encodedField(3, []byte("key"))), 0, true},
		"of evidence":                 {gossip(3, encodedField(1, bare), encodedField(2, bare), encodedField(4, some)), len(some), true},
		"of an envelope of evidence":  {gossip(3, encodedField(1, bare), encodedField(2, cat(bare, encodedField(4, some)))), len(some), true},
		"an accusation":               {gossip(4, accusation), 0, true},
		"of an accusation":            {gossip(4, accusation, encodedField(10, some)), len(some), true},
		"a number that is not there":  {encodedField(fieldRelay, []byte{2 << 3, 0}), 2, true},
		"a number of too many bytes":  {encodedField(fieldRelay, []byte{2 << 3, 0x81, 0x80, 0x80, 0x80, 0x80, 0x01}), 5, true},
		"a length of too many bytes":  {cat([]byte{fieldHello<<3 | 2, byte(0x80 | len(hello)&0x7f), byte(0x80 | len(hello)>>7), 0x80, 0}, hello), 2, true},
		"a kind of before the first":  {encodedField(fieldEnvelope, encodedField(1, protowire.AppendVarint([]byte{fieldKind << 3}, math.MaxUint64))), 0, true},
		"a text of nothing":           {encodedField(fieldHello, encodedField(1, nil)), 2, true},
		"two bodies":                  {encodedField(fieldEnvelope, cat(encodedField(2, long), envelope)), 0, false},
		"two headers":                 {encodedField(fieldEnvelope, cat(encodedField(1, header), envelope)), 0, false},
		"two names in a header":       {encodedField(fieldEnvelope, encodedField(1, cat(encodedField(1, long), header))), 0, false},
		"two envelopes relayed":       {encodedField(fieldRelay, cat(encodedField(1, long[:0]), encodedField(1, envelope))), 0, false},
		"two names in a hello":        {encodedField(fieldHello, cat(encodedField(1, some), hello)), 0, false},
		"two results":                 {encodedField(fieldGossip, cat(attestation, encodedField(2, signature))), 0, false},
		"two payloads":                {gossip(1, encodedField(5, some), encodedField(5, some)), 0, false},
		"two envelopes in one":        {gossip(3, encodedField(1, bare), encodedField(1, bare)), 0, false},
		"a number instead of a text":  {encodedField(fieldHello, []byte{1 << 3, 1}), 0, false},
		"a text instead of a number":  {encodedField(fieldRelay, encodedField(2, some)), 0, false},
		"a number instead of a hello": {[]byte{fieldHello << 3, 1}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			leftOut, err := sizes{}.checkBytes(tt.bz)
			if !tt.ok {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.GreaterOrEqual(t, leftOut, tt.least)
			requireLeftOut(t, tt.bz, leftOut)
		})
	}

	t.Run("charged for an envelope", func(t *testing.T) {
		chargedFor(t, cat(encodedField(fieldEnvelope, envelope), encodedField(9, long)), e)
	})
	t.Run("charged for a result", func(t *testing.T) {
		rest := encodedField(5, long[:MaxGossipBytes-len(attestation)-10])
		chargedFor(t, encodedField(fieldGossip, cat(attestation, rest)), alice.attestation(0))
	})
}

// TestFormats: the filter knows the fields of each message by number and encoding.
func TestFormats(t *testing.T) {
	for name, tt := range map[string]struct {
		format  *format
		message any
	}{
		"header": {headerFormat, wire.Header{}}, "envelope": {envelopeFormat, wire.Envelope{}}, "hello": {helloFormat, wire.Hello{}},
		"relay": {relayFormat, wire.Relay{}}, "frame": {frameFormat, wire.Frame{}}, "attestation": {attestationFormat, wire.Attestation{}},
		"signature": {signatureFormat, wire.Signature{}}, "evidence": {evidenceFormat, wire.Evidence{}}, "accusation": {accusationFormat, wire.Accusation{}},
	} {
		t.Run(name, func(t *testing.T) {
			of := reflect.TypeOf(tt.message)
			require.Len(t, tt.format.fields, of.NumField())
			for i, f := range tt.format.fields {
				field := of.Field(i)
				tag := strings.Split(field.Tag.Get("protobuf"), ",")
				require.Equal(t, strconv.Itoa(i+1), tag[1], field.Name)
				require.Equal(t, tag[0] == "bytes", f.wireType() == protowire.BytesType, field.Name)
				require.Equal(t, field.Type.Kind() == reflect.Uint64, f == number64, field.Name)
				require.Equal(t, field.Type.Kind() == reflect.Uint32, f == number32, field.Name)
			}
		})
	}
	require.Len(t, gossipFormat.fields, len((*wire.Gossip)(nil).XXX_OneofWrappers()))
	require.Len(t, messageFormat.fields, len((*wire.Message)(nil).XXX_OneofWrappers()))
}

// requireLeftOut compares what the filter found with the generated code.
func requireLeftOut(t testing.TB, bz []byte, leftOut int) {
	t.Helper()
	var m wire.Message
	require.NoError(t, m.Unmarshal(bz))
	require.Equal(t, len(bz)-m.Size(), leftOut)
}

// chargedFor: of messages that are longer than what is decoded of them no more fit into a
// budget than of any others of their length.
func chargedFor(t *testing.T, bz []byte, msg cmtp2p.Wrapper) {
	const allowed = 1_000_000
	l := defaultLimits()
	l.peer = budgetLimit{messages: 1000, messageBurst: 1000, bytes: 1, byteBurst: allowed}
	clock := newClock()
	r, rec := lone(t, Options{Now: clock.now}, l)
	p := join(r, newFakePeer("p"))
	sent := 0
	for rec.drops(In, DropPeerBudget) == 0 {
		require.NoError(t, r.FilterMsgBytes(ChannelID, p, bz))
		deliver(r, p, msg)
		sent += len(bz)
	}
	require.InDelta(t, allowed, sent, allowed/100+float64(len(bz)))
}

func TestDecodedEnvelope(t *testing.T) {
	tests := map[string]func(*wire.Envelope){
		"no header":   func(e *wire.Envelope) { e.Header = nil },
		"long header": func(e *wire.Envelope) { e.Header.Context = make([]byte, maxHeaderBytes) },
		"long body":   func(e *wire.Envelope) { e.Body = make([]byte, MaxSmallBody+1) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			e := alice.envelope(wire.KIND_READY, "bob", 1, make([]byte, MaxSmallBody))
			require.NoError(t, sizes{}.checkEnvelope(e))
			spoil(e)
			require.Error(t, sizes{}.checkEnvelope(e))
		})
	}
}

func TestKnownRounds(t *testing.T) {
	require.True(t, sizes{}.known(wire.KIND_ROUND, "any"))
	require.True(t, sizes{map[string]int{"a": 1}}.known(wire.KIND_ROUND, "a"))
	require.False(t, sizes{map[string]int{"a": 1}}.known(wire.KIND_ROUND, "b"))
	require.True(t, sizes{map[string]int{"a": 1}}.known(wire.KIND_READY, ""))
	require.False(t, sizes{}.known(wire.KIND_UNSPECIFIED, ""))
	require.False(t, sizes{}.known(wire.KIND_PONG+1, ""))
}

// FuzzInbound takes any bytes the whole way from the connection to the sink, as
// the switch does it.
func FuzzInbound(f *testing.F) {
	forged := alice.envelope(wire.KIND_READY, "bob", 1, []byte("x"))
	forged.Signature[0] ^= 1
	for _, m := range []cmtp2p.Wrapper{
		&wire.Frame{}, &wire.Frame{Envelopes: []*wire.Envelope{forged, {}, alice.envelope(wire.KIND_READY, "bob", 1, nil)}},
		&wire.Relay{}, &wire.Relay{Hops: MaxHops, Envelope: forged}, &wire.Relay{Hops: 1, Envelope: forged},
		&wire.Relay{Hops: 2, Envelope: alice.envelope(wire.KIND_READY, "", 1, nil)},
		&wire.Relay{Hops: 2, Envelope: alice.envelope(wire.KIND_READY, "carol", 1, nil)},
		alice.hello("p"), alice.hello("q"), carol.hello("p"), forged, alice.attestation(0), &wire.Gossip{}, &wire.Envelope{},
		alice.envelope(wire.KIND_READY, "bob", 1, nil), alice.envelope(wire.KIND_ROUND, "", 1, []byte("body")),
		&wire.Gossip{Sum: &wire.Gossip_Signature{Signature: &wire.Signature{RequestId: "s", R: make([]byte, 32), S: make([]byte, 32)}}},
	} {
		f.Add(encode(f, m))
	}
	f.Add([]byte{9<<3 | 2, 1, 0})
	r, rec := lone(f, Options{}, defaultLimits())
	require.NoError(f, r.SetSelf(bob.self("b")))
	r.SetRoster(rosterOf(alice, bob))
	f.Fuzz(func(t *testing.T, bz []byte) {
		p := newFakePeer("p")
		r.InitPeer(p)
		rem, _ := r.remoteOf(p)
		if r.FilterMsgBytes(ChannelID, p, bz) != nil {
			return
		}
		require.LessOrEqual(t, len(bz), MaxMessageBytes)
		var m wire.Message
		if proto.Unmarshal(bz, &m) != nil {
			return
		}
		leftOut, err := r.sizes.checkBytes(bz)
		require.NoError(t, err)
		requireLeftOut(t, bz, leftOut)
		inner, err := m.Unwrap()
		require.NoError(t, err)
		deliver(r, p, inner)
		before := len(rec.envelopes)
		for len(rem.backlog.queue) > 0 {
			a, _, _ := r.in.take()
			r.judge(a)
		}
		for _, v := range rec.envelopes[before:] {
			_, err := types.VerifyEnvelope(v.Envelope(), chain, alice.public())
			require.NoError(t, err, "only what alice signed passes")
		}
		rec.envelopes, rec.gossip = nil, nil
	})
}

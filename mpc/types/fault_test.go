package types

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// twice are two envelopes for the same place.
func twice() (*wire.Envelope, *wire.Envelope) {
	first, second := header(), header()
	second.Sequence++ // it need not be the same
	return SignEnvelope(first, []byte("one"), testKey), SignEnvelope(second, []byte("other"), testKey)
}

func TestEvidence(t *testing.T) {
	a, b := twice()
	e := NewEvidence(a, b)
	require.Equal(t, e, NewEvidence(b, a), "canonical")
	require.NoError(t, e.Verify("chain", public()))
	require.Equal(t, Operator("seqvaloper1a"), e.Culprit())
	require.Equal(t, RequestID{KindKeygen, "key"}, e.Request())
	require.Equal(t, Context(header().Context), e.Context())
	require.Equal(t, uint32(4), e.IdentityVersion())
	back, err := EvidenceFromWire(e.ToWire(), "chain")
	require.NoError(t, err)
	require.Equal(t, e, back)
	require.Equal(t, "one", string(a.Body), "what it was made of is not changed")

	_, other, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	require.Error(t, e.Verify("chain", other.Public().(ed25519.PublicKey)))
	require.Error(t, e.Verify("other chain", public()))
	require.Error(t, e.Verify("chain", public()[1:]))
}

// whole is the header of what is for all and has no type.
func whole(kind wire.Kind, round uint32) wire.Header {
	h := *header()
	h.Kind, h.Round, h.Type, h.To = kind, round, "", ""
	return h
}

// TestEvidenceOfKinds: Confirms and Starts are said once as well.
func TestEvidenceOfKinds(t *testing.T) {
	for want, h := range map[string]wire.Header{"Starts": whole(wire.KIND_START, 0), "Confirms of round 3": whole(wire.KIND_CONFIRM, 3)} {
		first, second := h, h
		second.Sequence++
		e := NewEvidence(SignEnvelope(&first, []byte("one"), testKey), SignEnvelope(&second, []byte("other"), testKey))
		require.NoError(t, e.Verify("chain", public()))
		require.Equal(t, want, e.What())
	}
	a, b := twice()
	require.Contains(t, NewEvidence(a, b).What(), header().Type+" of round")
}

func TestFalseEvidence(t *testing.T) {
	for name, change := range map[string]func(a, b *wire.Header){
		"the same message twice": func(a, b *wire.Header) { *b = *a },
		"two chains":             func(_, b *wire.Header) { b.ChainId = "other" },
		"two contexts":           func(_, b *wire.Header) { b.Context = make([]byte, 32) },
		"two rounds":             func(_, b *wire.Header) { b.Round++ },
		"two types":              func(_, b *wire.Header) { b.Type = "kg3" },
		"two recipients":         func(_, b *wire.Header) { b.To = "" },
		"two senders":            func(_, b *wire.Header) { b.From = "seqvaloper1c" },
		"two versions":           func(_, b *wire.Header) { b.IdentityVersion++ },
		"two requests":           func(_, b *wire.Header) { b.RequestId = "other" },
		"two kinds of request":   func(_, b *wire.Header) { b.RequestKind++ },
		"what is said often":     func(a, b *wire.Header) { *a, *b = whole(wire.KIND_WORKING, 3), whole(wire.KIND_WORKING, 3) },
		"two Prepares":           func(a, b *wire.Header) { *a, *b = whole(wire.KIND_PREPARE, 0), whole(wire.KIND_PREPARE, 0) },
		"two kinds":              func(a, b *wire.Header) { *a, *b = whole(wire.KIND_CONFIRM, 0), whole(wire.KIND_START, 0) },
		"Confirm of no round":    func(a, b *wire.Header) { *a, *b = whole(wire.KIND_CONFIRM, 0), whole(wire.KIND_CONFIRM, 0) },
		"Confirms of two rounds": func(a, b *wire.Header) { *a, *b = whole(wire.KIND_CONFIRM, 1), whole(wire.KIND_CONFIRM, 2) },
		"Starts of a round":      func(a, b *wire.Header) { *a, *b = whole(wire.KIND_START, 1), whole(wire.KIND_START, 1) },
		"Start for one":          func(a, b *wire.Header) { *a = whole(wire.KIND_START, 0); a.To = "seqvaloper1b"; *b = *a },
		"Starts of two sessions": func(a, b *wire.Header) {
			*a, *b = whole(wire.KIND_START, 0), whole(wire.KIND_START, 0)
			b.Context = make([]byte, 32)
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := header(), header()
			change(first, second)
			bodies := [][]byte{[]byte("one"), []byte("other")}
			if name == "the same message twice" {
				bodies[1] = bodies[0]
			}
			e := NewEvidence(SignEnvelope(first, bodies[0], testKey), SignEnvelope(second, bodies[1], testKey))
			require.Error(t, e.Verify("chain", public()))
		})
	}
	a, b := twice()
	e := NewEvidence(a, b)
	require.Error(t, Evidence{First: e.Second, Second: e.First}.Verify("chain", public()), "order")
	require.Error(t, Evidence{First: e.First}.Verify("chain", public()), "one header")
	require.Error(t, Evidence{First: a, Second: b}.ValidateBasic("chain"), "bodies")
	for _, forged := range []*wire.Envelope{e.First, e.Second} {
		forged.Signature[7]++
		require.Error(t, e.Verify("chain", public()))
		forged.Signature[7]--
	}
	require.NoError(t, e.Verify("chain", public()))
}

func accusation() Accusation {
	a := Accusation{
		Request: RequestID{KindSign, "sig"}, Attempt: 3, Session: Context{9}, Accused: "seqvaloper1b", Reason: ErrStalled,
		Operator: "seqvaloper1a", IdentityVersion: 4,
	}
	a.Sign("chain", testKey)
	return a
}

func TestAccusation(t *testing.T) {
	good := accusation()
	require.NoError(t, good.Verify("chain", public()))
	back, err := AccusationFromWire(good.ToWire())
	require.NoError(t, err)
	require.Equal(t, good, back)
	require.Error(t, good.Verify("other chain", public()))
	require.Error(t, good.Verify("chain", public()[:31]))
	for name, change := range map[string]func(*Accusation){
		"request": func(a *Accusation) { a.Request.ID = "other" }, "kind": func(a *Accusation) { a.Request.Kind = KindKeygen },
		"attempt": func(a *Accusation) { a.Attempt++ }, "session": func(a *Accusation) { a.Session[3]++ },
		"accused": func(a *Accusation) { a.Accused += "x" }, "reason": func(a *Accusation) { a.Reason = ErrProtocolFault },
		"operator": func(a *Accusation) { a.Operator += "x" }, "version": func(a *Accusation) { a.IdentityVersion++ },
		"signature": func(a *Accusation) { a.Signature[0]++ },
	} {
		a := accusation()
		change(&a)
		require.NoError(t, a.ValidateBasic(), name)
		require.Error(t, a.Verify("chain", public()), name)
	}
	for name, change := range map[string]func(*Accusation){
		"no id": func(a *Accusation) { a.Request.ID = "" }, "nobody": func(a *Accusation) { a.Accused = "" },
		"by nobody": func(a *Accusation) { a.Operator = "" }, "itself, of no signature": func(a *Accusation) { a.Accused, a.Request.Kind = a.Operator, KindKeygen },
		"no reason": func(a *Accusation) { a.Reason = "" }, "no word": func(a *Accusation) { a.Reason = "He did it" },
		"two lines": func(a *Accusation) { a.Reason = "stalled\nstalled" }, "a long story": func(a *Accusation) { a.Reason = Reason(strings.Repeat("a", MaxReasonBytes+1)) },
		"short signature": func(a *Accusation) { a.Signature = a.Signature[1:] },
	} {
		a := accusation()
		change(&a)
		require.Error(t, a.ValidateBasic(), name)
	}
	_, err = AccusationFromWire(&wire.Accusation{Session: []byte{1}})
	require.Error(t, err)
}

// TestFaultOrder: no two different entries are equal in it.
func TestFaultOrder(t *testing.T) {
	a := accusation()
	for name, change := range map[string]func(*Accusation){
		"request": func(a *Accusation) { a.Request.ID = "tig" }, "accused": func(a *Accusation) { a.Accused = "seqvaloper1c" },
		"accuser": func(a *Accusation) { a.Operator = "seqvaloper1aa" },
	} {
		b := accusation()
		change(&b)
		require.True(t, a.Less(&b), name)
		require.False(t, b.Less(&a), name)
	}
	one, other := twice()
	e := NewEvidence(one, other)
	for name, change := range map[string]func(*wire.Header){
		"context": func(h *wire.Header) { h.Context[0]++ }, "culprit": func(h *wire.Header) { h.From = "seqvaloper1c" },
	} {
		first, second := twice()
		change(first.Header)
		change(second.Header)
		o := NewEvidence(first, second)
		require.True(t, e.Less(o), name)
		require.False(t, o.Less(e), name)
		require.NotEqual(t, e.Place(), o.Place(), name)
	}
	first, second := twice()
	first.Header.RequestId, second.Header.RequestId = "keys", "keys"
	require.Equal(t, e.Place(), NewEvidence(first, second).Place(), "contexts are of one request anyway")
}

// TestReasonOfANewerVersion: a newer version may know reasons that this one does not.
// Its accusation is true all the same, is passed on as it is, and binds its reason.
func TestReasonOfANewerVersion(t *testing.T) {
	for _, r := range []Reason{"withheld_in_round_7", Reason(strings.Repeat("z", MaxReasonBytes))} {
		require.False(t, Accusable(r))
		require.Empty(t, r.Remedy())
		a := accusation()
		a.Reason = r
		a.Sign("chain", testKey)
		back, err := AccusationFromWire(a.ToWire())
		require.NoError(t, err)
		require.NoError(t, back.Verify("chain", public()))
		require.Equal(t, a, back)
		back.Reason = ErrStalled
		require.Error(t, back.Verify("chain", public()))
	}
	for _, r := range reasons(t) {
		require.NoError(t, r.Validate(), r)
	}
}

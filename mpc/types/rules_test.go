package types

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateID(t *testing.T) {
	for id, ok := range map[string]bool{
		"a": true, "A0._-:z": true, strings.Repeat("x", MaxIDBytes): true, "0": true,
		"": false, strings.Repeat("x", MaxIDBytes+1): false, ".a": false, "-a": false, ":a": false, "_a": false,
		"a b": false, "a/b": false, "ä": false, "a\x00": false, "a\n": false,
	} {
		err := ValidateID(id)
		require.Equal(t, ok, err == nil, "%q: %v", id, err)
		if !ok {
			require.ErrorIs(t, err, ErrBadID)
		}
	}
}

// TestTransitions goes through all pairs: a wrong one could lose a share.
func TestTransitions(t *testing.T) {
	all := []Status{StatusNone, StatusPending, StatusReady, StatusError}
	allowed := map[[2]Status]bool{
		{StatusNone, StatusPending}:    true,
		{StatusPending, StatusPending}: true,
		{StatusPending, StatusReady}:   true,
		{StatusPending, StatusError}:   true,
		{StatusReady, StatusReady}:     true,
		{StatusError, StatusError}:     true,
	}
	for _, from := range all {
		for _, to := range append(all, Status(9)) {
			require.Equal(t, allowed[[2]Status{from, to}], from.CanMoveTo(to), "%s to %s", from, to)
		}
	}
}

func request(n int) Request {
	r := Request{
		ID: RequestID{KindSign, "sig"}, KeyID: "key", Algorithm: ECDSASecp256k1, Threshold: 2,
		Height: 100, ExpiryHeight: 200, AttemptBlocks: 10, Digest: make([]byte, 32),
	}
	for i := range n {
		r.Members = append(r.Members, Member{Operator: Operator(fmt.Sprintf("op%02d", i)), IdentityVersion: 1, IdentityKey: []byte{byte(i)}})
	}
	return r
}

func TestAttempt(t *testing.T) {
	r := request(4)
	for height, want := range map[int64]uint32{0: 0, 99: 0, 100: 0, 109: 0, 110: 1, 119: 1, 120: 2, 199: 9} {
		require.Equal(t, want, r.Attempt(height), "height %d", height)
	}
	require.False(t, r.Expired(199))
	require.True(t, r.Expired(200))
	r.AttemptBlocks = 0
	require.Zero(t, r.Attempt(500), "a request of a broken state leads nowhere, but does not divide by zero")
}

// TestInitiator: every member gets its turn once a round, and requests begin
// with different ones.
func TestInitiator(t *testing.T) {
	r := request(5)
	seen := make(map[Operator]bool)
	for a := range uint32(5) {
		seen[r.Initiator(a)] = true
		require.Equal(t, r.Initiator(a), r.Initiator(a+5))
	}
	require.Len(t, seen, 5)
	first := make(map[Operator]bool)
	for i := range 60 {
		r.ID.ID = fmt.Sprint("sig-", i)
		first[r.Initiator(0)] = true
	}
	require.Len(t, first, 5)
	require.Empty(t, (&Request{}).Initiator(3))
}

func TestMembers(t *testing.T) {
	r := request(3)
	m, ok := r.Member("op01")
	require.True(t, ok)
	require.Equal(t, []byte{1}, m.IdentityKey)
	_, ok = r.Member("op9")
	require.False(t, ok)
	require.Equal(t, 3, r.SignersNeeded())
	r.Threshold = 1
	require.Equal(t, 2, r.SignersNeeded(), "t+1 sign")
	r.ID.Kind = KindKeygen
	require.Equal(t, 3, r.SignersNeeded(), "a keygen needs all")
}

// TestCommitment: another chain, another height and everything that is pinned make
// another one; how long an attempt lasts does not.
func TestCommitment(t *testing.T) {
	base := request(2)
	want := base.Commitment("chain")
	require.NotEqual(t, want, base.Commitment("other"))
	for name, change := range map[string]func(*Request){
		"id": func(r *Request) { r.ID.ID = "other" }, "key": func(r *Request) { r.KeyID = "other" },
		"height": func(r *Request) { r.Height++ }, "threshold": func(r *Request) { r.Threshold++ },
		"epoch": func(r *Request) { r.Epoch++ }, "session": func(r *Request) { r.KeySession[0]++ },
		"member":   func(r *Request) { r.Members = r.Members[:1] },
		"identity": func(r *Request) { r.Members = []Member{r.Members[0], {"op01", 2, []byte{1}}} },
		"handover": func(r *Request) { r.Handover = &Handover{Threshold: 1, Receivers: []Operator{"op00"}} },
		"kind":     func(r *Request) { r.ID.Kind = KindReshare }, "algorithm": func(r *Request) { r.Algorithm++ },
		"owner":      func(r *Request) { r.Owner = "other" },
		"public key": func(r *Request) { r.PublicKey = []byte("other") }, "test": func(r *Request) { r.Test = true },
		"digest": func(r *Request) { r.Digest = append([]byte{1}, r.Digest[1:]...) },
	} {
		r := request(2)
		change(&r)
		require.NotEqual(t, want, r.Commitment("chain"), name)
	}
	later := request(2)
	later.ExpiryHeight, later.AttemptBlocks = 8, 9
	require.Equal(t, want, later.Commitment("chain"))
}

// TestBindingHash: the key is in it, and nothing that a reshare or a rotated identity
// changes, nor the digest, which is bound beside it.
func TestBindingHash(t *testing.T) {
	base := request(2)
	want := base.BindingHash()
	for name, change := range map[string]func(*Request){
		"id": func(r *Request) { r.ID.ID = "other" }, "kind": func(r *Request) { r.ID.Kind = KindReshare },
		"key": func(r *Request) { r.KeyID = "other" }, "algorithm": func(r *Request) { r.Algorithm++ },
	} {
		r := request(2)
		change(&r)
		require.NotEqual(t, want, r.BindingHash(), name)
	}
	again := request(3)
	again.Epoch, again.KeySession, again.Threshold, again.Height = 7, Context{7}, 2, 9
	again.Members[0].IdentityVersion++
	require.Equal(t, want, again.BindingHash())
}

func TestBefore(t *testing.T) {
	a, b := request(1), request(1)
	b.Height++
	require.True(t, a.Before(&b))
	require.False(t, b.Before(&a))
	b.Height, b.ID.ID = a.Height, "sig2"
	require.True(t, a.Before(&b))
	require.False(t, a.Before(&a))
}

// TestEveryReasonHasARemedy: the same word everywhere is worth little without
// what to do.
func TestEveryReasonHasARemedy(t *testing.T) {
	require.Greater(t, len(remedies), 40)
	for r, remedy := range remedies {
		require.NotEmpty(t, remedy, r)
		require.Equal(t, strings.ToLower(string(r)), string(r))
		require.Equal(t, r, ReasonOf(fmt.Errorf("wrapped: %w", r)))
	}
	require.Empty(t, ReasonOf(errors.New("other")))
	require.Empty(t, Reason("nonsense").Remedy())
}

// TestSignBytesAreInjective: moving a byte from one field to the next changes
// what is signed.
func TestSignBytesAreInjective(t *testing.T) {
	require.NotEqual(t, newSignBytes("x").str("ab").str("c").buf, newSignBytes("x").str("a").str("bc").buf)
	require.NotEqual(t, newSignBytes("x").str("").buf, newSignBytes("x").buf)
	require.NotEqual(t, newSignBytes("x").u64(1).buf, newSignBytes("y").u64(1).buf)
}

// TestTranscript: whatever changes in a transcript, the session has another name.
func TestTranscript(t *testing.T) {
	base := Transcript{Prepare: Hash{1}, Readys: []Hash{{2}, {3}}, Signers: []Operator{"a", "b"}}
	names := map[Context]bool{base.Context(): true}
	for _, other := range []Transcript{
		{Hash{9}, base.Readys, base.Signers, nil}, {base.Prepare, []Hash{{3}, {2}}, base.Signers, nil},
		{base.Prepare, []Hash{{2}}, base.Signers, nil}, {base.Prepare, base.Readys, []Operator{"a"}, nil},
		{base.Prepare, base.Readys, []Operator{"b", "a"}, nil}, {base.Prepare, base.Readys, []Operator{"ab"}, nil},
		{base.Prepare, base.Readys, base.Signers, []Operator{"a"}}, {base.Prepare, base.Readys, base.Signers, []Operator{"b"}},
		{base.Prepare, base.Readys, base.Signers, []Operator{"a", "b"}},
	} {
		require.False(t, names[other.Context()], "%v", other)
		names[other.Context()] = true
	}
	d := ConfirmDigest(Hash{}, base.Context(), 1, []Broadcast{{"a", "t", Hash{1}}})
	require.NotEqual(t, d, ConfirmDigest(Hash{1}, base.Context(), 1, []Broadcast{{"a", "t", Hash{1}}}))
	require.NotEqual(t, d, ConfirmDigest(Hash{}, base.Context(), 2, []Broadcast{{"a", "t", Hash{1}}}))
	require.NotEqual(t, d, ConfirmDigest(Hash{}, base.Context(), 1, []Broadcast{{"a", "t", Hash{2}}}))
	require.NotEqual(t, SealInfo(Context{}, "a", "b"), SealInfo(Context{}, "b", "a"))
	require.NotEqual(t, PartyKeySeed(Context{}, "a"), PartyKeySeed(Context{1}, "a"))
}

func TestRoster(t *testing.T) {
	key := []byte("key of version 1")
	r := NewRoster(map[Operator][]Identity{
		"a": {{Version: 1, Key: key, Until: 7}, {Version: 2, Key: []byte("two")}}, "b": {{Version: 1, Key: []byte("b"), Revoked: true, Until: 7}},
	})
	for _, tt := range []struct {
		op      Operator
		version uint32
		since   int64
		want    bool
	}{{"a", 1, 7, true}, {"a", 1, 8, false}, {"a", 2, 8, true}, {"b", 1, 7, true}, {"b", 1, 8, false}, {"b", 2, 1, false}, {"c", 1, 1, false}} {
		_, ok := r.KeySince(tt.op, tt.version, tt.since)
		require.Equal(t, tt.want, ok, "%+v", tt)
	}
	key[0] = 'X'
	got, ok := r.Key("a", 1)
	require.True(t, ok)
	require.Equal(t, "key of version 1", string(got), "a roster keeps a copy")
	_, ok = r.Key("b", 1)
	require.False(t, ok, "revoked")
	current, ok := r.Current("a")
	require.True(t, ok)
	require.EqualValues(t, 2, current.Version)
	_, ok = r.Current("b")
	require.False(t, ok)
	found, ok := r.Find([]byte("two"))
	require.True(t, ok)
	require.Equal(t, OperatorVersion{"a", 2}, found)
	require.Equal(t, []Operator{"a", "b"}, r.Operators())
	var none *Roster
	_, ok = none.Key("a", 1)
	require.False(t, ok)
	require.Empty(t, none.Operators())
}

func TestHashFromBytes(t *testing.T) {
	_, err := HashFromBytes(make([]byte, 31))
	require.Error(t, err)
	h, err := HashFromBytes(append([]byte{0xab}, make([]byte, 31)...))
	require.NoError(t, err)
	require.Equal(t, "ab000000", h.Short())
	require.Equal(t, hex.EncodeToString(h[:]), h.String())
	require.False(t, h.IsZero())
}

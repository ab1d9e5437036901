package types

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func presignKey() (Key, *Roster) {
	key := Key{
		ID: "key", Status: KeyReady, Epoch: 3, Session: Context{7}, Algorithm: ECDSASecp256k1, Threshold: 1,
		Participants: []Operator{"a", "b", "c"}, PublicKey: []byte("public"),
	}
	roster := NewRoster(map[Operator][]Identity{
		"a": {{Version: 1, Key: []byte("old a")}, {Version: 2, Key: []byte("a")}}, "b": {{Version: 1, Key: []byte("b")}},
		"c": {{Version: 1, Key: []byte("c"), Revoked: true}}, "d": {{Version: 1, Key: []byte("d")}},
	})
	return key, roster
}

func TestPresignRequest(t *testing.T) {
	key, roster := presignKey()
	r, ok := PresignRequest(&key, roster)
	require.True(t, ok)
	require.NoError(t, ValidateID(r.ID.ID))
	require.Equal(t, []Member{{"a", 2, []byte("a")}, {"b", 1, []byte("b")}}, r.Members, "who revoked is no member")
	require.Equal(t, 2, r.SignersNeeded())
	require.False(t, r.Expired(math.MaxInt64-1))
	sign := Request{ID: RequestID{Kind: KindSign, ID: "s"}, Height: 1 << 40}
	require.True(t, sign.Before(&r), "what the chain asks for comes first")
	for attempt := range uint32(4) {
		turn, member := r.Turn(r.Initiator(attempt))
		require.True(t, member)
		require.Equal(t, attempt%2, turn)
	}
	_, member := r.Turn("d")
	require.False(t, member)

	other := key
	other.Session = Context{8}
	again, _ := PresignRequest(&other, roster)
	require.NotEqual(t, r.ID, again.ID)
	key.Threshold = 2
	_, ok = PresignRequest(&key, roster)
	require.False(t, ok, "too few are left")
}

func TestSignsWith(t *testing.T) {
	key, roster := presignKey()
	presign, _ := PresignRequest(&key, roster)
	for name, c := range map[string]struct {
		change func(*Request)
		signs  bool
	}{
		"same shares":              {func(*Request) {}, true},
		"identity of a non-signer": {func(r *Request) { r.Members = append(r.Members, Member{"d", 9, []byte("x")}) }, true},
		"another key":              {func(r *Request) { r.KeyID = "other" }, false},
		"another epoch":            {func(r *Request) { r.Epoch++ }, false},
		"another session":          {func(r *Request) { r.KeySession[0]++ }, false},
		"no signature":             {func(r *Request) { r.ID.Kind = KindReshare }, false},
		"a test of shares":         {func(r *Request) { r.Test = true }, false},
		"a signer is no member":    {func(r *Request) { r.Members = r.Members[:1] }, false},
		"another identity":         {func(r *Request) { r.Members[1].IdentityVersion++ }, false},
		"another identity key":     {func(r *Request) { r.Members[1].IdentityKey = []byte("x") }, false},
	} {
		r := Request{
			ID: RequestID{Kind: KindSign, ID: "s"}, KeyID: "key", Epoch: 3, KeySession: Context{7},
			Members: []Member{{"a", 2, []byte("a")}, {"b", 1, []byte("b")}},
		}
		c.change(&r)
		require.Equal(t, c.signs, r.SignsWith(&presign, []Operator{"a", "b"}), name)
	}
}

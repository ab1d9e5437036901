package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The order tells any two different attestations apart, and puts the place first.
func TestAttestationOrder(t *testing.T) {
	ascending := []Attestation{
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 9, IdentityVersion: 2},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 10},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 10, Signature: []byte{1}},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 10, Signature: []byte{2}},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 10, Payload: []byte{1}},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 10, Session: Context{1}},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 10, Commitment: Hash{1}},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-1", Attempt: 10, IdentityVersion: 1},
		{Request: RequestID{KindKeygen, "a"}, Operator: "op-2"},
		{Request: RequestID{KindKeygen, "b"}, Operator: "op-1"},
		{Request: RequestID{KindDelete, "a"}, Operator: "op-1", IdentityVersion: 1},
		{Request: RequestID{KindDelete, "a"}, Operator: "op-1", IdentityVersion: 2},
	}
	places := make(map[AttestationPlace]bool)
	for i := range ascending {
		for j := range ascending {
			require.Equal(t, i < j, ascending[i].Less(&ascending[j]), "%d and %d", i, j)
		}
		places[ascending[i].Place()] = true
	}
	require.Len(t, places, 5)
}

// A place is what is told of an attestation without its content.
func TestAttestationPlace(t *testing.T) {
	a := AttestationPlace{RequestID{KindKeygen, "a"}, "op-1", 1}
	for name, c := range map[string]struct {
		other AttestationPlace
		want  int
	}{
		"the same":         {a, 0},
		"another kind":     {AttestationPlace{RequestID{KindDelete, "a"}, "op-1", 1}, -1},
		"another request":  {AttestationPlace{RequestID{KindKeygen, "b"}, "op-1", 1}, -1},
		"another operator": {AttestationPlace{RequestID{KindKeygen, "a"}, "op-10", 1}, -1},
		"another attempt":  {AttestationPlace{RequestID{KindKeygen, "a"}, "op-1", 2}, -1},
	} {
		require.Equal(t, c.want, a.Compare(c.other), name)
		require.Equal(t, -c.want, c.other.Compare(a), name)
	}
}

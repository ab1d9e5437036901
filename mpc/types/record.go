package types

import "time"

// RecordKey names a record: one session's share of one epoch of a key.
type RecordKey struct {
	KeyID   KeyID
	Epoch   uint64
	Session SessionID
}

// Record is what a node keeps of one session of a key. Everything but Data is
// public or harmless; Data is a plain share in memory and sealed at rest.
type Record struct {
	RecordKey
	// Context is the session's real name; zero until its Start.
	Context   Context
	Algorithm Algorithm
	Status    Status
	// Data is the share, opaque outside mpc/tss. Nil until the session ended
	// well, and in listings.
	Data []byte
	// HasData says whether the stored record has a share, in listings too.
	HasData bool
	// PublicKey is compressed; empty until the session ended well.
	PublicKey []byte
	// Payload is what this node attests of the session; empty likewise.
	Payload      []byte
	Participants []Operator
	Threshold    int
	// Request and Attempt say what the session was for.
	Request RequestID
	Attempt uint32
	// Commitment is Request.Commitment of the request; zero in records of before there
	// was one.
	Commitment Hash
	// IdentityVersion is the identity that the request pinned for this node.
	IdentityVersion uint32
	// Reason is why Status is ERROR.
	Reason  Reason
	Created time.Time
	Updated time.Time
}

// Clone is a deep copy.
func (r Record) Clone() Record {
	r.Data = cloneBytes(r.Data)
	r.PublicKey = cloneBytes(r.PublicKey)
	r.Payload = cloneBytes(r.Payload)
	r.Participants = append([]Operator(nil), r.Participants...)
	return r
}

func cloneBytes(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// Wipe overwrites a secret. The Go runtime may have copied it before; this
// only shortens its life where we can.
func Wipe(b []byte) { clear(b) }

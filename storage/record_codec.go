package storage

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// The formats of an encoded record. One without a commitment has the older format, so
// that each record has one encoding.
const (
	recordUncommitted = 1
	recordVersion     = 2
)

// Bounds of a record's fields.
const (
	// MaxShareBytes bounds a share. tss-lib's save data in JSON has, for each
	// member, four numbers of 2048 bits and four of 256 bits, about 2.8 KiB in
	// decimal: 180 KiB for types.MaxMembers (64), five times of which fit.
	MaxShareBytes = 1 << 20
	// maxPublicKeyBytes: an uncompressed point of a 256-bit curve.
	maxPublicKeyBytes = 65
	// maxReasonBytes: no types.Reason is half as long.
	maxReasonBytes = 64
)

// Times are stored from year 1 to the end of year 9999, which is what
// RFC 3339 can write.
const (
	minUnixSeconds = -62135596800
	maxUnixSeconds = 253402300799
)

// encodeRecord gives the only encoding that decodeRecord accepts: the fields of
// types.Record in their order without Data, the commitment last. Numbers are big endian and of fixed
// length, byte strings have their length in front (4 bytes), lists their count.
func encodeRecord(r *types.Record) ([]byte, error) {
	if err := validateRecord(r); err != nil {
		return nil, err
	}
	b := []byte{recordVersion}
	if r.Commitment == (types.Hash{}) {
		b[0] = recordUncommitted
	}
	b = appendBytes(b, string(r.KeyID))
	b = binary.BigEndian.AppendUint64(b, r.Epoch)
	b = append(b, r.Session[:]...)
	b = append(b, r.Context[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Algorithm))
	b = append(b, byte(r.Status), boolByte(r.HasData))
	b = appendBytes(b, string(r.PublicKey))
	b = appendBytes(b, string(r.Payload))
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Participants)))
	for _, p := range r.Participants {
		b = appendBytes(b, string(p))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(r.Threshold))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Request.Kind))
	b = appendBytes(b, r.Request.ID)
	b = binary.BigEndian.AppendUint32(b, r.Attempt)
	b = binary.BigEndian.AppendUint32(b, r.IdentityVersion)
	b = appendBytes(b, string(r.Reason))
	b = appendTime(b, r.Created)
	b = appendTime(b, r.Updated)
	if r.Commitment != (types.Hash{}) {
		b = append(b, r.Commitment[:]...)
	}
	return b, nil
}

// decodeRecord is strict: every byte is accounted for and in bounds.
func decodeRecord(b []byte) (types.Record, error) {
	if len(b) > 0 && b[0] > recordVersion {
		return types.Record{}, fmt.Errorf("%w: record of format %d, this program knows %d", ErrNewerFormat, b[0], recordVersion)
	}
	d := decoder{rest: b}
	var r types.Record
	version := d.u8()
	d.expect(version == recordUncommitted || version == recordVersion, "version")
	r.KeyID = types.KeyID(d.bytes(types.MaxIDBytes))
	r.Epoch = d.u64()
	copy(r.Session[:], d.take(len(r.Session)))
	copy(r.Context[:], d.take(len(r.Context)))
	r.Algorithm = types.Algorithm(d.u32())
	r.Status = types.Status(d.u8())
	r.HasData = d.bool()
	r.PublicKey = d.bytes(maxPublicKeyBytes)
	r.Payload = d.bytes(types.MaxPayloadBytes)
	n := d.u32()
	d.expect(n <= types.MaxMembers, "number of participants")
	for i := uint32(0); i < n && d.err == nil; i++ {
		r.Participants = append(r.Participants, types.Operator(d.bytes(types.MaxOperatorBytes)))
	}
	threshold := d.u32()
	d.expect(threshold <= types.MaxMembers, "threshold")
	r.Threshold = int(threshold)
	r.Request.Kind = types.RequestKind(d.u32())
	r.Request.ID = string(d.bytes(types.MaxIDBytes))
	r.Attempt = d.u32()
	r.IdentityVersion = d.u32()
	r.Reason = types.Reason(d.bytes(maxReasonBytes))
	r.Created = d.time()
	r.Updated = d.time()
	if version == recordVersion {
		copy(r.Commitment[:], d.take(len(r.Commitment)))
		d.expect(r.Commitment != types.Hash{}, "commitment")
	}
	d.expect(len(d.rest) == 0, "end")
	if d.err != nil {
		return types.Record{}, fmt.Errorf("%w: record: %w", ErrEntryDamaged, d.err)
	}
	if err := validateRecord(&r); err != nil {
		return types.Record{}, fmt.Errorf("%w: %w", ErrEntryDamaged, err)
	}
	return r, nil
}

// validateRecord checks the bounds of every field.
func validateRecord(r *types.Record) error {
	if err := types.ValidateID(string(r.KeyID)); err != nil {
		return fmt.Errorf("%w: key id: %w", ErrInvalid, err)
	}
	for _, l := range []struct {
		field     string
		have, max int
	}{
		{"share", len(r.Data), MaxShareBytes},
		{"public key", len(r.PublicKey), maxPublicKeyBytes},
		{"payload", len(r.Payload), types.MaxPayloadBytes},
		{"list of participants", len(r.Participants), types.MaxMembers},
		{"request id", len(r.Request.ID), types.MaxIDBytes},
		{"reason", len(r.Reason), maxReasonBytes},
	} {
		if l.have > l.max {
			return fmt.Errorf("%w: the %s has length %d, at most %d is allowed", ErrInvalid, l.field, l.have, l.max)
		}
	}
	for _, p := range r.Participants {
		if len(p) == 0 || len(p) > types.MaxOperatorBytes {
			return fmt.Errorf("%w: a participant's name has %d bytes, not 1 to %d", ErrInvalid, len(p), types.MaxOperatorBytes)
		}
	}
	if r.Threshold < 0 || r.Threshold > types.MaxMembers {
		return fmt.Errorf("%w: the threshold is %d, not 0 to %d", ErrInvalid, r.Threshold, types.MaxMembers)
	}
	switch r.Status {
	case types.StatusPending, types.StatusReady, types.StatusError:
	default:
		return fmt.Errorf("%w: a record cannot have the status %s", ErrInvalid, r.Status)
	}
	for _, t := range []time.Time{r.Created, r.Updated} {
		if t.Unix() < minUnixSeconds || t.Unix() > maxUnixSeconds {
			return fmt.Errorf("%w: a time lies outside the years 1 to 9999", ErrInvalid)
		}
	}
	return nil
}

func appendBytes(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// appendTime drops the time zone and the monotonic clock.
func appendTime(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// decoder reads the fields of an encoded value. After the first error it
// returns zeros and keeps that error.
type decoder struct {
	rest []byte
	err  error
}

// expect notes an error if a condition does not hold.
func (d *decoder) expect(ok bool, what string) {
	if !ok && d.err == nil {
		d.err = fmt.Errorf("wrong %s", what)
	}
}

// take returns n bytes of the input, nil if there are fewer.
func (d *decoder) take(n int) []byte {
	d.expect(n <= len(d.rest), "length")
	if d.err != nil {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) u8() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) bool() bool {
	v := d.u8()
	d.expect(v <= 1, "flag")
	return v == 1
}

// bytes returns a copy, nil if it is empty.
func (d *decoder) bytes(limit int) []byte {
	n := d.u32()
	d.expect(n <= uint32(limit), "length")
	if d.err != nil || n == 0 {
		return nil
	}
	return bytes.Clone(d.take(int(n)))
}

// time is in UTC.
func (d *decoder) time() time.Time {
	seconds, nanos := int64(d.u64()), d.u32()
	d.expect(seconds >= minUnixSeconds && seconds <= maxUnixSeconds && nanos < 1e9, "time")
	if d.err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanos)).UTC()
}

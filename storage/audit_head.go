package storage

import (
	"encoding/binary"
	"fmt"
	"time"
)

// AuditHashBytes is the length of the hash of a line of the audit log.
const AuditHashBytes = 32

// AuditHead is how far the audit log was on disk when the database was told last. The
// log is a file in plain: only what is sealed can tell later that lines were cut off its
// end, or that the database is older than the log.
type AuditHead struct {
	// Number and Hash are those of the last line; 0 and all zero of an empty log.
	Number uint64
	Hash   [AuditHashBytes]byte
	// Lost counts lines that could not be written since.
	Lost uint64
	// At is when the database was told.
	At time.Time
}

// NoteAudit stores the head of the audit log.
func (db *DB) NoteAudit(h AuditHead) error {
	err := db.write(func(c *change) error { return c.seal(db.keys.sealer, auditKey, h.encode()) })
	if err != nil {
		return fmt.Errorf("note the audit log: %w", err)
	}
	return nil
}

// AuditHead is what was noted last; the zero head of a database that was never told.
func (db *DB) AuditHead() (h AuditHead, err error) {
	err = db.read(func() error {
		plain, err := db.load(auditKey)
		if err != nil || plain == nil {
			return err
		}
		h, err = decodeAuditHead(plain)
		return err
	})
	if err != nil {
		return AuditHead{}, fmt.Errorf("read what is noted of the audit log: %w", err)
	}
	return h, nil
}

func (h AuditHead) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, h.Number)
	b = binary.BigEndian.AppendUint64(b, h.Lost)
	b = binary.BigEndian.AppendUint64(b, uint64(h.At.Unix()))
	return append(b, h.Hash[:]...)
}

func decodeAuditHead(raw []byte) (AuditHead, error) {
	d := decoder{rest: raw}
	h := AuditHead{Number: d.u64(), Lost: d.u64(), At: time.Unix(int64(d.u64()), 0).UTC()}
	copy(h.Hash[:], d.take(AuditHashBytes))
	d.expect(len(d.rest) == 0, "length")
	if d.err != nil {
		return AuditHead{}, fmt.Errorf("%w: head of the audit log: %w", ErrEntryDamaged, d.err)
	}
	return h, nil
}

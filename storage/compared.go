package storage

import (
	"encoding/binary"
	"fmt"
)

// Compared says up to which block of which chain it is sure that the database has each
// share that its node attested, and what is to be done since one was lacking. The node
// compares: a share that it lacks and attested later tells of an older copy of the database.
type Compared struct {
	// ChainID and Height are empty and 0 of a database that was compared with no chain.
	ChainID string
	Height  int64
	// Doubted is the newest set of pre-parameters that another copy of the database may have
	// used: it and all before it are to be destroyed. 0: there is none.
	Doubted uint64
}

func (c Compared) valid() bool {
	if c.Height == 0 {
		return c.ChainID == ""
	}
	return c.Height > 0 && len(c.ChainID) > 0 && len(c.ChainID) <= MaxChainIDBytes
}

// NoteCompared stores with what the database was compared. ErrInvalid: both an id of 1 to
// MaxChainIDBytes bytes and a height above 0, or none of the two.
func (db *DB) NoteCompared(c Compared) error {
	if !c.valid() {
		return fmt.Errorf("note what was compared: %w: chain id %q, height %d", ErrInvalid, c.ChainID, c.Height)
	}
	err := db.write(func(w *change) error { return w.seal(db.keys.sealer, comparedKey, c.encode()) })
	if err != nil {
		return fmt.Errorf("note what was compared: %w", err)
	}
	return nil
}

// Compared is what was noted last; zero of a database of which nothing was.
func (db *DB) Compared() (c Compared, err error) {
	err = db.read(func() error {
		plain, err := db.load(comparedKey)
		if err != nil || plain == nil {
			return err
		}
		c, err = decodeCompared(plain)
		return err
	})
	if err != nil {
		return Compared{}, fmt.Errorf("read what was compared: %w", err)
	}
	return c, nil
}

func (c Compared) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.Height))
	return append(binary.BigEndian.AppendUint64(b, c.Doubted), c.ChainID...)
}

func decodeCompared(raw []byte) (Compared, error) {
	d := decoder{rest: raw}
	c := Compared{Height: int64(d.u64()), Doubted: d.u64()}
	c.ChainID = string(d.rest)
	d.expect(c.valid(), "chain id or height")
	if d.err != nil {
		return Compared{}, fmt.Errorf("%w: what was compared: %w", ErrEntryDamaged, d.err)
	}
	return c, nil
}

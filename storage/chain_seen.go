package storage

import (
	"encoding/binary"
	"fmt"
)

// MaxChainIDBytes is what CometBFT allows.
const MaxChainIDBytes = 50

// ChainSeen is how far which chain was when the database was told last. A database that
// is far behind the chain beside it is an older copy, whatever else was put back with it.
type ChainSeen struct {
	ChainID string
	Height  int64
}

// NoteChain stores how far the chain is. ErrInvalid: an id of 1 to MaxChainIDBytes
// bytes, a height above 0.
func (db *DB) NoteChain(s ChainSeen) error {
	if len(s.ChainID) < 1 || len(s.ChainID) > MaxChainIDBytes || s.Height < 1 {
		return fmt.Errorf("note the chain: %w: chain id %q, height %d", ErrInvalid, s.ChainID, s.Height)
	}
	err := db.write(func(c *change) error { return c.seal(db.keys.sealer, chainKey, s.encode()) })
	if err != nil {
		return fmt.Errorf("note the chain: %w", err)
	}
	return nil
}

// ChainSeen is what was noted last; zero of a database that was never told, as none was
// before there was this entry.
func (db *DB) ChainSeen() (s ChainSeen, err error) {
	err = db.read(func() error {
		plain, err := db.load(chainKey)
		if err != nil || plain == nil {
			return err
		}
		s, err = decodeChainSeen(plain)
		return err
	})
	if err != nil {
		return ChainSeen{}, fmt.Errorf("read what is noted of the chain: %w", err)
	}
	return s, nil
}

func (s ChainSeen) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(s.Height)), s.ChainID...)
}

func decodeChainSeen(raw []byte) (ChainSeen, error) {
	d := decoder{rest: raw}
	s := ChainSeen{Height: int64(d.u64())}
	s.ChainID = string(d.rest)
	d.expect(s.Height > 0, "height")
	d.expect(len(s.ChainID) > 0 && len(s.ChainID) <= MaxChainIDBytes, "length of the chain id")
	if d.err != nil {
		return ChainSeen{}, fmt.Errorf("%w: how far the chain was: %w", ErrEntryDamaged, d.err)
	}
	return s, nil
}

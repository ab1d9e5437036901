package storage

import (
	"encoding/binary"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Prefixes of the database keys; doc.go has the table.
const (
	prefixHeader       = 'H'
	prefixState        = 'S'
	prefixRecordKey    = 'k'
	prefixRecord       = 'r'
	prefixShare        = 'd'
	prefixPreparamsKey = 'p'
	prefixPreparams    = 'q'
	prefixBinding      = 'b'
	prefixTombstone    = 't'
)

var (
	headerKey = []byte{prefixHeader}
	stateKey  = []byte{prefixState}
)

// keyRecords is the prefix of all records of a key. Ids contain no zero byte,
// so no id is the prefix of another, and records sort by id, epoch, session.
func keyRecords(prefix byte, id types.KeyID) []byte {
	return append(append([]byte{prefix}, id...), 0)
}

// recordEntry names one of the three entries of a record.
func recordEntry(prefix byte, k types.RecordKey) []byte {
	b := keyRecords(prefix, k.KeyID)
	b = binary.BigEndian.AppendUint64(b, k.Epoch)
	return append(b, k.Session[:]...)
}

// withPrefix names the sibling of an entry.
func withPrefix(prefix byte, key []byte) []byte {
	return append([]byte{prefix}, key[1:]...)
}

func preparamsEntry(prefix byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefix}, id)
}

func bindingEntry(signatureID string) []byte {
	return append([]byte{prefixBinding}, signatureID...)
}

func tombstoneEntry(id types.KeyID) []byte {
	return append([]byte{prefixTombstone}, id...)
}

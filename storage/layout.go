package storage

import (
	"encoding/binary"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Prefixes of the database keys; doc.go has the table. Those of the two
// databases differ, so no entry can be taken for one of the other.
const (
	prefixWrappedState = 'K'
	prefixHeader       = 'H'
	prefixNextHeader   = 'N'
	prefixRecordKey    = 'k'
	prefixPreparamsKey = 'p'

	prefixMainState = 'S'
	prefixRecord    = 'r'
	prefixShare     = 'd'
	prefixPreparams = 'q'
	prefixBinding   = 'b'
	prefixTombstone = 't'
	prefixDoomed    = 'x'
	prefixAudit     = 'a'
	prefixChain     = 'c'
	prefixCompared  = 'o'
)

var (
	headerKey       = []byte{prefixHeader}
	nextHeaderKey   = []byte{prefixNextHeader}
	wrappedStateKey = []byte{prefixWrappedState}
	mainStateKey    = []byte{prefixMainState}
	auditKey        = []byte{prefixAudit}
	chainKey        = []byte{prefixChain}
	comparedKey     = []byte{prefixCompared}
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

// wrappedKeyOf names the key that an entry of the main database is sealed under,
// nil if that is the sealing key.
func wrappedKeyOf(key []byte) []byte {
	switch key[0] {
	case prefixRecord, prefixShare:
		return withPrefix(prefixRecordKey, key)
	case prefixPreparams:
		return withPrefix(prefixPreparamsKey, key)
	}
	return nil
}

// sealedUnder names the entry of the main database that a wrapped key is for,
// nil for what is no wrapped key. A record's share never comes without the
// record, so that stands for both.
func sealedUnder(key []byte) []byte {
	switch key[0] {
	case prefixRecordKey:
		return withPrefix(prefixRecord, key)
	case prefixPreparamsKey:
		return withPrefix(prefixPreparams, key)
	}
	return nil
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

func doomedEntry(id types.KeyID) []byte {
	return append([]byte{prefixDoomed}, id...)
}

package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// keyIndexes finds keys by status and by owner.
type keyIndexes struct {
	status *indexes.Multi[uint32, string, types.Key]
	owner  *indexes.Multi[string, string, types.Key]
}

// IndexesList implements collections.Indexes.
func (i keyIndexes) IndexesList() []collections.Index[string, types.Key] {
	return []collections.Index[string, types.Key]{i.status, i.owner}
}

func newKeyIndexes(sb *collections.SchemaBuilder) keyIndexes {
	return keyIndexes{
		status: indexes.NewMulti(sb, types.KeysByStatusPrefix, "keys_by_status", collections.Uint32Key, collections.StringKey,
			func(_ string, k types.Key) (uint32, error) { return uint32(k.Status), nil }),
		owner: indexes.NewMulti(sb, types.KeysByOwnerPrefix, "keys_by_owner", collections.StringKey, collections.StringKey,
			func(_ string, k types.Key) (string, error) { return k.Owner, nil }),
	}
}

// signatureIndexes finds signatures by key.
type signatureIndexes struct {
	key *indexes.Multi[string, string, types.Signature]
}

// IndexesList implements collections.Indexes.
func (i signatureIndexes) IndexesList() []collections.Index[string, types.Signature] {
	return []collections.Index[string, types.Signature]{i.key}
}

func newSignatureIndexes(sb *collections.SchemaBuilder) signatureIndexes {
	return signatureIndexes{
		key: indexes.NewMulti(sb, types.SignaturesByKeyPrefix, "signatures_by_key", collections.StringKey, collections.StringKey,
			func(_ string, s types.Signature) (string, error) { return s.KeyId, nil }),
	}
}

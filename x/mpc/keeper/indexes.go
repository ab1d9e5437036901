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

// reshareIndexes finds reshares by key and by status.
type reshareIndexes struct {
	key    *indexes.Multi[string, string, types.Reshare]
	status *indexes.Multi[uint32, string, types.Reshare]
}

// IndexesList implements collections.Indexes.
func (i reshareIndexes) IndexesList() []collections.Index[string, types.Reshare] {
	return []collections.Index[string, types.Reshare]{i.key, i.status}
}

func newReshareIndexes(sb *collections.SchemaBuilder) reshareIndexes {
	return reshareIndexes{
		key: indexes.NewMulti(sb, types.ResharesByKeyPrefix, "reshares_by_key", collections.StringKey, collections.StringKey,
			func(_ string, r types.Reshare) (string, error) { return r.KeyId, nil }),
		status: indexes.NewMulti(sb, types.ResharesByStatusPrefix, "reshares_by_status", collections.Uint32Key, collections.StringKey,
			func(_ string, r types.Reshare) (uint32, error) { return uint32(r.Status), nil }),
	}
}

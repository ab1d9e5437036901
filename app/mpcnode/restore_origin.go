package mpcnode

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// A backup of another node or of another chain is whole, opens and can be stored: it
// would give this node shares that it must not have, or an identity that is somebody
// else's. So before anything is written it is asked where a backup comes from.
var (
	// ErrOtherChain: the backup was made on a chain of another id.
	ErrOtherChain = fmt.Errorf("%w: the backup is of another chain; nothing was changed", types.ErrRestore)
	// ErrOtherNode: its identity, or its shares, are not those of this node.
	ErrOtherNode = fmt.Errorf("%w: the backup is of another node; nothing was changed", types.ErrRestore)
)

// Origin says where a backup may come from.
type Origin struct {
	// ChainID is this node's.
	ChainID string
	// FromChain is the id under which a chain ran that was exported and began again as
	// ChainID; empty if the backup must be of ChainID.
	FromChain string
	// Participant is whose shares they must be. It lets a backup with another identity
	// in: one that was lost, and replaced since. Empty: whoever has the identity.
	Participant types.Operator
}

// check looks at what needs no passphrase: chain, identity, and that all shares are of
// one participant, which it returns; empty if there is no share.
func (o Origin) check(paths Paths, saved *backup.Saved) (types.Operator, error) {
	if saved.ChainID != o.ChainID && saved.ChainID != o.FromChain {
		return "", fmt.Errorf(types.ForProgram("%w: it is of %q, and this node is of %q; give the folder of this chain's backups, or this node the genesis.json of its chain, and only if the chain was exported and began again under another id add --from-chain %[2]s"), ErrOtherChain, saved.ChainID, o.ChainID)
	}
	owner, err := ownerOf(saved.Records)
	if err != nil {
		return "", err
	}
	if o.Participant != "" {
		if owner != "" && owner != o.Participant {
			return "", fmt.Errorf("%w: its shares are of %s, not of %s; give the folder of that participant's backups", ErrOtherNode, owner, o.Participant)
		}
		return owner, nil
	}
	return owner, sameIdentity(paths, saved)
}

// sameIdentity: the identity that is there, if any, has a key of the backup's.
func sameIdentity(paths Paths, saved *backup.Saved) error {
	there, err := storage.ReadIdentityPublic(paths.Identity)
	if errors.Is(err, storage.ErrNoIdentity) {
		return nil
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(saved.Seeds, func(seed []byte) bool { return seedOfAny(seed, there) }) {
		return nil
	}
	return fmt.Errorf(types.ForProgram("%w: it has none of the keys of the identity in %s; give the folder of this node's backups, or, if its identity was made anew since, say whose the shares are: --participant OPERATOR"), ErrOtherNode, paths.Identity)
}

func seedOfAny(seed []byte, public []ed25519.PublicKey) bool {
	if len(seed) != ed25519.SeedSize {
		return false
	}
	k := ed25519.NewKeyFromSeed(seed)
	defer types.Wipe(k)
	return slices.ContainsFunc(public, func(p ed25519.PublicKey) bool { return p.Equal(k.Public()) })
}

// ownerOf is the participant whose shares records have; empty if they have none.
func ownerOf(records []types.Record) (types.Operator, error) {
	var owner types.Operator
	for i := range records {
		r := &records[i]
		if len(r.Data) == 0 {
			continue
		}
		of, err := tss.ShareOwner(r.Data, r.Participants)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: key %s epoch %d: %w", backup.ErrDamaged, r.KeyID, r.Epoch, err)
		case owner != "" && of != owner:
			return "", fmt.Errorf("%w: it has shares of %s and of %s, and no node has both", ErrOtherNode, owner, of)
		}
		owner = of
	}
	return owner, nil
}

// sameOwner: the shares of a database, if any, are of the participant that those of the
// backup are of.
func sameOwner(db *storage.DB, owner types.Operator) error {
	if owner == "" {
		return nil
	}
	records, err := db.Records()
	if err != nil {
		return err
	}
	for _, r := range records {
		if !r.HasData {
			continue
		}
		if err := sameOwnerOfRecord(db, r, owner); err != nil {
			return err
		}
	}
	return nil
}

func sameOwnerOfRecord(db *storage.DB, r types.Record, owner types.Operator) error {
	share, err := db.OpenShare(r.RecordKey)
	if err != nil {
		return err
	}
	defer types.Wipe(share)
	there, err := tss.ShareOwner(share, r.Participants)
	if err != nil {
		return fmt.Errorf("key %s epoch %d of the database: %w", r.KeyID, r.Epoch, err)
	}
	if there != owner {
		return fmt.Errorf("%w: its shares are of %s, and the database has those of %s; give the folder of this node's backups", ErrOtherNode, owner, there)
	}
	return nil
}

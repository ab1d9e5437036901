package mpcnode

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// What CheckBackup says of a record.
const (
	// CheckFits: the share fits the key that the chain shows; it can sign.
	CheckFits = "fits"
	// CheckDeleting: the share fits as well; the key is DELETING, and its owner can take
	// that back.
	CheckDeleting = "deleting"
	// CheckOlderEpoch: it was a share of the key; the chain has a newer epoch.
	CheckOlderEpoch = "older_epoch"
	// CheckNewerEpoch: a reshare that the chain has not switched to.
	CheckNewerEpoch = "newer_epoch"
	// CheckOtherSession: a share of a session that the chain did not choose.
	CheckOtherSession = "other_session"
	// CheckNoShare: a session that never had one.
	CheckNoShare = "no_share"
	// CheckUnknown: nobody said what the chain knows of the key.
	CheckUnknown = "unknown_key"
	// CheckNotReady: the chain has the key, and it never was READY.
	CheckNotReady = "not_ready"
	// CheckDeleted: the key is DELETED, for ever.
	CheckDeleted = "deleted"
	// CheckOtherOwner: it is whole, and the share of another participant.
	CheckOtherOwner = "other_participant"
	// CheckMissing: the key is READY on chain, or DELETING and READY again if its owner
	// takes that back, it is this participant's, and the backup has no share that fits.
	CheckMissing = "missing"
	// CheckBad: the share is damaged, or is not what it says.
	CheckBad = "does_not_fit"
)

// ShareCheck is what was found about a record of a backup.
type ShareCheck struct {
	KeyID       string `json:"key_id"`
	Epoch       uint64 `json:"epoch"`
	Session     string `json:"session,omitempty"`
	Outcome     string `json:"outcome"`
	Participant string `json:"participant,omitempty"`
	Problem     string `json:"problem,omitempty"`
	// DeletedAt is the block in which the key is DELETED, if it is DELETING and was READY; or 0.
	DeletedAt int64 `json:"deleted_at,omitempty"`
}

// Fits says that the node would sign with the share, now or when the deletion of its key was
// taken back.
func (c ShareCheck) Fits() bool { return c.Outcome == CheckFits || c.Outcome == CheckDeleting }

// NeedsShares says whether the participants of a key are to have their shares of it. They are
// of one that is DELETING, too: until it is DELETED its owner can take that back, and whoever left its
// share in the backup has none then. One that failed before it was deleted never had any.
func NeedsShares(key *mpcmodule.Key) bool {
	return key.Status == mpcmodule.KEY_STATUS_READY || beingDeleted(key)
}

func beingDeleted(key *mpcmodule.Key) bool {
	return key.Status == mpcmodule.KEY_STATUS_DELETING && len(key.PublicKey) > 0
}

func endOf(key *mpcmodule.Key) int64 {
	if beingDeleted(key) {
		return key.RetireHeight
	}
	return 0
}

// CheckBackup compares the records of a backup with what the chain shows of their
// keys, and proves of each share that it is whole: its own secret fits its public
// commitment (BigXj), and the commitments give the public key. It takes about a
// quarter of a second for each share. self is the participant whose backup it is; empty:
// whoever the shares belong to. Of a backup without any share nobody knows that, and
// each key that NeedsShares counts as one whose share is missing.
func CheckBackup(saved *backup.Saved, keys map[string]mpcmodule.Key, self types.Operator) []ShareCheck {
	var all []ShareCheck
	owners := make(map[string]bool)
	for i := range saved.Records {
		c := checkRecord(&saved.Records[i], keys)
		if c.Participant != "" && c.Outcome != CheckBad {
			owners[c.Participant] = true
		}
		all = append(all, c)
	}
	if self != "" {
		owners = map[string]bool{string(self): true}
	}
	fits := settleOwners(all, owners)
	owned := func(op string) bool { return owners[op] }
	var missing []string
	for id, key := range keys {
		ours := len(owners) == 0 || slices.ContainsFunc(key.Participants, owned)
		if NeedsShares(&key) && !fits[id] && ours {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	for _, id := range missing {
		key := keys[id]
		all = append(all, ShareCheck{KeyID: id, Epoch: key.Epoch, Outcome: CheckMissing, DeletedAt: endOf(&key)})
	}
	return all
}

// settleOwners marks whole shares that are none of the backup's owner, and returns the
// keys that a share of its fits. No node has shares of two participants: where nobody
// said whose they are to be, none of them counts.
func settleOwners(all []ShareCheck, owners map[string]bool) map[string]bool {
	fits := make(map[string]bool)
	for i := range all {
		c := &all[i]
		switch {
		case c.Participant == "" || c.Outcome == CheckBad:
		case len(owners) > 1:
			c.Outcome, c.Problem = CheckOtherOwner, "the backup has shares of several participants"
		case !owners[c.Participant]:
			c.Outcome, c.Problem = CheckOtherOwner, "whose backup it is not"
		}
		fits[c.KeyID] = fits[c.KeyID] || c.Fits()
	}
	return fits
}

// CheckIdentity is an error if a backup lacks the key of the identity by which the chain
// knows a participant now: who restored it could take part in nothing new. It is
// backup.ErrIdentityMissing.
func CheckIdentity(saved *backup.Saved, p mpcmodule.Participant) error {
	current, ok := p.Current()
	if !ok {
		return nil // revoked: a new one is registered in any case
	}
	if slices.ContainsFunc(saved.Seeds, func(seed []byte) bool { return seedOfAny(seed, []ed25519.PublicKey{current.PublicKey}) }) {
		return nil
	}
	return fmt.Errorf("%w: version %d of %s", backup.ErrIdentityMissing, current.Version, p.Operator)
}

func checkRecord(r *types.Record, keys map[string]mpcmodule.Key) ShareCheck {
	c := ShareCheck{KeyID: string(r.KeyID), Epoch: r.Epoch, Session: r.Session.String()}
	if !r.HasData {
		c.Outcome = CheckNoShare
		return c
	}
	owner, err := checkWholeShare(r)
	c.Participant = string(owner)
	key, known := keys[string(r.KeyID)]
	if err == nil && known && len(key.PublicKey) > 0 && !bytes.Equal(key.PublicKey, r.PublicKey) && key.Epoch != r.Epoch {
		err = errors.New("the public key is not the one on chain")
	}
	if err == nil && known {
		c.Outcome, err = compareWithChain(r, &key)
	}
	c.DeletedAt = endOf(&key)
	switch {
	case err != nil:
		c.Outcome, c.Problem = CheckBad, err.Error()
	case !known:
		c.Outcome = CheckUnknown
	}
	return c
}

// checkWholeShare proves that a share is one of what its record says.
func checkWholeShare(r *types.Record) (types.Operator, error) {
	payload, err := types.DecodeKeygenPayload(r.Payload)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(payload.PublicKey, r.PublicKey) {
		return "", errors.New("the record names another public key than the one attested")
	}
	owner, err := tss.ShareOwner(r.Data, r.Participants)
	if err != nil {
		return "", err
	}
	return owner, tss.CheckShare(r.Data, payload, owner, r.Participants)
}

// compareWithChain says what the chain makes of a share that is whole.
func compareWithChain(r *types.Record, key *mpcmodule.Key) (string, error) {
	switch {
	case key.Status == mpcmodule.KEY_STATUS_DELETED:
		return CheckDeleted, nil
	case !NeedsShares(key):
		return CheckNotReady, nil
	case r.Epoch < key.Epoch:
		return CheckOlderEpoch, nil
	case r.Epoch > key.Epoch:
		return CheckNewerEpoch, nil
	case !bytes.Equal(r.Context[:], key.Session):
		return CheckOtherSession, nil
	}
	payload, err := types.DecodeKeygenPayload(r.Payload)
	if err != nil {
		return "", err
	}
	participants := texts(r.Participants)
	switch {
	case !bytes.Equal(payload.PublicKey, key.PublicKey):
		return "", errors.New("the public key is not the one on chain")
	case !slices.EqualFunc(payload.PublicShares, key.PublicShares, bytes.Equal):
		return "", errors.New("the share commitments (BigXj) are not those on chain")
	case !bytes.Equal(payload.ParametersHash[:], key.ParametersHash):
		return "", errors.New("the parameters are not those on chain")
	case !slices.Equal(participants, key.Participants) || r.Threshold != int(key.Threshold):
		return "", fmt.Errorf("threshold %d of %d participants is not what the chain has", r.Threshold, len(participants))
	}
	if beingDeleted(key) {
		return CheckDeleting, nil
	}
	return CheckFits, nil
}

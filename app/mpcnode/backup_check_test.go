package mpcnode

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Each share is proved to fit the chain, or named.
func TestCheckBackup(t *testing.T) {
	k, other := fixtures.Shares(3, 1), fixtures.Shares(2, 1)
	fits := fixtureRecord(k, "fits", 1)
	edited := func(id string, edit func(*types.Record)) types.Record {
		r := fixtureRecord(k, id, 1)
		edit(&r)
		return r
	}
	saved := &backup.Saved{Contents: storage.Contents{Records: []types.Record{
		fits,
		edited("other-share", func(r *types.Record) { r.Data = other.Shares[0] }),
		edited("other-key", func(*types.Record) {}),
		edited("other-commitments", func(*types.Record) {}),
		edited("older", func(*types.Record) {}),
		edited("newer", func(r *types.Record) { r.Epoch = 7 }),
		edited("lost-session", func(*types.Record) {}),
		edited("deleted", func(*types.Record) {}),
		edited("deleting", func(*types.Record) {}),
		edited("deleting-older", func(r *types.Record) { r.Epoch = 0 }),
		edited("deleting-failed", func(*types.Record) {}),
		edited("failed", func(*types.Record) {}),
		edited("unknown", func(*types.Record) {}),
		edited("no-share", func(r *types.Record) { r.Data = nil }),
		edited("cut", func(r *types.Record) { r.Data = r.Data[:len(r.Data)-1] }),
	}}}
	keys := map[string]mpcmodule.Key{}
	for _, id := range []string{"fits", "other-share", "other-key", "other-commitments", "older", "newer", "lost-session", "deleted", "deleting", "deleting-older", "deleting-failed", "deleting-missing", "failed", "missing", "cut"} {
		keys[id] = chainKey(k, id)
	}
	set := func(id string, edit func(*mpcmodule.Key)) {
		key := keys[id]
		edit(&key)
		keys[id] = key
	}
	set("other-key", func(x *mpcmodule.Key) { x.PublicKey = other.Payload.PublicKey })
	set("other-commitments", func(x *mpcmodule.Key) {
		x.PublicShares = [][]byte{k.Payload.PublicShares[0], k.Payload.PublicShares[0], k.Payload.PublicShares[2]}
	})
	set("older", func(x *mpcmodule.Key) { x.Epoch = 2 })
	set("lost-session", func(x *mpcmodule.Key) { x.Session = make([]byte, 32) })
	set("deleted", func(x *mpcmodule.Key) { x.Status = mpcmodule.KEY_STATUS_DELETED })
	for _, id := range []string{"deleting", "deleting-older", "deleting-failed", "deleting-missing"} {
		set(id, func(x *mpcmodule.Key) { x.Status, x.RetireHeight = mpcmodule.KEY_STATUS_DELETING, 700 })
	}
	set("deleting-older", func(x *mpcmodule.Key) { x.Epoch = 1 })
	set("deleting-failed", func(x *mpcmodule.Key) { x.PublicKey, x.Session = nil, nil })
	set("failed", func(x *mpcmodule.Key) { x.Status = mpcmodule.KEY_STATUS_ERROR })
	for i := range saved.Records {
		saved.Records[i].HasData = saved.Records[i].Data != nil
	}

	outcomes := map[string][]string{}
	foreign := chainKey(k, "foreign")
	foreign.Participants = []string{"seqvaloper1other"}
	keys["foreign"] = foreign
	for _, c := range CheckBackup(saved, keys, "") {
		outcomes[c.KeyID] = append(outcomes[c.KeyID], c.Outcome)
		require.Equal(t, c.Outcome == CheckBad, c.Problem != "", c.KeyID)
		require.Equal(t, slices.Contains([]string{"deleting", "deleting-older", "deleting-missing"}, c.KeyID), c.DeletedAt == 700, c.KeyID)
		if c.KeyID == "fits" {
			require.Equal(t, string(k.Operators[1]), c.Participant)
		}
	}
	require.Equal(t, map[string][]string{
		"fits": {CheckFits}, "other-share": {CheckBad, CheckMissing}, "other-key": {CheckBad, CheckMissing},
		"other-commitments": {CheckBad, CheckMissing}, "older": {CheckOlderEpoch, CheckMissing},
		"newer": {CheckNewerEpoch, CheckMissing}, "lost-session": {CheckOtherSession, CheckMissing},
		"deleted": {CheckDeleted}, "deleting": {CheckDeleting}, "deleting-older": {CheckOlderEpoch, CheckMissing},
		"deleting-failed": {CheckNotReady}, "deleting-missing": {CheckMissing}, "failed": {CheckNotReady}, "unknown": {CheckUnknown}, "no-share": {CheckNoShare},
		"missing": {CheckMissing}, "cut": {CheckBad, CheckMissing},
	}, outcomes)
}

// Whose backup it is decides which keys should be in it: who is named, or else whoever
// the shares belong to; without any share, each key that is asked about.
func TestCheckBackupOfWhom(t *testing.T) {
	k := fixtures.Shares(2, 1)
	record := fixtureRecord(k, "held", 0)
	record.HasData = true
	later, foreign := chainKey(k, "later"), chainKey(k, "foreign")
	foreign.Participants = []string{"seqvaloper1other"}
	keys := map[string]mpcmodule.Key{"held": chainKey(k, "held"), "later": later, "foreign": foreign}
	missing := func(self types.Operator, records ...types.Record) []string {
		var ids []string
		for _, c := range CheckBackup(&backup.Saved{Contents: storage.Contents{Records: records}}, keys, self) {
			if c.Outcome == CheckMissing {
				ids = append(ids, c.KeyID)
			}
		}
		return ids
	}
	require.Equal(t, []string{"later"}, missing("", record))
	require.Equal(t, []string{"foreign", "held", "later"}, missing(""))
	require.Equal(t, []string{"foreign"}, missing("seqvaloper1other"))
	require.Equal(t, []string{"later"}, missing(k.Operators[0], record))
	require.Equal(t, []string{"held", "later"}, missing(k.Operators[0]))
	require.Equal(t, []string{"held", "later"}, missing(k.Operators[1], record), "a share of somebody else's fits nothing of one's own")

	// A share that is whole, and somebody else's; and those of two, of which none counts.
	second := fixtureRecord(k, "held", 1)
	second.HasData, second.Session = true, types.SessionID{2}
	for self, records := range map[types.Operator][]types.Record{k.Operators[1]: {record}, "": {record, second}} {
		checks := CheckBackup(&backup.Saved{Contents: storage.Contents{Records: records}}, keys, self)
		for _, c := range checks[:len(records)] {
			require.Equal(t, CheckOtherOwner, c.Outcome)
			require.NotEmpty(t, c.Problem)
		}
	}
}

// The identity that the chain goes by must be in the backup.
func TestCheckIdentity(t *testing.T) {
	old, current := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	p := mpcmodule.Participant{Operator: "seqvaloper1me"}
	for i, k := range []ed25519.PrivateKey{old, current} {
		p.Identities = append(p.Identities, mpcmodule.Identity{Version: uint32(i + 1), PublicKey: k[ed25519.SeedSize:]})
	}
	require.NoError(t, CheckIdentity(&backup.Saved{Seeds: [][]byte{old.Seed(), current.Seed()}}, p))
	err := CheckIdentity(&backup.Saved{Seeds: [][]byte{old.Seed()}}, p)
	require.ErrorIs(t, err, backup.ErrIdentityMissing)
	require.ErrorContains(t, err, "version 2 of seqvaloper1me")
	require.ErrorIs(t, CheckIdentity(&backup.Saved{}, p), backup.ErrIdentityMissing)
	p.Identities[1].RevokedHeight = 7
	require.NoError(t, CheckIdentity(&backup.Saved{}, p), "another one is needed in any case")
}

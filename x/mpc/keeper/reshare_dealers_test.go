package keeper_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/collections"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// find lets a participant take back that it has no share of k.
func find(t *testing.T, f *chain.Fixture, p *chain.Participant) {
	t.Helper()
	a := p.AttestFound("k", chain.Session("k"))
	require.NoError(t, f.Keeper.CheckAttestation(f.Ctx, &a))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
}

// What happens to the reshare r of k, whose shares three of the four first participants must
// deal to the last three of the five.
type dealing struct {
	t      *testing.T
	f      *chain.Fixture
	secret chain.Secret
}

func (d dealing) miss(i int)   { d.t.Helper(); miss(d.t, d.f, d.f.Participants[i]) }
func (d dealing) find(i int)   { d.t.Helper(); find(d.t, d.f, d.f.Participants[i]) }
func (d dealing) revoke(i int) { d.t.Helper(); revokeAgain(d.t, d.f, d.f.Participants[i]) }
func (d dealing) attest(i int) {
	d.t.Helper()
	a := d.f.Participants[i].AttestReshare("r", 0, chain.Session("r"), d.secret.Payload(3))
	require.NoError(d.t, d.f.Keeper.ApplyAttestation(d.f.Ctx, &a))
}

// missAgain says so for the second time.
func (d dealing) missAgain(i int) {
	d.t.Helper()
	a := d.f.Participants[i].AttestMissingAgain("k", chain.Session("k"))
	require.NoError(d.t, d.f.Keeper.ApplyAttestation(d.f.Ctx, &a))
}

// A reshare fails as soon as too few are left who can deal their shares, be it that they
// revoked or that they said that they have none, in whatever order, on an imported chain as
// well. One that can be dealt all the same goes on, to its end.
func TestReshareEndsWithoutDealers(t *testing.T) {
	for name, c := range map[string]struct {
		before func(dealing) // it was asked for
		then   func(dealing)
		reason string // empty: it goes on
	}{
		"one share is missing":  {then: func(d dealing) { d.miss(0) }},
		"two are":               {then: func(d dealing) { d.miss(0); d.miss(1) }, reason: "too_few_signers"},
		"one of who gets a new": {then: func(d dealing) { d.miss(3); d.miss(1) }, reason: "too_few_signers"},
		"one is missing, another one revoked": {
			then: func(d dealing) { d.miss(2); d.revoke(0) }, reason: "too_few_signers",
		},
		"one revoked, another one is missing": {
			then: func(d dealing) { d.revoke(0); d.miss(1) }, reason: "too_few_signers",
		},
		"one revoked before, another one is missing": {
			before: func(d dealing) { d.revoke(0) }, then: func(d dealing) { d.miss(1) },
		},
		"one had no identity, another one is missing": {
			before: func(d dealing) {
				require.NoError(d.t, d.f.Keeper.RevokeParticipant(d.f.Ctx, d.f.Participants[0].Operator))
			},
			then: func(d dealing) { d.miss(1) }, reason: "too_few_signers",
		},
		"one was missing, another one revoked": {
			before: func(d dealing) { d.miss(1) }, then: func(d dealing) { d.revoke(0) }, reason: "too_few_signers",
		},
		"one is missing and revoked": {then: func(d dealing) { d.miss(0); d.revoke(0) }},
		"one revoked and is missing": {then: func(d dealing) { d.revoke(0); d.miss(0) }},
		"too many revoked, and one is missing": {
			then: func(d dealing) { d.revoke(0); d.revoke(1); d.miss(2) }, reason: "identity_revoked",
		},
		"two are missing, and revoked": {
			then: func(d dealing) { d.miss(0); d.miss(1); d.revoke(0); d.revoke(1) }, reason: "too_few_signers",
		},
		"one is missing and found, then another one": {
			then: func(d dealing) { d.miss(0); d.find(0); d.miss(1) },
		},
		"two are missing, one is found in the same block": {
			then: func(d dealing) { d.miss(0); d.miss(1); d.find(0) }, reason: "too_few_signers",
		},
		"asked for when two were missing": {
			before: func(d dealing) { d.miss(0); d.miss(1) }, then: func(d dealing) { d.miss(2) },
		},
		"asked for when two were missing, one of them revoked": {
			before: func(d dealing) { d.miss(0); d.miss(1) }, then: func(d dealing) { d.revoke(0) },
		},
		"asked for when two were missing, one is found and lost again": {
			before: func(d dealing) { d.miss(0); d.miss(1) }, then: func(d dealing) { d.find(0); d.missAgain(0) }, reason: "too_few_signers",
		},
		"dealt before two are missing": {
			then: func(d dealing) { d.attest(4); d.miss(0); d.miss(1) },
		},
		"dealt before one is missing and one revoked": {
			then: func(d dealing) { d.attest(4); d.miss(1); d.revoke(0) },
		},
		"deleted and taken back, then two are missing": {
			then: func(d dealing) { deleteK(d.t, d.f); undeleteKey(d.t, d.f, "k"); d.miss(0); d.miss(1) }, reason: "key_deleted",
		},
		"two are missing, then deleted and taken back": {
			then: func(d dealing) { d.miss(0); d.miss(1); deleteK(d.t, d.f); undeleteKey(d.t, d.f, "k") }, reason: "too_few_signers",
		},
		"two are missing, then cancelled": {
			then: func(d dealing) { d.miss(0); d.miss(1); cancel(d.t, d.f, d.f.Requester) }, reason: "too_few_signers",
		},
		"cancelled, then two are missing": {
			then: func(d dealing) { cancel(d.t, d.f, d.f.Requester); d.miss(0); d.miss(1) }, reason: "cancelled",
		},
		"two are missing when it expires": {
			then: func(d dealing) { d.f.EndBlocks(650); d.miss(0); d.miss(1) }, reason: "too_few_signers",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := resharing(t)
			d := dealing{t, f, secret}
			if c.before != nil {
				c.before(d)
			}
			f.EndBlocks(50)
			f.Reshare("r", "k", 1, f.Participants[2:5]...)
			c.then(d)
			next := f.Ctx.BlockHeight() + 1
			chains := []*chain.Fixture{f}
			if r, err := f.Keeper.Reshare(f.Ctx, "r"); err == nil && r.Status == types.RESHARE_STATUS_PENDING { // the export is of the block before
				imported := exportImport(t, f)
				imported.Participants = f.Participants
				chains = []*chain.Fixture{imported, f}
			}
			for _, f := range chains { // the other's request must be open as long as anybody attests
				if c.reason == "" {
					f.EndBlocks(next)
					requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
					finishDealing(t, f, secret)
					continue
				}
				word := f.Participants[4].AttestReshare("r", 0, chain.Session("r"), secret.Payload(3))
				require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &word), types.ErrAlreadyDecided)
				f.EndBlocks(next)
				r := requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, c.reason)
				require.Equal(t, next-1, r.DecidedHeight)
				for _, prefix := range []collections.Prefix{
					types.RequestsPrefix, types.RequestExpiryPrefix, types.CondemnedRequestsPrefix, types.RequestsByMemberPrefix,
				} {
					require.Zero(t, f.Entries(prefix))
				}
				require.NoError(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Validate())
			}
		})
	}
}

// finishDealing lets the new committee attest r, as far as it did not, and sign its test.
func finishDealing(t *testing.T, f *chain.Fixture, secret chain.Secret) {
	t.Helper()
	for _, p := range f.Participants[2:5] {
		word := p.AttestReshare("r", 0, chain.Session("r"), secret.Payload(3))
		if f.Keeper.CheckAttestation(f.Ctx, &word) == nil {
			require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &word))
		}
	}
	f.PassTest("r", secret)
	requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
}

// Once all of the new committee have their shares, the old ones are not needed.
func TestTestedReshareNeedsNoDealers(t *testing.T) {
	f, secret := resharing(t)
	f.Reshare("r", "k", 1, f.Participants[2:5]...)
	f.Stage("r", secret)
	for _, p := range f.Participants[:4] {
		miss(t, f, p)
	}
	f.EndBlocks(2)
	f.PassTest("r", secret)
	require.Empty(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").MissingShares)
}

// A reshare that cannot be read keeps nobody from saying that its share is missing.
func TestMissingShareOfASpoiledReshare(t *testing.T) {
	f, _ := resharing(t)
	f.Reshare("r", "k", 1, f.Participants[2:5]...)
	miss(t, f, f.Participants[0])
	spoil(f, types.RequestsPrefix, "", failures["error"])
	miss(t, f, f.Participants[1])
	f.Spoiled = nil
	require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").MissingShares, 2)
}

// A reshare of the module that ends by missing shares is not counted among those that make
// the key wait longer each time, and the key is reported once.
func TestAutoReshareWithoutDealers(t *testing.T) {
	for name, revoke := range map[string]bool{"missing": false, "missing and revoked": true} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
			f.Participants[0].Jail()
			f.EndBlocks(11)
			id := types.AutoReshareID("k", 10)
			for range 2 {
				f.Events(&types.EventKeyEndangered{})
				height := f.Ctx.BlockHeight()
				lost := f.Participants[1]
				word := lost.AttestMissing("k", chain.Session("k"))
				if f.Keeper.ApplyAttestation(f.Ctx, &word) != nil {
					word = lost.AttestMissingAgain("k", chain.Session("k"))
					require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &word))
				}
				if revoke {
					revokeAgain(t, f, f.Participants[0])
				} else if key := requireKey(t, f, "k", types.KEY_STATUS_READY, ""); len(key.MissingShares) == 1 {
					miss(t, f, f.Participants[0])
				}
				f.EndBlocks(height + 1)
				requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "too_few_signers")
				require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), "too_few_signers: ")
				require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.EqualValues(t, 1, key.FailedReshares)
				var blamed []string
				if revoke {
					blamed = chain.Operators(f.Participants[0])
				}
				require.ElementsMatch(t, blamed, key.AbsentOperators())
				if slices.Contains(key.FoundShares, lost.Operator) {
					break
				}
				find(t, f, lost)
				f.EndBlocks(height + 51)
				require.EqualValues(t, height+50, key.AutoReshareHeight)
				id = types.AutoReshareID("k", height+50)
				requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, "")
			}
		})
	}
}

// Who revoked its identity is blamed of a reshare that too few are left to deal, unless it had
// said before that it has no share: then the revocation took none away.
func TestRevocationWithoutAShareIsNotBlamed(t *testing.T) {
	for name, lost := range map[string]bool{"had a share": false, "had none": true} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			f.Participants[0].Jail()
			f.EndBlocks(11)
			id := types.AutoReshareID("k", 10)
			require.NotContains(t, requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, "").Participants, f.Participants[0].Operator)
			var blamed []string
			if lost {
				miss(t, f, f.Participants[0])
			} else {
				blamed = chain.Operators(f.Participants[0])
			}
			revokeAgain(t, f, f.Participants[0])
			f.EndBlocks(12)
			requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, "")
			miss(t, f, f.Participants[1])
			f.EndBlocks(13)
			requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "too_few_signers")
			key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
			require.ElementsMatch(t, blamed, key.AbsentOperators())
			require.NoError(t, key.Validate())
		})
	}
}

// A genesis file may have a reshare of the module that too few can deal, which an earlier
// version let wait: it fails, unless it was dealt. One that an owner asked for goes on.
func TestImportedReshareWithoutDealers(t *testing.T) {
	for name, c := range map[string]struct {
		missing []int
		auto    bool
		attest  bool
		fails   bool
	}{
		"the module's":             {missing: []int{1, 2}, auto: true, fails: true},
		"the module's, dealt":      {missing: []int{1, 2}, auto: true, attest: true},
		"the module's, one misses": {missing: []int{1}, auto: true},
		"the owner's":              {missing: []int{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			old, secret := resharing(t)
			id := "r"
			old.EndBlocks(10)
			if c.auto {
				id = types.AutoReshareID("k", 10)
				setParams(t, old, func(p *types.Params) { p.AutoReshare = true })
				old.Participants[0].Jail()
			} else {
				old.Reshare(id, "k", 2, old.Participants[1:]...)
			}
			old.EndBlocks(11)
			if c.attest {
				word := old.Participants[4].AttestReshare(id, 0, chain.Session("r"), secret.Payload(4))
				require.NoError(t, old.Keeper.ApplyAttestation(old.Ctx, &word))
			}
			gs, err := old.Keeper.ExportGenesis(old.Ctx)
			require.NoError(t, err)
			for _, i := range c.missing {
				gs.Keys[0].Miss(old.Participants[i].Operator, 11)
			}
			require.NoError(t, gs.Validate())
			f := chain.NewEmpty(t)
			f.Ctx = f.Ctx.WithBlockHeight(12)
			require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
			f.EndBlocks(13)
			if c.fails {
				requireReshare(t, f, id, types.RESHARE_STATUS_ERROR, "too_few_signers")
			} else {
				requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, "")
			}
		})
	}
}

// No signature fails because shares are missing: they may be found, and sign.
func TestSignatureWaitsForFoundShares(t *testing.T) {
	f, secret := resharing(t)
	f.KeySign("s", "k", "text")
	f.KeySign("lost", "k", "text")
	for _, p := range f.Participants[:4] {
		miss(t, f, p)
	}
	f.EndBlocks(100)
	find(t, f, f.Participants[0])
	finishSign(t, f, "s", secret)
	f.EndBlocks(400)
	requireSignature(t, f, "lost", types.SIGNATURE_STATUS_ERROR, "expired")
}

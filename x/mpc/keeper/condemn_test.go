package keeper_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// crowded is a chain at height 2 with more open signatures of one key than one
// block may fail.
func crowded(t *testing.T) (f *chain.Fixture, secret chain.Secret, open int) {
	t.Helper()
	f = chain.New(t, 4)
	setParams(t, f, unlimited)
	secret = f.ReadyKey("k", 1)
	open = keeper.MaxExpiriesPerBlock + 100
	for i := range open {
		f.KeySign(fmt.Sprintf("s-%03d", i), "k", "text")
	}
	f.EndBlocks(2)
	return f, secret, open
}

// What condemns all open requests at once costs a transaction little; none of them
// takes a result from then on, and they become ERROR as fast as blocks allow.
func TestCondemnedRequestsFailBlockByBlock(t *testing.T) {
	for name, c := range map[string]struct {
		condemn func(*testing.T, *chain.Fixture)
		reason  string
	}{
		"revocation": {revokeOne, "identity_revoked"},
		"deletion":   {deleteK, "key_deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret, open := crowded(t)
			meter := newMeter()
			ctx := f.Ctx
			f.Ctx = ctx.WithGasMeter(meter)
			c.condemn(t, f)
			f.Ctx = ctx
			require.Less(t, meter.GasConsumed(), uint64(100_000))
			require.Equal(t, open, f.Entries(types.RequestsPrefix))

			result := secret.Sign("s-000", chain.Digest("text"))
			require.ErrorIs(t, f.Keeper.CheckSignature(f.Ctx, &result), types.ErrAlreadyDecided)
			requests, err := f.Keeper.EngineRequests(f.Ctx)
			require.NoError(t, err)
			require.Empty(t, requests, "nobody works on them")

			f.Events(&types.EventSignFailed{})
			f.EndBlocks(3)
			require.Equal(t, keeper.MaxExpiriesPerBlock, f.Events(&types.EventSignFailed{}))
			requireSignature(t, f, "s-000", types.SIGNATURE_STATUS_ERROR, c.reason)
			last := fmt.Sprintf("s-%03d", open-1)
			requireSignature(t, f, last, types.SIGNATURE_STATUS_PENDING, "")
			imported := exportImport(t, f)
			for _, f := range []*chain.Fixture{f, imported} {
				result = secret.Sign(last, chain.Digest("text"))
				require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &result), types.ErrAlreadyDecided)
				f.EndBlocks(4)
				requireSignature(t, f, last, types.SIGNATURE_STATUS_ERROR, c.reason)
				require.Zero(t, f.Entries(types.RequestsPrefix))
				require.Zero(t, f.Entries(types.RequestExpiryPrefix))
				require.Zero(t, f.Entries(types.CondemnedRequestsPrefix))
			}
		})
	}
}

// exportImport is the same state on a chain that goes on at the next height.
func exportImport(t *testing.T, old *chain.Fixture) *chain.Fixture {
	t.Helper()
	gs, err := old.Keeper.ExportGenesis(old.Ctx.WithBlockHeight(old.Ctx.BlockHeight() - 1))
	require.NoError(t, err)
	f := chain.NewEmpty(t)
	f.Ctx = f.Ctx.WithBlockHeight(old.Ctx.BlockHeight())
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	return f
}

// A keygen that is condemned takes no attestation, and may still be deleted.
func TestCondemnedKeygen(t *testing.T) {
	f := chain.New(t, 3)
	f.KeyGen("failing", 1)
	f.KeyGen("k", 1)
	revokeOne(t, f)
	a := f.Participants[1].Attest("failing", 0, chain.Session("s"), chain.NewSecret("failing").Payload(3))
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &a), types.ErrAlreadyDecided)
	require.ErrorIs(t, f.Keeper.CheckAttestation(f.Ctx, &a), types.ErrAlreadyDecided)
	deleteK(t, f)
	f.EndBlocks(2)
	requireKey(t, f, "failing", types.KEY_STATUS_ERROR, "identity_revoked")
	requireKey(t, f, "k", types.KEY_STATUS_DELETING, "key_deleted")
	require.Zero(t, f.Entries(types.RequestExpiryPrefix))
	require.Zero(t, f.Entries(types.CondemnedRequestsPrefix))
}

// A request that is spoiled keeps nobody from revoking, nor the others from
// failing.
func TestSpoiledRequestDoesNotStopARevocation(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	f.KeySign("bad", "k", "text")
	f.KeySign("good", "k", "text")
	spoil(f, types.RequestsPrefix, "\x00\x00\x00\x02bad", failures["error"]) // kind sign, then the id
	revokeOne(t, f)
	f.EndBlocks(2)
	requireSignature(t, f, "good", types.SIGNATURE_STATUS_ERROR, "identity_revoked")
	f.Spoiled = nil
	result := chain.NewSecret("k").Sign("bad", chain.Digest("text"))
	require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &result), types.ErrAlreadyDecided)
	f.EndBlocks(2 + keeper.RetryBlocks)
	requireSignature(t, f, "bad", types.SIGNATURE_STATUS_ERROR, "identity_revoked")
}

// lookups counts how often it is looked whether a request is condemned, which is what
// walks over open requests do.
func lookups(f *chain.Fixture) *int {
	looked := new(int)
	f.Spoiled = func(key []byte) error {
		if bytes.HasPrefix(key, types.CondemnedRequestsPrefix.Bytes()) {
			*looked++
		}
		return nil
	}
	return looked
}

// askMany asks for signatures by key "k" and begins the next block.
func askMany(f *chain.Fixture, n int) {
	for i := range n {
		f.KeySign(fmt.Sprint(i), "k", "text")
	}
	f.EndBlocks(2)
}

// requireAllFail ends the block, here and on an imported chain: these signatures are
// ERROR, and nothing of them stays behind.
func requireAllFail(t *testing.T, f *chain.Fixture, reason string, ids ...string) {
	t.Helper()
	imported := exportImport(t, f)
	for _, f := range []*chain.Fixture{f, imported} {
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
		for _, id := range ids {
			requireSignature(t, f, id, types.SIGNATURE_STATUS_ERROR, reason)
		}
		require.Zero(t, f.Entries(types.RequestsByMemberPrefix))
		require.Zero(t, f.Entries(types.RequestsByKeyPrefix))
	}
}

// Nobody pays for the walk over a member's open requests, so registering and revoking
// again does not repeat it.
func TestRevocationsWalkRequestsOnce(t *testing.T) {
	const open = 50
	f := chain.New(t, 4)
	f.ReadyKey("k", 1)
	askMany(f, open)
	looked := lookups(f)
	revokeOne(t, f)
	require.GreaterOrEqual(t, *looked, open)
	p := f.Participants[0]
	for i := range 10 {
		p.Identity = chain.IdentityKey(fmt.Sprint("again ", i))
		f.Register(p)
		*looked = 0
		revokeOne(t, f)
		require.Zero(t, *looked)
	}
	require.Equal(t, 3*open, f.Entries(types.RequestsByMemberPrefix), "the others are found")

	// What is asked afterwards is found again.
	p.Identity = chain.IdentityKey("new")
	f.Register(p)
	f.KeySign("new", "k", "text")
	revokeOne(t, f)
	requireAllFail(t, f, "identity_revoked", "0", "new")
}

// Nor does deleting a key and taking that back, again and again.
func TestDeletionsWalkRequestsOnce(t *testing.T) {
	const open = 50
	f := chain.New(t, 4)
	f.ReadyKey("k", 1)
	askMany(f, open)
	looked := lookups(f)
	deleteK(t, f)
	require.GreaterOrEqual(t, *looked, open)
	for range 10 {
		undeleteKey(t, f, "k")
		*looked = 0
		deleteK(t, f)
		require.Zero(t, *looked)
	}
	require.Equal(t, 4*open, f.Entries(types.RequestsByMemberPrefix), "a revocation finds them")

	// What is asked afterwards is found again.
	undeleteKey(t, f, "k")
	f.KeySign("new", "k", "text")
	deleteK(t, f)
	requireAllFail(t, f, "key_deleted", "0", "new")
}

// The first reason stays.
func TestCondemnedTwice(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	f.KeySign("s", "k", "text")
	deleteK(t, f)
	revokeOne(t, f)
	f.EndBlocks(2)
	requireSignature(t, f, "s", types.SIGNATURE_STATUS_ERROR, "key_deleted")
	require.Zero(t, f.Entries(types.RequestExpiryPrefix))
}

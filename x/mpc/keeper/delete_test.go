package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func deleteKey(t *testing.T, f *chain.Fixture, id string) int64 {
	t.Helper()
	resp, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: id})
	require.NoError(t, err)
	return resp.RetireHeight
}

func TestDeleteReadyKey(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	f.ReadyKey("other", 1)
	s := f.KeySign("s", "k", "text")
	f.KeySign("kept", "other", "text")
	f.EndBlocks(5)

	require.EqualValues(t, 105, deleteKey(t, f, "k"))
	requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
	result := secret.Sign("s", s.Digest)
	require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &result), types.ErrAlreadyDecided, "a signature that comes after the decision fails")
	f.EndBlocks(6)
	requireSignature(t, f, "s", types.SIGNATURE_STATUS_ERROR, "key_deleted")
	requireSignature(t, f, "kept", types.SIGNATURE_STATUS_PENDING, "")
	require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &result), types.ErrAlreadyDecided)
	early := f.Participants[0].AttestDeletion("k")
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &early), types.ErrUnknownRequest)

	f.EndBlocks(20)
	require.EqualValues(t, 105, deleteKey(t, f, "k"), "asking again changes nothing")
	f.EndBlocks(105)
	requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
	f.EndBlocks(106)
	requireKey(t, f, "k", types.KEY_STATUS_DELETED, "")
	require.EqualValues(t, 205, deleteKey(t, f, "k"))
	engine, _, err := f.Keeper.EngineKey(f.Ctx, "k")
	require.NoError(t, err)
	require.EqualValues(t, 205, engine.RetireHeight, "a rollback over the block that buried it finds its shares")
	require.Equal(t, secret.PublicKey(), engine.PublicKey)

	f.Events(&types.EventDeletionAck{})
	for i, p := range f.Participants {
		if i == 1 { // a rotated identity will do: nothing was pinned
			p.Identity = chain.IdentityKey("rotated")
			f.Register(p)
		}
		a := p.AttestDeletion("k")
		if i == 2 { // it lost its share before
			a.Payload = mpctypes.DeletionPayload(false)
			a.Sign(chain.ChainID, p.Identity)
		}
		require.NoError(t, f.Keeper.CheckAttestation(f.Ctx, &a))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
		require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &a), types.ErrAlreadyDecided)
	}
	require.Equal(t, 3, f.Events(&types.EventDeletionAck{}))
	deleted := requireKey(t, f, "k", types.KEY_STATUS_DELETED, "")
	require.Len(t, deleted.DeletionAcks, 3)
	require.Equal(t, []string{f.Participants[2].Operator}, deleted.DeletionEmpty)

	// The id never comes back.
	_, err = f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{Requester: f.Requester, KeyId: "k", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 2})
	require.ErrorIs(t, err, types.ErrIDTaken)
}

func TestDeletePendingAndFailedKey(t *testing.T) {
	f := chain.New(t, 3)
	f.KeyGen("pending", 1)
	f.KeyGen("failed", 1)
	staged := f.Participants[2]
	for _, id := range []string{"pending", "failed"} {
		a := staged.Attest(id, 0, chain.Session(id), chain.NewSecret(id).Payload(3))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	f.Events(&types.EventKeyFailed{})
	deleteKey(t, f, "pending")
	require.Equal(t, 1, f.Events(&types.EventKeyFailed{}))
	requireKey(t, f, "pending", types.KEY_STATUS_DELETING, "key_deleted")
	f.EndBlocks(602)
	requireKey(t, f, "pending", types.KEY_STATUS_DELETED, "key_deleted")
	requireKey(t, f, "failed", types.KEY_STATUS_ERROR, "expired")
	deleteKey(t, f, "failed")
	f.EndBlocks(703)
	requireKey(t, f, "failed", types.KEY_STATUS_DELETED, "expired")

	// Whoever staged a share counts, though there never was a key; nobody else does.
	for _, id := range []string{"pending", "failed"} {
		nothing := f.Participants[0].AttestDeletion(id)
		require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &nothing), types.ErrUnknownParticipant)
		a := staged.AttestDeletion(id)
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
		key, err := f.Keeper.Key(f.Ctx, id)
		require.NoError(t, err)
		require.Equal(t, []string{staged.Operator}, key.Holders)
		require.Equal(t, key.Holders, key.DeletionAcks)
	}
}

func TestWhoMayDelete(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	_, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: "none"})
	require.ErrorIs(t, err, types.ErrUnknownKey)
	_, err = f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: ""})
	require.ErrorIs(t, err, types.ErrBadID)
	_, err = f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: chain.Account("stranger"), KeyId: "k"})
	require.ErrorIs(t, err, types.ErrNotOwner)
	_, err = f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: "x", KeyId: "k"})
	require.ErrorIs(t, err, types.ErrBadAddress)
	_, err = f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Authority, KeyId: "k"})
	require.NoError(t, err)

	// A deletion needs the current identity.
	f.EndBlocks(102)
	requireKey(t, f, "k", types.KEY_STATUS_DELETED, "")
	rotated, replaced := f.Participants[1], *f.Participants[1]
	rotated.Identity = chain.IdentityKey("rotated")
	f.Register(rotated)
	stolen := replaced.AttestDeletion("k")
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &stolen), types.ErrUnregistered)
	own := rotated.AttestDeletion("k")
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &own))
	p := f.Participants[0]
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
	a := p.AttestDeletion("k")
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &a), types.ErrUnregistered)
}

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func undeleteKey(t *testing.T, f *chain.Fixture, id string) types.Key {
	t.Helper()
	resp, err := f.Msg.Undelete(f.Ctx, &types.MsgUndelete{Requester: f.Requester, KeyId: id})
	require.NoError(t, err)
	return resp.Key
}

func TestUndelete(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	f.EndBlocks(5)
	before := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	f.KeySign("s", "k", "text")
	require.EqualValues(t, 105, deleteKey(t, f, "k"))
	f.EndBlocks(50)
	f.Events(&types.EventKeyUndeleted{})
	key := undeleteKey(t, f, "k")
	require.Equal(t, 1, f.Events(&types.EventKeyUndeleted{}))
	before.RetireHeight = 150
	require.Equal(t, before, key, "all is as it was; what lost stays as long as a rollback may want it")
	require.Equal(t, before, requireKey(t, f, "k", types.KEY_STATUS_READY, ""))
	require.Zero(t, f.Entries(types.KeyRetirementsPrefix))

	requireSignature(t, f, "s", types.SIGNATURE_STATUS_ERROR, "key_deleted")
	late := secret.Sign("s", chain.Digest("text"))
	require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &late), types.ErrAlreadyDecided)
	f.EndBlocks(106)
	requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	f.KeySign("again", "k", "text")
	finishSign(t, f, "again", secret)

	// Deleted anew, it has its full time again.
	require.EqualValues(t, 206, deleteKey(t, f, "k"))
	f.EndBlocks(206)
	requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
	f.EndBlocks(207)
	requireKey(t, f, "k", types.KEY_STATUS_DELETED, "")
	_, err := f.Msg.Undelete(f.Ctx, &types.MsgUndelete{Requester: f.Requester, KeyId: "k"})
	require.ErrorIs(t, err, types.ErrKeyDeleted, "a tombstone stays one")
}

func TestUndeleteRefuses(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("ready", 1)
	f.ReadyKey("deleting", 1)
	deleteKey(t, f, "deleting")
	f.KeyGen("pending", 1)
	f.KeyGen("unmade", 1)
	deleteKey(t, f, "unmade")
	for name, c := range map[string]struct {
		msg  types.MsgUndelete
		want error
	}{
		"bad id":     {types.MsgUndelete{Requester: f.Requester, KeyId: "-"}, types.ErrBadID},
		"unknown":    {types.MsgUndelete{Requester: f.Requester, KeyId: "none"}, types.ErrUnknownKey},
		"stranger":   {types.MsgUndelete{Requester: chain.Account("stranger"), KeyId: "deleting"}, types.ErrNotOwner},
		"no address": {types.MsgUndelete{Requester: "x", KeyId: "deleting"}, types.ErrBadAddress},
		"READY":      {types.MsgUndelete{Requester: f.Requester, KeyId: "ready"}, types.ErrKeyNotDeleting},
		"PENDING":    {types.MsgUndelete{Requester: f.Requester, KeyId: "pending"}, types.ErrKeyNotDeleting},
		"never made": {types.MsgUndelete{Requester: f.Requester, KeyId: "unmade"}, types.ErrKeyFailed},
	} {
		_, err := f.Msg.Undelete(f.Ctx, &c.msg)
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := f.Msg.Undelete(f.Ctx, &types.MsgUndelete{Requester: f.Authority, KeyId: "deleting"})
	require.NoError(t, err, "the authority may")
}

// Deleted and taken back in one block, more often than once: what was open fails once,
// an open reshare too, and the next one comes off.
func TestUndeleteInTheSameBlock(t *testing.T) {
	for _, tested := range []bool{false, true} {
		f, secret := resharing(t)
		f.KeySign("first", "k", "a")
		f.Reshare("r", "k", 1, f.Participants[2:5]...)
		if tested {
			f.Stage("r", secret)
		}
		for range 2 {
			deleteKey(t, f, "k")
			undeleteKey(t, f, "k")
		}
		_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Requester, ReshareId: "early", KeyId: "k", Threshold: 1})
		require.ErrorIs(t, err, types.ErrResharePending, "until the end of the block")
		f.EndBlocks(2)
		requireSignature(t, f, "first", types.SIGNATURE_STATUS_ERROR, "key_deleted")
		requireFailedReshare(t, f, tested, "key_deleted")
		requireSecondReshare(t, f, secret)
	}
}

// While a key is DELETING nobody can say that its share is missing. When that is taken back
// in the last block in which it can be, all that nodes have of earlier epochs and of a reshare that
// failed stays for as long as if it were decided now, on a chain that starts anew from there
// as well.
func TestUndeleteLeavesTimeToSayWhatIsMissing(t *testing.T) {
	f, secret := resharing(t)
	for i, id := range []string{"r1", "r2"} {
		f.EndBlocks(10 * int64(i+1))
		f.Reshare(id, "k", 2, f.Participants[:4]...)
		f.Stage(id, secret)
		f.PassTest(id, secret)
	}
	f.Reshare("r", "k", 1)
	f.Stage("r", secret)
	f.EndBlocks(21)
	require.EqualValues(t, 121, deleteKey(t, f, "k"))
	word := f.Participants[0].AttestMissing("k", chain.Session("r2"))
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &word), types.ErrUnknownRequest, "nobody can say so")
	f.EndBlocks(121)
	key := engineKey(t, f, "k")
	require.Equal(t, mpctypes.KeyDeleting, key.Status)
	require.EqualValues(t, []int64{110, 120, 121}, []int64{key.EndOf(0), key.EndOf(1), key.StagedRetireHeight}, "all of it is over")
	require.EqualValues(t, 121, requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "key_deleted").RetireHeight)
	undeleteKey(t, f, "k")
	f.EndBlocks(122)
	key = engineKey(t, f, "k")
	require.Equal(t, mpctypes.KeyReady, key.Status)
	require.EqualValues(t, []int64{221, 221, 221, 221}, []int64{key.EndOf(0), key.EndOf(1), key.StagedRetireHeight, key.RetireHeight})
	require.EqualValues(t, 221, stagedEnd(t, f, "r"))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &word))

	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	require.Equal(t, engineKey(t, f, "k"), engineKey(t, exportImport(t, f), "k"))
}

// A chain that starts anew fails what was condemned, for the reason that it had, though
// neither key nor members tell it any more.
func TestUndeleteGenesis(t *testing.T) {
	old, secret := resharing(t)
	old.EndBlocks(5)
	old.KeySign("condemned", "k", "a")
	require.NoError(t, old.Keeper.RevokeParticipant(old.Ctx, old.Participants[0].Operator))
	old.KeySign("condemned-later", "k", "b")
	deleteKey(t, old, "k")
	undeleteKey(t, old, "k")
	old.KeySign("open", "k", "c")
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	require.Len(t, gs.Condemned, 2)
	f := exportImport(t, old)
	again, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, gs.Condemned, again.Condemned)
	f.EndBlocks(f.Ctx.BlockHeight() + 1)
	requireSignature(t, f, "condemned", types.SIGNATURE_STATUS_ERROR, "identity_revoked")
	requireSignature(t, f, "condemned-later", types.SIGNATURE_STATUS_ERROR, "key_deleted")
	finishSign(t, f, "open", secret)
}

// A key that stepped aside at its end and was taken back meanwhile is not buried by
// what is left of that, neither while it is READY nor before its new end.
func TestUndeleteOfASpoiledKey(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	deleteKey(t, f, "k")
	f.EndBlocks(101)
	spoil(f, types.KeysPrefix, "k", failures["error"])
	f.EndBlocks(102)
	f.Spoiled = nil
	undeleteKey(t, f, "k")
	require.Equal(t, 1, f.Entries(types.KeyRetirementsPrefix))
	f.EndBlocks(102 + keeper.RetryBlocks)
	requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Zero(t, f.Entries(types.KeyRetirementsPrefix))

	deleteKey(t, f, "k")
	end := f.Ctx.BlockHeight() + 100
	f.EndBlocks(end)
	spoil(f, types.KeysPrefix, "k", failures["error"])
	f.EndBlocks(end + 1)
	f.Spoiled = nil
	undeleteKey(t, f, "k")
	f.EndBlocks(end + keeper.RetryBlocks - 10)
	deleteKey(t, f, "k")
	f.EndBlocks(end + keeper.RetryBlocks + 1)
	requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
	f.EndBlocks(end + keeper.RetryBlocks + 91)
	requireKey(t, f, "k", types.KEY_STATUS_DELETED, "")
}

// undeleteRecorder is hooks that want to hear of it.
type undeleteRecorder struct{ recorder }

func (r *undeleteRecorder) AfterKeyUndeleted(ctx context.Context, k types.Key) error {
	return r.hear(ctx, "undeleted", k.Id+" "+k.Status.String())
}

// The key's module hears of it, whoever takes the deletion back, if it wants to.
func TestModuleHearsOfUndelete(t *testing.T) {
	f := chain.New(t, 3)
	r, plain := &undeleteRecorder{}, &recorder{}
	f.Keeper.AddHooks("vault", r).AddHooks("plain", plain).SealHooks()
	vault, other := f.Keeper.ForModule("vault"), f.Keeper.ForModule("plain")
	moduleKey(t, f, vault, "vault:k")
	moduleKey(t, f, other, "plain:k")
	for _, api := range []keeper.ModuleAPI{vault, other} {
		id := map[string]string{vault.Owner(): "vault:k", other.Owner(): "plain:k"}[api.Owner()]
		_, err := api.KeyDelete(f.Ctx, id)
		require.NoError(t, err)
		_, err = api.KeyUndelete(f.Ctx, id)
		require.NoError(t, err)
	}
	_, err := other.KeyUndelete(f.Ctx, "vault:k")
	require.ErrorIs(t, err, types.ErrNotOwner)
	_, err = vault.KeyDelete(f.Ctx, "vault:k")
	require.NoError(t, err)
	// A hook may delete it again at once; the answer is the key as it is then.
	r.do = func(ctx context.Context, _, _ string) error {
		_, err := vault.KeyDelete(ctx, "vault:k")
		return err
	}
	resp, err := f.Msg.Undelete(f.Ctx, &types.MsgUndelete{Requester: f.Authority, KeyId: "vault:k"})
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_DELETING, resp.Key.Status)
	require.Equal(t, []string{"ready vault:k", "undeleted vault:k KEY_STATUS_READY", "undeleted vault:k KEY_STATUS_READY"}, r.heard)
	require.Equal(t, []string{"ready plain:k"}, plain.heard)
	require.Zero(t, f.Events(&types.EventHookFailed{}))
}

package cli

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Verify fails, with a list, if the backup lacks a share of a key of this participant.
func TestVerifyMissesShares(t *testing.T) {
	t.Parallel()
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("held", 0))) })
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	verify := func(states ...string) (string, error) {
		args := []string{"mpc", "backup", "verify", folder, "--age-identity", secret}
		for _, s := range states {
			args = append(args, "--key-state", s)
		}
		return run(t, home, args...)
	}
	held, later := keyState(t, "held", asIs), keyState(t, "later", asIs)
	reshared := keyState(t, "held", func(k *mpctypes.Key) { k.Epoch = 4 })
	foreign := keyState(t, "foreign", func(k *mpctypes.Key) { k.Participants = []string{operator} })
	_, err = verify(held, foreign)
	require.NoError(t, err, "a key of others")
	for state, want := range map[string]string{later: "key later epoch 0", reshared: "key held epoch 4"} {
		out, err := verify(state, foreign)
		require.ErrorIs(t, err, backup.ErrIncomplete)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "foreign")
		require.Contains(t, out, explained[mpcnode.CheckMissing])
	}
	args := []string{"mpc", "backup", "verify", folder, "--age-identity", secret, "--key-state", foreign}
	_, err = run(t, home, append(args, "--participant", operator)...)
	require.ErrorContains(t, err, "key foreign epoch 0")
	_, err = run(t, home, append(args, "--participant", "bob")...)
	require.ErrorContains(t, err, "no operator address")
}

// Verify fails for what it could not prove: a key that nobody told about, an identity that
// is not the one of now, shares of somebody else.
func TestVerifyProvesAll(t *testing.T) {
	home := validator(t)
	folder := filepath.Join(t.TempDir(), "backups")
	to, secret := ageKeys(t)
	withDatabase(t, home, func(db *storage.DB) {
		require.NoError(t, db.PutRecord(fixtureShare("held", 0)))
		require.NoError(t, db.PutRecord(fixtureShare("rolled-back", 0)))
	})
	_, err := run(t, home, "mpc", "backup", "create", folder, "--recipient", to)
	require.NoError(t, err)
	owner := fixtureShare("held", 0).Participants[0]
	registered := func(of string, keys ...[]byte) string {
		p := mpctypes.Participant{Operator: of}
		for i, k := range keys {
			p.Identities = append(p.Identities, mpctypes.Identity{Version: uint32(i + 1), PublicKey: k})
		}
		text, err := codec.NewProtoCodec(codectypes.NewInterfaceRegistry()).MarshalJSON(&mpctypes.QueryParticipantResponse{Participant: p})
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "participant.json")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}
	mine, err := storage.ReadIdentityPublic(mpcnode.DefaultConfig().PathsOf(home).Identity)
	require.NoError(t, err)
	verify := func(more ...string) (string, error) {
		return run(t, home, append([]string{
			"mpc", "backup", "verify", folder, "--age-identity", secret, "--key-state", keyState(t, "held", asIs),
		}, more...)...)
	}
	_, err = verify()
	require.ErrorIs(t, err, backup.ErrUnproved)
	require.ErrorContains(t, err, "key rolled-back epoch 0")
	require.NotContains(t, err.Error(), "key held")
	out, err := verify("--allow-unknown")
	require.NoError(t, err)
	require.Contains(t, out, "identity: not compared")

	out, err = verify("--allow-unknown", "--participant-state", registered(string(owner), make([]byte, 32), mine[0]))
	require.NoError(t, err)
	require.Contains(t, out, "identity: the one that is registered is in it")
	out, err = verify("--allow-unknown", "--participant-state", registered(string(owner), mine[0], make([]byte, 32)))
	require.ErrorIs(t, err, backup.ErrIdentityMissing)
	require.Contains(t, out, "NOT THE ONE")
	_, err = verify("--allow-unknown", "--participant-state", registered(operator, mine[0]))
	require.ErrorIs(t, err, mpcnode.ErrOtherNode)
	_, err = verify("--participant-state", secret)
	require.ErrorContains(t, err, "no answer of")
}

// The chain is asked whose the identity in the backup is, and for all keys of that
// participant, also those that the backup does not know.
func TestVerifyAsksTheChain(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("known", 1)
	f.ReadyKey("made-since", 1)
	f.ReadyKey("deleting", 1)
	f.KeyGen("failed", 1)
	f.KeyGen("failed-and-deleting", 1)
	for _, id := range []string{"deleting", "failed-and-deleting"} {
		_, err := f.Msg.KeyDelete(f.Ctx, &mpctypes.MsgKeyDelete{Requester: f.Requester, KeyId: id})
		require.NoError(t, err)
	}
	newcomer := f.AddValidator(3)
	f.Register(newcomer)
	helper := baseapp.NewQueryServerTestHelper(f.Ctx, f.Cdc.InterfaceRegistry())
	mpctypes.RegisterQueryServer(helper, f.Query)
	client := mpctypes.NewQueryClient(helper)
	self := f.Participants[1]
	saved := &backup.Saved{Seeds: [][]byte{make([]byte, 32), self.Identity.Seed()}}
	for _, id := range []string{"known", "unknown", "failed"} {
		saved.Records = append(saved.Records, types.Record{RecordKey: types.RecordKey{KeyID: types.KeyID(id)}})
	}
	ids := func(keys map[string]mpctypes.Key) []string { return slices.Sorted(maps.Keys(keys)) }
	keys, who, err := askChain(t.Context(), client, saved, "")
	require.NoError(t, err)
	require.Equal(t, self.Operator, string(who))
	require.Equal(t, []string{"deleting", "failed", "known", "made-since"}, ids(keys), "which has to have a share, should a deletion be taken back")

	saved.Seeds[1] = newcomer.Identity.Seed()
	keys, who, err = askChain(t.Context(), client, saved, "")
	require.NoError(t, err)
	require.Equal(t, newcomer.Operator, string(who))
	require.Equal(t, []string{"failed", "known"}, ids(keys), "it should have a share of none")

	saved.Seeds = saved.Seeds[:1]
	keys, who, err = askChain(t.Context(), client, saved, "")
	require.NoError(t, err)
	require.Empty(t, who, "nobody registered it")
	require.Equal(t, []string{"failed", "known"}, ids(keys))
	keys, _, err = askChain(t.Context(), client, saved, types.Operator(self.Operator))
	require.NoError(t, err)
	require.Contains(t, keys, "made-since")
}

// A key that failed so long ago that the chain does not keep it is one that is not READY,
// and not one that the chain does not know.
func TestVerifyAsksForAPrunedKey(t *testing.T) {
	f := chain.New(t, 3)
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	params.RetentionBlocks = 1
	require.NoError(t, f.Keeper.SetParams(f.Ctx, params))
	f.KeyGen("unknown_key", 1) // an id may be any word
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.KeygenLifetimeBlocks+params.RetireBlocks) + 2)
	helper := baseapp.NewQueryServerTestHelper(f.Ctx, f.Cdc.InterfaceRegistry())
	mpctypes.RegisterQueryServer(helper, f.Query)
	saved := new(backup.Saved)
	saved.Records = []types.Record{{RecordKey: types.RecordKey{KeyID: "unknown_key"}}, {RecordKey: types.RecordKey{KeyID: "pruned"}}}
	keys, _, err := askChain(t.Context(), mpctypes.NewQueryClient(helper), saved, "")
	require.NoError(t, err)
	require.Equal(t, map[string]mpctypes.Key{"unknown_key": {Id: "unknown_key", Status: mpctypes.KEY_STATUS_ERROR}}, keys)
}

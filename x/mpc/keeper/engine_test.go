package keeper_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A node learns which keys it should have a share of: the READY ones of its
// operator.
func TestEngineKeysOf(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("b", 1)
	f.ReadyKey("a", 1)
	f.ReadyKey("deleted", 1)
	deleteKey(t, f, "deleted")
	f.KeyGen("pending", 1)
	late := f.AddValidator(3)
	f.Register(late)
	of := func(operator string) []mpctypes.KeyID {
		keys, err := f.Keeper.EngineKeysOf(f.Ctx, mpctypes.Operator(operator))
		require.NoError(t, err)
		var ids []mpctypes.KeyID
		for _, k := range keys {
			require.Equal(t, mpctypes.KeyReady, k.Status)
			require.False(t, k.Session.IsZero())
			ids = append(ids, k.ID)
		}
		return ids
	}
	require.Equal(t, []mpctypes.KeyID{"a", "b"}, of(f.Participants[1].Operator))
	require.Empty(t, of(late.Operator))
	require.Empty(t, of("nobody"))
	all, err := f.Keeper.EngineReadyKeys(f.Ctx)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, mpctypes.KeyID("a"), all[0].ID)
	require.False(t, all[0].Session.IsZero())
}

// A node that was away learns which deletions wait for its word.
func TestEngineUnacknowledged(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("kept", 1)
	f.ReadyKey("b", 1)
	f.ReadyKey("a", 1)
	deleteKey(t, f, "b")
	f.EndBlocks(deleteKey(t, f, "a") + 1)
	of := func(operator string) []mpctypes.KeyID {
		ids, err := f.Keeper.EngineUnacknowledged(f.Ctx, mpctypes.Operator(operator))
		require.NoError(t, err)
		return ids
	}
	require.Equal(t, []mpctypes.KeyID{"a", "b"}, of(f.Participants[1].Operator))
	ack := f.Participants[1].AttestDeletion("a")
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &ack))
	require.Equal(t, []mpctypes.KeyID{"b"}, of(f.Participants[1].Operator))
	require.Equal(t, []mpctypes.KeyID{"a", "b"}, of(f.Participants[0].Operator))
	require.Empty(t, of("nobody"))
	require.Equal(t, 5, f.Entries(types.AwaitedAcksPrefix))

	// It reads what waits for the operator alone: tombstones stay for ever, and are many.
	f.Spoiled = func(key []byte) error {
		require.False(t, bytes.HasPrefix(key, types.KeysPrefix.Bytes()), "it reads keys")
		return nil
	}
	require.Equal(t, []mpctypes.KeyID{"b"}, of(f.Participants[1].Operator))
	f.Spoiled = nil

	// A chain that starts anew waits for the same.
	operator := f.Participants[1].Operator
	f = exportImport(t, f)
	require.Equal(t, 5, f.Entries(types.AwaitedAcksPrefix))
	require.Equal(t, []mpctypes.KeyID{"b"}, of(operator))
}

// A node learns that a reshare is over, which it may not know at all after a rollback.
func TestEngineReshareEnded(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	over := func(id string) bool {
		_, ended, err := f.Keeper.EngineReshareEnded(f.Ctx, id)
		require.NoError(t, err)
		return ended
	}
	require.False(t, over("r"), "nobody asked")
	f.Reshare("r", "k", 1)
	require.False(t, over("r"))
	f.Stage("r", secret)
	require.False(t, over("r"), "it is tested")
	f.PassTest("r", secret)
	require.True(t, over("r"))
	f.Reshare("cancelled", "k", 1)
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "cancelled"})
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + 2)
	require.True(t, over("cancelled"))
	f.Garble(types.ResharesPrefix, "cancelled")
	require.False(t, over("cancelled"), "nobody knows, and what it made is kept")
	require.True(t, over("r"), "the others go on")
}

// One entry that cannot be read keeps no node from the others.
func TestEnginePassesOverWhatIsUnreadable(t *testing.T) {
	f := chain.New(t, 4)
	for _, id := range []string{"bad-key", "good-key"} {
		f.ReadyKey(id, 1)
	}
	f.KeySign("bad-request", "good-key", "text")
	f.KeySign("of-bad-key", "bad-key", "text")
	f.KeySign("good-request", "good-key", "text")
	f.KeyGen("k", 1)
	bad, good := f.Participants[0], f.Participants[1]
	for _, accused := range []*chain.Participant{bad, good} {
		a := f.Participants[2].Accuse(keygenK, accused.Operator)
		require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
	}
	f.Garble(types.RequestsPrefix, "bad-request")
	f.Garble(types.FaultsPrefix, bad.Operator)
	f.Garble(types.ParticipantsPrefix, bad.Operator)
	spoil(f, types.KeysPrefix, "bad-key", failures["error"])

	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	var ids []string
	for _, r := range requests {
		ids = append(ids, r.ID.ID)
	}
	require.Equal(t, []string{"k", "good-request"}, ids)
	faults, err := f.Keeper.EngineFaults(f.Ctx)
	require.NoError(t, err)
	require.Len(t, faults, 1)
	require.Equal(t, mpcOperator(good.Operator), faults[0].Participant)
	roster, err := f.Keeper.EngineRoster(f.Ctx)
	require.NoError(t, err)
	require.Len(t, roster.Operators(), 3)
	keys, err := f.Keeper.EngineKeysOf(f.Ctx, mpcOperator(good.Operator))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, mpctypes.KeyID("good-key"), keys[0].ID)
	for id, there := range map[mpctypes.KeyID]bool{"bad-key": false, "good-key": true} {
		_, known, err := f.Keeper.EngineKey(f.Ctx, id)
		require.NoError(t, err)
		require.Equal(t, there, known, id)
	}
}

// The log has once what cannot be read, however often a node looks at it, and as many of such as
// somebody may want to know.
func TestUnreadableIsToldOnce(t *testing.T) {
	f, _ := resharing(t)
	f.Reshare("r", "k", 1)
	f.ReadyKey("other", 1)
	f.Reshare("s", "other", 1)
	f.Garble(types.ResharesPrefix, "r")
	f.Garble(types.ResharesPrefix, "s")
	var out bytes.Buffer
	f.Ctx = f.Ctx.WithLogger(log.NewLogger(&out, log.OutputJSONOption()))
	for range 5 {
		for _, id := range []string{"r", "s"} {
			_, ended, err := f.Keeper.EngineReshareEnded(f.Ctx, id)
			require.NoError(t, err)
			require.False(t, ended)
		}
	}
	require.Equal(t, 2, strings.Count(out.String(), "please report this"))
	require.Contains(t, out.String(), `"what":"reshare r"`)
	require.Contains(t, out.String(), `"what":"reshare s"`)

	f.Spoiled = func([]byte) error { return errors.New("spoiled") }
	for i := range 2 * keeper.MaxToldUnreadable {
		_, _, err := f.Keeper.EngineKey(f.Ctx, mpctypes.KeyID(fmt.Sprint(i)))
		require.NoError(t, err)
	}
	require.Equal(t, keeper.MaxToldUnreadable, strings.Count(out.String(), "please report this"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, keeper.MaxToldUnreadable+1)
	require.Contains(t, lines[keeper.MaxToldUnreadable], "what else cannot be read is not told")
}

// A node learns for how long proof is taken, when the parameter changes too.
func TestEngineFaultBlocks(t *testing.T) {
	f := chain.New(t, 3)
	for _, blocks := range []uint32{1, 5000} {
		params, err := f.Keeper.Params(f.Ctx)
		require.NoError(t, err)
		params.FaultBlocks = blocks
		require.NoError(t, f.Keeper.SetParams(f.Ctx, params))
		read, err := f.Keeper.EngineFaultBlocks(f.Ctx)
		require.NoError(t, err)
		require.Equal(t, int64(blocks), read)
	}
}

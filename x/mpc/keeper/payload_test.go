package keeper_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/testutil/fakekind"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

var note = fakekind.Note{Chain: "1", Nonce: 7, Fee: 3, To: "a", Value: 2}

// notePayload asks for a signature of a note.
func notePayload(n fakekind.Note) types.SignPayload {
	return types.KindPayload(fakekind.Name, n.Data())
}

// newNotary is a chain that knows notes, with the READY keys "typed" and, with allow_raw,
// "raw".
func newNotary(t *testing.T) (*chain.Fixture, chain.Secret) {
	t.Helper()
	f := chain.New(t, 3)
	f.Keeper.SetPayloadKinds(fakekind.Kind{})
	_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{
		Requester: f.Requester, KeyId: "typed", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1,
	})
	require.NoError(t, err)
	secret := chain.NewSecret("typed")
	f.AttestAll("typed", secret)
	f.ReadyKey("raw", 1)
	return f, secret
}

// signPayload asks for a signature.
func signPayload(f *chain.Fixture, id, keyID string, p types.SignPayload) (types.Signature, error) {
	resp, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: f.Requester, SignatureId: id, KeyId: keyID, Payload: p})
	if err != nil {
		return types.Signature{}, err
	}
	return resp.Signature, nil
}

func TestPayloadRefuses(t *testing.T) {
	kind := func(data string) types.SignPayload { return types.KindPayload(fakekind.Name, []byte(data)) }
	for name, c := range map[string]struct {
		payload types.SignPayload
		want    error
	}{
		"raw digest":     {chain.Payload("text"), types.ErrRawNotAllowed},
		"unknown kind":   {types.KindPayload("other", []byte("data")), types.ErrUnknownKind},
		"no kind":        {types.KindPayload("", []byte("data")), types.ErrUnknownKind},
		"no data":        {kind(""), types.ErrBadPayload},
		"nothing in it":  {types.SignPayload{Kind: &types.SignPayload_Typed{}}, types.ErrBadPayload},
		"unreadable":     {kind(fakekind.Unreadable), types.ErrBadPayload},
		"panics":         {kind(fakekind.Panics), types.ErrBadPayload},
		"not canonical":  {kind(fakekind.NotCanonical), types.ErrNotCanonical},
		"too large":      {kind(strings.Repeat("a", int(types.DefaultParams().MaxPayloadBytes)+1)), types.ErrPayloadTooLarge},
		"beyond all":     {kind(strings.Repeat("a", mpctypes.MaxSignPayloadBytes+1)), types.ErrPayloadTooLarge},
		"as many as may": {kind(strings.Repeat("a", int(types.DefaultParams().MaxPayloadBytes))), types.ErrBadPayload},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := newNotary(t)
			_, err := signPayload(f, "s", "typed", c.payload)
			require.ErrorIs(t, err, c.want)
			_, err = f.Keeper.Signature(f.Ctx, "s")
			require.ErrorIs(t, err, types.ErrUnknownSignature)
		})
	}
}

func TestPayload(t *testing.T) {
	f, secret := newNotary(t)
	f.Events(&types.EventSignRequested{})
	s, err := signPayload(f, "s", "typed", notePayload(note))
	require.NoError(t, err)
	digest := note.Digest()
	require.Equal(t, digest[:], s.Digest)
	again, err := signPayload(f, "s", "typed", notePayload(note))
	require.NoError(t, err)
	require.Equal(t, s, again)
	require.Equal(t, fmt.Sprintf("%q", fakekind.Name), eventAttribute(f, &types.EventSignRequested{}, "payload_kind"))

	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Len(t, requests, 1)
	require.Equal(t, mpctypes.Payload{Kind: fakekind.Name, Data: note.Data()}, requests[0].Payload)
	require.Equal(t, digest[:], requests[0].Digest)

	answer, err := f.Query.Signature(f.Ctx, &types.QuerySignatureRequest{SignatureId: "s"})
	require.NoError(t, err)
	require.Nil(t, answer.Finished, "it is not signed")
	result := secret.Sign("s", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	answer, err = f.Query.Signature(f.Ctx, &types.QuerySignatureRequest{SignatureId: "s"})
	require.NoError(t, err)
	hash := sha256.Sum256(secret.PublicKey())
	require.Equal(t, &types.FinishedPayload{
		Raw: "0x" + hex.EncodeToString(append(note.Data(), result.R...)), Hash: "0x" + hex.EncodeToString(hash[:]),
	}, answer.Finished)

	raw, err := signPayload(f, "raw-1", "raw", chain.Payload("text"))
	require.NoError(t, err)
	result = chain.NewSecret("raw").Sign("raw-1", raw.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	answer, err = f.Query.Signature(f.Ctx, &types.QuerySignatureRequest{SignatureId: "raw-1"})
	require.NoError(t, err)
	require.Nil(t, answer.Finished)

	params, err := f.Query.Params(f.Ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{fakekind.Name}, params.PayloadKinds)
}

// Decoding is paid by the byte, also of what is refused.
func TestPayloadGas(t *testing.T) {
	f, _ := newNotary(t)
	used := func(size int) storetypes.Gas {
		meter := storetypes.NewInfiniteGasMeter()
		_, err := f.Msg.KeySign(f.Ctx.WithGasMeter(meter), &types.MsgKeySign{
			Requester: f.Requester, SignatureId: "s", KeyId: "typed", Payload: types.KindPayload(fakekind.Name, []byte(strings.Repeat("a", size))),
		})
		require.ErrorIs(t, err, types.ErrBadPayload)
		return meter.GasConsumed()
	}
	require.EqualValues(t, 30*10_000, used(11_000)-used(1000))
}

// eventAttribute is the first attribute of this name in the first event of a type.
func eventAttribute(f *chain.Fixture, event proto.Message, name string) string {
	for _, e := range f.Ctx.EventManager().Events() {
		if a, ok := e.GetAttribute(name); ok && e.Type == proto.MessageName(event) {
			return a.Value
		}
	}
	return ""
}

// Of what can take effect once a key signs one thing, with any fees, for ever.
func TestPlaceIsTakenOnce(t *testing.T) {
	f, _ := newNotary(t)
	ask := func(id, key string, change func(*fakekind.Note)) error {
		n := note
		n.Gas = 21
		change(&n)
		_, err := signPayload(f, id, key, notePayload(n))
		return err
	}
	require.NoError(t, ask("s", "typed", func(*fakekind.Note) {}))
	for name, change := range map[string]func(*fakekind.Note){
		"to somebody else": func(n *fakekind.Note) { n.To = "b" },
		"another value":    func(n *fakekind.Note) { n.Value = 1 },
		"another call":     func(n *fakekind.Note) { n.Call = "f" },
	} {
		require.ErrorIs(t, ask("other", "typed", change), types.ErrPlaceTaken, name)
	}
	require.NoError(t, ask("fee", "typed", func(n *fakekind.Note) { n.Fee++ }))
	require.NoError(t, ask("gas", "typed", func(n *fakekind.Note) { n.Gas += 2 }))
	err := ask("less", "typed", func(n *fakekind.Note) { n.Gas++ })
	require.ErrorIs(t, err, types.ErrPlaceTaken, "it might take the place for nothing")
	require.ErrorContains(t, err, "signed with gas for 23")
	require.NoError(t, ask("nonce", "typed", func(n *fakekind.Note) { n.Nonce++; n.To = "b" }))
	require.NoError(t, ask("chain", "typed", func(n *fakekind.Note) { n.Chain = "2"; n.To = "b" }))
	require.NoError(t, ask("key", "raw", func(n *fakekind.Note) { n.To = "b" }))

	f.EndBlocks(1000)
	s, err := f.Keeper.Signature(f.Ctx, "s")
	require.NoError(t, err)
	require.Equal(t, types.SIGNATURE_STATUS_ERROR, s.Status)
	require.ErrorIs(t, ask("late", "typed", func(n *fakekind.Note) { n.To = "b" }), types.ErrPlaceTaken, "it may have been signed all the same")
	require.NoError(t, ask("again", "typed", func(n *fakekind.Note) { n.Gas += 2 }))

	exported, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Len(t, exported.SignedPlaces, 4)
	next := chain.NewEmpty(t)
	next.Keeper.SetPayloadKinds(fakekind.Kind{})
	require.NoError(t, next.Keeper.InitGenesis(next.Ctx, *exported))
	next.Staking.Validators = f.Staking.Validators
	f = next
	require.ErrorIs(t, ask("next", "typed", func(n *fakekind.Note) { n.To = "b" }), types.ErrPlaceTaken)
	require.ErrorIs(t, ask("next", "typed", func(n *fakekind.Note) { n.Gas++ }), types.ErrPlaceTaken)
	twice, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, exported.SignedPlaces, twice.SignedPlaces)
}

// A bare digest takes no place: a key that signs those may sign another payload of the same
// place by its digest, and nobody can tell.
func TestRawDigestsTakeNoPlace(t *testing.T) {
	f, _ := newNotary(t)
	other := note
	other.To = "b"
	digest := other.Digest()
	for _, key := range []string{"raw", "typed"} {
		_, err := signPayload(f, key+"-1", key, notePayload(note))
		require.NoError(t, err)
		_, err = signPayload(f, key+"-2", key, notePayload(other))
		require.ErrorIs(t, err, types.ErrPlaceTaken)
	}
	s, err := signPayload(f, "blind", "raw", types.DigestPayload(digest[:]))
	require.NoError(t, err)
	require.Equal(t, digest[:], s.Digest)
	_, err = signPayload(f, "other", "typed", types.DigestPayload(digest[:]))
	require.ErrorIs(t, err, types.ErrRawNotAllowed)
}

// Open requests come back with what they are to sign, as the chain that goes on decodes
// it; decided ones need nobody who can.
func TestPayloadGenesis(t *testing.T) {
	f, secret := newNotary(t)
	s, err := signPayload(f, "done", "typed", notePayload(note))
	require.NoError(t, err)
	result := secret.Sign("done", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	decided, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	other := note
	other.Nonce++
	_, err = signPayload(f, "open", "typed", notePayload(other))
	require.NoError(t, err)
	open, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)

	start := func(gs types.GenesisState, kinds ...mpctypes.PayloadKind) (*chain.Fixture, error) {
		next := chain.NewEmpty(t)
		next.Keeper.SetPayloadKinds(kinds...)
		return next, next.Keeper.InitGenesis(next.Ctx, gs)
	}
	next, err := start(*open, fakekind.Kind{})
	require.NoError(t, err)
	again, err := next.Keeper.ExportGenesis(next.Ctx)
	require.NoError(t, err)
	require.Len(t, again.Signatures, len(open.Signatures))
	for i, s := range open.Signatures {
		require.Equal(t, s.Payload, again.Signatures[i].Payload)
		require.Equal(t, s.Digest, again.Signatures[i].Digest)
	}
	requests, err := next.Keeper.EngineRequests(next.Ctx)
	require.NoError(t, err)
	require.Equal(t, mpctypes.Payload{Kind: fakekind.Name, Data: other.Data()}, requests[0].Payload)
	key, err := next.Keeper.Key(next.Ctx, "raw")
	require.NoError(t, err)
	require.True(t, key.AllowRaw)
	key, err = next.Keeper.Key(next.Ctx, "typed")
	require.NoError(t, err)
	require.False(t, key.AllowRaw)

	_, err = start(*open)
	require.ErrorIs(t, err, types.ErrBadGenesis)
	next, err = start(*decided)
	require.NoError(t, err)
	answer, err := next.Query.Signature(next.Ctx, &types.QuerySignatureRequest{SignatureId: "done"})
	require.NoError(t, err, "a kind that is gone hides no signature")
	require.Equal(t, types.SIGNATURE_STATUS_READY, answer.Signature.Status)
	require.Nil(t, answer.Finished)

	for _, data := range []string{fakekind.Unreadable, fakekind.NotCanonical, fakekind.Panics, "\xff/1/2/a/3/b"} {
		decided.Signatures[0].Payload = types.KindPayload(fakekind.Name, []byte(data))
		next, err = start(*decided, fakekind.Kind{})
		require.NoError(t, err)
		answer, err = next.Query.Signature(next.Ctx, &types.QuerySignatureRequest{SignatureId: "done"})
		require.NoError(t, err, "nor does a stricter one: %q", data)
		require.Nil(t, answer.Finished)
	}

	for name, spoil := range map[string]func(*types.GenesisState){
		"another digest": func(gs *types.GenesisState) {
			gs.Signatures[1].Digest, gs.Requests[0].Digest = chain.Digest("x"), chain.Digest("x")
		},
		"request without payload": func(gs *types.GenesisState) { gs.Requests[0].Payload = nil },
		"request of other payload": func(gs *types.GenesisState) {
			gs.Requests[0].Payload = &types.TypedPayload{Kind: "note", Data: []byte("a")}
		},
		"unreadable": func(gs *types.GenesisState) {
			gs.Signatures[1].Payload = types.KindPayload("note", []byte("a"))
			gs.Requests[0].Payload = gs.Signatures[1].Payload.GetTyped()
		},
		"place of no key":       func(gs *types.GenesisState) { gs.SignedPlaces[0].KeyId = "none" },
		"place without a name":  func(gs *types.GenesisState) { gs.SignedPlaces[0].Place = "" },
		"place of no kind":      func(gs *types.GenesisState) { gs.SignedPlaces[0].Place = "1/7" },
		"place that is no text": func(gs *types.GenesisState) { gs.SignedPlaces[0].Place = "note:\xff" },
		"place that is a story": func(gs *types.GenesisState) {
			gs.SignedPlaces[0].Place = "note:" + strings.Repeat("a", mpctypes.MaxPlaceBytes+1)
		},
		"place without effect": func(gs *types.GenesisState) { gs.SignedPlaces[0].Effect = nil },
		"places out of order": func(gs *types.GenesisState) {
			gs.SignedPlaces[1], gs.SignedPlaces[0] = gs.SignedPlaces[0], gs.SignedPlaces[1]
		},
		"keygen with a payload":     func(gs *types.GenesisState) { gs.Requests[0].Kind = types.REQUEST_KIND_KEYGEN },
		"signature without payload": func(gs *types.GenesisState) { gs.Signatures[0].Payload = types.SignPayload{} },
	} {
		exported, err := f.Keeper.ExportGenesis(f.Ctx)
		require.NoError(t, err)
		spoil(exported)
		_, err = start(*exported, fakekind.Kind{})
		require.ErrorIs(t, err, types.ErrBadGenesis, name)
	}
}

// What an export says of places is text of which the import reads the same, whatever the
// payloads were. JSON has one and the same character for all bytes that are no text.
func TestPayloadGenesisFile(t *testing.T) {
	f, _ := newNotary(t)
	for i, name := range []string{"\xff", "\xfe", "\xed\xa0\x80", "\u2028", "\x00", "<&>", "\ufffd"} {
		n := note
		n.Chain = name
		_, err := signPayload(f, fmt.Sprint("s", i), "typed", notePayload(n))
		require.Equal(t, utf8.ValidString(name), err == nil, "%q: %v", name, err)
	}
	exported, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Len(t, exported.SignedPlaces, 4)
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	file, err := cdc.MarshalJSON(exported)
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, cdc.UnmarshalJSON(file, &read))
	next := chain.NewEmpty(t)
	next.Keeper.SetPayloadKinds(fakekind.Kind{})
	require.NoError(t, next.Keeper.InitGenesis(next.Ctx, read))
	again, err := next.Keeper.ExportGenesis(next.Ctx)
	require.NoError(t, err)
	require.Equal(t, exported.SignedPlaces, again.SignedPlaces)
}

// Keys of before there were payloads go on signing digests.
func TestMigrate1to2(t *testing.T) {
	f, _ := newNotary(t)
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	before := params
	before.MaxPayloadBytes = 0
	require.NoError(t, f.Keeper.StoreParams(f.Ctx, before))
	f.ReadyKey("gone", 1)
	deleteKey(t, f, "gone")
	f.EndBlocks(requireKey(t, f, "gone", types.KEY_STATUS_DELETING, "").RetireHeight + 1)
	holder := mpcOperator(requireKey(t, f, "gone", types.KEY_STATUS_DELETED, "").Holders[0])
	f.Clear(types.AwaitedAcksPrefix) // there was none
	require.NoError(t, f.Keeper.Migrate1to2(f.Ctx))
	require.NoError(t, f.Keeper.Migrate2to3(f.Ctx))
	owed, err := f.Keeper.EngineUnacknowledged(f.Ctx, holder)
	require.NoError(t, err)
	require.Equal(t, []mpctypes.KeyID{"gone"}, owed)
	after, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, params, after)
	for _, id := range []string{"typed", "raw"} {
		key, err := f.Keeper.Key(f.Ctx, id)
		require.NoError(t, err)
		require.True(t, key.AllowRaw)
		_, err = signPayload(f, "s-"+id, id, chain.Payload("text"))
		require.NoError(t, err)
	}
}

// A module says with the key what it signs.
func TestModulePayloads(t *testing.T) {
	f, _ := newNotary(t)
	api := f.Keeper.ForModule("vault")
	for id, options := range map[string][]keeper.KeyOption{"vault:typed": nil, "vault:raw": {keeper.AllowRaw()}} {
		_, err := api.KeyGen(f.Ctx, id, types.ALGORITHM_ECDSA_SECP256K1, 1, nil, options...)
		require.NoError(t, err)
		f.AttestAll(id, chain.NewSecret(id))
	}
	_, err := api.KeyGen(f.Ctx, "vault:raw", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.ErrorIs(t, err, types.ErrIDTaken, "it is part of what was asked")
	_, err = api.KeySign(f.Ctx, "vault:1", "vault:typed", chain.Payload("text"))
	require.ErrorIs(t, err, types.ErrRawNotAllowed)
	_, err = api.KeySign(f.Ctx, "vault:1", "vault:raw", chain.Payload("text"))
	require.NoError(t, err)
	s, err := api.KeySign(f.Ctx, "vault:2", "vault:typed", notePayload(note))
	require.NoError(t, err)
	_, done, err := api.Finished(f.Ctx, s)
	require.NoError(t, err)
	require.False(t, done)
	result := chain.NewSecret("vault:typed").Sign("vault:2", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	s, err = api.Signature(f.Ctx, "vault:2")
	require.NoError(t, err)
	finished, done, err := api.Finished(f.Ctx, s)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, append(note.Data(), result.R...), finished.Raw)
}

// The kinds are fixed while the application is wired.
func TestPayloadKindsAreSealed(t *testing.T) {
	f := chain.New(t, 0)
	f.Keeper.SetPayloadKinds(fakekind.Kind{})
	require.Panics(t, func() { f.Keeper.SetPayloadKinds(fakekind.Kind{}) })
	late := chain.New(t, 0)
	late.Keeper.SealHooks()
	require.Panics(t, func() { late.Keeper.SetPayloadKinds(fakekind.Kind{}) })
}

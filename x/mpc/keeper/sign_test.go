package keeper_test

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestKeySignRefuses(t *testing.T) {
	good := chain.Payload("text")
	order := []byte{
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
		0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
	}
	cases := map[string]struct {
		msg   types.MsgKeySign
		setup func(*testing.T, *chain.Fixture)
		want  error
	}{
		"bad id":           {msg: types.MsgKeySign{SignatureId: "a/b", KeyId: "ready", Payload: good}, want: types.ErrBadID},
		"bad key id":       {msg: types.MsgKeySign{SignatureId: "s", KeyId: "", Payload: good}, want: types.ErrBadID},
		"no payload":       {msg: types.MsgKeySign{SignatureId: "s", KeyId: "ready"}, want: types.ErrBadPayload},
		"digest of 31":     {msg: types.MsgKeySign{SignatureId: "s", KeyId: "ready", Payload: types.DigestPayload(make([]byte, 31))}, want: types.ErrBadDigest},
		"digest is zero":   {msg: types.MsgKeySign{SignatureId: "s", KeyId: "ready", Payload: types.DigestPayload(make([]byte, 32))}, want: types.ErrBadDigest},
		"digest is n":      {msg: types.MsgKeySign{SignatureId: "s", KeyId: "ready", Payload: types.DigestPayload(order)}, want: types.ErrBadDigest},
		"digest above n":   {msg: types.MsgKeySign{SignatureId: "s", KeyId: "ready", Payload: types.DigestPayload(bytes.Repeat([]byte{0xff}, 32))}, want: types.ErrBadDigest},
		"unknown key":      {msg: types.MsgKeySign{SignatureId: "s", KeyId: "none", Payload: good}, want: types.ErrUnknownKey},
		"not the owner":    {msg: types.MsgKeySign{Requester: "authority", SignatureId: "s", KeyId: "ready", Payload: good}, want: types.ErrNotOwner},
		"key is not there": {msg: types.MsgKeySign{SignatureId: "s", KeyId: "pending", Payload: good}, want: types.ErrKeyNotReady},
		"key will not be": {
			msg: types.MsgKeySign{SignatureId: "s", KeyId: "pending", Payload: good},
			setup: func(t *testing.T, f *chain.Fixture) {
				f.EndBlocks(602)
				requireKey(t, f, "pending", types.KEY_STATUS_ERROR, "expired")
			},
			want: types.ErrKeyFailed,
		},
		"key is going":      {msg: types.MsgKeySign{SignatureId: "s", KeyId: "deleting", Payload: good}, want: types.ErrKeyDeleted},
		"signature pending": {msg: types.MsgKeySign{SignatureId: "open", KeyId: "ready", Payload: good}, want: types.ErrRequestPending},
		"signature taken":   {msg: types.MsgKeySign{SignatureId: "done", KeyId: "ready", Payload: good}, want: types.ErrIDTaken},
		"no requester any more": {
			msg: types.MsgKeySign{SignatureId: "s", KeyId: "ready", Payload: good},
			setup: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.Requesters = nil })
			},
			want: types.ErrNotRequester,
		},
		"too many open": {
			msg: types.MsgKeySign{SignatureId: "s", KeyId: "ready", Payload: good},
			setup: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 2 })
			},
			want: types.ErrTooManyPending,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 3)
			secret := f.ReadyKey("ready", 1)
			f.KeyGen("pending", 1)
			f.ReadyKey("deleting", 1)
			_, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: "deleting"})
			require.NoError(t, err)
			f.KeySign("open", "ready", "other text")
			s := f.KeySign("done", "ready", "third text")
			result := secret.Sign("done", s.Digest)
			require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
			if c.setup != nil {
				c.setup(t, f)
			}
			if c.msg.Requester = f.Requester; name == "not the owner" {
				c.msg.Requester = f.Authority
			}
			_, err = f.Msg.KeySign(f.Ctx, &c.msg)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// highS is the other signature that the same r has: n-s with the other v. Without the
// rule of the low s both would prove themselves.
func highS(low mpctypes.SignatureResult) mpctypes.SignatureResult {
	n := secp256k1.S256().N
	high := new(big.Int).Sub(n, new(big.Int).SetBytes(low.S))
	return mpctypes.SignatureResult{RequestID: low.RequestID, R: low.R, S: high.FillBytes(make([]byte, 32)), V: low.V ^ 1}
}

func TestSignature(t *testing.T) {
	f := chain.New(t, 4)
	secret := f.ReadyKey("k", 2)
	s := f.KeySign("s", "k", "text")
	require.Equal(t, types.SIGNATURE_STATUS_PENDING, s.Status)
	require.Equal(t, s, f.KeySign("s", "k", "text"))

	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Len(t, requests, 1)
	require.Equal(t, secret.PublicKey(), requests[0].PublicKey)
	require.Equal(t, chain.Session("k"), requests[0].KeySession)
	require.EqualValues(t, 301, requests[0].ExpiryHeight)

	good := secret.Sign("s", s.Digest)
	for name, bad := range map[string]mpctypes.SignatureResult{
		"by another key":      chain.NewSecret("other").Sign("s", s.Digest),
		"over another digest": secret.Sign("s", chain.Digest("other")),
		"with another v":      {RequestID: "s", R: good.R, S: good.S, V: good.V ^ 1},
		"without r":           {RequestID: "s", S: good.S, V: good.V},
		"with v 2":            {RequestID: "s", R: good.R, S: good.S, V: 2},
		"with s zero":         {RequestID: "s", R: good.R, S: make([]byte, 32), V: good.V},
		"with a high s":       highS(good),
	} {
		require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &bad), types.ErrBadResult, name)
	}
	high := highS(good)
	require.ErrorContains(t, f.Keeper.ApplySignature(f.Ctx, &high), "is not low", "nothing else is wrong with it")
	unknown := secret.Sign("t", s.Digest)
	require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &unknown), types.ErrUnknownSignature)
	require.NoError(t, f.Keeper.CheckSignature(f.Ctx, &good))

	_, known, err := f.Keeper.EngineSignature(f.Ctx, "s")
	require.NoError(t, err)
	require.False(t, known)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &good))
	done := requireSignature(t, f, "s", types.SIGNATURE_STATUS_READY, "")
	require.Equal(t, good.R, done.R)
	require.Equal(t, done, f.KeySign("s", "k", "text"))
	require.Equal(t, 1, f.Events(&types.EventSignatureReady{}))

	require.ErrorIs(t, f.Keeper.ApplySignature(f.Ctx, &good), types.ErrAlreadyDecided)
	require.ErrorIs(t, f.Keeper.CheckSignature(f.Ctx, &good), types.ErrAlreadyDecided)
	result, known, err := f.Keeper.EngineSignature(f.Ctx, "s")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, good, result)
	_, known, err = f.Keeper.EngineSignature(f.Ctx, "none")
	require.NoError(t, err)
	require.False(t, known)
}

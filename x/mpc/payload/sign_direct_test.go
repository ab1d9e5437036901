package payload_test

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/testutil/testdata"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/payload"
)

// document is a sign document before it is encoded.
type document struct {
	doc  txtypes.SignDoc
	body txtypes.TxBody
	auth txtypes.AuthInfo
}

func anyOf(t testing.TB, m proto.Message) *codectypes.Any {
	t.Helper()
	a, err := codectypes.NewAnyWithValue(m)
	require.NoError(t, err)
	return a
}

func direct(t testing.TB, public []byte, sequence uint64) *txtypes.SignerInfo {
	t.Helper()
	return &txtypes.SignerInfo{
		PublicKey: anyOf(t, &secp256k1.PubKey{Key: public}), Sequence: sequence,
		ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}},
	}
}

func inMode(s *txtypes.SignerInfo, mode signing.SignMode) *txtypes.SignerInfo {
	s.ModeInfo.GetSingle().Mode = mode
	return s
}

var secret = chain.NewSecret("cosmos")

// newDocument pays somebody on another chain.
func newDocument(t testing.TB) *document {
	t.Helper()
	coins := sdk.NewCoins(sdk.NewInt64Coin("uatom", 7))
	return &document{
		doc: txtypes.SignDoc{ChainId: "cosmoshub-4", AccountNumber: 12},
		body: txtypes.TxBody{
			Messages: []*codectypes.Any{anyOf(t, &banktypes.MsgSend{FromAddress: "cosmos1a", ToAddress: "cosmos1b", Amount: coins})}, Memo: "hello",
		},
		auth: txtypes.AuthInfo{
			SignerInfos: []*txtypes.SignerInfo{direct(t, secret.PublicKey(), 5)}, Fee: &txtypes.Fee{Amount: coins, GasLimit: 200_000},
		},
	}
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	bz, err := proto.Marshal(m)
	require.NoError(t, err)
	return bz
}

func (d *document) encode(t testing.TB) []byte {
	t.Helper()
	d.doc.BodyBytes, d.doc.AuthInfoBytes = marshal(t, &d.body), marshal(t, &d.auth)
	return marshal(t, &d.doc)
}

func kind() mpctypes.PayloadKind { return payload.NewSignDirect(newRegistry()) }

func newRegistry() codectypes.InterfaceRegistry {
	registry := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(registry)
	banktypes.RegisterInterfaces(registry)
	authz.RegisterInterfaces(registry)
	return registry
}

// What it makes is a transaction whose signature the other chain's own code takes.
func TestSignDirect(t *testing.T) {
	d := newDocument(t)
	data := d.encode(t)
	decoded, err := kind().Decode(data)
	require.NoError(t, err)
	require.Equal(t, mpctypes.Hash(sha256.Sum256(data)), decoded.Digest())
	require.Equal(t, mpctypes.Claims{
		ChainID: "cosmoshub-4", Calls: []string{"/cosmos.bank.v1beta1.MsgSend"}, Place: "cosmoshub-4/12/5", Effect: sha256.Sum256(d.doc.BodyBytes), Gas: 200_000,
	}, decoded.Claims())
	digest := decoded.Digest()
	result := secret.Sign("s", digest[:])
	finished, err := decoded.Finish(secret.PublicKey(), &result)
	require.NoError(t, err)
	var raw txtypes.TxRaw
	require.NoError(t, proto.Unmarshal(finished.Raw, &raw))
	require.Equal(t, d.doc.BodyBytes, raw.BodyBytes)
	require.Equal(t, d.doc.AuthInfoBytes, raw.AuthInfoBytes)
	require.Len(t, raw.Signatures, 1)
	require.True(t, (&secp256k1.PubKey{Key: secret.PublicKey()}).VerifySignature(data, raw.Signatures[0]))
	hash := sha256.Sum256(finished.Raw)
	require.Equal(t, hash[:], finished.Hash)
}

// One of several signers gets its signature, and takes the place of its own sequence.
func TestSignDirectOfSeveral(t *testing.T) {
	d := newDocument(t)
	other := chain.NewSecret("other").PublicKey()
	d.auth.SignerInfos = append([]*txtypes.SignerInfo{inMode(direct(t, other, 1), signing.SignMode_SIGN_MODE_DIRECT_AUX)}, d.auth.SignerInfos...)
	decoded, err := kind().Decode(d.encode(t))
	require.NoError(t, err)
	alone := newDocument(t)
	one, err := kind().Decode(alone.encode(t))
	require.NoError(t, err)
	require.Equal(t, one.Claims(), decoded.Claims(), "what it does is the same")
	digest := decoded.Digest()
	result := secret.Sign("s", digest[:])
	finished, err := decoded.Finish(secret.PublicKey(), &result)
	require.NoError(t, err)
	require.Equal(t, append(append([]byte{}, result.R...), result.S...), finished.Raw)
	require.Empty(t, finished.Hash)

	d = newDocument(t)
	d.body.Unordered = true
	decoded, err = kind().Decode(d.encode(t))
	require.NoError(t, err)
	require.Empty(t, decoded.Claims().Place, "its sequence is not counted")
}

// A document that somebody else signs becomes no transaction by this key's signature.
func TestSignDirectOfAnotherKey(t *testing.T) {
	other := chain.NewSecret("other").PublicKey()
	const amino = signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON
	unnamed := direct(t, nil, 5)
	unnamed.PublicKey = nil
	otherCurve := direct(t, nil, 5)
	otherCurve.PublicKey = anyOf(t, &ed25519.PubKey{Key: other[1:]})
	for name, c := range map[string]struct {
		signers []*txtypes.SignerInfo
		want    mpctypes.Reason
	}{
		"this key":                        {[]*txtypes.SignerInfo{direct(t, secret.PublicKey(), 5)}, ""},
		"no key is named":                 {[]*txtypes.SignerInfo{unnamed}, ""},
		"another key":                     {[]*txtypes.SignerInfo{direct(t, other, 5)}, mpctypes.ErrBadPayload},
		"a key of another kind":           {[]*txtypes.SignerInfo{otherCurve}, mpctypes.ErrBadPayload},
		"this key second":                 {[]*txtypes.SignerInfo{inMode(direct(t, other, 5), amino), direct(t, secret.PublicKey(), 5)}, ""},
		"this key, but it signs no bytes": {[]*txtypes.SignerInfo{direct(t, other, 5), inMode(direct(t, secret.PublicKey(), 5), amino)}, mpctypes.ErrBadPayload},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDocument(t)
			d.auth.SignerInfos = c.signers
			decoded, err := kind().Decode(d.encode(t))
			require.NoError(t, err)
			digest := decoded.Digest()
			result := secret.Sign("s", digest[:])
			finished, err := decoded.Finish(secret.PublicKey(), &result)
			require.Equal(t, c.want, mpctypes.ReasonOf(err), err)
			require.Equal(t, c.want == "", len(finished.Raw) > 0)
		})
	}
}

// What a message carries is looked at as what stands in the document itself, at any depth.
func TestSignDirectOfCarriedMessages(t *testing.T) {
	send := newDocument(t).body.Messages[0]
	carried := func(depth int, inner *codectypes.Any) *codectypes.Any {
		for range depth {
			inner = anyOf(t, &authz.MsgExec{Grantee: "cosmos1a", Msgs: []*codectypes.Any{inner}})
		}
		return inner
	}
	with := func(m *codectypes.Any) []byte {
		d := newDocument(t)
		d.body.Messages = []*codectypes.Any{m}
		return d.encode(t)
	}
	const exec, pay = "/cosmos.authz.v1beta1.MsgExec", "/cosmos.bank.v1beta1.MsgSend"
	for depth, calls := range [][]string{{pay}, {exec, pay}, {exec, exec, pay}} {
		decoded, err := kind().Decode(with(carried(depth, send)))
		require.NoError(t, err)
		require.Equal(t, calls, decoded.Claims().Calls)
	}
	decoded, err := kind().Decode(with(carried(1, send)))
	require.NoError(t, err)
	policy := mpctypes.Policy{Calls: []string{exec}}
	require.ErrorIs(t, policy.Check(payload.SignDirectKind, decoded.Claims()), mpctypes.ErrPolicy, "what is carried is not allowed")
	policy = mpctypes.Policy{MaxFee: big.NewInt(1 << 62)}
	require.ErrorIs(t, policy.Check(payload.SignDirectKind, decoded.Claims()), mpctypes.ErrPolicy, "nobody knows what coins are worth")

	twice := &codectypes.Any{TypeUrl: pay, Value: append(bytes.Clone(send.Value), 0x0a, 0)}
	_, err = kind().Decode(with(carried(1, twice)))
	require.ErrorIs(t, err, mpctypes.ErrNotCanonical)
	_, err = kind().Decode(with(carried(1, &codectypes.Any{TypeUrl: "/unknown.Msg"})))
	require.ErrorIs(t, err, mpctypes.ErrBadPayload)
	_, err = kind().Decode(with(carried(100, send)))
	require.ErrorIs(t, err, mpctypes.ErrBadPayload, "it goes too deep")
}

// Entries of a map have no order of their own: nodes would disagree on whether such a
// message is written as it should be.
func TestSignDirectRefusesMaps(t *testing.T) {
	registry := newRegistry()
	registry.RegisterImplementations((*sdk.Msg)(nil), &testdata.Nested3A{})
	for name, c := range map[string]struct {
		message *testdata.Nested3A
		want    mpctypes.Reason
	}{
		"no map":          {&testdata.Nested3A{Id: 1}, ""},
		"an empty map":    {&testdata.Nested3A{Id: 1, Index: map[int64]*testdata.Nested4A{}}, ""},
		"one entry":       {&testdata.Nested3A{Index: map[int64]*testdata.Nested4A{1: {Id: 2}}}, mpctypes.ErrBadPayload},
		"several entries": {&testdata.Nested3A{Index: map[int64]*testdata.Nested4A{1: {}, 2: {}, 3: {}}}, mpctypes.ErrBadPayload},
	} {
		t.Run(name, func(t *testing.T) {
			for depth, m := range []*codectypes.Any{anyOf(t, c.message), anyOf(t, &authz.MsgExec{Msgs: []*codectypes.Any{anyOf(t, c.message)}})} {
				d := newDocument(t)
				d.body.Messages = []*codectypes.Any{m}
				_, err := payload.NewSignDirect(registry).Decode(d.encode(t))
				require.Equal(t, c.want, mpctypes.ReasonOf(err), "depth %d: %v", depth, err)
			}
		})
	}
}

// unknown is a field that no message of these has.
var unknown = []byte{0xf8, 0x7f, 1}

func TestSignDirectRefuses(t *testing.T) {
	encoded := func(change func(*document)) []byte {
		d := newDocument(t)
		change(d)
		return d.encode(t)
	}
	with := func(body, auth []byte) []byte {
		d := newDocument(t)
		d.encode(t)
		if body != nil {
			d.doc.BodyBytes = body
		}
		if auth != nil {
			d.doc.AuthInfoBytes = auth
		}
		return marshal(t, &d.doc)
	}
	good := encoded(func(*document) {})
	sample := newDocument(t)
	sample.encode(t)
	memo := append([]byte{0x12, 5}, "hello"...)
	for name, c := range map[string]struct {
		data []byte
		want mpctypes.Reason
	}{
		"no chain":         {encoded(func(d *document) { d.doc.ChainId = "" }), mpctypes.ErrBadPayload},
		"chain is no text": {encoded(func(d *document) { d.doc.ChainId = "\xff" }), mpctypes.ErrBadPayload},
		"chain is a story": {encoded(func(d *document) { d.doc.ChainId = strings.Repeat("c", 129) }), mpctypes.ErrBadPayload},
		"no messages":      {encoded(func(d *document) { d.body.Messages = nil }), mpctypes.ErrBadPayload},
		"no signer":        {encoded(func(d *document) { d.auth.SignerInfos = nil }), mpctypes.ErrBadPayload},
		"no mode":          {encoded(func(d *document) { d.auth.SignerInfos[0].ModeInfo = nil }), mpctypes.ErrBadPayload},
		"another mode": {encoded(func(d *document) {
			d.auth.SignerInfos[0].ModeInfo.GetSingle().Mode = signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON
		}), mpctypes.ErrBadPayload},
		"two sign directly": {encoded(func(d *document) {
			d.auth.SignerInfos = append(d.auth.SignerInfos, direct(t, chain.NewSecret("other").PublicKey(), 1))
		}), mpctypes.ErrBadPayload},
		"unknown message":          {encoded(func(d *document) { d.body.Messages[0].TypeUrl = "/unknown.Msg" }), mpctypes.ErrBadPayload},
		"message of another type":  {encoded(func(d *document) { d.body.Messages[0].TypeUrl = "/cosmos.bank.v1beta1.MsgUpdateParams" }), mpctypes.ErrBadPayload},
		"unknown field of message": {encoded(func(d *document) { d.body.Messages[0].Value = append(d.body.Messages[0].Value, unknown...) }), mpctypes.ErrBadPayload},
		"unknown extension":        {encoded(func(d *document) { d.body.ExtensionOptions = []*codectypes.Any{{TypeUrl: "/unknown.Option"}} }), mpctypes.ErrBadPayload},
		"unknown other extension": {encoded(func(d *document) {
			d.body.NonCriticalExtensionOptions = []*codectypes.Any{{TypeUrl: "/unknown.Option"}}
		}), mpctypes.ErrBadPayload},
		"unknown field":         {append(bytes.Clone(good), unknown...), mpctypes.ErrBadPayload},
		"unknown field of body": {with(append(bytes.Clone(sample.doc.BodyBytes), unknown...), nil), mpctypes.ErrBadPayload},
		"unknown field of auth": {with(nil, append(bytes.Clone(sample.doc.AuthInfoBytes), unknown...)), mpctypes.ErrBadPayload},
		"cut off":               {good[:len(good)-1], mpctypes.ErrBadPayload},
		"memo twice":            {with(append(bytes.Clone(sample.doc.BodyBytes), memo...), nil), mpctypes.ErrNotCanonical},
		"memo first":            {with(append(bytes.Clone(memo), bytes.Replace(sample.doc.BodyBytes, memo, nil, 1)...), nil), mpctypes.ErrNotCanonical},
		"number with a zero":    {append(bytes.Clone(good[:len(good)-1]), 0x8c, 0), mpctypes.ErrNotCanonical},
		"zero that is written":  {encoded(func(d *document) { d.body.Messages[0].Value = append(d.body.Messages[0].Value, 0x0a, 0) }), mpctypes.ErrNotCanonical},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := kind().Decode(c.data)
			require.Equal(t, c.want, mpctypes.ReasonOf(err), err)
		})
	}
	require.Panics(t, func() { payload.NewSignDirect(nil) })
}

func FuzzSignDirect(f *testing.F) {
	f.Add(newDocument(f).encode(f))
	k := kind()
	f.Fuzz(func(t *testing.T, data []byte) {
		decoded, err := k.Decode(data)
		if err != nil {
			require.NotEmpty(t, mpctypes.ReasonOf(err))
			return
		}
		require.Equal(t, mpctypes.Hash(sha256.Sum256(data)), decoded.Digest())
		_, err = k.(mpctypes.ExplainingKind).Explain(data)
		require.NoError(t, err)
		digest := decoded.Digest()
		result := secret.Sign("s", digest[:])
		if _, err = decoded.Finish(secret.PublicKey(), &result); err != nil {
			require.Equal(t, mpctypes.ErrBadPayload, mpctypes.ReasonOf(err), "others sign it")
		}
	})
}

package payload

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/cosmos/gogoproto/proto"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/codec/unknownproto"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// SignDirectKind is the name of the kind.
const SignDirectKind = "cosmos-sign-direct"

// maxChainIDBytes bounds the name of a chain; CometBFT's have 50.
const maxChainIDBytes = 128

// NewSignDirect makes the kind of sign documents (cosmos.tx.v1beta1.SignDoc), for any
// chain. All types in a document must be in the registry: what nobody here knows is not
// signed.
func NewSignDirect(registry codectypes.InterfaceRegistry) mpctypes.PayloadKind {
	if registry == nil {
		panic("x/mpc: sign documents need an interface registry")
	}
	return signDirectKind{registry}
}

type signDirectKind struct{ registry codectypes.InterfaceRegistry }

// Name implements mpctypes.PayloadKind.
func (signDirectKind) Name() string { return SignDirectKind }

// Decode implements mpctypes.PayloadKind.
func (k signDirectKind) Decode(data []byte) (mpctypes.DecodedPayload, error) {
	d := &signDoc{digest: sha256.Sum256(data)}
	for _, part := range []struct {
		name    string
		bytes   func() []byte
		message proto.Message
	}{
		{"document", func() []byte { return data }, &d.doc},
		{"body", func() []byte { return d.doc.BodyBytes }, &d.body},
		{"auth info", func() []byte { return d.doc.AuthInfoBytes }, &d.auth},
	} {
		if err := k.decode(part.bytes(), part.message); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	for _, a := range d.options() {
		if _, err := k.decodeAny(a); err != nil {
			return nil, err
		}
	}
	var calls []string
	for _, m := range d.body.Messages {
		types, err := k.decodeAny(m)
		if err != nil {
			return nil, err
		}
		calls = append(calls, types...)
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	d.claims = d.claim(calls)
	return d, nil
}

// decode reads a message strictly: no unknown field, at any depth, what stands in it with
// its type included, and no other encoding than the one that it would be written in.
func (k signDirectKind) decode(bz []byte, message proto.Message) error {
	if err := unknownproto.RejectUnknownFieldsStrict(bz, message, k.registry); err != nil {
		return fmt.Errorf("%w: %w", mpctypes.ErrBadPayload, err)
	}
	return decodeCanonical(bz, message)
}

// decodeCanonical reads a message that could not be written in other bytes. None of them
// has a map with entries, which could stand in any order and would not be written twice in
// the same one: decode refused it, since the SDK knows no message that an entry would be.
func decodeCanonical(bz []byte, message proto.Message) error {
	if err := proto.Unmarshal(bz, message); err != nil {
		return fmt.Errorf("%w: %w", mpctypes.ErrBadPayload, err)
	}
	again, err := proto.Marshal(message)
	if err != nil {
		return fmt.Errorf("%w: %w", mpctypes.ErrBadPayload, err)
	}
	if !bytes.Equal(again, bz) {
		return fmt.Errorf("%w: %s would be written in other bytes", mpctypes.ErrNotCanonical, proto.MessageName(message))
	}
	return nil
}

// decodeAny reads what stands there with its type, and all that stands in it so: a
// transaction that another one carries too. It lists their types. How deep that goes is
// bounded by decode, which looked for unknown fields in all of it: to look again at each
// depth would cost the square of it.
func (k signDirectKind) decodeAny(a *codectypes.Any) (types []string, err error) {
	message, err := k.registry.Resolve(a.TypeUrl)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", mpctypes.ErrBadPayload, err)
	}
	if err := decodeCanonical(a.Value, message); err != nil {
		return nil, err
	}
	types = []string{a.TypeUrl}
	for _, inner := range anysIn(reflect.ValueOf(message)) {
		more, err := k.decodeAny(inner)
		if err != nil {
			return nil, err
		}
		types = append(types, more...)
	}
	return types, nil
}

// signDoc is a sign document.
type signDoc struct {
	doc    txtypes.SignDoc
	body   txtypes.TxBody
	auth   txtypes.AuthInfo
	digest mpctypes.Hash
	claims mpctypes.Claims
}

// options lists what stands in the document with its type, its messages left out.
func (d *signDoc) options() (list []*codectypes.Any) {
	list = append(list, d.body.ExtensionOptions...)
	list = append(list, d.body.NonCriticalExtensionOptions...)
	for _, s := range d.auth.SignerInfos {
		if s.PublicKey != nil {
			list = append(list, s.PublicKey)
		}
	}
	return list
}

func (d *signDoc) check() error {
	switch {
	case d.doc.ChainId == "":
		return fmt.Errorf("%w: the sign document names no chain", mpctypes.ErrBadPayload)
	case len(d.doc.ChainId) > maxChainIDBytes || !utf8.ValidString(d.doc.ChainId): // protobuf's decoder does not look
		return fmt.Errorf("%w: a chain id is UTF-8 of %d bytes at most, got %.*q", mpctypes.ErrBadPayload, maxChainIDBytes, maxChainIDBytes, d.doc.ChainId)
	case len(d.body.Messages) == 0:
		return fmt.Errorf("%w: the sign document has no messages", mpctypes.ErrBadPayload)
	case len(d.direct()) == 0:
		return fmt.Errorf("%w: nobody signs the document in SIGN_MODE_DIRECT", mpctypes.ErrBadPayload)
	case len(d.direct()) > 1:
		return fmt.Errorf("%w: several sign the document in SIGN_MODE_DIRECT, and nobody here knows whose sequence it takes; let the others sign in SIGN_MODE_DIRECT_AUX or SIGN_MODE_LEGACY_AMINO_JSON", mpctypes.ErrBadPayload)
	}
	return nil
}

// direct lists the signers that sign the document itself.
func (d *signDoc) direct() (list []*txtypes.SignerInfo) {
	for _, s := range d.auth.SignerInfos {
		if signsDirectly(s) {
			list = append(list, s)
		}
	}
	return list
}

// signsDirectly says whether what somebody signs is the document itself.
func signsDirectly(s *txtypes.SignerInfo) bool {
	single := s.ModeInfo.GetSingle()
	return single != nil && single.Mode == signing.SignMode_SIGN_MODE_DIRECT
}

// signedBy says whether a key (compressed) may be the signer of the document: an account
// whose key its chain knows need not name it.
func (d *signDoc) signedBy(publicKey []byte) (bool, error) {
	key, err := codectypes.NewAnyWithValue(&secp256k1.PubKey{Key: publicKey})
	if err != nil {
		return false, fmt.Errorf("encode the public key: %w", err)
	}
	named := d.direct()[0].PublicKey
	return named == nil || named.TypeUrl == key.TypeUrl && bytes.Equal(named.Value, key.Value), nil
}

// alone reports that one signature makes the document a transaction.
func (d *signDoc) alone() bool { return len(d.auth.SignerInfos) == 1 }

// claim says nothing of fee and value, which are coins of any chain: a policy that limits
// them refuses the document.
func (d *signDoc) claim(calls []string) mpctypes.Claims {
	c := mpctypes.Claims{ChainID: d.doc.ChainId, Calls: calls}
	if !d.body.Unordered {
		c.Place = fmt.Sprintf("%s/%d/%d", d.doc.ChainId, d.doc.AccountNumber, d.direct()[0].Sequence)
		c.Effect = sha256.Sum256(d.doc.BodyBytes)
		c.Gas = d.auth.Fee.GetGasLimit()
	}
	return c
}

// Digest implements mpctypes.DecodedPayload.
func (d *signDoc) Digest() mpctypes.Hash { return d.digest }

// Claims implements mpctypes.DecodedPayload.
func (d *signDoc) Claims() mpctypes.Claims { return d.claims }

// Finish implements mpctypes.DecodedPayload: the transaction if there is one signer,
// otherwise its part of one, r and s. Of a document that only others sign it is
// ErrBadPayload: no chain takes what that would become.
func (d *signDoc) Finish(publicKey []byte, s *mpctypes.SignatureResult) (mpctypes.FinishedPayload, error) {
	signs, err := d.signedBy(publicKey)
	if err != nil {
		return mpctypes.FinishedPayload{}, err
	}
	if !signs {
		return mpctypes.FinishedPayload{}, fmt.Errorf("%w: its signers are others than the key %x; ask again, with the key in signer_infos", mpctypes.ErrBadPayload, publicKey)
	}
	signature := append(append(make([]byte, 0, 64), s.R...), s.S...)
	if !d.alone() {
		return mpctypes.FinishedPayload{Raw: signature}, nil
	}
	raw, err := proto.Marshal(&txtypes.TxRaw{
		BodyBytes: d.doc.BodyBytes, AuthInfoBytes: d.doc.AuthInfoBytes, Signatures: [][]byte{signature},
	})
	if err != nil {
		return mpctypes.FinishedPayload{}, fmt.Errorf("encode the signed transaction: %w", err)
	}
	hash := sha256.Sum256(raw)
	return mpctypes.FinishedPayload{Raw: raw, Hash: hash[:]}, nil
}

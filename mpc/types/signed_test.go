package types

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

var update = flag.Bool("update", false, "write the golden files again")

var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))

func public() []byte { return testKey.Public().(ed25519.PublicKey) }

func payload(n int) KeygenPayload {
	point := secp256k1.PrivKeyFromBytes([]byte{5}).PubKey().SerializeCompressed()
	p := KeygenPayload{PublicKey: point, ParametersHash: Hash{3}}
	for range n {
		p.PublicShares = append(p.PublicShares, point)
	}
	return p
}

func attestation() Attestation {
	p := payload(3)
	a := Attestation{
		Request: RequestID{KindKeygen, "key"}, Attempt: 2, Commitment: Hash{8}, Session: Context{9}, Payload: p.Encode(),
		Operator: "seqvaloper1a", IdentityVersion: 4,
	}
	a.Sign("chain", testKey)
	return a
}

func header() *wire.Header {
	return &wire.Header{
		ChainId: "chain", Context: bytes.Repeat([]byte{1}, 32), Kind: wire.KIND_ROUND, Round: 2, Type: "kg1",
		From: "seqvaloper1a", IdentityVersion: 4, To: "seqvaloper1b", Sequence: 7,
		RequestKind: uint32(KindKeygen), RequestId: "key",
	}
}

// TestGolden: what is signed never changes without a new version; old
// attestations and envelopes would become worthless.
func TestGolden(t *testing.T) {
	a := attestation()
	key := deletedKey()
	deletion := Attestation{
		Request: RequestID{KindDelete, "key"}, Commitment: key.DeletionCommitment("chain"), Operator: "seqvaloper1a", IdentityVersion: 4,
	}
	missing := Attestation{
		Request: RequestID{KindShareMissing, "key"}, Commitment: key.EpochCommitment("chain"), Session: key.Session,
		Operator: "seqvaloper1a", IdentityVersion: 4,
	}
	e := SignEnvelope(header(), []byte("body"), testKey)
	accused := accusation()
	for name, got := range map[string][]byte{
		"attestation": a.SignBytes("chain"), "deletion": deletion.SignBytes("chain"),
		"missing":  missing.SignBytes("chain"),
		"envelope": HeaderSignBytes(e.Header), "possession": ProofOfPossession("chain", "seqvaloper1a", public()),
		"accusation": accused.SignBytes("chain"),
		"hello":      HelloSignBytes("chain", "seqvaloper1a", 4, "peer"), "payload": a.Payload,
		"signatures": append(append([]byte{}, a.Signature...), e.Signature...),
	} {
		path := filepath.Join("testdata", name+".golden")
		text := hex.EncodeToString(got) + "\n"
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), text, name)
	}
}

func TestAttestation(t *testing.T) {
	good := attestation()
	require.NoError(t, good.Verify("chain", public()))
	back, err := AttestationFromWire(good.ToWire())
	require.NoError(t, err)
	require.Equal(t, good, back)
	require.Error(t, good.Verify("other chain", public()))
	require.Error(t, good.Verify("chain", public()[:31]))
	for name, change := range map[string]func(*Attestation){
		"request": func(a *Attestation) { a.Request.ID = "other" }, "attempt": func(a *Attestation) { a.Attempt++ },
		"session": func(a *Attestation) { a.Session[3]++ }, "commitment": func(a *Attestation) { a.Commitment[3]++ }, "operator": func(a *Attestation) { a.Operator += "x" },
		"version":   func(a *Attestation) { a.IdentityVersion++ },
		"payload":   func(a *Attestation) { p := payload(2); a.Payload = p.Encode() },
		"signature": func(a *Attestation) { a.Signature[0]++ },
	} {
		a := attestation()
		change(&a)
		require.Error(t, a.Verify("chain", public()), name)
	}
	for name, change := range map[string]func(*Attestation){
		"no id": func(a *Attestation) { a.Request.ID = "" }, "no operator": func(a *Attestation) { a.Operator = "" },
		"long operator":   func(a *Attestation) { a.Operator = Operator(strings.Repeat("x", MaxOperatorBytes+1)) },
		"short signature": func(a *Attestation) { a.Signature = a.Signature[1:] }, "no session": func(a *Attestation) { a.Session = Context{} },
		"sign": func(a *Attestation) { a.Request.Kind = KindSign }, "payload": func(a *Attestation) { a.Payload = nil },
		"deletion with a payload": func(a *Attestation) {
			a.Request.Kind, a.Session, a.Attempt, a.Payload = KindDelete, Context{}, 0, []byte{2}
		},
		"deletion with a session": func(a *Attestation) { a.Request.Kind, a.Payload, a.Attempt = KindDelete, nil, 0 },
	} {
		a := attestation()
		change(&a)
		require.Error(t, a.ValidateBasic(), name)
	}
}

// deletedKey is one as the chain has it.
func deletedKey() Key {
	return Key{
		ID: "key", Status: KeyDeleted, Epoch: 2, Session: Context{9}, Commitment: Hash{8}, PublicKey: []byte{2, 3},
		DecidedHeight: 40, RetireHeight: 140, StagedRetireHeight: 120,
	}
}

// TestKeyCommitments: what a participant says of a key by itself is of one epoch, or one
// deletion, of one chain.
func TestKeyCommitments(t *testing.T) {
	key := deletedKey()
	deletion, epoch := key.DeletionCommitment("chain"), key.EpochCommitment("chain")
	require.NotEqual(t, deletion, epoch)
	require.NotEqual(t, deletion, key.DeletionCommitment("other"))
	require.NotEqual(t, epoch, key.EpochCommitment("other"))
	for name, change := range map[string]func(*Key){
		"id": func(k *Key) { k.ID = "other" }, "public key": func(k *Key) { k.PublicKey[0]++ }, "epoch": func(k *Key) { k.Epoch++ },
		"session": func(k *Key) { k.Session[0]++ }, "the request that made it": func(k *Key) { k.Commitment[0]++ },
		"its beginning": func(k *Key) { k.DecidedHeight++ },
	} {
		k := deletedKey()
		change(&k)
		require.NotEqual(t, deletion, k.DeletionCommitment("chain"), name)
		require.NotEqual(t, epoch, k.EpochCommitment("chain"), name)
	}
	for name, change := range map[string]func(*Key){
		"the deletion's block": func(k *Key) { k.RetireHeight++ }, "a reshare that failed": func(k *Key) { k.StagedRetireHeight++ },
	} {
		k := deletedKey()
		change(&k)
		require.NotEqual(t, deletion, k.DeletionCommitment("chain"), name)
		require.Equal(t, epoch, k.EpochCommitment("chain"), name)
	}
	k := deletedKey()
	k.DeletionAcked, k.MissingShares = []Operator{"a"}, []Operator{"b"}
	require.Equal(t, deletion, k.DeletionCommitment("chain"), "whoever said it before")
	require.Equal(t, epoch, k.EpochCommitment("chain"))
}

func TestEnvelope(t *testing.T) {
	good := func() *wire.Envelope { return SignEnvelope(header(), []byte("body"), testKey) }
	v, err := VerifyEnvelope(good(), "chain", public())
	require.NoError(t, err)
	require.Equal(t, Operator("seqvaloper1a"), v.From())
	require.Equal(t, "body", string(v.Body()))
	for name, change := range map[string]func(*wire.Envelope){
		"body": func(e *wire.Envelope) { e.Body = []byte("Body") }, "chain": func(e *wire.Envelope) { e.Header.ChainId = "x" },
		"context": func(e *wire.Envelope) { e.Header.Context[0]++ }, "kind": func(e *wire.Envelope) { e.Header.Kind = wire.KIND_UNSPECIFIED },
		"round": func(e *wire.Envelope) { e.Header.Round++ }, "type": func(e *wire.Envelope) { e.Header.Type = "kg3" },
		"request": func(e *wire.Envelope) { e.Header.RequestId = "other" }, "request kind": func(e *wire.Envelope) { e.Header.RequestKind++ },
		"no request": func(e *wire.Envelope) { e.Header.RequestId = "" },
		"from":       func(e *wire.Envelope) { e.Header.From = "x" }, "to": func(e *wire.Envelope) { e.Header.To = "" },
		"version": func(e *wire.Envelope) { e.Header.IdentityVersion++ }, "sequence": func(e *wire.Envelope) { e.Header.Sequence++ },
		"signature":    func(e *wire.Envelope) { e.Signature[5]++ },
		"to itself":    func(e *wire.Envelope) { e.Header.To = e.Header.From },
		"no header":    func(e *wire.Envelope) { e.Header = nil },
		"short hash":   func(e *wire.Envelope) { e.Header.BodyHash = nil },
		"short name":   func(e *wire.Envelope) { e.Header.Context = nil },
		"no sender":    func(e *wire.Envelope) { e.Header.From = "" },
		"long type":    func(e *wire.Envelope) { e.Header.Type = strings.Repeat("x", MaxTypeBytes+1) },
		"type of none": func(e *wire.Envelope) { e.Header.Kind = wire.KIND_CONFIRM },
		"unknown kind": func(e *wire.Envelope) { e.Header.Kind = 99 },
	} {
		e := good()
		change(e)
		_, err := VerifyEnvelope(e, "chain", public())
		require.Error(t, err, name)
	}
	_, err = VerifyEnvelope(nil, "chain", public())
	require.Error(t, err)
	_, err = VerifyEnvelope(good(), "chain", nil)
	require.Error(t, err)
}

func FuzzKeygenPayload(f *testing.F) {
	for n := range 3 {
		p := payload(n)
		f.Add(p.Encode())
	}
	f.Add([]byte{0x0a, 0x21})
	f.Fuzz(func(t *testing.T, bz []byte) {
		p, err := DecodeKeygenPayload(bz)
		if err != nil {
			return
		}
		require.Equal(t, bz, p.Encode(), "one payload, one encoding")
	})
}

func TestKeygenPayload(t *testing.T) {
	p := payload(4)
	got, err := DecodeKeygenPayload(p.Encode())
	require.NoError(t, err)
	require.Equal(t, p, got)
	unknown := append(p.Encode(), 0x22, 0x00) // a field 4 of no bytes
	_, err = DecodeKeygenPayload(unknown)
	require.Error(t, err)
	many := payload(MaxMembers + 1)
	_, err = DecodeKeygenPayload(many.Encode())
	require.Error(t, err)
	most := payload(MaxMembers)
	require.LessOrEqual(t, len(most.Encode()), MaxPayloadBytes)
	_, err = DecodeKeygenPayload(most.Encode())
	require.NoError(t, err)
}

func TestSignature(t *testing.T) {
	private := secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{4}, 32))
	key := private.PubKey().SerializeCompressed()
	digest := bytes.Repeat([]byte{6}, 32)
	compact := ecdsa.SignCompact(private, digest, true)
	good := func() *SignatureResult {
		return &SignatureResult{RequestID: "sig", R: bytes.Clone(compact[1:33]), S: bytes.Clone(compact[33:]), V: uint32(compact[0] - 31)}
	}
	require.NoError(t, ValidatePublicKey(key))
	require.Error(t, ValidatePublicKey(key[:32]))
	require.Error(t, ValidatePublicKey(bytes.Repeat([]byte{2}, 33)[:33-1]))
	require.NoError(t, VerifySignature(key, digest, good()))
	back, err := SignatureResultFromWire(good().ToWire())
	require.NoError(t, err)
	require.Equal(t, *good(), back)
	for name, change := range map[string]func(*SignatureResult){
		"r": func(s *SignatureResult) { s.R[31]++ }, "s": func(s *SignatureResult) { s.S[31]++ },
		"v": func(s *SignatureResult) { s.V ^= 1 }, "v too high": func(s *SignatureResult) { s.V = 2 },
		"r is zero": func(s *SignatureResult) { clear(s.R) }, "s is zero": func(s *SignatureResult) { clear(s.S) },
		"r above the order": func(s *SignatureResult) { copy(s.R, bytes.Repeat([]byte{0xff}, 32)) },
		"r too short":       func(s *SignatureResult) { s.R = s.R[1:] }, "no id": func(s *SignatureResult) { s.RequestID = "" },
		"high s": func(s *SignatureResult) { // as valid for ECDSA, but malleable
			var x secp256k1.ModNScalar
			x.SetByteSlice(s.S)
			x.Negate()
			b := x.Bytes()
			s.S, s.V = b[:], s.V^1
		},
	} {
		s := good()
		change(s)
		require.Error(t, VerifySignature(key, digest, s), name)
	}
	require.Error(t, VerifySignature(key, bytes.Repeat([]byte{5}, 32), good()), "another digest")
	other := secp256k1.PrivKeyFromBytes([]byte{1}).PubKey().SerializeCompressed()
	require.Error(t, VerifySignature(other, digest, good()), "another key")
}

// The digest of a test is another one for each chain, key, epoch, session and seed; without a
// seed it is the one of before there were any.
func TestReshareTestDigest(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	seen := map[Hash]bool{}
	for _, digest := range []Hash{
		ReshareTestDigest("chain", "key", 1, Context{1}, nil), ReshareTestDigest("chain", "key", 1, Context{1}, seed),
		ReshareTestDigest("chain", "key", 1, Context{1}, bytes.Repeat([]byte{8}, 32)), ReshareTestDigest("chains", "key", 1, Context{1}, seed),
		ReshareTestDigest("chain", "keys", 1, Context{1}, seed), ReshareTestDigest("chain", "key", 2, Context{1}, seed),
		ReshareTestDigest("chain", "key", 1, Context{2}, seed),
	} {
		require.False(t, seen[digest])
		seen[digest] = true
	}
	require.True(t, seen[newSignBytes("reshare-test").str("chain").str("key").u64(1).hash(Context{1}).sum()])
	require.Equal(t, ReshareTestDigest("chain", "key", 1, Context{1}, nil), ReshareTestDigest("chain", "key", 1, Context{1}, []byte{}))
}

func TestDigest(t *testing.T) {
	order, err := hex.DecodeString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	require.NoError(t, err)
	below := bytes.Clone(order)
	below[31]--
	require.NoError(t, ValidateDigest(below))
	for name, d := range map[string][]byte{
		"zero": make([]byte, 32), "order": order, "above": bytes.Repeat([]byte{0xff}, 32), "short": below[1:], "long": append(below, 0), "none": nil,
	} {
		require.ErrorIs(t, ValidateDigest(d), ErrBadDigest, name)
	}
}

func TestRecordClone(t *testing.T) {
	r := Record{Data: []byte{1}, Payload: []byte{2}, PublicKey: []byte{3}, Participants: []Operator{"a"}}
	c := r.Clone()
	Wipe(r.Data)
	r.Participants[0] = "b"
	require.Equal(t, []byte{1}, c.Data)
	require.Equal(t, Operator("a"), c.Participants[0])
}

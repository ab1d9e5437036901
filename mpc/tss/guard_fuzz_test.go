package tss_test

import (
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/dlnproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/facproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/modproof"
	"github.com/bnb-chain/tss-lib/v2/crypto/schnorr"
	"github.com/bnb-chain/tss-lib/v2/crypto/vss"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// maxMessageCPU bounds the CPU seconds that any one message may cost, judged by
// the guard and verified by the library, as doc.go says. An honest dg2m1 costs most, about one
// second: 256 powers for its DLN proofs and 160 for its modulus proof. The rest
// is for slower machines.
const maxMessageCPU = 15

// place is a message of a stored session.
type place struct {
	stage        *stage
	rounds       [][]session.Inbound
	round, index int
	// live: it is one that the stage's victim receives.
	live bool
}

// places are all messages of one sender of each session: of sessions between honest
// members, and of those whose victims are parties of the library.
var places = sync.OnceValue(func() []place {
	var out []place
	// Numbers of the peers' are as long as honest ones are.
	out = append(out, placesIn(&keygenStage, fixtures.KeygenTranscript())...)
	out = append(out, placesIn(&signStage, signStage.transcript())...)
	// The receiver of the stored resharing is in the new committee only; an old
	// member is sent this too.
	reshared := reshareTranscript(&quiet{})
	reshared[1] = append(slices.Clone(reshared[1]), session.Inbound{From: reshared[1][0].From, Type: "dg2m2"})
	out = append(out, placesIn(&reshareStage, reshared)...)
	for _, s := range []*stage{&keygenStage, &signStage, &reshareStage} {
		for _, p := range placesIn(s, s.transcript()) {
			p.live = true
			out = append(out, p)
		}
	}
	return out
})

// No message type is left out.
func TestPlacesAreComplete(t *testing.T) {
	want := make(map[string]bool)
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindReshare} {
		for _, round := range protocol(t, kind).Rounds(1, 2) {
			for _, m := range round {
				want[m.Type] = true
			}
		}
	}
	got := make(map[string]bool)
	for _, p := range places() {
		got[p.rounds[p.round][p.index].Type] = true
	}
	require.Len(t, want, 21)
	require.Equal(t, want, got)
}

func placesIn(s *stage, rounds [][]session.Inbound) []place {
	var out []place
	for r, in := range rounds {
		var seen []string
		for i, m := range in {
			if !slices.Contains(seen, m.Type) {
				out = append(out, place{s, rounds, r, i, false})
				seen = append(seen, m.Type)
			}
		}
	}
	return out
}

// What a mutation does to a field.
const (
	opSet = iota
	opAppend
	opPrepend
	opXor
	opAdd
	opMultiply
	opTruncate
	opDrop
	opRepeat
	opSwap
	opClear
	ops
)

// unknownField stands for a field that a message does not have.
const unknownField = 0xffff

// mutate changes one number of a message, or one entry of a list of them.
func mutate(content tsslib.MessageContent, field, part uint16, op uint8, arg []byte) {
	m := content.ProtoReflect()
	fields := m.Descriptor().Fields()
	if fields.Len() == 0 || field == unknownField {
		// What no struct has a place for.
		m.SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 15, protowire.BytesType), arg))
		return
	}
	fd := fields.Get(int(field) % fields.Len())
	if op %= ops; op == opClear {
		m.Clear(fd)
		return
	}
	if !fd.IsList() {
		m.Set(fd, protoreflect.ValueOfBytes(mutated(m.Get(fd).Bytes(), op, arg)))
		return
	}
	list := m.Mutable(fd).List()
	if list.Len() == 0 {
		return
	}
	i := int(part) % list.Len()
	switch op {
	case opDrop:
		for ; i+1 < list.Len(); i++ {
			list.Set(i, list.Get(i+1))
		}
		list.Truncate(list.Len() - 1)
	case opRepeat:
		list.Append(list.Get(i))
	case opSwap:
		j := (i + 1) % list.Len()
		a, b := list.Get(i), list.Get(j)
		list.Set(i, b)
		list.Set(j, a)
	default:
		list.Set(i, protoreflect.ValueOfBytes(mutated(list.Get(i).Bytes(), op, arg)))
	}
}

func mutated(b []byte, op uint8, arg []byte) []byte {
	x, y := new(big.Int).SetBytes(b), new(big.Int).SetBytes(arg)
	switch op {
	case opSet:
		return arg
	case opAppend:
		return slices.Concat(b, arg)
	case opPrepend:
		return slices.Concat(arg, b)
	case opAdd:
		return x.Add(x, y).Bytes()
	case opMultiply:
		return x.Mul(x, y).Bytes()
	case opTruncate:
		return b[:len(b)-min(len(b), len(arg))]
	}
	b = slices.Clone(b)
	for i := range min(len(b), len(arg)) {
		b[i] ^= arg[i]
	}
	return b
}

// FuzzMutatedMessage changes valid messages of all sessions. Whatever comes of it, the
// guard refuses it or the library survives it, within a budget of CPU: each of its
// verifications, and Update of a party that received all of the session until then. A party
// goes on or names who sent it, and nobody else.
func FuzzMutatedMessage(f *testing.F) {
	ones := make([]byte, 300)
	for i := range ones {
		ones[i] = 0xff
	}
	for i, p := range places() {
		at := uint16(i)
		f.Add(at, uint16(0), uint16(0), uint8(opXor), []byte{1})
		if p.live { // its like among the others has the rest
			f.Add(at, uint16(1), uint16(7), uint8(opAdd), []byte{1})
			continue
		}
		f.Add(at, uint16(1), uint16(130), uint8(opSet), ones)
		f.Add(at, uint16(1), uint16(7), uint8(opAdd), []byte{1})
		f.Add(at, uint16(5), uint16(3), uint8(opDrop), []byte{})
		f.Add(at, uint16(0), uint16(2), uint8(opSwap), []byte{})
		f.Add(at, uint16(0), uint16(0), uint8(opSet), []byte{0})
		f.Add(at, uint16(1), uint16(0), uint8(opSet), []byte{0})
		f.Add(at, uint16(unknownField), uint16(0), uint8(opSet), []byte{1})
	}
	f.Add(uint16(1), uint16(1), uint16(8), uint8(opMultiply), []byte{2})
	f.Add(uint16(4), uint16(1), uint16(5), uint8(opTruncate), []byte{1})
	f.Add(uint16(6), uint16(3), uint16(9), uint8(opRepeat), []byte{})
	f.Add(uint16(14), uint16(1), uint16(0), uint8(opClear), []byte{})
	f.Add(uint16(19), uint16(0), uint16(0), uint8(opAppend), []byte{0xff, 1})
	f.Add(uint16(20), uint16(0), uint16(0), uint8(opPrepend), []byte{0, 0})
	f.Fuzz(func(t *testing.T, at, field, part uint16, op uint8, arg []byte) {
		receiveMutated(t, places()[int(at)%len(places())], field, part, op, arg)
	})
}

// receiveMutated says how far a changed message of a session came.
func receiveMutated(t *testing.T, p place, field, part uint16, op uint8, arg []byte) (passed, updated bool) {
	t.Helper()
	rounds := slices.Clone(p.rounds[:p.round+1])
	m := rounds[p.round][p.index]
	content, err := tss.DecodeAny(m.Type, m.Body)
	require.NoError(t, err)
	mutate(content, field, part, op, arg)
	m.Body, err = tss.EncodeBody(content)
	require.NoError(t, err)
	rounds[p.round] = slices.Clone(rounds[p.round])
	rounds[p.round][p.index] = m
	used := cpuSeconds(t, func() {
		if passed = p.stage.guard(t, rounds) == nil; !passed {
			return
		}
		verify(t, content)
		if updated = p.live && !testing.Short() && !raceEnabled; updated {
			p.update(t, rounds)
		}
	})
	require.Less(t, used, float64(maxMessageCPU))
	return passed, updated
}

// update lets a party of the library receive rounds with the place's message changed. It
// goes on, or names who sent that. Where the end of a signature does not fit nobody can be
// named. It waits only where a party whose peer is honest has nothing to say either.
func (p place) update(t *testing.T, rounds [][]session.Inbound) {
	t.Helper()
	switch outcome, text := p.stage.victim(false).outcome(rounds, p.rounds[p.round][p.index].From); outcome {
	case accepts, refuses:
	case misnames:
		require.Equal(t, "signature verification failed", text)
	case hangs:
		honest, _ := p.stage.victim(false).outcome(p.rounds[:p.round+1], "")
		require.Equal(t, hangs, honest)
	default:
		require.Fail(t, string(outcome), text)
	}
}

// TestMutatedReachesUpdate: what the guard lets pass reaches a party of the library, of each
// type of message that its victims receive.
func TestMutatedReachesUpdate(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 15 seconds of CPU")
	}
	reached := make(map[string]bool)
	for _, p := range places() {
		typ := p.rounds[p.round][p.index].Type
		if p.live && typ != "dg4m2" { // which has nothing to change
			_, reached[typ] = receiveMutated(t, p, 0, 0, opXor, nil)
			require.True(t, reached[typ], typ)
		}
	}
	require.Len(t, reached, 19, "all but that and dg2m2, which only old members receive")
}

// verify does with one message alone what the library does with it. Proofs that
// are bound to a session fail here, having done their work.
func verify(t *testing.T, content tsslib.MessageContent) {
	t.Helper()
	ssid, curve := []byte("session"), tsslib.S256()
	own, peer := preparamsOf(0), preparamsOf(1)
	switch m := content.(type) {
	case kg1:
		verifyDLN(t, m)
	case dg2m1:
		verifyDLN(t, m)
		verifyMod(t, m.ModProof, new(big.Int).SetBytes(m.PaillierN))
	case kg2m1:
		crypto.ScalarBaseMult(curve, m.UnmarshalShare())
		verifyFac(t, m.FacProof, peer.PaillierSK.N)
	case dg4m1:
		verifyFac(t, m.FacProof, peer.PaillierSK.N)
	case kg2m2:
		verifyPolynomial(t, m.UnmarshalDeCommitment())
		verifyMod(t, m.ModProof, peer.PaillierSK.N)
	case dg3m2:
		verifyPolynomial(t, m.UnmarshalVDeCommitment())
	case dg3m1:
		crypto.ScalarBaseMult(curve, new(big.Int).SetBytes(m.Share))
	case dg1:
		_, err := m.UnmarshalECDSAPub(curve)
		require.NoError(t, err)
	case kg3:
		_, err := m.UnmarshalProofInts().Verify(peer.PaillierSK.N, big.NewInt(1), crypto.ScalarBaseMult(curve, big.NewInt(1)))
		require.NoError(t, err)
	case s1m1:
		proof, err := m.UnmarshalRangeProofAlice()
		require.NoError(t, err)
		proof.Verify(curve, &peer.PaillierSK.PublicKey, own.NTildei, own.H1i, own.H2i, m.UnmarshalC())
	case s2:
		verifyBob(t, m)
	case s4:
		proof, err := m.UnmarshalZKProof(curve)
		require.NoError(t, err)
		verifySchnorr(t, proof, m.UnmarshalDeCommitment()[1:3])
	case s6:
		proof, err := m.UnmarshalZKProof(curve)
		require.NoError(t, err)
		values := m.UnmarshalDeCommitment()
		verifySchnorr(t, proof, values[3:5])
		v, err := m.UnmarshalZKVProof(curve)
		require.NoError(t, err)
		point := verifySchnorr(t, proof, values[1:3])
		v.Verify(ssid, point, crypto.ScalarBaseMult(curve, big.NewInt(3)))
	case s8:
		verifyPoints(t, m.UnmarshalDeCommitment()[1:])
	}
}

type dlnMessage interface {
	UnmarshalH1() *big.Int
	UnmarshalH2() *big.Int
	UnmarshalNTilde() *big.Int
	UnmarshalDLNProof1() (*dlnproof.Proof, error)
	UnmarshalDLNProof2() (*dlnproof.Proof, error)
}

func verifyDLN(t *testing.T, m dlnMessage) {
	t.Helper()
	h1, h2, n := m.UnmarshalH1(), m.UnmarshalH2(), m.UnmarshalNTilde()
	proof, err := m.UnmarshalDLNProof1()
	require.NoError(t, err)
	proof.Verify(h1, h2, n)
	proof, err = m.UnmarshalDLNProof2()
	require.NoError(t, err)
	proof.Verify(h2, h1, n)
}

// The library verifies a modulus proof on many goroutines, where a panic would
// end the test binary.
func verifyMod(t *testing.T, parts [][]byte, n *big.Int) {
	t.Helper()
	proof, err := modproof.NewProofFromBytes(parts)
	require.NoError(t, err)
	proof.Verify([]byte("session"), n)
}

func verifyFac(t *testing.T, parts [][]byte, n *big.Int) {
	t.Helper()
	own := preparamsOf(0)
	proof, err := facproof.NewProofFromBytes(parts)
	if err == nil {
		proof.Verify([]byte("session"), tsslib.S256(), n, own.NTildei, own.H1i, own.H2i)
	}
}

func verifyPoints(t *testing.T, flat []*big.Int) []*crypto.ECPoint {
	t.Helper()
	points, err := crypto.UnFlattenECPoints(tsslib.S256(), flat)
	require.NoError(t, err)
	return points
}

func verifyPolynomial(t *testing.T, opened []*big.Int) {
	t.Helper()
	common.SHA512_256i(opened...)
	share := vss.Share{Threshold: 1, ID: big.NewInt(5), Share: big.NewInt(7)}
	share.Verify(tsslib.S256(), 1, verifyPoints(t, opened[1:]))
}

func verifySchnorr(t *testing.T, proof *schnorr.ZKProof, flat []*big.Int) *crypto.ECPoint {
	t.Helper()
	point := verifyPoints(t, flat)[0]
	proof.Verify([]byte("session"), point)
	return point
}

func verifyBob(t *testing.T, m s2) {
	t.Helper()
	own := preparamsOf(0)
	ssid, curve, pk := []byte("session"), tsslib.S256(), &own.PaillierSK.PublicKey
	c1, c2 := new(big.Int).SetBytes(m.C1), new(big.Int).SetBytes(m.C2)
	proof, err := m.UnmarshalProofBob()
	require.NoError(t, err)
	proof.Verify(ssid, curve, pk, own.NTildei, own.H1i, own.H2i, c1, c1)
	check, err := m.UnmarshalProofBobWC(curve)
	require.NoError(t, err)
	check.Verify(ssid, curve, pk, own.NTildei, own.H1i, own.H2i, c1, c2, crypto.ScalarBaseMult(curve, big.NewInt(3)))
	tss.Decrypt(own.PaillierSK, c1)
	tss.Decrypt(own.PaillierSK, c2)
}

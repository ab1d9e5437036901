package tss_test

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/crypto/vss"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/resharing"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

type (
	dg1   = *resharing.DGRound1Message
	dg2m1 = *resharing.DGRound2Message1
	dg3m1 = *resharing.DGRound3Message1
	dg3m2 = *resharing.DGRound3Message2
	dg4m1 = *resharing.DGRound4Message1
	dg4m2 = *resharing.DGRound4Message2
)

// dealer is an old member that deals another secret than its share.
type dealer struct {
	from   types.Operator
	share  []byte
	opened *commitments.HashCommitDecommit
	point  *crypto.ECPoint
}

// newDealer is the old member with this place in the library's order.
func (c committees) newDealer(t testing.TB, index int, secret *big.Int) dealer {
	t.Helper()
	vs, shares, err := vss.Create(tsslib.S256(), newThreshold, secret, c.newIDs().Keys(), cheapRandom{})
	require.NoError(t, err)
	flat, err := crypto.FlattenECPoints(vs)
	require.NoError(t, err)
	return dealer{
		types.Operator(c.oldIDs()[index].Id), shares[idOf(c.newIDs(), c.victim()).Index].Share.Bytes(),
		commitments.NewHashCommitmentWithRandomness(big.NewInt(7), flat...), vs[0],
	}
}

// deals puts the dealer's messages into a transcript.
func (d dealer) deals(t *testing.T, rounds [][]session.Inbound, key *crypto.ECPoint) [][]session.Inbound {
	t.Helper()
	rounds = slices.Clone(rounds)
	for r := range rounds {
		rounds[r] = slices.Clone(rounds[r])
		for i, m := range rounds[r] {
			if m.From != d.from {
				continue
			}
			switch m.Type {
			case "dg1":
				rounds[r][i] = edited(t, m, func(m dg1) {
					m.EcdsaPubX, m.EcdsaPubY = key.X().Bytes(), key.Y().Bytes()
					m.VCommitment = d.opened.C.Bytes()
				})
			case "dg3m1":
				rounds[r][i] = edited(t, m, func(m dg3m1) { m.Share = d.share })
			case "dg3m2":
				rounds[r][i] = edited(t, m, func(m dg3m2) { m.VDecommitment = bytesOf(d.opened.D) })
			}
		}
	}
	return rounds
}

// The first old member alone can give the new committee another key, one that
// nobody can sign with: the library compares the keys that it is told with the
// first one's.
func TestReshareOfAnotherKey(t *testing.T) {
	t.Parallel()
	c := cheapCommittees()
	old, err := tss.ShareData(c.old.Shares[0])
	require.NoError(t, err)
	d := c.newDealer(t, 0, big.NewInt(12345))
	_, terms := signing.PrepareForSigning(tsslib.S256(), 0, 2, big.NewInt(1), old.Ks, old.BigXj)
	other, err := d.point.Add(terms[1])
	require.NoError(t, err)
	rounds := d.deals(t, reshareStage.transcript(), other)
	requireBlame(t, reshareStage.guard(t, rounds), d.from, "EcdsaPub is not the key")
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 4 seconds of CPU")
	}
	victim := c.newMember(t, 1)
	require.Nil(t, victim.Start())
	for _, m := range slices.Concat(rounds...) {
		require.Nil(t, c.deliver(t, victim, m), "the library refuses it")
	}
	data := <-victim.end
	require.True(t, data.ECDSAPub.Equals(other))
	require.False(t, data.ECDSAPub.Equals(old.ECDSAPub))
}

// withSSID changes the session id that the old member with this place says.
func (c committees) withSSID(t *testing.T, index int, ssid []byte) ([]session.Inbound, types.Operator) {
	t.Helper()
	liar := types.Operator(c.oldIDs()[index].Id)
	in := slices.Clone(reshareTranscript(t)[0])
	for i, m := range in {
		if m.From == liar {
			in[i] = edited(t, m, func(m dg1) { m.Ssid = ssid })
		}
	}
	return in, liar
}

// The library takes the first old member's session id for the right one, and
// blames the others if it lies. The guard names who lies if we can know it, and
// nobody otherwise.
func TestReshareSessionID(t *testing.T) {
	c := reshareCommittees()
	in, liar := c.withSSID(t, 0, []byte("another"))
	// A new member does not look at the old one with its own place, so it must
	// be the first for the library to see anything.
	require.Zero(t, idOf(c.newIDs(), c.members[0]).Index)
	victim := c.newMember(t, 0)
	require.Nil(t, victim.Start())
	var failed *tsslib.Error
	for _, m := range in {
		failed = c.deliver(t, victim, m)
	}
	require.NotNil(t, failed)
	require.ErrorContains(t, failed.Cause(), "ssid mismatch")
	require.NotEqual(t, string(liar), failed.Culprits()[0].Id)
	requireNoBlame(t, reshareStage.guard(t, [][]session.Inbound{in}), "the old members differ about the session id")

	content, err := tss.DecodeBody("dg1", reshareTranscript(t)[0][0].Body)
	require.NoError(t, err)
	facts := c.facts(0)
	facts.SSID = content.(dg1).Ssid
	g, err := facts.Guard()
	require.NoError(t, err)
	requireBlame(t, g.Judge(1, in), liar, "Ssid is not that of this session")
	g, err = facts.Guard()
	require.NoError(t, err)
	require.NoError(t, g.Judge(1, reshareTranscript(t)[0]))

	for _, ssid := range [][]byte{nil, make([]byte, 33)} {
		in, liar := c.withSSID(t, 1, ssid)
		requireBlame(t, reshareStage.guard(t, [][]session.Inbound{in}), liar, "Ssid is not 1 to 32 bytes long")
	}
}

// Whoever is a member of one committee only cannot send what the other sends.
// The library files messages by the sender's place alone: a new member's dg1
// takes the place of an old member's.
func TestReshareCommittees(t *testing.T) {
	c := reshareCommittees()
	rounds := reshareTranscript(t)
	onlyOld, onlyNew := c.old.Operators[0], c.victim()
	victim := c.newMember(t, 0)
	require.Nil(t, victim.Start())
	content, err := tss.DecodeBody("dg1", rounds[0][0].Body)
	require.NoError(t, err)
	ok, terr := victim.Update(rawMessage(idOf(c.newIDs(), onlyNew), true, content))
	require.Nil(t, terr)
	require.True(t, ok, "the library refuses it")

	for _, m := range slices.Concat(rounds...) {
		g, err := c.facts(0).Guard()
		require.NoError(t, err)
		round := uint32(m.Type[2] - '0')
		switch m.Type {
		case "dg1", "dg3m1", "dg3m2":
			m.From = onlyNew
			requireBlame(t, g.Judge(round, []session.Inbound{m}), onlyNew, "no member of the old committee")
		default:
			m.From = onlyOld
			requireBlame(t, g.Judge(round, []session.Inbound{m}), onlyOld, "no member of the new committee")
		}
		m.From = "stranger"
		requireBlame(t, g.Judge(round, []session.Inbound{m}), "stranger", "no member of")
	}
}

// An old member that is in no new committee takes the acknowledgements and
// nothing that is between new members.
func TestReshareOldMember(t *testing.T) {
	c := reshareCommittees()
	facts := c.facts(0)
	facts.Preparams = nil
	ack := func(typ string) session.Inbound { return session.Inbound{From: c.members[0], Type: typ} }
	for _, m := range slices.Concat(reshareTranscript(t)...) {
		g, err := facts.Guard()
		require.NoError(t, err)
		require.NoError(t, g.Judge(2, []session.Inbound{ack("dg2m2")}))
		require.NoError(t, g.Judge(4, []session.Inbound{ack("dg4m2")}))
		if m.Type == "dg2m1" || m.Type == "dg4m1" {
			requireBlame(t, g.Judge(uint32(m.Type[2]-'0'), []session.Inbound{m}), m.From, "it is for members of the new committee")
		}
	}
}

// reshareAttacks are made on a new member that knows nothing but what is on
// chain; the peer in its committee has set 2 of the pre-parameters.
func reshareAttacks() []attack {
	return reshareStage.on(slices.Concat(dealAttacks(), newcomerAttacks(), dealtAttacks(), acknowledgementAttacks()))
}

func dealAttacks() []attack {
	const key, ssid = "dg1 EcdsaPub: the key, from every old member", "dg1 Ssid: 1 to 32 bytes"
	const commitment = "dg1 VCommitment: at most 32 bytes"
	long := make([]byte, 33)
	return []attack{
		{rule: key, name: "off the curve", forge: change(func(m dg1) { m.EcdsaPubY = []byte{1} }), alone: refuses, want: "EcdsaPub is not a point"},
		{rule: key, name: "x plus the prime", forge: change(func(m dg1) { m.EcdsaPubX = plusPrime(m.EcdsaPubX) }), alone: misnames, text: "V_0 != y", want: "EcdsaPub is not a point"},
		{rule: key, name: "another point", forge: change(func(m dg1) {
			g := tsslib.S256().Params()
			m.EcdsaPubX, m.EcdsaPubY = g.Gx.Bytes(), g.Gy.Bytes()
		}), alone: misnames, text: "V_0 != y", want: "EcdsaPub is not the key"},
		{rule: commitment, name: "33 bytes", forge: change(func(m dg1) { m.VCommitment = long }), alone: refuses, text: "de-commitment", want: "VCommitment is not"},
		{rule: ssid, name: "none", forge: change(func(m dg1) { m.Ssid = nil }), alone: misnames, text: "proof verification failed", want: "Ssid is not 1 to 32 bytes long"},
		{rule: ssid, name: "a megabyte", forge: change(func(m dg1) { m.Ssid = make([]byte, 1<<20) }), alone: misnames, text: "proof verification failed", want: "are allowed"},
	}
}

func newcomerAttacks() []attack {
	const rule = "dg2m1 all: as kg1 and kg2m2"
	n, aux := func(with func([]byte) []byte) forge {
		return change(func(m dg2m1) { m.PaillierN = with(m.PaillierN) })
	}, func(n func() *big.Int) forge {
		return func(t testing.TB) []edit { return inverses(n()).dg2m1()(t) }
	}
	to := func(b func() []byte) func([]byte) []byte { return func([]byte) []byte { return b() } }
	const modulus, nTilde = "PaillierN is not", "NTilde is not"
	return []attack{
		{rule: rule, name: "even modulus", forge: n(even), alone: dies, text: inJacobi, want: modulus},
		{rule: rule, name: "modulus of zero", forge: n(to(func() []byte { return []byte{0} })), alone: dies, text: inJacobi, want: modulus},
		{rule: rule, name: "modulus divisible by 3", forge: n(multipleOf3), alone: refuses, want: modulus},
		{rule: rule, name: "prime modulus", forge: n(to(prime2048.Bytes)), alone: refuses, want: modulus},
		{rule: rule, name: "a factor of 17 bits, proved to be none", forge: newcomersModulus(func() []*big.Int {
			return append(primesBelow(64, 15), big.NewInt(65537), primesBelow(48, 1)[0])
		}), alone: accepts, want: modulus},
		{rule: rule, name: "modulus of 2500 bits", forge: newcomersModulus(func() []*big.Int { return primesBelow(64, 24) }),
			alone: works, want: modulus},
		{rule: rule, name: "all factors but one", forge: newcomersModulus(factorsOf64), alone: accepts, want: "ModProof W is not"},
		{rule: rule, name: "our modulus", forge: n(to(func() []byte { return paillierN(3).Bytes() })), alone: refuses, want: "is our own"},
		{rule: rule, name: "even NTilde", forge: aux(func() *big.Int { return plus(prime2048, -1) }), alone: accepts, want: nTilde},
		{rule: rule, name: "short NTilde", forge: aux(func() *big.Int { return new(big.Int).Rsh(prime2048, 1000) }), alone: accepts, want: nTilde},
		{rule: rule, name: "NTilde longer than a modulus", forge: aux(longNumber(2184)), alone: works, want: nTilde},
		{rule: rule, name: "NTilde too long", forge: aux(longNumber(2192)), alone: panics, text: "MustGetRandomInt", want: nTilde},
		{rule: rule, name: "NTilde far too long", forge: aux(longNumber(1 << 16)), alone: panics, text: "MustGetRandomInt", want: "are allowed"},
		{rule: rule, name: "DLN proof with a list of negative length", forge: change(func(m dg2m1) { m.Dlnproof_1[0] = negative }), alone: dies, text: inParse, want: "Dlnproof_1 is not"},
		{rule: rule, name: "T beyond NTilde", forge: change(func(m dg2m1) {
			m.Dlnproof_1[130] = beyond(m.Dlnproof_1[130], preparamsOf(2), beyondNTilde)
		}), alone: works, want: "Dlnproof_1 T is not"},
		{rule: rule, name: "h1 is 1", forge: change(func(m dg2m1) { m.H1 = []byte{1} }), alone: refuses, want: "h1 or h2 is not"},
		{rule: rule, name: "our h1", forge: change(func(m dg2m1) { m.H1 = preparamsOf(3).H1i.Bytes() }), alone: misnames, text: "already used by another party", want: "is our own"},
		{rule: rule, name: "alpha is 1", forge: change(func(m dg2m1) { m.Dlnproof_2[1] = []byte{1} }), alone: refuses, want: "Dlnproof_2 alpha is not"},
		{rule: rule, name: "T is NTilde", forge: change(func(m dg2m1) { m.Dlnproof_1[130] = m.NTilde }), alone: refuses, want: "Dlnproof_1 T is not"},
		{rule: rule, name: "no modulus proof", forge: change(func(m dg2m1) { m.ModProof = nil }), alone: refuses, want: "ModProof has 0 parts", strict: true},
		{rule: rule, name: "W is the modulus", forge: change(func(m dg2m1) { m.ModProof[0] = m.PaillierN }), alone: refuses, want: "ModProof W is not"},
		{rule: rule, name: "W is 4", forge: change(func(m dg2m1) { m.ModProof[0] = []byte{4} }), alone: refuses, want: "ModProof W is not"},
	}
}

// longNumber is odd and has this many bits.
func longNumber(bits uint) func() *big.Int {
	return func() *big.Int { return plus(new(big.Int).Lsh(big.NewInt(1), bits-1), 1) }
}

// newcomersModulus is a resharing with a forged modulus and the proofs about it.
func newcomersModulus(factors func() []*big.Int) forge {
	return func(t testing.TB) []edit {
		c := cheapCommittees()
		ssid := reshareStage.of("dg1").(dg1).Ssid
		place := func(member int) []byte { return contextOf(ssid, idOf(c.newIDs(), c.members[member]).Index) }
		f := forgeModulus(t, place(0), factors())
		mod, fac := f.proof.Bytes(), f.fac(place(1), cheapPreparams(c.preparams[1]))
		return change(func(m dg4m1) { m.FacProof = fac }).also(
			change(func(m dg2m1) { m.PaillierN, m.ModProof = f.n.Bytes(), mod[:] }))(t)
	}
}

func dealtAttacks() []attack {
	const share, parts, fac = "dg3m1 share: 1 to q-1", "dg3m2 VDecommitment: 1+2(t'+1) parts, as kg2m2", "dg4m1 FacProof: as kg2m1"
	const constant = "dg3m2 its first point: what the sender's share adds to the key"
	secret := func(b []byte) forge { return change(func(m dg3m1) { m.Share = b }) }
	const zero = "scalar mult to an ecpoint"
	proof := func(part int, b func() []byte) forge { return change(func(m dg4m1) { m.FacProof[part] = b() }) }
	return []attack{
		{rule: share, name: "0", forge: secret([]byte{0}), alone: panics, text: zero, want: "share is not"},
		{rule: share, name: "q", forge: secret(order.Bytes()), alone: panics, text: zero, want: "share is not"},
		{rule: share, name: "33 zeros", forge: secret(make([]byte, 33)), alone: panics, text: zero, want: "share is not"},
		{rule: parts, name: "a constant", forge: dealt(func(p [][]byte) [][]byte { return p[:3] }), alone: refuses, text: "de-commitment", want: "VDecommitment has 3 parts, not 5"},
		{rule: parts, name: "one coefficient more", forge: dealt(func(p [][]byte) [][]byte {
			return append([][]byte{{7}, p[1], p[2]}, []byte{1}, []byte{2}, []byte{3}, []byte{4})
		}), alone: refuses, text: "de-commitment", want: "VDecommitment has 7 parts, not 5"},
		{rule: parts, name: "a thousand coefficients more", forge: dealt(func(p [][]byte) [][]byte {
			for range 1000 {
				p = append(p, p[1], p[2])
			}
			return p
		}), alone: refuses, text: "de-commitment", want: "are allowed"},
		{rule: parts, name: "off the curve", forge: dealt(func(p [][]byte) [][]byte {
			p[4] = []byte{1}
			return p
		}), alone: refuses, text: "not on the elliptic curve", want: "VDecommitment 3 is not"},
		{rule: parts, name: "x plus the prime", forge: dealt(func(p [][]byte) [][]byte {
			p[3] = plusPrime(p[3])
			return p
		}), alone: accepts, want: "VDecommitment 3 is not"},
		{rule: parts, name: "a random number of 33 bytes", forge: dealt(func(p [][]byte) [][]byte {
			p[0] = bytes.Repeat([]byte{1}, 33)
			return p
		}), alone: harmless, want: "VDecommitment 0 is not"},
		{rule: constant, name: "another coefficient", forge: change(func(m dg3m2) {
			m.VDecommitment[1], m.VDecommitment[2] = m.VDecommitment[3], m.VDecommitment[4]
		}), alone: refuses, text: "de-commitment", want: "VDecommitment 1 is not what"},
		{rule: constant, name: "another secret", forge: func(t testing.TB) []edit {
			return cheapCommittees().anotherSecret(t)
		}, alone: misnames, text: "V_0 != y", want: "VDecommitment 1 is not what its sender's share adds"},
		{rule: fac, name: "none", forge: change(func(m dg4m1) { m.FacProof = nil }), alone: refuses, want: "FacProof has 0 parts"},
		{rule: fac, name: "Z1 too large", forge: proof(6, func() []byte { return bytes.Repeat([]byte{0xff}, 224) }), alone: refuses, want: "FacProof Z1 is not"},
		{rule: fac, name: "T is NTilde", forge: proof(4, func() []byte { return preparamsOf(3).NTildei.Bytes() }), alone: refuses, want: "FacProof P, Q, A, B or T is not"},
		{rule: fac, name: "V beyond its bound", forge: change(func(m dg4m1) {
			m.FacProof[10] = beyond(m.FacProof[10], preparamsOf(3), beyondV)
		}), alone: works, want: "FacProof V is not"},
	}
}

// dealt commits to another polynomial in dg1 and opens it in dg3m2.
func dealt(opening func([][]byte) [][]byte) forge {
	return func(t testing.TB) []edit {
		opened := opening(slices.Clone(reshareStage.of("dg3m2").(dg3m2).VDecommitment))
		return change(func(m dg1) { m.VCommitment = commitmentTo(opened) }).also(
			change(func(m dg3m2) { m.VDecommitment = opened }))(t)
	}
}

// anotherSecret is a polynomial of another secret from the first sender.
func (c committees) anotherSecret(t testing.TB) []edit {
	t.Helper()
	liar := slices.IndexFunc(reshareStage.transcript()[0], func(m session.Inbound) bool { return m.Type == "dg1" })
	d := c.newDealer(t, idOf(c.oldIDs(), reshareStage.transcript()[0][liar].From).Index, big.NewInt(12345))
	return change(func(m dg1) { m.VCommitment = d.opened.C.Bytes() }).also(
		change(func(m dg3m1) { m.Share = d.share }),
		change(func(m dg3m2) { m.VDecommitment = bytesOf(d.opened.D) }))(t)
}

// An acknowledgement that says anything is no acknowledgement; the library keeps
// what it does not know, however long.
func acknowledgementAttacks() []attack {
	unknown := func(length int) forge {
		return change(func(m dg4m2) {
			field := append([]byte{0x0a}, binary.AppendUvarint(nil, uint64(length))...)
			m.ProtoReflect().SetUnknown(append(field, make([]byte, length)...))
		})
	}
	const rule = "dg2m2, dg4m2 body: empty"
	return []attack{
		{rule: rule, name: "an empty field", forge: unknown(0), alone: harmless, want: "at most 0 are allowed"},
		{rule: rule, name: "a megabyte", forge: unknown(1 << 20), alone: works, want: "at most 0 are allowed"},
	}
}

// What dg4m1 proves is about the modulus of dg2m1.
func TestGuardReshareOrder(t *testing.T) {
	g, err := reshareCommittees().facts(1).Guard()
	require.NoError(t, err)
	last := reshareTranscript(t)[3]
	requireBlame(t, g.Judge(4, last[:1]), last[0].From, "parameters of this peer are missing")
}

// Two new members with one modulus: nobody sees who copied.
func TestReshareCopiedParameters(t *testing.T) {
	c := reshareCommittees()
	facts := c.facts(1)
	facts.Members = append(slices.Clone(facts.Members), c.old.Operators[0])
	g, err := facts.Guard()
	require.NoError(t, err)
	copied := reshareTranscript(t)[1][0]
	again := copied
	again.From = c.old.Operators[0]
	requireAmong(t, g.Judge(2, []session.Inbound{copied, again}), "two peers have the same", copied.From, again.From)
}

// An old member judges acknowledgements of round 2 likewise; the library keeps
// what it does not know in them too.
func TestReshareAcknowledgement(t *testing.T) {
	c := reshareCommittees()
	content, err := tss.DecodeAny("dg2m2", []byte{0x0a, 1, 7})
	require.NoError(t, err)
	_, terr := c.oldMember(t, 0).Update(rawMessage(idOf(c.newIDs(), c.members[0]), true, content))
	require.Nil(t, terr, "the library refuses it")
	facts := c.facts(1)
	facts.Preparams = nil
	g, err := facts.Guard()
	require.NoError(t, err)
	m := session.Inbound{From: c.members[0], Type: "dg2m2", Body: []byte{0x0a, 1, 7}}
	requireBlame(t, g.Judge(2, []session.Inbound{m}), c.members[0], "at most 0 are allowed")
}

// Bodies of a resharing fit their limits, and no limit is more than a tenth
// above the longest.
func TestReshareSizes(t *testing.T) {
	longest := make(map[string]int)
	for _, m := range slices.Concat(reshareTranscript(t)...) {
		longest[m.Type] = max(longest[m.Type], len(m.Body))
	}
	for _, round := range tss.ReshareRounds(newThreshold) {
		for _, m := range round {
			require.LessOrEqual(t, longest[m.Type], m.MaxBytes, m.Type)
			require.GreaterOrEqual(t, longest[m.Type]*11, m.MaxBytes*10, m.Type)
			require.Equal(t, m.Type != "dg3m1" && m.Type != "dg4m1", m.Broadcast, m.Type)
		}
	}
}

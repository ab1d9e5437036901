package tss_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	"github.com/bnb-chain/tss-lib/v2/crypto/vss"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// dealer is an old member that deals another secret than its share.
type dealer struct {
	from   types.Operator
	share  []byte
	opened *commitments.HashCommitDecommit
	point  *crypto.ECPoint
}

// newDealer is the old member with this place in the library's order.
func (c committees) newDealer(t *testing.T, index int, secret *big.Int) dealer {
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
	c := reshareCommittees()
	old, err := tss.ShareData(c.old.Shares[0])
	require.NoError(t, err)
	d := c.newDealer(t, 0, big.NewInt(12345))
	_, terms := signing.PrepareForSigning(tsslib.S256(), 0, 2, big.NewInt(1), old.Ks, old.BigXj)
	other, err := d.point.Add(terms[1])
	require.NoError(t, err)
	rounds := d.deals(t, reshareTranscript(t), other)
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

// An old member that deals another secret breaks every resharing, and the
// library names nobody but the party itself.
func TestReshareOfAnotherSecret(t *testing.T) {
	c := reshareCommittees()
	old, err := tss.ShareData(c.old.Shares[0])
	require.NoError(t, err)
	for index := range 2 {
		d := c.newDealer(t, index, big.NewInt(12345))
		rounds := d.deals(t, reshareTranscript(t), old.ECDSAPub)
		requireBlame(t, reshareStage.guard(t, rounds), d.from, "VDecommitment 1 is not what its sender's share adds")
	}
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 4 seconds of CPU")
	}
	rounds := c.newDealer(t, 1, big.NewInt(12345)).deals(t, reshareTranscript(t), old.ECDSAPub)
	victim := c.newMember(t, 1)
	require.Nil(t, victim.Start())
	var failed *tsslib.Error
	for _, m := range slices.Concat(rounds...) {
		if failed = c.deliver(t, victim, m); failed != nil {
			break
		}
	}
	require.NotNil(t, failed)
	require.ErrorContains(t, failed.Cause(), "V_0 != y")
	require.Equal(t, []*tsslib.PartyID{victim.PartyID()}, failed.Culprits())
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

func TestGuardReshare(t *testing.T) {
	long := make([]byte, 33)
	own := preparamsOf(3)
	cases := []struct {
		name string
		edit edit
		want string
		alone
	}{
		{"key off the curve", edit{"dg1", on(func(m dg1) { m.EcdsaPubY = []byte{1} })}, "EcdsaPub is not a point", refuses},
		{"key with junk", edit{"dg1", on(func(m dg1) { m.EcdsaPubX = append(slices.Clone(m.EcdsaPubX), 1) })}, "EcdsaPub is not a point", accepts},
		{"long commitment", edit{"dg1", on(func(m dg1) { m.VCommitment = long })}, "VCommitment is not", refuses},
		{"even modulus", edit{"dg2m1", on(func(m dg2m1) { m.PaillierN = even(m.PaillierN) })}, "PaillierN is not", dies},
		{"modulus with a small factor", edit{"dg2m1", on(func(m dg2m1) { m.PaillierN = multipleOf3(m.PaillierN) })}, "PaillierN is not", accepts},
		{"prime modulus", edit{"dg2m1", on(func(m dg2m1) { m.PaillierN = prime2048.Bytes() })}, "PaillierN is not", refuses},
		{"even auxiliary modulus", edit{"dg2m1", on(func(m dg2m1) { m.NTilde = even(m.NTilde) })}, "NTilde is not", accepts},
		{"short auxiliary modulus", edit{"dg2m1", on(func(m dg2m1) { m.NTilde = m.NTilde[1:] })}, "NTilde is not", accepts},
		{"our modulus", edit{"dg2m1", on(func(m dg2m1) { m.PaillierN = own.PaillierSK.N.Bytes() })}, "is our own", unharmed},
		{"h1 is 1", edit{"dg2m1", on(func(m dg2m1) { m.H1 = []byte{1} })}, "h1 or h2 is not", refuses},
		{"alpha is 1", edit{"dg2m1", on(func(m dg2m1) { m.Dlnproof_2[1] = []byte{1} })}, "Dlnproof_2 alpha is not", refuses},
		{"T is NTilde", edit{"dg2m1", on(func(m dg2m1) { m.Dlnproof_1[130] = m.NTilde })}, "Dlnproof_1 T is not", refuses},
		{"no modulus proof", edit{"dg2m1", on(func(m dg2m1) { m.ModProof = nil })}, "ModProof has 0 parts", refuses},
		{"W is the modulus", edit{"dg2m1", on(func(m dg2m1) { m.ModProof[0] = m.PaillierN })}, "ModProof W is not", refuses},
		{"W has Jacobi symbol 1", edit{"dg2m1", on(func(m dg2m1) { m.ModProof[0] = []byte{4} })}, "ModProof W is not", refuses},
		{"share is 0", edit{"dg3m1", on(func(m dg3m1) { m.Share = []byte{0} })}, "share is not", panics},
		{"share is q", edit{"dg3m1", on(func(m dg3m1) { m.Share = order.Bytes() })}, "share is not", panics},
		{"long share", edit{"dg3m1", on(func(m dg3m1) { m.Share = long })}, "share is not", panics},
		{"polynomial too short", edit{"dg3m2", on(func(m dg3m2) { m.VDecommitment = m.VDecommitment[:3] })}, "VDecommitment has 3 parts, not 5", refuses},
		{"polynomial too long", edit{"dg3m2", on(func(m dg3m2) {
			m.VDecommitment = append(m.VDecommitment[:3], []byte{1}, []byte{2}, []byte{3}, []byte{4})
		})}, "VDecommitment has 7 parts, not 5", refuses},
		{"point off the curve", edit{"dg3m2", on(func(m dg3m2) { m.VDecommitment[4] = []byte{1} })}, "VDecommitment 3 is not", refuses},
		{"long random number", edit{"dg3m2", on(func(m dg3m2) { m.VDecommitment[0] = long })}, "VDecommitment 0 is not", unharmed},
		{"constant of another polynomial", edit{"dg3m2", on(func(m dg3m2) {
			m.VDecommitment[1], m.VDecommitment[2] = m.VDecommitment[3], m.VDecommitment[4]
		})}, "VDecommitment 1 is not what", misnames},
		{"no factor proof", edit{"dg4m1", on(func(m dg4m1) { m.FacProof = nil })}, "FacProof has 0 parts", refuses},
		{"Z1 too large", edit{"dg4m1", on(func(m dg4m1) { m.FacProof[6] = bytes.Repeat([]byte{0xff}, 224) })}, "FacProof Z1 is not", refuses},
		{"T is NTilde", edit{"dg4m1", on(func(m dg4m1) { m.FacProof[4] = own.NTildei.Bytes() })}, "FacProof P, Q, A, B or T is not", refuses},
	}
	for _, c := range cases {
		t.Run(c.edit.typ+" "+c.name, func(t *testing.T) {
			requireGuarded(t, &attack{stage: reshareStage, edits: []edit{c.edit}, want: c.want})
		})
	}
	// What dg4m1 proves is about the modulus of dg2m1.
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
	requireNoBlame(t, g.Judge(2, []session.Inbound{copied, again}), "two peers have the same")
}

// An acknowledgement that says anything is no acknowledgement. The library
// keeps what it does not know, however long.
func TestReshareAcknowledgements(t *testing.T) {
	c := reshareCommittees()
	long := append([]byte{0x0a, 0xff, 0xff, 0x03}, make([]byte, 0xffff)...)
	for typ, round := range map[string]uint32{"dg2m2": 2, "dg4m2": 4} {
		content, err := tss.DecodeAny(typ, long)
		require.NoError(t, err)
		require.True(t, content.ValidateBasic(), "the library refuses it")
		for _, body := range [][]byte{long, {0x0a, 0}} {
			g, err := c.facts(1).Guard()
			require.NoError(t, err)
			m := session.Inbound{From: c.members[0], Type: typ, Body: body}
			requireBlame(t, g.Judge(round, []session.Inbound{m}), c.members[0], "at most 0 are allowed")
		}
	}
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

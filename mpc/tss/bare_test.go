package tss_test

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// bare is a party of the library with nothing before it.
//
// Its random numbers are one number again and again, so that it sends the same
// in every run, in whatever order its goroutines ask for them: what a peer once
// answered it is a valid answer for ever. And the number is small, so that a
// session takes a tenth of a second (signing) or one (keygen, resharing) and
// every attack can afford one of its own.
type bare struct {
	tsslib.Party
	out chan tsslib.Message
	// id finds the sender of a message of this type.
	id func(typ string, op types.Operator) *tsslib.PartyID
	// ended says whether it has a result.
	ended func() bool
}

// constant is a source of one random number. Only what hides a product of two
// moduli is drawn at random: if it were small, the V of a proof about factors
// would be negative, and it must be coprime to whatever a peer says is NTilde.
type constant uint32

func (c constant) Read(p []byte) (int, error) {
	clear(p)
	const ofTwoModuli = 600
	if len(p) > ofTwoModuli {
		return rand.Read(p)
	}
	var last [4]byte
	binary.BigEndian.PutUint32(last[:], uint32(c))
	copy(p[max(0, len(p)-4):], last[max(0, 4-len(p)):])
	return len(p), nil
}

// constantFor is a number that the library takes for everything that it draws
// beside the modulus n: it looks for one with Jacobi symbol -1 until it has it.
func constantFor(n *big.Int) constant {
	for x := int64(1<<20 + 1); ; x += 2 {
		if big.Jacobi(big.NewInt(x), n) == -1 {
			return constant(x)
		}
	}
}

// cheapPreparams are a stored set with h2 = 1/h1, so that no exponent of the
// proofs about them is larger than the random numbers.
func cheapPreparams(set int) keygen.LocalPreParams {
	pre := preparamsOf(set)
	pre.Alpha = plus(product(pre.P, pre.Q), -1)
	pre.Beta = pre.Alpha
	pre.H2i = new(big.Int).ModInverse(pre.H1i, pre.NTildei)
	return pre
}

// cheapKey is a key to be made by two, the first of whom comes last in the
// library's order.
var cheapKey = sync.OnceValue(func() fixtures.KeySet {
	k := fixtures.Shares(2, 1)
	for k.Session[31] = 0; idOf(rawIDs(k, k.Operators), k.Operators[0]).Index != 1; k.Session[31]++ {
	}
	return k
})

func idIn(ids tsslib.SortedPartyIDs) func(string, types.Operator) *tsslib.PartyID {
	return func(_ string, op types.Operator) *tsslib.PartyID { return idOf(ids, op) }
}

// bareKeygen is participant i of the cheap key. Unless it is strict it makes no
// modulus proof of its own, which takes a second; for that it would forgive a
// peer who has none, but not one whose proof is wrong.
func bareKeygen(i int, strict bool) bare {
	k, pre := cheapKey(), cheapPreparams(i)
	ids := rawIDs(k, k.Operators)
	out, end := make(chan tsslib.Message, rawCapacity), make(chan *keygen.LocalPartySaveData, 1)
	params := tsslib.NewParameters(tsslib.S256(), tsslib.NewPeerContext(ids), idOf(ids, k.Operators[i]), len(ids), k.Threshold)
	random := constantFor(pre.PaillierSK.N)
	params.SetRand(random)
	params.SetPartialKeyRand(random)
	if !strict {
		params.SetNoProofMod()
	}
	return bare{keygen.NewLocalParty(params, out, end, pre), out, idIn(ids), func() bool { return len(end) == 1 }}
}

// bareSign is participant i of the key with two shares, who signs "transcript".
// Only the victim's numbers must be the same each time.
func bareSign(i int) bare {
	k := fixtures.Shares(2, 1)
	ids := rawIDs(k, k.Operators)
	data, err := tss.ShareData(k.Shares[i])
	if err != nil {
		panic(err)
	}
	out, end := make(chan tsslib.Message, rawCapacity), make(chan *common.SignatureData, 1)
	params := tsslib.NewParameters(tsslib.S256(), tsslib.NewPeerContext(ids), idOf(ids, k.Operators[i]), len(ids), k.Threshold)
	if i == 0 {
		params.SetRand(constantFor(data.PaillierSK.N))
	}
	m := new(big.Int).SetBytes(digestOf("transcript"))
	return bare{signing.NewLocalParty(m, params, data, out, end, 32), out, idIn(ids), func() bool { return len(end) == 1 }}
}

// bareReshare is the stranger of the stored resharing, who knows nothing; strict
// is as in bareKeygen.
func bareReshare(strict bool) bare {
	c := cheapCommittees()
	c.noProofMod = !strict
	return c.newMember(&quiet{}, 1).bare()
}

func cheapCommittees() committees {
	c := reshareCommittees()
	c.cheap = true
	return c
}

// bare wraps a member of a resharing.
func (m rawMember) bare() bare {
	id := func(typ string, op types.Operator) *tsslib.PartyID { return idOf(m.committees.sendersOf(typ), op) }
	return bare{m.Party, m.out, id, func() bool { return len(m.end) == 1 }}
}

// sessionsFile holds what the victim of each stage receives in a valid session
// on the bare library, by the stage's name. Write it again with
//
//	go test ./mpc/tss -run TestBareSessions -update
const sessionsFile = "testdata/sessions.json.gz"

var bareSessions = sync.OnceValue(func() map[string][][]session.Inbound {
	raw, err := os.ReadFile(sessionsFile)
	sessions := make(map[string][][]session.Inbound)
	if err == nil {
		err = fixtures.Unpack(raw, &sessions)
	}
	if err != nil {
		panic(fmt.Sprintf("load the bare sessions: %v", err))
	}
	return sessions
})

// The stored sessions are valid: a party of the library that receives them ends
// with a result, and the guard lets all of it pass.
func TestBareSessions(t *testing.T) {
	if *update {
		sessions := map[string][][]session.Inbound{
			keygenStage.name: record(t, bareKeygen(0, true), bareKeygen(1, true)),
			signStage.name:   record(t, bareSign(0), bareSign(1)),
		}
		sessions[reshareStage.name], _ = cheapCommittees().run(t)
		raw, err := fixtures.Pack(sessions)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(sessionsFile, raw, 0o644))
	}
	for _, s := range []*stage{&keygenStage, &signStage, &reshareStage} {
		t.Run(s.name, func(t *testing.T) {
			require.NoError(t, s.guard(t, s.transcript()))
			if testing.Short() || raceEnabled {
				t.Skip("heavy: 2 seconds of CPU")
			}
			t.Parallel()
			outcome, text := s.victim(true).outcome(s.transcript(), "")
			require.Equal(t, accepts, outcome, text)
		})
	}
}

// record lets a victim and its peer run a session, and writes down what the
// victim receives.
func record(t *testing.T, victim, peer bare) [][]session.Inbound {
	t.Helper()
	both := []bare{victim, peer}
	for _, p := range both {
		require.Nil(t, p.Start())
	}
	var rounds [][]session.Inbound
	for len(victim.out)+len(peer.out) > 0 {
		for i, from := range both {
			for len(from.out) > 0 {
				m := (<-from.out).(tsslib.ParsedMessage)
				typ, cast := tss.TypeOf(m.Content())
				_, terr := both[1-i].Update(rawMessage(from.PartyID(), cast, m.Content()))
				require.Nil(t, terr, "%v", terr)
				if i == 0 {
					continue
				}
				body, err := tss.EncodeBody(m.Content())
				require.NoError(t, err)
				if roundOf(typ) > len(rounds) {
					rounds = append(rounds, nil)
				}
				r := &rounds[roundOf(typ)-1]
				*r = append(*r, session.Inbound{From: types.Operator(from.PartyID().Id), Type: typ, Body: body})
			}
		}
	}
	require.True(t, victim.ended())
	return rounds
}

// roundOf is the round of a message type: the first digit of its name.
func roundOf(typ string) int { return int(typ[strings.IndexAny(typ, "123456789")] - '0') }

// receive gives the party a message as the library would decode it.
func (b bare) receive(m session.Inbound) *tsslib.Error {
	content, err := tss.DecodeAny(m.Type, m.Body)
	if err != nil {
		panic(err)
	}
	_, cast := tss.TypeOf(content)
	_, terr := b.Update(rawMessage(b.id(m.Type, m.From), cast, content))
	return terr
}

// outcome lets a fresh victim receive some rounds, and says what became of it:
// whether it went on, or whom it blamed. A panic that it could not recover from
// ends this process.
func (b bare) outcome(rounds [][]session.Inbound, sender types.Operator) (outcome alone, text string) {
	defer func() {
		if v := recover(); v != nil {
			outcome, text = panics, fmt.Sprint(v)
		}
	}()
	if terr := b.Start(); terr != nil {
		panic(terr)
	}
	var sent int
	for _, in := range rounds {
		sent = len(b.out)
		for _, m := range in {
			if terr := b.receive(m); terr != nil {
				return judged(terr, sender)
			}
		}
	}
	if !b.ended() && len(b.out) == sent {
		return hangs, "it waits"
	}
	return accepts, ""
}

// judged tells an error that names the sender and nobody else from others.
func judged(terr *tsslib.Error, sender types.Operator) (alone, string) {
	text := "no cause"
	if cause := terr.Cause(); cause != nil {
		text = cause.Error()
	}
	other := func(id *tsslib.PartyID) bool { return id.Id != string(sender) }
	if len(terr.Culprits()) == 0 || slices.ContainsFunc(terr.Culprits(), other) {
		return misnames, text
	}
	return refuses, text
}

package tss_test

import (
	"flag"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/resharing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

var update = flag.Bool("update", false, "write the transcript of a resharing anew")

// transcriptFile holds what the second member of the new committee received in
// a resharing on the bare library. Write it again with
//
//	go test ./mpc/tss -run TestReshareTranscript -update
const transcriptFile = "testdata/reshare.json.gz"

// committees are those of the stored resharing: the key with two shares goes to
// a stranger and one of its own participants, who is in both committees.
type committees struct {
	old     fixtures.KeySet
	session types.Context
	members []types.Operator
	// preparams are the sets of the members.
	preparams []int
	// cheap members draw and send small numbers (see bare).
	cheap bool
	// noProofMod members make no modulus proof and want none.
	noProofMod bool
}

const newThreshold = 1

func reshareCommittees() committees {
	k := fixtures.Shares(2, 1)
	stranger := fixtures.Shares(3, 1).Operators[2]
	if slices.Contains(k.Operators, stranger) {
		panic("the fixtures have too few operators")
	}
	return committees{k, types.Context{5}, []types.Operator{k.Operators[1], stranger}, []int{2, 3}, false, false}
}

// victim is the stranger, who knows nothing but what is on chain.
func (c committees) victim() types.Operator { return c.members[1] }

func (c committees) oldIDs() tsslib.SortedPartyIDs { return rawIDs(c.old, c.old.Operators) }

func (c committees) newIDs() tsslib.SortedPartyIDs {
	return rawIDs(fixtures.KeySet{Session: c.session}, c.members)
}

// facts are what a member's guard is told.
func (c committees) facts(member int) tss.Resharing {
	return tss.Resharing{
		KeySession: c.old.Session, Old: c.old.Operators, Share: c.old.Shares[0],
		Members: c.members, Threshold: newThreshold, Preparams: fixtures.Preparams(c.preparams[member]),
	}
}

// rawMember is a party of the bare library with what it sends and makes.
type rawMember struct {
	tsslib.Party
	committees committees
	isOld      bool
	out        chan tsslib.Message
	end        chan *keygen.LocalPartySaveData
}

func (c committees) party(t testing.TB, id *tsslib.PartyID, isOld bool, data keygen.LocalPartySaveData) rawMember {
	t.Helper()
	params := tsslib.NewReSharingParameters(tsslib.S256(), tsslib.NewPeerContext(c.oldIDs()), tsslib.NewPeerContext(c.newIDs()),
		id, len(c.old.Operators), c.old.Threshold, len(c.members), newThreshold)
	if c.cheap && !isOld {
		params.SetRand(constantFor(data.PaillierSK.N))
	}
	if c.noProofMod {
		params.SetNoProofMod()
	}
	m := rawMember{nil, c, isOld, make(chan tsslib.Message, rawCapacity), make(chan *keygen.LocalPartySaveData, 1)}
	m.Party = resharing.NewLocalParty(params, data, m.out, m.end)
	return m
}

// newMember makes a fresh party of the new committee.
func (c committees) newMember(t testing.TB, member int) rawMember {
	t.Helper()
	data := keygen.NewLocalPartySaveData(len(c.members))
	data.LocalPreParams = preparamsOf(c.preparams[member])
	if c.cheap {
		data.LocalPreParams = cheapPreparams(c.preparams[member])
	}
	return c.party(t, idOf(c.newIDs(), c.members[member]), false, data)
}

func (c committees) oldMember(t testing.TB, i int) rawMember {
	t.Helper()
	data, err := tss.ShareData(c.old.Shares[i])
	require.NoError(t, err)
	return c.party(t, idOf(c.oldIDs(), c.old.Operators[i]), true, data)
}

func idOf(ids tsslib.SortedPartyIDs, op types.Operator) *tsslib.PartyID {
	return ids[slices.IndexFunc(ids, func(id *tsslib.PartyID) bool { return id.Id == string(op) })]
}

// deliver hands a recorded message to a party of the bare library.
func (c committees) deliver(t testing.TB, to rawMember, m session.Inbound) *tsslib.Error {
	t.Helper()
	content, err := tss.DecodeAny(m.Type, m.Body)
	require.NoError(t, err)
	_, cast := tss.TypeOf(content)
	_, terr := to.Update(rawMessage(idOf(c.sendersOf(m.Type), m.From), cast, content))
	return terr
}

// sendersOf is the committee that sends messages of this type.
func (c committees) sendersOf(typ string) tsslib.SortedPartyIDs {
	if typ == "dg1" || typ == "dg3m1" || typ == "dg3m2" {
		return c.oldIDs()
	}
	return c.newIDs()
}

// rawMessage is a message as the library has it after decoding.
func rawMessage(from *tsslib.PartyID, cast bool, content tsslib.MessageContent) tsslib.ParsedMessage {
	routing := tsslib.MessageRouting{From: from, IsBroadcast: cast}
	wrapper := &tsslib.MessageWrapper{IsBroadcast: cast, From: from.MessageWrapper_PartyID}
	return tsslib.NewMessage(routing, content, wrapper)
}

// run lets everybody reshare and records what the victim receives. It returns
// the victim's new save data.
func (c committees) run(t *testing.T) ([][]session.Inbound, *keygen.LocalPartySaveData) {
	t.Helper()
	var all []rawMember
	for i := range c.old.Operators {
		all = append(all, c.oldMember(t, i))
	}
	for i := range c.members {
		all = append(all, c.newMember(t, i))
	}
	for _, m := range all {
		require.Nil(t, m.Start())
	}
	rounds := make([][]session.Inbound, 4)
	for sent := true; sent; {
		sent = false
		for _, from := range all {
			for len(from.out) > 0 {
				sent = true
				msg := (<-from.out).(tsslib.ParsedMessage)
				typ, cast := tss.TypeOf(msg.Content())
				for _, to := range all {
					if to.PartyID() == from.PartyID() || !c.isFor(typ, msg, to) {
						continue
					}
					_, terr := to.Update(rawMessage(from.PartyID(), cast, msg.Content()))
					require.Nil(t, terr)
					if !to.isOld && to.PartyID().Id == string(c.victim()) {
						body, err := tss.EncodeBody(msg.Content())
						require.NoError(t, err)
						r := roundOf(typ) - 1
						rounds[r] = append(rounds[r], session.Inbound{From: types.Operator(from.PartyID().Id), Type: typ, Body: body})
					}
				}
			}
		}
	}
	return rounds, <-all[len(all)-1].end
}

// isFor says whether a message goes to a party: by its type, and by its
// recipient if it has one.
func (c committees) isFor(typ string, msg tsslib.Message, to rawMember) bool {
	switch typ {
	case "dg2m2":
		return to.isOld
	case "dg3m1", "dg4m1":
		return !to.isOld && msg.GetTo()[0].KeyInt().Cmp(to.PartyID().KeyInt()) == 0
	case "dg4m2":
		return true
	}
	return !to.isOld
}

// reshareTranscript loads what the victim received.
func reshareTranscript(t testing.TB) [][]session.Inbound {
	t.Helper()
	raw, err := os.ReadFile(transcriptFile)
	require.NoError(t, err)
	var rounds [][]session.Inbound
	require.NoError(t, fixtures.Unpack(raw, &rounds))
	return rounds
}

// The stored resharing is valid: a fresh party of the bare library that
// receives it ends with a share of the same key, and the guard lets all of it
// pass.
func TestReshareTranscript(t *testing.T) {
	t.Parallel()
	c := reshareCommittees()
	if *update {
		rounds, data := c.run(t)
		c.checkShare(t, data)
		raw, err := fixtures.Pack(rounds)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(transcriptFile, raw, 0o644))
	}
	rounds := reshareTranscript(t)
	g, err := c.facts(1).Guard()
	require.NoError(t, err)
	for i, in := range rounds {
		require.NoError(t, g.Judge(uint32(i+1), in))
	}
	if testing.Short() || raceEnabled {
		t.Skip("heavy: about 6 seconds of CPU")
	}
	victim := c.newMember(t, 1)
	require.Nil(t, victim.Start())
	for _, in := range rounds {
		for _, m := range in {
			require.Nil(t, c.deliver(t, victim, m))
		}
	}
	c.checkShare(t, <-victim.end)
}

// checkShare wants the victim's share to fit its commitment, and all
// commitments to give the old key.
func (c committees) checkShare(t *testing.T, data *keygen.LocalPartySaveData) {
	t.Helper()
	old, err := tss.ShareData(c.old.Shares[0])
	require.NoError(t, err)
	require.True(t, data.ECDSAPub.Equals(old.ECDSAPub))
	self := idOf(c.newIDs(), c.victim()).Index
	xi := new(big.Int).Mod(data.Xi, order)
	require.True(t, crypto.ScalarBaseMult(tsslib.S256(), xi).Equals(data.BigXj[self]))
	require.NotEqual(t, fmt.Sprint(old.BigXj), fmt.Sprint(data.BigXj))
}

package tss

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/resharing"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// reshareFacts is what a member of a resharing knows before it begins.
type reshareFacts struct {
	// publicKey is the key's; it stays what it is.
	publicKey *crypto.ECPoint
	// terms are what each old member's share adds to the key, from termsAtZero
	// of the old committee's commitments: the secret that it deals anew is the
	// logarithm. Their keys are the old committee.
	terms map[types.Operator]*crypto.ECPoint
	// members are the new committee and threshold is its.
	members   []types.Operator
	threshold int
	// ssid is the library's session id. Only an old member can compute it; it is
	// empty elsewhere.
	ssid []byte
	// own are our pre-parameters; nil outside the new committee.
	own *keygen.LocalPreParams
}

// reshareGuard judges the messages of a resharing for a member of either
// committee. A member of both runs two parties and has a guard for each.
type reshareGuard struct {
	facts     reshareFacts
	directory *directory
	// ssids are what the old members said.
	ssids [][]byte
}

func newReshareGuard(facts reshareFacts) *reshareGuard {
	g := &reshareGuard{facts: facts}
	if facts.own != nil {
		g.directory = newDirectory(ownAuxiliary(facts.own))
	}
	return g
}

func (g *reshareGuard) message(from types.Operator, content tss.MessageContent) error {
	if err := g.sender(from, content); err != nil {
		return err
	}
	switch m := content.(type) {
	case *resharing.DGRound2Message2, *resharing.DGRound4Message2:
		return nil // decodeContent found them empty
	case *resharing.DGRound1Message:
		return g.deal(m)
	case *resharing.DGRound3Message1:
		return firstBroken(scalarRule("share", m.Share))
	case *resharing.DGRound3Message2:
		return g.decommitment(from, m)
	}
	// The rest is between members of the new committee.
	if g.directory == nil {
		return fmt.Errorf("it is for members of the new committee")
	}
	if m, ok := content.(*resharing.DGRound2Message1); ok {
		return g.parameters(from, m)
	}
	if m, ok := content.(*resharing.DGRound4Message1); ok {
		return g.fac(from, m)
	}
	return errNoRule
}

// sender wants a message to come from a member of the committee that its type
// implies. The library files it by the sender's index alone.
func (g *reshareGuard) sender(from types.Operator, content tss.MessageContent) error {
	switch content.(type) {
	case *resharing.DGRound1Message, *resharing.DGRound3Message1, *resharing.DGRound3Message2:
		if g.facts.terms[from] == nil {
			return fmt.Errorf("its sender is no member of the old committee")
		}
	default:
		if !slices.Contains(g.facts.members, from) {
			return fmt.Errorf("its sender is no member of the new committee")
		}
	}
	return nil
}

// deal wants every old member to deal the key that we know. The library takes
// the first one's word for it, and takes the first one's session id for all
// others' proofs.
func (g *reshareGuard) deal(m *resharing.DGRound1Message) error {
	key := g.facts.publicKey
	err := firstBroken(
		pointRule("EcdsaPub", m.EcdsaPubX, m.EcdsaPubY),
		rule{"EcdsaPub", number(m.EcdsaPubX).Cmp(key.X()) == 0 && number(m.EcdsaPubY).Cmp(key.Y()) == 0, "the key"},
		hashRule("VCommitment", m.VCommitment),
		rule{"Ssid", len(m.Ssid) > 0 && len(m.Ssid) <= scalarBytes, "1 to 32 bytes long"},
		rule{"Ssid", len(g.facts.ssid) == 0 || bytes.Equal(m.Ssid, g.facts.ssid), "that of this session"},
	)
	if err == nil {
		g.ssids = append(g.ssids, m.Ssid)
	}
	return err
}

// parameters checks a new member's auxiliary parameters and the proof about its
// Paillier modulus. A resharing has no check of its own for small factors.
func (g *reshareGuard) parameters(from types.Operator, m *resharing.DGRound2Message1) error {
	if err := g.directory.add(from, m); err != nil {
		return err
	}
	return checkModProof(m.ModProof, g.directory.peers[from].n)
}

// decommitment checks an old member's commitments to a polynomial of degree t,
// whose constant must be what its share adds to the key. The library looks at
// the sum of all constants only, and blames itself if that is wrong.
func (g *reshareGuard) decommitment(from types.Operator, m *resharing.DGRound3Message2) error {
	parts, term := m.VDecommitment, g.facts.terms[from]
	if err := checkPoints("VDecommitment", parts, g.facts.threshold+1); err != nil {
		return err
	}
	same := number(parts[1]).Cmp(term.X()) == 0 && number(parts[2]).Cmp(term.Y()) == 0
	return firstBroken(rule{"VDecommitment 1", same, "what its sender's share adds to the key"})
}

func (g *reshareGuard) fac(from types.Operator, m *resharing.DGRound4Message1) error {
	peer, err := g.directory.of(from)
	if err != nil {
		return err
	}
	return checkFac(m.FacProof, peer.n, g.directory.own.nTilde)
}

// complete wants one session id from all old members. If they differ and we are
// no old member, nobody can say who is wrong.
func (g *reshareGuard) complete(round uint32) error {
	const dealRound, parametersRound = 1, 2
	switch {
	case round == dealRound:
		for _, ssid := range g.ssids {
			if !bytes.Equal(ssid, g.ssids[0]) {
				return fmt.Errorf("%s: the old members differ about the session id", typeDG1)
			}
		}
	case round == parametersRound && g.directory != nil:
		return g.directory.distinct()
	}
	return nil
}

func (*reshareGuard) accepted(uint32) error { return nil }

func (*reshareGuard) sent(tss.MessageContent) {}

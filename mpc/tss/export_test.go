package tss

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/paillier"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/tss"
	"google.golang.org/protobuf/proto"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Judge lets a party judge the messages of any round, without the library.
func Judge(p session.Party, round uint32, in []session.Inbound) error {
	_, err := p.(*party).judge(round, in)
	return err
}

// JudgeAccepted lets a party judge what the library is said to have accepted.
func JudgeAccepted(p session.Party, round uint32) error { return p.(*party).guard.accepted(round) }

// trusting is a guard that lets everything pass.
type trusting struct{}

func (trusting) message(types.Operator, tss.MessageContent) error { return nil }
func (trusting) complete(uint32) error                            { return nil }
func (trusting) accepted(uint32) error                            { return nil }
func (trusting) sent(tss.MessageContent)                          {}

// RemoveGuard lets a party's messages reach the library unjudged, whatever
// their size.
func RemoveGuard(p session.Party) {
	victim := p.(*party)
	victim.guard = trusting{}
	for _, round := range victim.spec {
		for i := range round {
			round[i].MaxBytes = math.MaxInt
		}
	}
}

// Ended reports whether a party has let go of the library.
func Ended(p session.Party) bool {
	if r, ok := p.(*reshareParty); ok {
		return r.ended && r.sides == nil
	}
	if parked, ok := p.(*parkedParty); ok {
		p = parked.party
	}
	return p.(*party).ended && p.(*party).library == nil
}

// allRounds are the rounds of all protocols, with threshold 1.
func allRounds() []roundSpec {
	return slices.Concat(keygenSpec(1), signSpec(), reshareSpec(1))
}

// DecodeBody decodes a message body of any session.
func DecodeBody(typ string, body []byte) (tss.MessageContent, error) {
	for _, r := range allRounds() {
		if spec, ok := r.byType(typ); ok {
			return decodeContent(spec, body)
		}
	}
	return nil, errNoRule
}

// DecodeAny decodes a message body of any session as the bare library would:
// whatever its size, and whatever is unknown or missing in it.
func DecodeAny(typ string, body []byte) (tss.MessageContent, error) {
	for _, r := range allRounds() {
		if spec, ok := r.byType(typ); ok {
			content := spec.content()
			return content, proto.Unmarshal(body, content)
		}
	}
	return nil, errNoRule
}

// TypeOf finds the name on the wire of a message of any session, and whether it
// is a broadcast.
func TypeOf(content tss.MessageContent) (string, bool) {
	for _, r := range allRounds() {
		if spec, ok := r.byContent(content); ok {
			return spec.Type, spec.Broadcast
		}
	}
	return "", false
}

// ReshareRounds describes the rounds of a resharing.
func ReshareRounds(threshold int) []session.Round { return sessionRounds(reshareSpec(threshold)) }

// Resharing is what a member of a resharing knows: the old members with one of
// their shares, which has everybody's commitments, and the new committee.
type Resharing struct {
	KeySession types.Context
	Old        []types.Operator
	Share      []byte
	Members    []types.Operator
	Threshold  int
	SSID       []byte
	Preparams  []byte // nil outside the new committee
}

// ReshareGuard is the guard of one member.
type ReshareGuard struct {
	guard *reshareGuard
	spec  []roundSpec
}

// Guard makes a member's guard.
func (f Resharing) Guard() (*ReshareGuard, error) {
	s, err := decodeShare(f.Share)
	if err != nil {
		return nil, err
	}
	r, err := newRoster(f.KeySession, f.Old[0], f.Old)
	if err != nil {
		return nil, err
	}
	old := keygen.BuildLocalSaveDataSubset(s.Data, r.sorted)
	facts := reshareFacts{
		publicKey: s.Data.ECDSAPub, terms: make(map[types.Operator]*crypto.ECPoint),
		members: f.Members, threshold: f.Threshold, ssid: f.SSID,
	}
	for i, term := range termsAtZero(old.Ks, old.BigXj) {
		facts.terms[types.Operator(r.sorted[i].Id)] = term
	}
	if f.Preparams != nil {
		p, err := decodePreparams(f.Preparams)
		if err != nil {
			return nil, err
		}
		facts.own = &p.Data
	}
	return &ReshareGuard{newReshareGuard(facts), reshareSpec(f.Threshold)}, nil
}

// Judge lets the guard judge the messages of a round, as a party would.
func (g *ReshareGuard) Judge(round uint32, in []session.Inbound) error {
	for _, m := range in {
		spec, ok := g.spec[round-1].byType(m.Type)
		if !ok {
			return blame(errNoRule, m.From)
		}
		content, err := decodeContent(spec, m.Body)
		if err == nil {
			err = g.guard.message(m.From, content)
		}
		if err != nil {
			return blame(fmt.Errorf("%s: %w", m.Type, err), m.From)
		}
	}
	if err := g.guard.complete(round); err != nil {
		return unblamed(err)
	}
	return g.guard.accepted(round)
}

// EncodeBody is the inverse of DecodeBody.
func EncodeBody(content tss.MessageContent) ([]byte, error) { return encodeContent(content) }

// ShareData decodes the save data in a share.
func ShareData(encoded []byte) (keygen.LocalPartySaveData, error) {
	s, err := decodeShare(encoded)
	if err != nil {
		return keygen.LocalPartySaveData{}, err
	}
	return s.Data, nil
}

// EditShare decodes a share, changes it and encodes it again.
func EditShare(encoded []byte, edit func(session *types.Context, threshold *int, data *keygen.LocalPartySaveData)) ([]byte, error) {
	s, err := decodeShare(encoded)
	if err != nil {
		return nil, err
	}
	edit(&s.Session, &s.Threshold, &s.Data)
	return s.encode()
}

// EditPreparams decodes pre-parameters, changes them and encodes them again.
func EditPreparams(encoded []byte, edit func(*keygen.LocalPreParams)) ([]byte, error) {
	p, err := decodePreparams(encoded)
	if err != nil {
		return nil, err
	}
	edit(&p.Data)
	return p.encode()
}

// PreparamsData decodes the numbers of a set.
func PreparamsData(encoded []byte) (keygen.LocalPreParams, error) {
	p, err := decodePreparams(encoded)
	if err != nil {
		return keygen.LocalPreParams{}, err
	}
	return p.Data, nil
}

// Decrypt opens a ciphertext as the guard does.
func Decrypt(sk *paillier.PrivateKey, c *big.Int) *big.Int { return newDecrypter(sk).decrypt(c) }

// PayloadOf is what self attests of a share with these numbers.
func PayloadOf(session types.Context, threshold int, operators []types.Operator, data keygen.LocalPartySaveData) (types.KeygenPayload, error) {
	r, err := newRoster(session, operators[0], operators)
	if err != nil {
		return types.KeygenPayload{}, err
	}
	s := share{Session: session, Threshold: threshold, Operators: operators, Data: data}
	return s.payload(r), nil
}

// IndexOf is an operator's place in the library's lists.
func IndexOf(session types.Context, op types.Operator, operators []types.Operator) (int, error) {
	r, err := newRoster(session, op, operators)
	if err != nil {
		return 0, err
	}
	return r.index(op), nil
}

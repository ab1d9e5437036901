package tss

import (
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Judge lets a party judge the messages of any round, without the library.
func Judge(p session.Party, round uint32, in []session.Inbound) error {
	_, err := p.(*party).judge(round, in)
	return err
}

// trusting is a guard that lets everything pass.
type trusting struct{}

func (trusting) message(types.Operator, tss.MessageContent) error { return nil }
func (trusting) complete(uint32) error                            { return nil }
func (trusting) sent(tss.MessageContent)                          {}

// RemoveGuard lets a party's messages reach the library unjudged.
func RemoveGuard(p session.Party) { p.(*party).guard = trusting{} }

// Ended reports whether a party has let go of the library.
func Ended(p session.Party) bool { return p.(*party).ended && p.(*party).library == nil }

// DecodeBody decodes a message body of a keygen or a signing session.
func DecodeBody(typ string, body []byte) (tss.MessageContent, error) {
	for _, r := range append(keygenSpec(1), signSpec()...) {
		if spec, ok := r.byType(typ); ok {
			return decodeContent(spec, body)
		}
	}
	return nil, errNoRule
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

package types_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Cheque is an order to pay: eight bytes of its number, eight of its amount, and the name
// of who gets it. Numbers are big-endian and of fixed width, so each cheque has one
// encoding.
type Cheque struct {
	Number, Amount uint64
	Payee          string
}

// Cheques is the kind of payload.
type Cheques struct{}

// Name implements types.PayloadKind.
func (Cheques) Name() string { return "cheque" }

// Decode implements types.PayloadKind. It refuses what somebody might read in another way.
func (Cheques) Decode(data []byte) (types.DecodedPayload, error) {
	if len(data) <= 16 {
		return nil, errors.New("a cheque has a number, an amount and a payee") // under bad_payload
	}
	c := Cheque{binary.BigEndian.Uint64(data), binary.BigEndian.Uint64(data[8:]), string(data[16:])}
	for _, b := range data[16:] {
		if b < 'a' || b > 'z' {
			return nil, fmt.Errorf("%w: write the payee in small letters", types.ErrNotCanonical)
		}
	}
	return c, nil
}

// Digest implements types.DecodedPayload. What is hashed begins with a text of its own, so
// that no cheque can be taken for anything else that the key signs.
func (c Cheque) Digest() types.Hash {
	text := binary.BigEndian.AppendUint64([]byte("cheque of the board\n"), c.Number)
	text = binary.BigEndian.AppendUint64(text, c.Amount)
	return sha256.Sum256(append(text, c.Payee...))
}

// Claims implements types.DecodedPayload: what policies look at. The number can be used
// once; with the same number the key signs only what has the same effect.
func (c Cheque) Claims() types.Claims {
	return types.Claims{
		To: c.Payee, Value: new(big.Int).SetUint64(c.Amount),
		Place:  fmt.Sprint("number ", c.Number),
		Effect: sha256.Sum256(fmt.Appendf(nil, "%d to %s", c.Amount, c.Payee)),
	}
}

// Finish implements types.DecodedPayload: what the payee takes to its bank.
func (c Cheque) Finish(_ []byte, s *types.SignatureResult) (types.FinishedPayload, error) {
	return types.FinishedPayload{Raw: fmt.Appendf(nil, "pay %d to %s: %x%x", c.Amount, c.Payee, s.R, s.S)}, nil
}

// A kind of payload is a decoder that every node has: keeper.SetPayloadKinds gives it to
// the chain, and the node's engine decodes with the same.
func ExamplePayloadKind() {
	kinds := types.NewPayloadKinds(Cheques{})
	decode := func(number, amount uint64, payee string) {
		data := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, number), amount)
		decoded, err := kinds.Decode(types.Payload{Kind: "cheque", Data: append(data, payee...)})
		if err != nil {
			fmt.Println(types.ReasonOf(err))
			return
		}
		digest, policy := decoded.Digest(), types.Policy{MaxValue: big.NewInt(100)}
		fmt.Printf("%x… allowed: %v\n", digest[:4], policy.Check("cheque", decoded.Claims()) == nil)
	}
	decode(1, 100, "baker")
	decode(2, 101, "baker")
	decode(3, 100, "Baker")
	decode(4, 100, "")
	// Output:
	// 0ba5ef82… allowed: true
	// 462d7299… allowed: false
	// payload_not_canonical
	// bad_payload
}

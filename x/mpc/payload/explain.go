package payload

import (
	"fmt"
	"strconv"

	"github.com/cosmos/gogoproto/proto"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Explain implements mpctypes.ExplainingKind.
func (k signDirectKind) Explain(data []byte) ([]mpctypes.Detail, error) {
	decoded, err := k.Decode(data)
	if err != nil {
		return nil, err
	}
	d := decoded.(*signDoc)
	details := []mpctypes.Detail{{Name: "account", Value: strconv.FormatUint(d.doc.AccountNumber, 10)}}
	for _, s := range d.auth.SignerInfos {
		details = append(details, mpctypes.Detail{Name: "sequence", Value: strconv.FormatUint(s.Sequence, 10)})
	}
	if fee := d.auth.Fee; fee != nil {
		details = append(details, mpctypes.Detail{Name: "fee", Value: fmt.Sprintf("%s, for %d gas", fee.Amount, fee.GasLimit)})
		if fee.Granter != "" {
			details = append(details, mpctypes.Detail{Name: "fee of", Value: fee.Granter})
		}
	}
	for _, m := range d.body.Messages {
		details = append(details, mpctypes.Detail{Name: "message", Value: k.messageText(m)})
	}
	if d.body.Memo != "" {
		details = append(details, mpctypes.Detail{Name: "memo", Value: strconv.Quote(d.body.Memo)})
	}
	if d.body.Unordered {
		details = append(details, mpctypes.Detail{Name: "unordered", Value: "its sequence is not counted"})
	}
	if d.body.TimeoutHeight != 0 {
		details = append(details, mpctypes.Detail{Name: "timeout", Value: fmt.Sprintf("height %d", d.body.TimeoutHeight)})
	}
	return details, nil
}

// messageText is a message in JSON, or its type and bytes where it has none.
func (k signDirectKind) messageText(a *codectypes.Any) string {
	message, err := k.registry.Resolve(a.TypeUrl)
	if err == nil {
		err = proto.Unmarshal(a.Value, message)
	}
	if err == nil {
		err = codectypes.UnpackInterfaces(message, k.registry)
	}
	if err == nil {
		var text []byte
		if text, err = codec.NewProtoCodec(k.registry).MarshalInterfaceJSON(message); err == nil {
			return string(text)
		}
	}
	return fmt.Sprintf("%s, 0x%x", a.TypeUrl, a.Value)
}

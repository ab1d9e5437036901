package payload_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/x/authz"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

const send = `{"@type":"/cosmos.bank.v1beta1.MsgSend","from_address":"cosmos1a","to_address":"cosmos1b","amount":[{"denom":"uatom","amount":"7"}]}`

// People read the whole document, with what its messages carry.
func TestSignDirectExplains(t *testing.T) {
	d := newDocument(t)
	d.body.Messages = append(d.body.Messages, anyOf(t, &authz.MsgExec{Grantee: "cosmos1a", Msgs: d.body.Messages}))
	d.body.TimeoutHeight, d.body.Memo, d.auth.Fee.Granter = 9, "hello\nfee  none", "cosmos1c"
	// A type that is known, but is no message: its chain would refuse it, participants do not.
	d.body.Messages = append(d.body.Messages, anyOf(t, &secp256k1.PubKey{Key: secret.PublicKey()}))
	data := d.encode(t)
	kinds := mpctypes.NewPayloadKinds(kind())
	details, err := kinds.Explain(mpctypes.Payload{Kind: kind().Name(), Data: data})
	require.NoError(t, err)
	require.Len(t, details, 9)
	require.Equal(t, []mpctypes.Detail{
		{Name: "account", Value: "12"}, {Name: "sequence", Value: "5"}, {Name: "fee", Value: "7uatom, for 200000 gas"}, {Name: "fee of", Value: "cosmos1c"},
		{Name: "message", Value: send}, {Name: "message", Value: `{"@type":"/cosmos.authz.v1beta1.MsgExec","grantee":"cosmos1a","msgs":[` + send + `]}`},
	}, details[:6])
	require.Contains(t, details[6].Value, "/cosmos.crypto.secp256k1.PubKey")
	require.Equal(t, []mpctypes.Detail{{Name: "memo", Value: `"hello\nfee  none"`}, {Name: "timeout", Value: "height 9"}}, details[7:])

	d = newDocument(t)
	d.body.Memo, d.body.Unordered, d.auth.Fee = "", true, nil
	details, err = kinds.Explain(mpctypes.Payload{Kind: kind().Name(), Data: d.encode(t)})
	require.NoError(t, err)
	require.Len(t, details, 4)
	require.Equal(t, "unordered", details[3].Name)
	_, err = kinds.Explain(mpctypes.Payload{Kind: kind().Name(), Data: data[1:]})
	require.ErrorIs(t, err, mpctypes.ErrBadPayload)
}

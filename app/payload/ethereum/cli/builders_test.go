package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Each kind of the package has a builder of its name.
func TestEachKindHasABuilder(t *testing.T) {
	var names []string
	for _, b := range Builders() {
		require.Equal(t, b.Kind, b.Command.Name())
		names = append(names, b.Kind)
	}
	require.ElementsMatch(t, kinds.Names(), names)
}

func TestMessages(t *testing.T) {
	for arg, message := range map[string]string{
		"hello": "hello", "0x00ff": "\x00\xff", "@" + writeFile(t, "0x in a file\n"): "0x in a file\n",
	} {
		data := built(t, "", "ethereum-message", arg)
		require.Equal(t, message, string(data))
		require.Equal(t, hexutil.Encode(accounts.TextHash([]byte(message))), digestOf(t, ethereum.MessageKind, data))
	}
	out, err := run(t, "", "show", "ethereum-message", "hello\nto  somebody")
	require.NoError(t, err)
	require.Equal(t, "kind    ethereum-message, 18 bytes\n"+
		"digest  "+hexutil.Encode(accounts.TextHash([]byte("hello\nto  somebody")))+"\n\n"+
		`text  "hello\nto  somebody"`+"\n", out)
	out, err = run(t, "", "show", "ethereum-message", "0xff00")
	require.NoError(t, err)
	require.Contains(t, out, "bytes  2 bytes, 0xff00\n")
	_, err = run(t, "", "ethereum-message", "0xhello")
	require.ErrorContains(t, err, "a text that begins with 0x or @ goes into a file")
	_, err = run(t, "", "ethereum-message")
	require.ErrorContains(t, err, "accepts 1 arg")
	_, err = run(t, "", "ethereum-message", strings.Repeat("a", mpctypes.MaxSignPayloadBytes+1))
	require.ErrorIs(t, err, mpctypes.ErrPayloadTooLarge)
}

// Typed data as people keep it is what go-ethereum's wallet signs, in the one form.
func TestTypedData(t *testing.T) {
	mail := "../testdata/mail.json"
	text, err := os.ReadFile(mail)
	require.NoError(t, err)
	var typed apitypes.TypedData
	require.NoError(t, json.Unmarshal(text, &typed))
	digest, _, err := apitypes.TypedDataAndHash(typed)
	require.NoError(t, err)
	data := built(t, "", "ethereum-typed-data", mail)
	require.Equal(t, data, built(t, string(text), "ethereum-typed-data", "-"))
	require.Equal(t, hexutil.Encode(digest), digestOf(t, ethereum.TypedDataKind, data))
	canonical, err := ethereum.CanonicalTypedData(text)
	require.NoError(t, err)
	require.Equal(t, canonical, data)

	path := filepath.Join(t.TempDir(), "payload")
	out, err := run(t, "", "ethereum-typed-data", mail, "--output-document", path)
	require.NoError(t, err)
	require.Equal(t, "@"+path+"\n", out)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, canonical, written)

	out, err = run(t, "", "show", "ethereum-typed-data", "@"+path)
	require.NoError(t, err)
	require.Equal(t, `kind    ethereum-typed-data, 692 bytes
digest  0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2
chain   1
to      0xcccccccccccccccccccccccccccccccccccccccc
calls   Mail

type                      Mail(Person from,Person to,string contents)Person(string name,address wallet)
domain.chainId            1
domain.name               "Ether Mail"
domain.verifyingContract  "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
domain.version            "1"
message.contents          "Hello, Bob!"
message.from.name         "Cow"
message.from.wallet       "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
message.to.name           "Bob"
message.to.wallet         "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"
`, out)
	everything, err := run(t, "", "show", "ethereum-typed-data", "0x"+common.Bytes2Hex(built(t, "", "ethereum-typed-data", "../testdata/everything.json")))
	require.NoError(t, err)
	require.Contains(t, everything, "[0]")
	require.Contains(t, everything, "true\n")

	_, err = run(t, strings.Replace(string(text), "uint256", "uint", 1), "ethereum-typed-data", "-")
	require.ErrorIs(t, err, mpctypes.ErrBadPayload)
	require.ErrorContains(t, err, "give one payload, of a form that its kind can decode")
	_, err = run(t, "", "ethereum-typed-data", "/none")
	require.ErrorContains(t, err, "/none")
}

// What participants refuse is refused with their reason.
func TestShowRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		kind, payload string
		want          mpctypes.Reason
	}{
		"cut off":       {"ethereum-tx", "0xec09", mpctypes.ErrBadPayload},
		"signed":        {"ethereum-tx", "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83", mpctypes.ErrBadPayload},
		"white space":   {"ethereum-typed-data", "@../testdata/mail.json", mpctypes.ErrNotCanonical},
		"no such kind":  {"ethereum-block", "0x00", mpctypes.ErrUnknownKind},
		"not even JSON": {"ethereum-typed-data", "hello", mpctypes.ErrBadPayload},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := run(t, "", "show", c.kind, c.payload)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.want.Remedy())
			require.Empty(t, out)
			out, err = run(t, "", "show", c.kind, c.payload, "--output", "json")
			require.ErrorIs(t, err, c.want)
			refused := decodeReport(t, out)
			require.Equal(t, string(c.want), refused.Refused)
			require.Equal(t, c.want.Remedy(), refused.Remedy)
			require.NotEmpty(t, refused.Detail)
		})
	}
}

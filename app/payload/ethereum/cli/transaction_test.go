package cli

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
)

const (
	somebody = "0x3535353535353535353535353535353535353535"
	slot     = "0x0000000000000000000000000000000000000000000000000000000000000007"
	blobHash = "0x01b0000000000000000000000000000000000000000000000000000000000001"
)

var (
	to   = common.HexToAddress(somebody)
	list = types.AccessList{{Address: to, StorageKeys: []common.Hash{common.HexToHash(slot)}}}
)

// transactions are the same by flags, by a file, and by go-ethereum's own types.
var transactions = map[string]struct {
	flags, file string
	chain       int64
	want        types.TxData
	// golden is the payload where somebody else has published it, or where it is short.
	golden string
}{
	// EIP-155 has it as its example.
	"legacy": {
		flags:  "--chain-id 1 --nonce 9 --gas-price 20gwei --gas 21000 --to " + somebody + " --value 1ether",
		file:   `{"chainId":"0x1","nonce":"0x9","gasPrice":"0x4a817c800","gas":"0x5208","to":"` + somebody + `","value":"0xde0b6b3a7640000"}`,
		chain:  1,
		want:   &types.LegacyTx{Nonce: 9, GasPrice: big.NewInt(20e9), Gas: 21000, To: &to, Value: big.NewInt(1e18)},
		golden: "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080",
	},
	"fees, with the gas that it costs": {
		flags: "--chain-id 11155111 --nonce 0 --to " + somebody + " --value 0.000000001ether --max-fee 20gwei --max-priority-fee 1.5gwei",
		file: `{"chainId":"0xaa36a7","nonce":"0x0","maxFeePerGas":"0x4a817c800","maxPriorityFeePerGas":"0x59682f00","to":"` + somebody +
			`","value":"0x3b9aca00","type":"0x2","from":"` + somebody + `"}`,
		chain: 11155111,
		want: &types.DynamicFeeTx{
			ChainID: big.NewInt(11155111), GasTipCap: big.NewInt(15e8), GasFeeCap: big.NewInt(20e9), Gas: 21000, To: &to, Value: big.NewInt(1e9),
		},
		golden: "02ef83aa36a7808459682f008504a817c80082520894" + somebody[2:] + "843b9aca0080c0",
	},
	"a call, with what it uses": {
		flags: "--chain-id 10 --nonce 0x10 --to " + somebody + " --data 0xa9059cbb00 --gas 60000 --max-fee 3 --max-priority-fee 2wei --access-list " +
			`[{"address":"` + somebody + `","storageKeys":["` + slot + `"]}]`,
		file: `{"chainId":"0xa","nonce":"0x10","to":"` + somebody + `","data":"0xa9059cbb00","input":"0xa9059cbb00","gas":"0xea60",
			"maxFeePerGas":"0x3","maxPriorityFeePerGas":"0x2","accessList":[{"address":"` + somebody + `","storageKeys":["` + slot + `"]}]}`,
		chain: 10,
		want: &types.DynamicFeeTx{
			ChainID: big.NewInt(10), Nonce: 16, GasTipCap: big.NewInt(2), GasFeeCap: big.NewInt(3), Gas: 60000, To: &to, Value: new(big.Int),
			Data: common.FromHex("a9059cbb00"), AccessList: list,
		},
	},
	"access list of a legacy fee": {
		flags: "--chain-id 1 --nonce 1 --to " + somebody + " --gas 30000 --gas-price 1gwei --access-list " + `[{"address":"` + somebody + `","storageKeys":["` + slot + `"]}]`,
		file: `{"chainId":"0x1","nonce":"0x1","to":"` + somebody + `","gas":"0x7530","gasPrice":"0x3b9aca00","value":null,
			"accessList":[{"address":"` + somebody + `","storageKeys":["` + slot + `"]}]}`,
		chain: 1,
		want: &types.AccessListTx{
			ChainID: big.NewInt(1), Nonce: 1, GasPrice: big.NewInt(1e9), Gas: 30000, To: &to, Value: new(big.Int), AccessList: list,
		},
	},
	"a contract": {
		flags: "--chain-id 1 --nonce 1 --create --data 600160015500 --gas 100000 --gas-price 1gwei",
		file:  `{"chainId":"0x1","nonce":"0x1","input":"0x600160015500","gas":"0x186a0","gasPrice":"0x3b9aca00"}`,
		chain: 1,
		want:  &types.LegacyTx{Nonce: 1, GasPrice: big.NewInt(1e9), Gas: 100000, Value: new(big.Int), Data: common.FromHex("600160015500")},
	},
	"blobs": {
		flags: "--chain-id 1 --nonce 1 --to " + somebody + " --max-fee 20gwei --max-priority-fee 1gwei --max-blob-fee 3gwei --blob-hashes " + blobHash,
		file: `{"chainId":"0x1","nonce":"0x1","to":"` + somebody + `","maxFeePerGas":"0x4a817c800","maxPriorityFeePerGas":"0x3b9aca00",
			"maxFeePerBlobGas":"0xb2d05e00","blobVersionedHashes":["` + blobHash + `"]}`,
		chain: 1,
		want: &types.BlobTx{
			ChainID: uint256.NewInt(1), Nonce: 1, GasTipCap: uint256.NewInt(1e9), GasFeeCap: uint256.NewInt(20e9), Gas: 21000, To: to,
			Value: new(uint256.Int), BlobFeeCap: uint256.NewInt(3e9), BlobHashes: []common.Hash{common.HexToHash(blobHash)},
		},
	},
}

// What is built is what go-ethereum would sign, by flags as by a file, and participants take it.
func TestTransactions(t *testing.T) {
	for name, c := range transactions {
		t.Run(name, func(t *testing.T) {
			flags := append([]string{"ethereum-tx"}, strings.Fields(c.flags)...)
			byFlags := built(t, "", flags...)
			byFile := []string{"ethereum-tx", "--json", "-"}
			if strings.Contains(c.flags, "--create") {
				byFile = append(byFile, "--create")
			}
			require.Equal(t, byFlags, built(t, c.file, byFile...))
			byFile[2] = writeFile(t, c.file)
			require.Equal(t, byFlags, built(t, "", byFile...))
			want := types.LatestSignerForChainID(big.NewInt(c.chain)).Hash(types.NewTx(c.want)).Hex()
			require.Equal(t, want, digestOf(t, ethereum.TransactionKind, byFlags))
			if c.golden != "" {
				require.Equal(t, c.golden, common.Bytes2Hex(byFlags))
			}
			out, err := run(t, "", append(flags, "--output", "json")...)
			require.NoError(t, err)
			made := decodeReport(t, out)
			require.Equal(t, want, made.Digest)
			require.Equal(t, byFlags, common.FromHex(made.Payload))
			shown, err := run(t, "", "show", "ethereum-tx", made.Payload, "--output", "json")
			require.NoError(t, err)
			require.Equal(t, out, shown)
		})
	}
}

// Flags take the place of what the file says, and fees of one form that of the other form's.
func TestFlagsOverAFile(t *testing.T) {
	file := writeFile(t, `{"chainId":"0x1","nonce":"0x1","to":"0x000000000000000000000000000000000000dEaD","gasPrice":"0x1","type":"0x0","input":"0x01","gas":"0x1","value":"0x1"}`)
	args := []string{"ethereum-tx", "--json", file, "--chain-id", "5", "--nonce", "2", "--to", somebody, "--data", "0x02", "--gas", "22000", "--value", "3"}
	for want, fees := range map[string][]string{
		"--gas-price 1": nil, "--gas-price 2": {"--gas-price", "2"}, "--max-fee 3 --max-priority-fee 1": {"--max-fee", "3", "--max-priority-fee", "1"},
	} {
		wanted := strings.Fields("ethereum-tx --chain-id 5 --nonce 2 --data 0x02 --gas 22000 --value 3 --to " + somebody + " " + want)
		require.Equal(t, built(t, "", wanted...), built(t, "", append(args, fees...)...), want)
	}
}

func TestTransactionText(t *testing.T) {
	payload := "0x" + common.Bytes2Hex(built(t, "", "ethereum-tx", "--chain-id", "1", "--nonce", "7", "--to", "0x000000000000000000000000000000000000dEaD",
		"--value", "1.5ether", "--data", "0xa9059cbb00", "--gas", "60000", "--max-fee", "20gwei", "--max-priority-fee", "1gwei",
		"--access-list", "@"+writeFile(t, `[{"address":"`+somebody+`","storageKeys":["`+slot+`"]}]`+"\n")))
	out, err := run(t, "", "show", "ethereum-tx", payload)
	require.NoError(t, err)
	require.Equal(t, `kind    ethereum-tx, 113 bytes
digest  0xb1e52bea5b39dadc28c24048d4a28874bea110b81311549a2451473a2e1de21a
chain   1
to      0x000000000000000000000000000000000000dead
value   1500000000000000000 of the smallest unit
fee     1200000000000000 of them at most
calls   0xa9059cbb
place   1/7: a key signs one effect there, for ever
effect  0x4594d9d4d017f2a072a6cca528568b5ce729727ef6fda1d8116dcc6daed32c16

type          EIP-1559
nonce         7
to            0x000000000000000000000000000000000000dEaD
value         1.5 ether
data          5 bytes, 0xa9059cbb00
gas           at most 60000
max fee       20 gwei for each gas
priority fee  at most 1 gwei of that
access        0x3535353535353535353535353535353535353535, 1 slots
fee           at most 0.0012 ether
`, out)

	contract := "0x" + common.Bytes2Hex(built(t, "", strings.Fields("ethereum-tx "+transactions["a contract"].flags)...))
	out, err = run(t, "", "show", "ethereum-tx", contract)
	require.NoError(t, err)
	require.Contains(t, out, "nobody: it makes a contract\n")
	require.Contains(t, out, "gas price  1 gwei\n")

	blobs := "0x" + common.Bytes2Hex(built(t, "", strings.Fields("ethereum-tx "+transactions["blobs"].flags)...))
	out, err = run(t, "", "show", "ethereum-tx", blobs)
	require.NoError(t, err)
	require.Contains(t, out, blobHash)
	require.Contains(t, out, "3 gwei for each gas of blobs\n")
	require.Contains(t, out, "at most 0.000813216 ether\n", "with what the blob costs")
}

// Whoever leaves something out, or mistypes it, hears what to write.
func TestTransactionsThatAreRefused(t *testing.T) {
	const good = "--chain-id 1 --nonce 0 --value 1 --to " + somebody + " --max-fee 2 --max-priority-fee 1"
	without := func(words ...string) string {
		left := good
		for _, word := range words {
			fields := strings.Fields(left)
			for i, f := range fields {
				if f == word {
					left = strings.Join(append(fields[:i:i], fields[i+2:]...), " ")
				}
			}
		}
		return left
	}
	for name, c := range map[string]struct{ args, want string }{
		"no chain":                  {without("--chain-id"), "--chain-id, or chainId"},
		"no nonce":                  {without("--nonce"), "eth_getTransactionCount"},
		"nobody":                    {without("--to"), "--create makes a contract"},
		"both":                      {good + " --create --data 00 --gas 1", "leave one out"},
		"no code":                   {without("--to") + " --create --gas 1", "give the code"},
		"gas of a call":             {good + " --data 0x00", "eth_estimateGas"},
		"no fee":                    {without("--max-fee", "--max-priority-fee"), "--max-fee and --max-priority-fee"},
		"half a fee":                {without("--max-priority-fee"), "--max-fee and --max-priority-fee"},
		"two fees":                  {good + " --gas-price 1", "leave the one or the others out"},
		"tip above":                 {without("--max-fee") + " --max-fee 0", "bad_payload: max fee per gas 0 is below the tip 1: give one payload"},
		"no gas":                    {good + " --gas 0", "a gas limit of 0"},
		"chain 0":                   {without("--chain-id") + " --chain-id 0", "a chain id is above 0"},
		"chain is a name":           {good + " --chain-id sepolia", "is no number"},
		"nonce below":               {good + " --nonce -1", "is no number"},
		"underscore":                {good + " --nonce 1_0", "is no number"},
		"beyond 64 bits":            {good + " --nonce 18446744073709551616", "is no number"},
		"unit":                      {good + " --value 1eth", "1.5ether, 20gwei"},
		"below a wei":               {good + " --value 1.5", "nothing smaller than 1 wei"},
		"below a wei by a unit":     {good + " --value 0.0000000001gwei", "nothing smaller than 1 wei"},
		"beyond":                    {good + " --value 1" + strings.Repeat("0", 60) + "ether", "more than 256 bits"},
		"beyond any bound":          {good + " --value " + strings.Repeat("9", 999), "write an amount"},
		"negative":                  {good + " --value=-1", "write an amount"},
		"address":                   {good + " --to 0x3535", "40 hex digits"},
		"name":                      {good + " --to vitalik.eth", "40 hex digits"},
		"address without 0x":        {good + " --to " + somebody[2:], "40 hex digits"},
		"checksum":                  {good + " --to 0x000000000000000000000000000000000000DeaD", "EIP-55"},
		"data":                      {good + " --gas 1 --data 0x0", "write 0x and hex"},
		"no file of data":           {good + " --gas 1 --data @/none", "/none"},
		"access list":               {good + " --gas 1 --access-list [1]", "storageKeys"},
		"access list and more":      {good + " --gas 1 --access-list []]", "more stands behind"},
		"blob hash":                 {good + " --max-blob-fee 1 --blob-hashes 0x01", "64 hex digits"},
		"version of a blob hash":    {good + " --max-blob-fee 1 --blob-hashes " + slot, "of version 0, not 1"},
		"no blobs":                  {good + " --max-blob-fee 1", "--blob-hashes and --max-blob-fee"},
		"no fee of blobs":           {good + " --blob-hashes " + blobHash, "--blob-hashes and --max-blob-fee"},
		"blobs of a legacy fee":     {without("--max-fee", "--max-priority-fee") + " --gas-price 1 --max-blob-fee 1 --blob-hashes " + blobHash, "not --gas-price"},
		"blobs of a contract":       {without("--to") + " --create --data 00 --gas 1 --max-blob-fee 1 --blob-hashes " + blobHash, "makes no contract"},
		"words":                     {good + " more", "unknown command"},
		"no file":                   {good + " --json /none", "/none"},
		"format":                    {good + " --output yaml", "neither text nor json"},
		"no folder of the document": {good + " --output-document /none/payload", "write the payload"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := run(t, "", append([]string{"ethereum-tx"}, strings.Fields(c.args)...)...)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, out)
		})
	}
	built(t, "", append([]string{"ethereum-tx"}, strings.Fields(good)...)...)
}

func TestFilesThatAreRefused(t *testing.T) {
	const good = `{"chainId":"0x1","nonce":"0x1","to":"` + somebody + `","gasPrice":"0x1"%s}`
	built(t, fmt.Sprintf(good, ""), "ethereum-tx", "--json", "-")
	for more, want := range map[string]string{
		`,"type":"0x2"`:               "the file says type 2, but what it has makes a transaction of type 0",
		`,"type":"0x100"`:             "type 256",
		`,"data":"0x01","input":"0x"`: "differ",
		`,"gas":21000`:                "hex as in 0x5208",
		`,"gas":"21000"`:              "hex as in 0x5208",
		`,"blobs":[]`:                 `unknown field "blobs"`,
		`,"r":"0x1"`:                  `unknown field "r"`,
		`,"authorizationList":[]`:     `unknown field "authorizationList"`,
		`,"to":"0x35"`:                "40 hex digits",
		`}{"a":1`:                     "more stands behind",
		`,"To":"` + somebody + `"`:    `unknown field "To": small and capital letters`,
		`,"to":"` + somebody + `"`:    `field "to" is there twice`,
		`,"t\u006f":null`:             `field "to" is there twice`,
		`,"Value":"0x1"`:              `unknown field "Value"`,
		`,"gas":"0x1","accessList":[{"address":"` + somebody + `","storageKeys":[],"Address":"` + somebody + `"}]`: `unknown field "Address"`,
		`,"gas":"0x1","accessList":[{"address":"` + somebody + `","storageKeys":[],"storageKeys":[]}]`:             `field "storageKeys" is there twice`,
		`,"value":"0x1` + strings.Repeat("0", 64) + `"`:                                                            "256 bits",
	} {
		_, err := run(t, fmt.Sprintf(good, more), "ethereum-tx", "--json", "-")
		require.ErrorContains(t, err, want, more)
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "010": 10, "0x10": 16, "18446744073709551615": math.MaxUint64} {
		n, err := parseNumber(text)
		require.NoError(t, err, text)
		require.Equal(t, want, uint64(n), text)
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "007": "7", "5wei": "5", "20gwei": "20000000000", "0.5gwei": "500000000", "1ether": "1000000000000000000",
		"1.000000000000000001ether": "1000000000000000001", "2.50ether": "2500000000000000000", "3.0": "3",
	} {
		n, err := parseAmount(text)
		require.NoError(t, err, text)
		require.Equal(t, want, n.String(), text)
	}
	for _, text := range []string{"", "gwei", ".5ether", "1.ether", "1 ether", "1e18", "0x1", "1Ether", "-1", "1,5ether", "1.5wei"} {
		_, err := parseAmount(text)
		require.Error(t, err, text)
	}
}

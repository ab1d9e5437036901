package ethereum

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/core/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Decimals of the units that people count wei in.
const (
	EtherDecimals = 18
	GweiDecimals  = 9
)

// maxExplained bounds what is told of typed data. The way to each value of an array has the
// names of all that it stands in, so it could be thousands of times the payload; what
// people sign stays far below.
const maxExplained = 1 << 20

// txTypes names the types of transactions as people do.
var txTypes = map[uint8]string{
	types.LegacyTxType: "legacy (EIP-155)", types.AccessListTxType: "EIP-2930", types.DynamicFeeTxType: "EIP-1559", types.BlobTxType: "EIP-4844",
}

// details are collected line by line.
type details []mpctypes.Detail

func (d *details) add(name, format string, args ...any) {
	*d = append(*d, mpctypes.Detail{Name: name, Value: fmt.Sprintf(format, args...)})
}

// Explain implements mpctypes.ExplainingKind.
func (k transactionKind) Explain(data []byte) ([]mpctypes.Detail, error) {
	decoded, err := k.Decode(data)
	if err != nil {
		return nil, err
	}
	tx := decoded.(*transaction).tx
	var d details
	d.add("type", "%s", txTypes[tx.Type()])
	d.add("nonce", "%d", tx.Nonce())
	if to := tx.To(); to != nil {
		d.add("to", "%s", to.Hex())
	} else {
		d.add("to", "nobody: it makes a contract")
	}
	d.add("value", "%s ether", decimal(tx.Value(), EtherDecimals))
	d.add("data", "%s", bytesText(tx.Data()))
	d.add("gas", "at most %d", tx.Gas())
	if tx.Type() == types.LegacyTxType || tx.Type() == types.AccessListTxType {
		d.add("gas price", "%s gwei", decimal(tx.GasPrice(), GweiDecimals))
	} else {
		d.add("max fee", "%s gwei for each gas", decimal(tx.GasFeeCap(), GweiDecimals))
		d.add("priority fee", "at most %s gwei of that", decimal(tx.GasTipCap(), GweiDecimals))
	}
	for _, entry := range tx.AccessList() {
		d.add("access", "%s, %d slots", entry.Address.Hex(), len(entry.StorageKeys))
	}
	if tx.Type() == types.BlobTxType {
		d.add("max blob fee", "%s gwei for each gas of blobs", decimal(tx.BlobGasFeeCap(), GweiDecimals))
	}
	d.add("fee", "at most %s ether", decimal(feeOf(tx), EtherDecimals))
	for _, hash := range tx.BlobHashes() {
		d.add("blob", "%s", hash.Hex())
	}
	return d, nil
}

// Explain implements mpctypes.ExplainingKind.
func (messageKind) Explain(data []byte) ([]mpctypes.Detail, error) {
	var d details
	if utf8.Valid(data) {
		d.add("text", "%s", strconv.Quote(string(data)))
	} else {
		d.add("bytes", "%s", bytesText(data))
	}
	return d, nil
}

// Explain implements mpctypes.ExplainingKind: each value by the way to it.
func (k typedDataKind) Explain(data []byte) ([]mpctypes.Detail, error) {
	if _, err := k.Decode(data); err != nil {
		return nil, err
	}
	document, err := parseJSON(data)
	if err != nil {
		return nil, err
	}
	root := document.(map[string]any) // it was decoded
	types, err := readTypes(root["types"])
	if err != nil {
		return nil, err
	}
	var d details
	d.add("type", "%s", types.text(root["primaryType"].(string)))
	left := maxExplained
	d.values("domain", root["domain"], &left)
	d.values("message", root["message"], &left)
	if left <= 0 {
		d.add("and more", "than %d bytes: look at the payload itself, not all of it is here", maxExplained)
	}
	return d, nil
}

// values adds what stands below a name, while there is room left. A text is quoted: nothing
// in it looks like another line.
func (d *details) values(name string, v any, left *int) {
	if *left <= 0 {
		return
	}
	*left -= len(name)
	switch v := v.(type) {
	case map[string]any:
		for _, field := range slices.Sorted(maps.Keys(v)) {
			d.values(name+"."+field, v[field], left)
		}
	case []any:
		if len(v) == 0 {
			d.add(name, "none")
		}
		for i := range v {
			d.values(fmt.Sprintf("%s[%d]", name, i), v[i], left)
		}
	case string:
		d.add(name, "%s", strconv.Quote(v))
	default:
		d.add(name, "%v", v) // a number as it is written, or a boolean
	}
}

// decimal writes a number of the smallest unit in one that has more, exactly.
func decimal(n *big.Int, decimals int) string {
	digits := fmt.Sprintf("%0*d", decimals+1, n)
	whole, rest := digits[:len(digits)-decimals], strings.TrimRight(digits[len(digits)-decimals:], "0")
	if rest == "" {
		return whole
	}
	return whole + "." + rest
}

func bytesText(b []byte) string {
	if len(b) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d bytes, 0x%x", len(b), b)
}

package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// field is a flag for a field that may be left out.
type field[T any] struct {
	to    **T
	parse func(string) (T, error)
	// form is what its value is called in the help.
	form string
}

// String implements pflag.Value: there is no default.
func (field[T]) String() string { return "" }

// Type implements pflag.Value.
func (f field[T]) Type() string { return f.form }

// Set implements pflag.Value.
func (f field[T]) Set(text string) error {
	v, err := f.parse(text)
	if err != nil {
		return err
	}
	*f.to = &v
	return nil
}

// address is one whose checksum is looked at: whoever mistypes it pays somebody else.
type address common.Address

// UnmarshalText implements encoding.TextUnmarshaler, for JSON.
func (a *address) UnmarshalText(text []byte) error {
	read, err := parseAddress(string(text))
	*a = read
	return err
}

func parseAddress(text string) (address, error) {
	digits, has := strings.CutPrefix(text, "0x")
	if !has || !common.IsHexAddress(text) {
		return address{}, fmt.Errorf("%.64q is no address: write 0x and 40 hex digits", text)
	}
	a := common.HexToAddress(text)
	if digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && a.Hex() != text {
		return address{}, fmt.Errorf("%s has a wrong checksum (EIP-55): it was mistyped, or is no address of Ethereum; "+
			"write it in small letters if you are sure", text)
	}
	return address(a), nil
}

// parseNumber reads a number as people write it, or in hex; a zero in front changes nothing.
func parseNumber(text string) (hexutil.Uint64, error) {
	base := 10
	digits, isHex := strings.CutPrefix(text, "0x")
	if isHex {
		base = 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, fmt.Errorf("%.64q is no number of at most 64 bits", text)
	}
	return hexutil.Uint64(n), nil
}

func parseWei(text string) (hexutil.Big, error) {
	n, err := parseAmount(text)
	if err != nil {
		return hexutil.Big{}, err
	}
	return hexutil.Big(*n), nil
}

// atFile is what stands in the file of an argument that begins with @, or the argument.
func atFile(text string) (string, error) {
	path, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		return text, nil
	}
	data, err := os.ReadFile(path)
	return strings.TrimSpace(string(data)), err
}

func parseData(text string) (hexutil.Bytes, error) {
	text, err := atFile(text)
	if err != nil {
		return nil, err
	}
	data, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return nil, fmt.Errorf("write 0x and hex, or @ and a file with hex: %w", err)
	}
	return data, nil
}

func parseAccessList(text string) (types.AccessList, error) {
	text, err := atFile(text)
	if err != nil {
		return nil, err
	}
	list := types.AccessList{}
	if err := decodeStrictly([]byte(text), &list); err != nil {
		return nil, fmt.Errorf(`write [{"address":"0x…","storageKeys":["0x…"]}], or @ and a file with that: %w`, err)
	}
	return list, nil
}

func parseHashes(text string) (list []common.Hash, err error) {
	for _, one := range strings.Split(text, ",") {
		var hash common.Hash
		if err := hash.UnmarshalText([]byte(one)); err != nil {
			return nil, errors.New("write versioned hashes, 0x and 64 hex digits each, with commas between them")
		}
		list = append(list, hash)
	}
	return list, nil
}

package ethereum

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/crypto"
)

// atomicForm is every type that a value has a form for. Aliases (uint) are none: another
// text would be hashed than the one that a contract has.
var atomicForm = regexp.MustCompile(`^(address|bool|string|bytes|bytes([1-9]|[12][0-9]|3[0-2])|u?int(8|16|24|32|40|48|56|64|72|80|88|96|104|112|120|128|136|144|152|160|168|176|184|192|200|208|216|224|232|240|248|256))$`)

func isAtomic(name string) bool { return atomicForm.MatchString(name) }

// structHasher computes hashStruct of EIP-712.
type structHasher struct {
	types      structTypes
	typeHashes map[string][]byte
}

// hashStruct hashes an object of a struct type.
func (h structHasher) hashStruct(name string, v any) ([]byte, error) {
	fields, declared := h.types[name]
	if !declared {
		return nil, bad("types lacks %.64s", name)
	}
	object, ok := v.(map[string]any)
	if !ok || len(object) != len(fields) {
		return nil, bad("an object of type %.64s has exactly its %d fields", name, len(fields))
	}
	encoded := append(make([]byte, 0, 32*(len(fields)+1)), h.typeHash(name)...)
	for _, f := range fields {
		value, there := object[f.name]
		if !there {
			return nil, bad("an object of type %.64s lacks %.64s", name, f.name)
		}
		word, err := h.encode(f.typ, value)
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, word...)
	}
	return crypto.Keccak256(encoded), nil
}

func (h structHasher) typeHash(name string) []byte {
	hash, known := h.typeHashes[name]
	if !known {
		hash = crypto.Keccak256([]byte(h.types.text(name)))
		h.typeHashes[name] = hash
	}
	return hash
}

// encode gives the 32 bytes that stand for a value.
func (h structHasher) encode(t fieldType, v any) ([]byte, error) {
	if len(t.dimensions) == 0 {
		if _, isStruct := h.types[t.base]; isStruct {
			return h.hashStruct(t.base, v)
		}
		return encodeAtomic(t.base, v)
	}
	last := len(t.dimensions) - 1
	array, ok := v.([]any)
	if !ok || t.dimensions[last] >= 0 && len(array) != t.dimensions[last] {
		return nil, bad("an array of %.64s is none, or not of its length", t.base)
	}
	element := fieldType{t.base, t.dimensions[:last]}
	encoded := make([]byte, 0, 32*len(array))
	for _, item := range array {
		word, err := h.encode(element, item)
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, word...)
	}
	return crypto.Keccak256(encoded), nil
}

func encodeAtomic(typ string, v any) ([]byte, error) {
	switch {
	case typ == "bool":
		b, ok := v.(bool)
		if !ok {
			return nil, bad("a bool is true or false")
		}
		word := make([]byte, 32)
		if b {
			word[31] = 1
		}
		return word, nil
	case typ == "string":
		s, ok := v.(string)
		if !ok {
			return nil, bad("a string stands in quotation marks")
		}
		return crypto.Keccak256([]byte(s)), nil
	case typ == "address":
		return encodeAddress(v)
	case strings.HasPrefix(typ, "bytes"):
		return encodeBytes(typ, v)
	}
	return encodeInteger(typ, v)
}

// encodeAddress takes an address in small letters or with the checksum of EIP-55.
func encodeAddress(v any) ([]byte, error) {
	s, _ := v.(string)
	if !strings.HasPrefix(s, "0x") || !common.IsHexAddress(s) {
		return nil, bad("an address is 0x and 40 digits")
	}
	address := common.HexToAddress(s)
	if s != strings.ToLower(s) && s != address.Hex() {
		return nil, bad("the address %s is neither in small letters nor does its checksum (EIP-55) hold", s)
	}
	return common.LeftPadBytes(address.Bytes(), 32), nil
}

// encodeBytes takes 0x and digits in small letters.
func encodeBytes(typ string, v any) ([]byte, error) {
	s, ok := v.(string)
	digits, prefixed := strings.CutPrefix(s, "0x")
	b, err := hex.DecodeString(digits)
	if !ok || !prefixed || err != nil || s != strings.ToLower(s) {
		return nil, bad("%s are 0x and pairs of digits in small letters", typ)
	}
	if typ == "bytes" {
		return crypto.Keccak256(b), nil
	}
	if want, _ := strconv.Atoi(strings.TrimPrefix(typ, "bytes")); len(b) != want { // atomicForm has seen it
		return nil, bad("%s has %d bytes", typ, len(b))
	}
	return common.RightPadBytes(b, 32), nil
}

// encodeInteger takes a JSON integer, or a decimal one in a string.
func encodeInteger(typ string, v any) ([]byte, error) {
	n, ok := integerOf(v)
	if !ok {
		return nil, bad("%s is an integer, or one in a string", typ)
	}
	digits, unsigned := strings.CutPrefix(typ, "uint")
	bits, _ := strconv.Atoi(strings.TrimPrefix(digits, "int")) // atomicForm has seen it
	least, above := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(bits))
	if !unsigned {
		above.Rsh(above, 1)
		least.Neg(above)
	}
	if n.Cmp(least) < 0 || n.Cmp(above) >= 0 {
		return nil, bad("an integer is out of the range of %s", typ)
	}
	return math.U256Bytes(new(big.Int).Set(n)), nil
}

// integerOf reads an integer. 78 digits are those of 2^256.
func integerOf(v any) (*big.Int, bool) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = string(v)
	case string:
		text = v
	}
	if len(text) > 79 || !integerForm.MatchString(text) {
		return nil, false
	}
	return new(big.Int).SetString(text, 10)
}

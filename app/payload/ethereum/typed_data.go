package ethereum

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// domainType is the struct of what the data is for.
const domainType = "EIP712Domain"

// typedDataKind is what a wallet signs with eth_signTypedData_v4 (EIP-712): a JSON object
// of types, primaryType, domain and message, canonical as CanonicalTypedData writes it.
//
// The digest depends on everything in it. So an object has exactly the fields of its
// type, a value is of its type and in its range, and all types are used.
type typedDataKind struct{}

// Name implements mpctypes.PayloadKind.
func (typedDataKind) Name() string { return TypedDataKind }

// Decode implements mpctypes.PayloadKind.
func (typedDataKind) Decode(data []byte) (mpctypes.DecodedPayload, error) {
	document, err := parseJSON(data)
	if err != nil {
		return nil, err
	}
	canonical, err := appendJSON(make([]byte, 0, len(data)), document, 0)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, data) {
		return nil, notCanonical("typed data is JSON with names in order, without white space and without needless escapes (RFC 8785)")
	}
	return decodeTypedData(document)
}

// CanonicalTypedData writes typed data that a wallet would sign in the form in which it
// is a payload. Where types do not have EIP712Domain, as ethers.js leaves it out, it has the
// fields of the domain. It fails where the payload would be refused, and where a name is there
// twice.
func CanonicalTypedData(data []byte) ([]byte, error) {
	document, err := parseJSON(data)
	if err != nil {
		return nil, err
	}
	if err := checkRepeats(json.NewDecoder(bytes.NewReader(data))); err != nil {
		return nil, err
	}
	addDomainType(document)
	canonical, err := appendJSON(nil, document, 0)
	if err != nil {
		return nil, err
	}
	_, err = typedDataKind{}.Decode(canonical)
	return canonical, err
}

func decodeTypedData(document any) (mpctypes.DecodedPayload, error) {
	root, ok := document.(map[string]any)
	if !ok || len(root) != 4 {
		return nil, bad("typed data is an object of types, primaryType, domain and message")
	}
	types, err := readTypes(root["types"])
	if err != nil {
		return nil, err
	}
	primary, ok := root["primaryType"].(string)
	if !ok || primary == domainType {
		return nil, bad("primaryType must name the type of the message")
	}
	if err := types.checkDomain(); err != nil {
		return nil, err
	}
	hasher := structHasher{types: types, typeHashes: make(map[string][]byte)}
	domain, err := hasher.hashStruct(domainType, root["domain"])
	if err != nil {
		return nil, err
	}
	message, err := hasher.hashStruct(primary, root["message"])
	if err != nil {
		return nil, err
	}
	if err := types.checkUsed(primary); err != nil {
		return nil, err
	}
	return signed{
		digest: mpctypes.Hash(crypto.Keccak256Hash([]byte("\x19\x01"), domain, message)),
		claims: typedDataClaims(root["domain"].(map[string]any), primary), // hashStruct has seen that it is one
	}, nil
}

// typedDataClaims says what typed data is for: the type of the message is what it calls.
func typedDataClaims(domain map[string]any, primary string) mpctypes.Claims {
	c := mpctypes.Claims{Calls: []string{primary}}
	if id, there := domain["chainId"]; there {
		n, _ := integerOf(id) // it was hashed
		c.ChainID = n.String()
	}
	if contract, there := domain["verifyingContract"].(string); there {
		c.To = strings.ToLower(contract)
	}
	return c
}

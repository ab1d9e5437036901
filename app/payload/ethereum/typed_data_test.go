package ethereum

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

func canonicalFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".json")
	require.NoError(t, err)
	canonical, err := CanonicalTypedData(data)
	require.NoError(t, err)
	return canonical
}

// TestTypedDataVector is the example of EIP-712 with its signature.
func TestTypedDataVector(t *testing.T) {
	data := canonicalFile(t, "mail")
	decoded, err := typedDataKind{}.Decode(data)
	require.NoError(t, err)
	require.Equal(t, "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2", decoded.Digest().String())
	require.Equal(t, "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"+
		"07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"+"1c",
		hex.EncodeToString(finish(t, decoded, crypto.Keccak256([]byte("cow"))).Raw))
	require.Equal(t, mpctypes.Claims{ChainID: "1", To: "0xcccccccccccccccccccccccccccccccccccccccc", Calls: []string{"Mail"}}, decoded.Claims())
}

// asWallet is what go-ethereum's wallet signs of the same.
func asWallet(data []byte) (string, error) {
	var typed apitypes.TypedData
	if err := json.Unmarshal(data, &typed); err != nil {
		return "", err
	}
	digest, _, err := apitypes.TypedDataAndHash(typed)
	return hex.EncodeToString(digest), err
}

func TestTypedDataAsWallet(t *testing.T) {
	for _, name := range []string{"mail", "everything"} {
		data := canonicalFile(t, name)
		want, err := asWallet(data)
		require.NoError(t, err)
		require.Equal(t, want, digestOf(t, typedDataKind{}, data), name)
	}
}

// Of a name that is there twice, people see the one and readers of JSON take the other.
func TestTypedDataNamesAreThereOnce(t *testing.T) {
	document := func(of string) []byte {
		return []byte(`{"types":{"A":[{"name":"a","type":"B[]"}],"B":[{"name":"b","type":"uint8"}]},"primaryType":"A",` +
			`"domain":{"name":"n"},"message":{"a":[{"b":1},` + of + `]}}`)
	}
	_, err := CanonicalTypedData(document(`{"b":1}`))
	require.NoError(t, err)
	for _, twice := range []string{`{"b":1,"b":2}`, `{"b":1,"\u0062":1}`} {
		_, err := CanonicalTypedData(document(twice))
		require.ErrorIs(t, err, mpctypes.ErrBadPayload)
		require.ErrorContains(t, err, `the name "b" is there twice in one object`)
	}
}

// Arrays of arrays are hashed as they nest; go-ethereum's wallet has no fixed lengths.
func TestTypedDataArrays(t *testing.T) {
	kind := typedDataKind{}
	of := func(typ, value string) ([]byte, error) {
		return CanonicalTypedData([]byte(`{"types":{"EIP712Domain":[{"name":"name","type":"string"}],"A":[{"name":"a","type":"` + typ + `"}]},` +
			`"primaryType":"A","domain":{"name":"n"},"message":{"a":` + value + `}}`))
	}
	word := func(n byte) []byte { return append(make([]byte, 31), n) }
	pair := func(a, b byte) []byte { return crypto.Keccak256(word(a), word(b)) }
	data, err := of("uint8[2][]", "[[1,2],[3,4]]")
	require.NoError(t, err)
	domain := crypto.Keccak256(crypto.Keccak256([]byte("EIP712Domain(string name)")), crypto.Keccak256([]byte("n")))
	message := crypto.Keccak256(crypto.Keccak256([]byte("A(uint8[2][] a)")), crypto.Keccak256(pair(1, 2), pair(3, 4)))
	require.Equal(t, hex.EncodeToString(crypto.Keccak256([]byte("\x19\x01"), domain, message)), digestOf(t, kind, data))
	for _, bad := range [][2]string{
		{"uint8[2][]", "[[1,2,3]]"}, {"uint8[2][]", "[1,2]"}, {"uint8[]", "1"}, {"uint8", "[1]"}, {"uint8[][]", "[1]"},
		{"uint8[0]", "[]"}, {"uint8[02]", "[1,2]"}, {"uint8[-1]", "[]"}, {"uint8[][][][][]", "[]"}, {"uint8[99999999999999999999]", "[]"},
	} {
		_, err := of(bad[0], bad[1])
		require.ErrorIs(t, err, mpctypes.ErrBadPayload, bad)
	}
}

// A struct has as many fields as are compared with each other in no time.
func TestTypedDataFields(t *testing.T) {
	of := func(n int) error {
		var fields, values []string
		for i := range n {
			fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":"bool"}`, i))
			values = append(values, fmt.Sprintf(`"f%d":true`, i))
		}
		_, err := CanonicalTypedData([]byte(`{"types":{"EIP712Domain":[{"name":"name","type":"string"}],"A":[` + strings.Join(fields, ",") + `]},` +
			`"primaryType":"A","domain":{"name":"n"},"message":{` + strings.Join(values, ",") + `}}`))
		return err
	}
	require.NoError(t, of(maxFields))
	require.ErrorIs(t, of(maxFields+1), mpctypes.ErrBadPayload)
}

// Each change of the example makes it something that is not signed.
func TestTypedDataRefuses(t *testing.T) {
	mail := string(canonicalFile(t, "mail"))
	everything := string(canonicalFile(t, "everything"))
	replace := func(in, old, new string) string {
		require.Contains(t, in, old)
		return strings.Replace(in, old, new, 1)
	}
	for name, c := range map[string]struct {
		data string
		want mpctypes.Reason
	}{
		"white space":               {replace(mail, ":", ": "), mpctypes.ErrNotCanonical},
		"newline behind":            {mail + "\n", mpctypes.ErrNotCanonical},
		"escape without need":       {replace(mail, "Hello", `\u0048ello`), mpctypes.ErrNotCanonical},
		"escaped slash":             {replace(mail, "Hello", `\/ello`), mpctypes.ErrNotCanonical},
		"half a character":          {replace(mail, "Hello", `\ud800`), mpctypes.ErrNotCanonical},
		"no UTF-8":                  {replace(mail, "Hello", "\xff"), mpctypes.ErrNotCanonical},
		"name twice":                {replace(mail, `"contents":"Hello, Bob!"`, `"contents":"Bye","contents":"Hello, Bob!"`), mpctypes.ErrNotCanonical},
		"names out of order":        {replace(mail, `{"chainId":1,"name":"Ether Mail",`, `{"name":"Ether Mail","chainId":1,`), mpctypes.ErrNotCanonical},
		"minus zero":                {replace(everything, "-128", "-0"), mpctypes.ErrBadPayload},
		"two documents":             {mail + mail, mpctypes.ErrBadPayload},
		"no JSON":                   {"mail", mpctypes.ErrBadPayload},
		"no object":                 {"[]", mpctypes.ErrBadPayload},
		"null":                      {"null", mpctypes.ErrBadPayload},
		"more beside":               {replace(mail, `{"domain"`, `{"a":1,"domain"`), mpctypes.ErrBadPayload},
		"no primary type":           {replace(mail, `"primaryType":"Mail"`, `"primaryType":"Male"`), mpctypes.ErrBadPayload},
		"the domain as message":     {replace(mail, `"primaryType":"Mail"`, `"primaryType":"EIP712Domain"`), mpctypes.ErrBadPayload},
		"type that is not used":     {replace(mail, `"primaryType":"Mail"`, `"primaryType":"Person"`), mpctypes.ErrBadPayload},
		"unknown type":              {replace(mail, `"type":"Person"`, `"type":"Persons"`), mpctypes.ErrBadPayload},
		"alias of a type":           {replace(mail, `"type":"uint256"`, `"type":"uint"`), mpctypes.ErrBadPayload},
		"domain of another type":    {replace(mail, `"type":"uint256"`, `"type":"uint64"`), mpctypes.ErrBadPayload},
		"domain out of order":       {replace(mail, `{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"ch`, `{"name":"version","type":"string"},{"name":"name","type":"string"},{"name":"ch`), mpctypes.ErrBadPayload},
		"field beside the domain":   {replace(mail, `{"chainId":1`, `{"a":1,"chainId":1`), mpctypes.ErrBadPayload},
		"domain lacks a field":      {replace(mail, `"chainId":1,`, ``), mpctypes.ErrBadPayload},
		"field beside":              {replace(mail, `{"contents"`, `{"a":1,"contents"`), mpctypes.ErrBadPayload},
		"field is missing":          {replace(mail, `"contents":"Hello, Bob!",`, ``), mpctypes.ErrBadPayload},
		"another in its place":      {replace(mail, `"contents":"Hello`, `"content":"Hello`), mpctypes.ErrBadPayload},
		"field is null":             {replace(mail, `"Hello, Bob!"`, `null`), mpctypes.ErrBadPayload},
		"two fields of a name":      {replace(mail, `[{"name":"from"`, `[{"name":"to","type":"Person"},{"name":"from"`), mpctypes.ErrBadPayload},
		"more in a field":           {replace(mail, `{"name":"from"`, `{"a":1,"name":"from"`), mpctypes.ErrBadPayload},
		"type without fields":       {replace(mail, `"types":{`, `"types":{"A":[],`), mpctypes.ErrBadPayload},
		"struct with a type's name": {strings.ReplaceAll(mail, `"Person"`, `"uint"`), mpctypes.ErrBadPayload},
		"name of a field":           {replace(mail, `"name":"from"`, `"name":"from a"`), mpctypes.ErrBadPayload},
		"address too short":         {replace(mail, "0xCD2a", "0xCD"), mpctypes.ErrBadPayload},
		"address without 0x":        {replace(mail, "0xCD2a", "CD2a"), mpctypes.ErrBadPayload},
		"checksum":                  {replace(mail, "0xCD2a", "0xcD2a"), mpctypes.ErrBadPayload},
		"string is a number":        {replace(mail, `"Hello, Bob!"`, `1`), mpctypes.ErrBadPayload},
		"number is a string":        {replace(mail, `"chainId":1`, `"chainId":"one"`), mpctypes.ErrBadPayload},
		"number in hex":             {replace(mail, `"chainId":1`, `"chainId":"0x1"`), mpctypes.ErrBadPayload},
		"number with a zero":        {replace(mail, `"chainId":1`, `"chainId":"01"`), mpctypes.ErrBadPayload},
		"number with a point":       {replace(mail, `"chainId":1`, `"chainId":1.0`), mpctypes.ErrBadPayload},
		"number with an exponent":   {replace(mail, `"chainId":1`, `"chainId":1e0`), mpctypes.ErrBadPayload},
		"number below zero":         {replace(mail, `"chainId":1`, `"chainId":-1`), mpctypes.ErrBadPayload},
		"number above 2^53":         {replace(mail, `"chainId":1`, `"chainId":9007199254740992`), mpctypes.ErrBadPayload},
		"above its type":            {replace(everything, "-128", "128"), mpctypes.ErrBadPayload},
		"below its type":            {replace(everything, "-128", "-129"), mpctypes.ErrBadPayload},
		"above 2^256":               {replace(everything, "639935", "639936"), mpctypes.ErrBadPayload},
		"bool is a number":          {replace(everything, `"flag":true`, `"flag":1`), mpctypes.ErrBadPayload},
		"bytes too few":             {replace(everything, "0xdeadbeef", "0xdeadbe"), mpctypes.ErrBadPayload},
		"bytes in capitals":         {replace(everything, "0xdeadbeef", "0xDEADBEEF"), mpctypes.ErrBadPayload},
		"half a byte":               {replace(everything, `"blob":"0x"`, `"blob":"0x1"`), mpctypes.ErrBadPayload},
		"bytes without 0x":          {replace(everything, `"blob":"0x"`, `"blob":""`), mpctypes.ErrBadPayload},
		"nested too deep":           {strings.Repeat("[", maxNesting+2) + strings.Repeat("]", maxNesting+2), mpctypes.ErrBadPayload},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := typedDataKind{}.Decode([]byte(c.data))
			require.Equal(t, c.want, mpctypes.ReasonOf(err), err)
		})
	}
}

// Types may need each other; what they need stands in order behind them.
func TestTypeText(t *testing.T) {
	types := structTypes{
		"B": {{name: "a", written: "A[]", typ: fieldType{base: "A"}}, {name: "z", written: "Z", typ: fieldType{base: "Z"}}},
		"A": {{name: "b", written: "B[]", typ: fieldType{base: "B"}}},
		"Z": {{name: "n", written: "uint8", typ: fieldType{base: "uint8"}}},
	}
	require.Equal(t, "B(A[] a,Z z)A(B[] b)Z(uint8 n)", types.text("B"))
	require.Equal(t, "A(B[] b)B(A[] a,Z z)Z(uint8 n)", types.text("A"))
}

// What is taken is canonical, and a wallet signs the same of it: all but what
// go-ethereum's cannot hash.
func FuzzTypedData(f *testing.F) {
	for _, name := range []string{"mail", "everything"} {
		f.Add(canonicalFile(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		decoded, err := typedDataKind{}.Decode(data)
		if err != nil {
			require.NotEmpty(t, mpctypes.ReasonOf(err))
			return
		}
		_, err = typedDataKind{}.Explain(data)
		require.NoError(t, err)
		canonical, err := CanonicalTypedData(data)
		require.NoError(t, err)
		require.Equal(t, data, canonical)
		if want, err := asWallet(data); err == nil && !strings.Contains(string(data), "][") {
			require.Equal(t, want, decoded.Digest().String())
		}
	})
}

package ethereum_test

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
)

// What a module or an account asks to have signed, of a transaction that it wants to send.
func ExampleUnsignedTransaction() {
	to := common.HexToAddress("0x3535353535353535353535353535353535353535")
	payload, err := ethereum.UnsignedTransaction(types.NewTx(&types.LegacyTx{
		Nonce: 9, GasPrice: big.NewInt(20e9), Gas: 21000, To: &to, Value: big.NewInt(1e18),
	}), big.NewInt(1))
	fmt.Printf("%s %x %v\n", ethereum.TransactionKind, payload, err)
	// Output: ethereum-tx ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080 <nil>
}

// Typed data as people write it, and as it is signed.
func ExampleCanonicalTypedData() {
	payload, err := ethereum.CanonicalTypedData([]byte(`{
		"types": {"EIP712Domain": [{"name": "name", "type": "string"}], "Vote": [{"name": "yes", "type": "bool"}]},
		"primaryType": "Vote", "domain": {"name": "Council"}, "message": {"yes": true}
	}`))
	fmt.Println(string(payload), err)
	// Output: {"domain":{"name":"Council"},"message":{"yes":true},"primaryType":"Vote","types":{"EIP712Domain":[{"name":"name","type":"string"}],"Vote":[{"name":"yes","type":"bool"}]}} <nil>
}

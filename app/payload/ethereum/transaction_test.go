package ethereum

import (
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// TestLegacyVector is the example of EIP-155.
func TestLegacyVector(t *testing.T) {
	data := unhex(t, "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080")
	decoded, err := transactionKind{}.Decode(data)
	require.NoError(t, err)
	require.Equal(t, "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53", decoded.Digest().String())
	finished := finish(t, decoded, unhex(t, "4646464646464646464646464646464646464646464646464646464646464646"))
	require.Equal(t, "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"+
		"28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
		hex.EncodeToString(finished.Raw))
	require.Equal(t, crypto.Keccak256(finished.Raw), finished.Hash)
	require.Equal(t, mpctypes.Claims{
		ChainID: "1", To: "0x3535353535353535353535353535353535353535", Value: big.NewInt(1e18), Fee: big.NewInt(20e9 * 21000),
		Place: "1/9", Effect: decoded.Claims().Effect, Gas: 21_000,
	}, decoded.Claims())
}

// finish signs a payload as participants would.
func finish(t testing.TB, decoded mpctypes.DecodedPayload, private []byte) mpctypes.FinishedPayload {
	t.Helper()
	key, err := crypto.ToECDSA(private)
	require.NoError(t, err)
	digest := decoded.Digest()
	sig, err := crypto.Sign(digest[:], key)
	require.NoError(t, err)
	finished, err := decoded.Finish(crypto.CompressPubkey(&key.PublicKey),
		&mpctypes.SignatureResult{R: sig[:32], S: sig[32:64], V: uint32(sig[64])})
	require.NoError(t, err)
	return finished
}

var (
	someone = common.HexToAddress("0x00000000000000000000000000000000000000aa")
	access  = types.AccessList{{Address: someone, StorageKeys: []common.Hash{{1}, {2}}}}
	call    = []byte{0xde, 0xad, 0xbe, 0xef, 1}
)

// unsignedTxs are one of each type, and of each its chain id.
func unsignedTxs() map[string]types.TxData {
	return map[string]types.TxData{
		"legacy":      &types.LegacyTx{Nonce: 3, GasPrice: big.NewInt(7), Gas: 50000, To: &someone, Value: big.NewInt(5), Data: call},
		"creation":    &types.LegacyTx{Nonce: 3, GasPrice: big.NewInt(7), Gas: 50000, Value: new(big.Int), Data: call},
		"access list": &types.AccessListTx{ChainID: big.NewInt(5), Nonce: 3, GasPrice: big.NewInt(7), Gas: 50000, To: &someone, Value: big.NewInt(5), Data: call, AccessList: access},
		"dynamic fee": &types.DynamicFeeTx{
			ChainID: big.NewInt(5), Nonce: 3, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(7), Gas: 50000, To: &someone, Value: big.NewInt(5),
			Data: call, AccessList: access,
		},
		"blob": &types.BlobTx{
			ChainID: uint256.NewInt(5), Nonce: 3, GasTipCap: uint256.NewInt(1), GasFeeCap: uint256.NewInt(7), Gas: 50000, To: someone,
			Value: uint256.NewInt(5), Data: call, AccessList: access, BlobFeeCap: uint256.NewInt(2), BlobHashes: []common.Hash{{1, 2}},
		},
	}
}

// encodedOf is a transaction as somebody who wants it signed encodes it.
func encodedOf(t testing.TB, data types.TxData) []byte {
	t.Helper()
	tx := types.NewTx(data)
	fields := map[uint8][]any{
		types.LegacyTxType:     {tx.Nonce(), tx.GasPrice(), tx.Gas(), tx.To(), tx.Value(), tx.Data(), big.NewInt(5), uint(0), uint(0)},
		types.AccessListTxType: {tx.ChainId(), tx.Nonce(), tx.GasPrice(), tx.Gas(), tx.To(), tx.Value(), tx.Data(), tx.AccessList()},
		types.DynamicFeeTxType: {tx.ChainId(), tx.Nonce(), tx.GasTipCap(), tx.GasFeeCap(), tx.Gas(), tx.To(), tx.Value(), tx.Data(), tx.AccessList()},
		types.BlobTxType: {
			tx.ChainId(), tx.Nonce(), tx.GasTipCap(), tx.GasFeeCap(), tx.Gas(), tx.To(), tx.Value(), tx.Data(), tx.AccessList(),
			tx.BlobGasFeeCap(), tx.BlobHashes(),
		},
	}[tx.Type()]
	encoded, err := rlp.EncodeToBytes(fields)
	require.NoError(t, err)
	if tx.Type() == types.LegacyTxType {
		return encoded
	}
	return append([]byte{tx.Type()}, encoded...)
}

// Every type is finished as go-ethereum would sign it.
func TestTransactions(t *testing.T) {
	private := crypto.Keccak256([]byte("key"))
	key, err := crypto.ToECDSA(private)
	require.NoError(t, err)
	signer := types.LatestSignerForChainID(big.NewInt(5))
	for name, data := range unsignedTxs() {
		t.Run(name, func(t *testing.T) {
			decoded, err := transactionKind{}.Decode(encodedOf(t, data))
			require.NoError(t, err)
			require.Equal(t, mpctypes.Hash(signer.Hash(types.NewTx(data))), decoded.Digest())
			want, err := types.SignNewTx(key, signer, data)
			require.NoError(t, err)
			for _, tx := range []*types.Transaction{want, types.NewTx(data)} {
				payload, err := UnsignedTransaction(tx, big.NewInt(5))
				require.NoError(t, err)
				require.Equal(t, encodedOf(t, data), payload)
			}
			raw, err := want.MarshalBinary()
			require.NoError(t, err)
			finished := finish(t, decoded, private)
			require.Equal(t, raw, finished.Raw)
			require.Equal(t, want.Hash().Bytes(), finished.Hash)
			c := decoded.Claims()
			require.Equal(t, "5", c.ChainID)
			require.Equal(t, "5/3", c.Place)
			if name == "creation" {
				require.Empty(t, c.To)
				require.Empty(t, c.Calls)
				return
			}
			require.Equal(t, "0x00000000000000000000000000000000000000aa", c.To)
			require.Equal(t, []string{"0xdeadbeef"}, c.Calls)
			require.EqualValues(t, 5, c.Value.Int64())
			fee := int64(50000 * 7)
			if name == "blob" {
				fee += 2 * 131072
			}
			require.Equal(t, fee, c.Fee.Int64())
		})
	}
}

// A signature of another key does not make a transaction of somebody else.
func TestFinishRefusesAnotherKey(t *testing.T) {
	decoded, err := transactionKind{}.Decode(encodedOf(t, unsignedTxs()["dynamic fee"]))
	require.NoError(t, err)
	one, err := crypto.ToECDSA(crypto.Keccak256([]byte("one")))
	require.NoError(t, err)
	other, err := crypto.ToECDSA(crypto.Keccak256([]byte("other")))
	require.NoError(t, err)
	digest := decoded.Digest()
	sig, err := crypto.Sign(digest[:], one)
	require.NoError(t, err)
	_, err = decoded.Finish(crypto.CompressPubkey(&other.PublicKey), &mpctypes.SignatureResult{R: sig[:32], S: sig[32:64], V: uint32(sig[64])})
	require.ErrorContains(t, err, "not by the key's address")
}

// The effect is all but gas and fees, whatever the type.
func TestEffect(t *testing.T) {
	effect := func(data types.TxData) mpctypes.Hash {
		decoded, err := transactionKind{}.Decode(encodedOf(t, data))
		require.NoError(t, err)
		return decoded.Claims().Effect
	}
	base := func() *types.DynamicFeeTx {
		tx := *unsignedTxs()["dynamic fee"].(*types.DynamicFeeTx)
		return &tx
	}
	for name, change := range map[string]func(*types.DynamicFeeTx){
		"fee": func(tx *types.DynamicFeeTx) { tx.GasFeeCap = big.NewInt(100) },
		"tip": func(tx *types.DynamicFeeTx) { tx.GasTipCap = big.NewInt(2) },
		"gas": func(tx *types.DynamicFeeTx) { tx.Gas++ },
	} {
		tx := base()
		change(tx)
		require.Equal(t, effect(base()), effect(tx), name)
	}
	plain := base()
	plain.AccessList = nil
	require.Equal(t, effect(plain), effect(unsignedTxs()["legacy"]))
	for name, change := range map[string]func(*types.DynamicFeeTx){
		"access list": func(tx *types.DynamicFeeTx) { tx.AccessList = nil },
		"nonce":       func(tx *types.DynamicFeeTx) { tx.Nonce++ },
		"chain":       func(tx *types.DynamicFeeTx) { tx.ChainID = big.NewInt(6) },
		"to":          func(tx *types.DynamicFeeTx) { tx.To = nil },
		"value":       func(tx *types.DynamicFeeTx) { tx.Value = new(big.Int) },
		"data":        func(tx *types.DynamicFeeTx) { tx.Data = nil },
	} {
		tx := base()
		change(tx)
		require.NotEqual(t, effect(base()), effect(tx), name)
	}
	blob := *unsignedTxs()["blob"].(*types.BlobTx)
	one := effect(&blob)
	require.NotEqual(t, effect(base()), one)
	blob.BlobHashes = []common.Hash{{1, 3}}
	require.NotEqual(t, one, effect(&blob))
}

func TestTransactionRefuses(t *testing.T) {
	legacyList := func(fields ...any) []byte {
		encoded, err := rlp.EncodeToBytes(fields)
		require.NoError(t, err)
		return encoded
	}
	one, zero := big.NewInt(1), uint(0)
	dynamic := func(change func(*types.DynamicFeeTx)) []byte {
		tx := *unsignedTxs()["dynamic fee"].(*types.DynamicFeeTx)
		change(&tx)
		return encodedOf(t, &tx)
	}
	blobbed := func(hashes ...common.Hash) []byte {
		tx := *unsignedTxs()["blob"].(*types.BlobTx)
		tx.BlobHashes = hashes
		return encodedOf(t, &tx)
	}
	good := dynamic(func(*types.DynamicFeeTx) {})
	key, err := crypto.GenerateKey()
	require.NoError(t, err)
	signed, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(5)), unsignedTxs()["dynamic fee"])
	require.NoError(t, err)
	signedRaw, err := signed.MarshalBinary()
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"nothing":               {},
		"type alone":            {2},
		"unknown type":          append([]byte{4}, good[1:]...),
		"type of no kind":       append([]byte{0x7f}, good[1:]...),
		"no list":               {2, 0x80},
		"junk behind":           append(slices.Clone(good), 0),
		"cut off":               good[:len(good)-1],
		"already signed":        signedRaw,
		"too many fields":       legacyList(one, one, one, someone, one, call, one, zero, zero, zero),
		"without a chain":       legacyList(one, one, one, someone, one, call),
		"r is there":            legacyList(one, one, one, someone, one, call, one, uint(1), zero),
		"s is there":            legacyList(one, one, one, someone, one, call, one, zero, uint(1)),
		"number with a zero":    legacyList([]byte{0, 1}, one, one, someone, one, call, one, zero, zero),
		"address too short":     legacyList(one, one, one, someone.Bytes()[:19], one, call, one, zero, zero),
		"address is a list":     legacyList(one, one, one, []any{}, one, call, one, zero, zero),
		"chain id 0":            dynamic(func(tx *types.DynamicFeeTx) { tx.ChainID = new(big.Int) }),
		"legacy chain id 0":     legacyList(one, one, one, someone, one, call, zero, zero, zero),
		"chain id beyond":       dynamic(func(tx *types.DynamicFeeTx) { tx.ChainID = new(big.Int).Lsh(one, 62) }),
		"nonce beyond":          dynamic(func(tx *types.DynamicFeeTx) { tx.Nonce = math.MaxUint64 }),
		"no gas":                dynamic(func(tx *types.DynamicFeeTx) { tx.Gas = 0 }),
		"value beyond":          dynamic(func(tx *types.DynamicFeeTx) { tx.Value = new(big.Int).Lsh(one, 256) }),
		"fee beyond":            dynamic(func(tx *types.DynamicFeeTx) { tx.GasFeeCap = new(big.Int).Lsh(one, 256) }),
		"tip above the fee":     dynamic(func(tx *types.DynamicFeeTx) { tx.GasTipCap = big.NewInt(8) }),
		"no blobs":              blobbed(),
		"blob of version 2":     blobbed(common.Hash{2}),
		"blob to nobody":        append([]byte{3}, legacyList(one, one, one, one, one, []byte{}, one, call, []any{}, one, []any{common.Hash{1}})...),
		"unsigned text instead": []byte("\x19Ethereum Signed Message:\n1a"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := transactionKind{}.Decode(data)
			require.ErrorIs(t, err, mpctypes.ErrBadPayload)
		})
	}
}

// What is taken has one encoding, and its sender is who signed it.
func FuzzTransaction(f *testing.F) {
	for _, data := range unsignedTxs() {
		f.Add(encodedOf(f, data))
	}
	f.Add(unhex(f, "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"))
	private := crypto.Keccak256([]byte("key"))
	key, err := crypto.ToECDSA(private)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		decoded, err := transactionKind{}.Decode(data)
		if err != nil {
			require.NotEmpty(t, mpctypes.ReasonOf(err))
			return
		}
		require.Equal(t, mpctypes.Hash(crypto.Keccak256Hash(data)), decoded.Digest())
		_, err = transactionKind{}.Explain(data)
		require.NoError(t, err)
		finished := finish(t, decoded, private)
		var tx types.Transaction
		require.NoError(t, tx.UnmarshalBinary(finished.Raw))
		sender, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), &tx)
		require.NoError(t, err)
		require.Equal(t, crypto.PubkeyToAddress(key.PublicKey), sender)
		require.Equal(t, decoded.Claims().ChainID, tx.ChainId().String())
	})
}

package localnet

import (
	"context"
	"encoding/json"
	"fmt"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/app"
)

const (
	// keyringBackend keeps keys in plain files: for local networks only.
	keyringBackend = keyring.BackendTest
	// validatorKey is the name of the operator's key in a node's keyring.
	validatorKey = "validator"
	// requesterKey is the name of the requester's key.
	requesterKey = "requester"
)

// Coins in the genesis, in millionths.
var (
	balance = sdk.NewInt64Coin(app.BondDenom, 1_000_000_000_000)
	// stake is the same for all validators: any two thirds make blocks.
	stake = sdk.NewInt64Coin(app.BondDenom, 100_000_000_000)
)

// openKeyring opens the keyring in a folder.
func openKeyring(dir string, cdc codec.Codec) (keyring.Keyring, error) {
	k, err := keyring.New(app.Binary, keyringBackend, dir, nil, cdc)
	if err != nil {
		return nil, fmt.Errorf("open the keyring in %s: %w", dir, err)
	}
	return k, nil
}

// newKey makes a key in a keyring and returns its address.
func newKey(k keyring.Keyring, name string) (sdk.AccAddress, error) {
	path := hd.CreateHDPath(app.CoinType, 0, 0).String()
	record, _, err := k.NewMnemonic(name, keyring.English, path, keyring.DefaultBIP39Passphrase, hd.Secp256k1)
	if err != nil {
		return nil, fmt.Errorf("make the key %s: %w", name, err)
	}
	return record.GetAddress()
}

// genesisTx is the transaction that makes a validator in the first block.
func genesisTx(ctx context.Context, enc app.Encoding, k keyring.Keyring, chainID string,
	operator sdk.ValAddress, key cryptotypes.PubKey, moniker string,
) (json.RawMessage, error) {
	rate := math.LegacyNewDecWithPrec(5, 2) // 5 %
	msg, err := stakingtypes.NewMsgCreateValidator(operator.String(), key, stake,
		stakingtypes.Description{Moniker: moniker},
		stakingtypes.NewCommissionRates(rate, math.LegacyOneDec(), rate), math.OneInt())
	if err != nil {
		return nil, fmt.Errorf("make the genesis transaction of %s: %w", moniker, err)
	}
	builder := enc.TxConfig.NewTxBuilder()
	if err := builder.SetMsgs(msg); err != nil {
		return nil, fmt.Errorf("make the genesis transaction of %s: %w", moniker, err)
	}
	factory := tx.Factory{}.WithChainID(chainID).WithKeybase(k).WithTxConfig(enc.TxConfig)
	if err := tx.Sign(ctx, factory, validatorKey, builder, true); err != nil {
		return nil, fmt.Errorf("sign the genesis transaction of %s: %w", moniker, err)
	}
	bz, err := enc.TxConfig.TxJSONEncoder()(builder.GetTx())
	if err != nil {
		return nil, fmt.Errorf("encode the genesis transaction of %s: %w", moniker, err)
	}
	return bz, nil
}

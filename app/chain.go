package app

import (
	"os"
	"path/filepath"

	cmttypes "github.com/cometbft/cometbft/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

const (
	// Name of the application, in handshakes and user agents.
	Name = "sequencer"
	// Binary is the name of the program, and of its environment variables'
	// prefix in upper case.
	Binary = "sequencerd"
	// Bech32Prefix begins account addresses.
	Bech32Prefix = "seq"
	// BondDenom is the staking and fee token: a millionth of a SEQ.
	BondDenom = "useq"
	// MinGasPrice of a new app.toml: transactions are free until the operator of
	// the node asks for fees.
	MinGasPrice = "0" + BondDenom
	// CoinType is the account index of BIP-44 (SLIP-0044), Cosmos' own.
	CoinType = 118

	// MaxBlockBytes is the size of a block in a new genesis. It leaves room for
	// a bundle of results and some thousand transactions, and a validator with
	// 10 Mbit/s uploads it to one peer in 3.4 s. CometBFT's default of 53 MiB is
	// made for signatures fifty times as large as ours.
	MaxBlockBytes = 4 << 20

	// MaxBlockGas is the gas of a block's transactions in a new genesis. CometBFT sets
	// no limit, and with a gas price of 0 anybody could fill blocks with work. A hundred
	// signatures and a keygen, of 16 participants each, take a third of it
	// (TestBlockGasIsEnough); bundles of results take none, their own limits bound them.
	// A proposal of more is refused, see mpcabci.WithTxDecoder.
	MaxBlockGas = 100_000_000
)

// DefaultHome is where a node keeps its files unless --home says otherwise.
var DefaultHome = defaultHome()

// The SDK reads prefixes and the denomination of default genesis states from
// globals. They are set here, once, before anything can read them.
func init() {
	sdk.DefaultBondDenom = BondDenom
	c := sdk.GetConfig()
	c.SetBech32PrefixForAccount(Bech32Prefix, Bech32Prefix+"pub")
	c.SetBech32PrefixForValidator(validatorPrefix, validatorPrefix+"pub")
	c.SetBech32PrefixForConsensusNode(consensusPrefix, consensusPrefix+"pub")
	c.SetCoinType(CoinType)
	c.Seal()
}

const (
	validatorPrefix = Bech32Prefix + "valoper"
	consensusPrefix = Bech32Prefix + "valcons"
)

// ConsensusParams are the consensus parameters of a new genesis.
func ConsensusParams() *cmttypes.ConsensusParams {
	p := cmttypes.DefaultConsensusParams()
	p.Block.MaxBytes = MaxBlockBytes
	p.Block.MaxGas = MaxBlockGas
	return p
}

// defaultHome falls back to the working directory for users without a home,
// which is what a daemon in a container has.
func defaultHome() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, "."+Binary)
}

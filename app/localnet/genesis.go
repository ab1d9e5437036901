package localnet

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/version"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// genesisParts is what the nodes bring into the genesis.
type genesisParts struct {
	accounts     []sdk.AccAddress
	transactions []json.RawMessage
	participants []mpctypes.GenesisParticipant
	requester    string
}

// buildGenesis makes the genesis of the network. It returns the parameters of
// x/mpc too.
func buildGenesis(a *app.App, cfg Config, parts genesisParts) (*genutiltypes.AppGenesis, mpctypes.Params, error) {
	var params mpctypes.Params
	state := a.DefaultGenesis()
	if err := fund(a.Codec, state, parts.accounts); err != nil {
		return nil, params, err
	}
	genutiltypes.SetGenesisStateInAppState(a.Codec, state, genutiltypes.NewGenesisState(parts.transactions))
	encoded, err := json.Marshal(state)
	if err != nil {
		return nil, params, fmt.Errorf("encode the genesis: %w", err)
	}
	encoded, err = mpcnode.EditMPCGenesis(a.Codec, encoded, func(g *mpctypes.GenesisState) {
		g.Participants = parts.participants
		g.Params.Requesters = []string{parts.requester}
		if cfg.Params != nil {
			cfg.Params(&g.Params)
		}
		params = g.Params
	})
	if err != nil {
		return nil, params, fmt.Errorf("put x/mpc into the genesis: %w", err)
	}
	return &genutiltypes.AppGenesis{
		AppName: version.AppName, AppVersion: version.Version,
		GenesisTime: time.Now().UTC(), ChainID: cfg.ChainID, InitialHeight: 1,
		AppState:  encoded,
		Consensus: &genutiltypes.ConsensusGenesis{Params: app.ConsensusParams()},
	}, params, nil
}

// fund gives every account the same balance.
func fund(cdc codec.Codec, state map[string]json.RawMessage, addresses []sdk.AccAddress) error {
	var accounts []authtypes.GenesisAccount
	bank := banktypes.DefaultGenesisState()
	for _, addr := range addresses {
		accounts = append(accounts, authtypes.NewBaseAccountWithAddress(addr))
		bank.Balances = append(bank.Balances, banktypes.Balance{Address: addr.String(), Coins: sdk.NewCoins(balance)})
		bank.Supply = bank.Supply.Add(balance)
	}
	packed, err := authtypes.PackAccounts(accounts)
	if err != nil {
		return fmt.Errorf("pack the genesis accounts: %w", err)
	}
	auth := authtypes.GetGenesisStateFromAppState(cdc, state)
	auth.Accounts = packed
	bank.Balances = banktypes.SanitizeGenesisBalances(bank.Balances)
	if state[authtypes.ModuleName], err = cdc.MarshalJSON(&auth); err != nil {
		return fmt.Errorf("encode the genesis accounts: %w", err)
	}
	if state[banktypes.ModuleName], err = cdc.MarshalJSON(bank); err != nil {
		return fmt.Errorf("encode the genesis balances: %w", err)
	}
	return nil
}

// genesisPath is a node's genesis file.
func genesisPath(home string) string { return filepath.Join(home, "config", "genesis.json") }

package cmd

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/server"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// genesisCmd are the SDK's commands on a genesis file. Modules are not told the chain's id
// when the file is validated, which proofs of MPC identities are made for: they are verified
// here, before every validator would fail on them at the start.
func genesisCmd(a *app.App) *cobra.Command {
	cmd := genutilcli.Commands(a.TxConfig, a.Basics(), app.DefaultHome)
	validate, _, err := cmd.Find([]string{"validate"})
	if err != nil {
		panic(err) // the SDK has no such command any more
	}
	stock := validate.RunE
	validate.RunE = func(cmd *cobra.Command, args []string) error {
		path := server.GetServerContextFromCmd(cmd).Config.GenesisFile()
		if len(args) > 0 {
			path = args[0]
		}
		if chainID, state, readable := mpcGenesis(a, path); readable {
			if err := a.MPC.VerifyGenesisProofs(chainID, state); err != nil {
				return fmt.Errorf("%s is no valid genesis file: %w", path, err)
			}
		}
		return stock(cmd, args)
	}
	return cmd
}

// mpcGenesis reads x/mpc's part of a genesis file. What is wrong with one that is not
// readable, the SDK's command says.
func mpcGenesis(a *app.App, path string) (chainID string, state mpctypes.GenesisState, readable bool) {
	genesis, err := genutiltypes.AppGenesisFromFile(path)
	if err != nil {
		return "", state, false
	}
	var modules map[string]json.RawMessage
	if err := json.Unmarshal(genesis.AppState, &modules); err != nil {
		return "", state, false
	}
	err = a.Codec.UnmarshalJSON(modules[mpctypes.ModuleName], &state)
	return genesis.ChainID, state, err == nil
}

package app

import (
	"encoding/json"
	"errors"
	"fmt"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
)

// ErrZeroHeight is the answer to export --for-zero-height.
var ErrZeroHeight = errors.New("this chain's state is exported with its history only; leave out --for-zero-height and --jail-allowed-addrs")

// Export gives the last committed state as a genesis. The new chain begins at
// the block after it: pending MPC requests move with it, rewards and votes stay
// as they are. It names no modules: all of them; otherwise those.
func (app *App) Export(forZeroHeight bool, jailAllowed, modules []string) (servertypes.ExportedApp, error) {
	if forZeroHeight || len(jailAllowed) > 0 {
		return servertypes.ExportedApp{}, ErrZeroHeight
	}
	// Modules move heights relative to the block of the export.
	ctx := app.NewContextLegacy(true, cmtproto.Header{Height: app.LastBlockHeight()})
	genesis, err := app.modules.ExportGenesisForModules(ctx, app.Codec, modules)
	if err != nil {
		return servertypes.ExportedApp{}, fmt.Errorf("export the modules: %w", err)
	}
	state, err := json.MarshalIndent(genesis, "", "  ")
	if err != nil {
		return servertypes.ExportedApp{}, fmt.Errorf("encode the state: %w", err)
	}
	validators, err := staking.WriteValidators(ctx, app.Staking)
	if err != nil {
		return servertypes.ExportedApp{}, fmt.Errorf("export the validators: %w", err)
	}
	return servertypes.ExportedApp{
		AppState: state, Validators: validators, Height: app.LastBlockHeight() + 1,
		ConsensusParams: app.GetConsensusParams(ctx),
	}, nil
}

package cmd

import (
	"fmt"

	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"

	"github.com/sequencer-mpc/sequencer/app"
)

// newApp makes the application of a node at its last state.
func newApp(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
	return app.New(logger, db, true, opts, server.DefaultBaseappOptions(opts)...)
}

// exportApp gives the state of a height; -1 is the last one.
func exportApp(logger log.Logger, db dbm.DB, height int64, forZeroHeight bool, jailAllowed []string,
	opts servertypes.AppOptions, modules []string,
) (servertypes.ExportedApp, error) {
	a := app.New(logger, db, height == -1, opts, server.DefaultBaseappOptions(opts)...)
	if height != -1 {
		if err := a.LoadVersion(height); err != nil {
			return servertypes.ExportedApp{}, fmt.Errorf("load the state of height %d (is it pruned?): %w", height, err)
		}
	}
	return a.Export(forZeroHeight, jailAllowed, modules)
}

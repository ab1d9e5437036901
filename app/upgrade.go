package app

import (
	"context"
	"fmt"

	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/client/flags"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// UpgradeName is the name of the plan by which a chain of an earlier program goes over to
// this one. A program knows its own plan: x/upgrade stops one that is not made for the
// chain, whether it is older or newer. What comes with the plan is in x/mpc/README.md.
const UpgradeName = "v2"

// addedStores are those that chains of before do not have.
var addedStores = storetypes.StoreUpgrades{Added: []string{authzkeeper.StoreKey, settlementtypes.StoreKey}}

// setUpgrade says how the plan is carried out. The program of before wrote the plan into
// the node's home when it stopped for it: then the state is loaded with its new stores.
func (app *App) setUpgrade(configurator module.Configurator, opts servertypes.AppOptions) error {
	app.Upgrade.SetUpgradeHandler(UpgradeName, func(ctx context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
		return app.modules.RunMigrations(ctx, configurator, from)
	})
	if cast.ToString(opts.Get(flags.FlagHome)) == "" {
		return nil // a tool: x/upgrade would look, and make folders, where it was started
	}
	plan, err := app.Upgrade.ReadUpgradeInfoFromDisk()
	switch {
	case err != nil:
		return fmt.Errorf("read which upgrade the program of before stopped for: %w", err)
	case plan.Name == UpgradeName && !app.Upgrade.IsSkipHeight(plan.Height):
		app.SetStoreLoader(upgradetypes.UpgradeStoreLoader(plan.Height, &addedStores))
	}
	return nil
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"

	"example.com/chain/checkpoint"
)

// checkpointCmd shows the newest checkpoint that the validators signed.
func checkpointCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "checkpoint", Short: "Show the newest signed checkpoint, as JSON", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, err := client.GetClientQueryContext(cmd)
			if err != nil {
				return err
			}
			newest, _, err := ctx.QueryStore(checkpoint.NewestKey, checkpoint.StoreKey)
			if err != nil {
				return err
			}
			if len(newest) == 0 {
				return fmt.Errorf("no checkpoint is signed yet")
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), string(newest))
			return err
		},
	}
	flags.AddQueryFlagsToCmd(cmd)
	return cmd
}

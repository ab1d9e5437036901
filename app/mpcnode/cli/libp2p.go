package cli

import (
	"fmt"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/server"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// libp2pIDCmd is "sequencerd mpc libp2p-id".
func libp2pIDCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "libp2p-id",
		Short: "Show this node's libp2p id, which peers list in libp2p-peers",
		Long: `Shows the id that others put into libp2p-peers of section [mpc] in app.toml when
transport is "libp2p". It is that of the node key.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := cmtp2p.LoadNodeKey(server.GetServerContextFromCmd(cmd).Config.NodeKeyFile())
			if err != nil {
				return fmt.Errorf(types.ForProgram("load the node key (sequencerd init makes one): %w"), err)
			}
			id, err := p2p.LibP2PID(key.PrivKey)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), id)
			return err
		},
	}
}

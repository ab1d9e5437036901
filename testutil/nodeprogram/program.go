package nodeprogram

import (
	"bytes"
	"sync"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/cli"
)

// running: commands bind their flags to one viper of the whole program.
var running sync.Mutex

// Printed is what a command says at a home, the error that it ends with included. The first
// one at a home makes its configuration.
func Printed(home string, args ...string) string {
	running.Lock()
	defer running.Unlock()
	var out bytes.Buffer
	root := &cobra.Command{Use: "hostd", SilenceUsage: true, SilenceErrors: true, PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
		ctx, err := client.ReadPersistentCommandFlags(client.Context{}.WithViper("HOST").WithCmdContext(cmd.Context()), cmd.Flags())
		if err != nil {
			return err
		}
		if err := client.SetCmdClientContextHandler(ctx, cmd); err != nil {
			return err
		}
		svrCtx, err := server.InterceptConfigsAndCreateContext(cmd, mpcnode.Template, mpcnode.DefaultAppConfig("0coin"), cmtcfg.DefaultConfig())
		if err != nil {
			return err
		}
		return server.SetCmdServerContext(cmd, svrCtx)
	}}
	root.AddCommand(cli.Command())
	root.SetOut(&out)
	root.SetErr(new(bytes.Buffer))
	root.SetArgs(append(args, "--home", home))
	if err := svrcmd.Execute(root, "HOST", home); err != nil {
		out.WriteString(err.Error() + "\n")
	}
	return out.String()
}

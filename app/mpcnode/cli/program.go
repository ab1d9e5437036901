package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// speakOfProgram makes the help of a command, and of those below it, name the program
// that it is part of.
func speakOfProgram(cmd *cobra.Command) {
	cmd.Short, cmd.Long, cmd.Example = types.ForProgram(cmd.Short), types.ForProgram(cmd.Long), types.ForProgram(cmd.Example)
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = types.ForProgram(f.Usage) })
	for _, sub := range cmd.Commands() {
		speakOfProgram(sub)
	}
}

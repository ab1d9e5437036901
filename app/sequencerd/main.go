package main

import (
	"os"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/sequencerd/cmd"
)

func main() {
	if err := svrcmd.Execute(cmd.NewRoot(), cmd.EnvPrefix, app.DefaultHome); err != nil {
		os.Exit(1) // cobra has printed it
	}
}

package main

import (
	"os"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"

	"example.com/chain/app"
)

func main() {
	if err := svrcmd.Execute(newRoot(), envPrefix, app.DefaultHome); err != nil {
		os.Exit(1) // cobra has printed it
	}
}

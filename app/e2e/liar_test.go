package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/sequencerd/cmd"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A lie is what a proposer does to its proposal. A node looks for it in a file of
// its home at each proposal; without the file it is honest.
type lie string

const (
	// nothing: it keeps results for itself.
	nothing lie = "nothing"
	// garbage: it injects bytes that only begin like a bundle.
	garbage lie = "garbage"
	// forged: a canonical bundle of a signature that nobody asked for.
	forged lie = "forged"
	// oversized: beyond the bundle's budget, within the block's.
	oversized lie = "oversized"
	// misplaced: a bundle behind a transaction.
	misplaced lie = "misplaced"

	lieFile   = "lie"
	toldFile  = "told" // one byte for each lie told
	bundleTag = "\x07MPCB\x01"
)

// liar is the sequencer application of a proposer that may lie.
type liar struct {
	*app.App
	home string
}

// PrepareProposal implements servertypes.ABCI.
func (l liar) PrepareProposal(req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	resp, err := l.App.PrepareProposal(req)
	told, readErr := os.ReadFile(filepath.Join(l.home, lieFile))
	if err != nil || errors.Is(readErr, os.ErrNotExist) {
		return resp, err
	}
	if readErr != nil {
		return nil, readErr
	}
	txs := resp.Txs
	if len(txs) > 0 && mpctypes.IsBundle(txs[0]) {
		txs = txs[1:]
	}
	txs = append(lie(told).txs(), txs...)
	f, err := os.OpenFile(filepath.Join(l.home, toldFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, err = f.WriteString(".")
	return &abci.ResponsePrepareProposal{Txs: txs}, err
}

// txs is what a lie puts before the transactions of a block.
func (l lie) txs() [][]byte {
	switch l {
	case garbage:
		return [][]byte{[]byte(bundleTag + "\xff\xff no bundle")}
	case forged:
		return [][]byte{forgedBundle()}
	case oversized:
		return [][]byte{append([]byte(bundleTag), make([]byte, 1<<20)...)}
	case misplaced:
		return [][]byte{[]byte("no transaction"), forgedBundle()}
	}
	return nil
}

func forgedBundle() []byte {
	b := mpctypes.NewBundleBuilder(mpctypes.DefaultParams().BundleLimits())
	b.AddSignature(&types.SignatureResult{RequestID: "nobody-asked", R: bytes.Repeat([]byte{1}, 32), S: bytes.Repeat([]byte{1}, 32)})
	bz, err := b.Encode()
	if err != nil {
		panic(err)
	}
	return bz
}

// runLiar makes this test binary a sequencerd whose proposals may lie.
func runLiar() int {
	root := cmd.NewRoot()
	for _, c := range root.Commands() {
		if c.Name() == "start" {
			root.RemoveCommand(c)
		}
	}
	root.AddCommand(mpcnode.StartCmd(func(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
		return liar{
			app.New(logger, db, true, opts, server.DefaultBaseappOptions(opts)...), cast.ToString(opts.Get(flags.FlagHome)),
		}
	}, app.DefaultHome, server.StartCmdOptions{}))
	if err := svrcmd.Execute(root, cmd.EnvPrefix, app.DefaultHome); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// tell makes a node lie from its next proposal on; empty: be honest again.
func tell(t *testing.T, node *localnet.Node, l lie) {
	t.Helper()
	path := filepath.Join(node.Info().Home, lieFile)
	if l == "" {
		require.NoError(t, os.Remove(path))
		return
	}
	require.NoError(t, os.WriteFile(path+".new", []byte(l), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// told counts the lies of a node.
func told(t *testing.T, node *localnet.Node) int {
	t.Helper()
	bz, err := os.ReadFile(filepath.Join(node.Info().Home, toldFile))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	return len(bz)
}

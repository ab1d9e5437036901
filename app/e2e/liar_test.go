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

// A lie is what a proposer does to its proposal, or a participant to what it says.
// A node looks for it in a file of its home each time; without the file it is
// honest.
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
	// twofold: it says one thing to one member of a session and another to the rest.
	twofold lie = "twofold"

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
	if err != nil {
		return nil, err
	}
	told, err := lieOf(l.home)
	if err != nil || told == "" || told == twofold {
		return resp, err
	}
	txs := resp.Txs
	if len(txs) > 0 && mpctypes.IsBundle(txs[0]) {
		txs = txs[1:]
	}
	return &abci.ResponsePrepareProposal{Txs: append(told.txs(), txs...)}, countLie(l.home)
}

// lieOf is what the node of a home is to tell now; empty: the truth.
func lieOf(home string) (lie, error) {
	bz, err := os.ReadFile(filepath.Join(home, lieFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return lie(bz), err
}

// countLie lets told count one more.
func countLie(home string) error {
	f, err := os.OpenFile(filepath.Join(home, toldFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(".")
	return errors.Join(err, f.Close())
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

// runLiar makes this test binary a sequencerd that may lie.
func runLiar() int {
	root := cmd.NewRoot()
	for _, c := range root.Commands() {
		if c.Name() == "start" {
			root.RemoveCommand(c)
		}
	}
	twice := &twofaced{split: make(map[types.Context]*split)}
	root.AddCommand(mpcnode.StartCmd(func(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
		twice.home = cast.ToString(opts.Get(flags.FlagHome))
		return liar{app.New(logger, db, true, opts, server.DefaultBaseappOptions(opts)...), twice.home}
	}, app.DefaultHome, server.StartCmdOptions{}, mpcnode.WithTransport(twice.wrap)))
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

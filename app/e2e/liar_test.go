package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
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
	// tooMany: a canonical bundle of proofs that would all apply, more than the chain
	// allows, in no more bytes than it allows. It needs the key of the test.
	tooMany lie = "too many"
	// tooLong: one of no more proofs than the chain allows, and of more bytes; a block has
	// room for many times as much.
	tooLong lie = "too long"
	// misplaced: a bundle behind a transaction.
	misplaced lie = "misplaced"
	// twofold: it says one thing to one member of a session and another to the rest.
	twofold lie = "twofold"

	// liedKey is the key that proofs are of.
	liedKey = "key"

	lieFile   = "lie"
	toldFile  = "told" // one byte for each lie told
	bundleTag = mpctypes.BundlePrefix
)

// liar is the sequencer application of a proposer that may lie.
type liar struct {
	*app.App
	home string
	// self is who the node is as a participant, once its engine knows.
	self func() mpc.Self
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
	first := told.txs()
	if told == tooMany || told == tooLong {
		if first, err = l.overBudget(told, req.MaxTxBytes); err != nil || first == nil {
			return resp, err
		}
	}
	txs := resp.Txs
	if len(txs) > 0 && mpctypes.IsBundle(txs[0]) {
		txs = txs[1:]
	}
	return &abci.ResponsePrepareProposal{Txs: append(first, txs...)}, countLie(l.home)
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

// txs is what a lie that is always the same puts before the transactions of a block.
func (l lie) txs() [][]byte {
	switch l {
	case garbage:
		return [][]byte{[]byte(bundleTag + "\xff\xff no bundle")}
	case forged:
		return [][]byte{forgedBundle()}
	case misplaced:
		return [][]byte{[]byte("no transaction"), forgedBundle()}
	}
	return nil
}

// overBudget is a bundle that only one of the chain's two limits refuses: proofs against
// the node itself, each of another session of the keygen. It is nil as long as that was
// not asked for.
func (l liar) overBudget(over lie, maxTxBytes int64) ([][]byte, error) {
	ctx, err := l.CreateQueryContext(l.LastBlockHeight(), false)
	if err != nil {
		return nil, err
	}
	params, err := l.MPC.Params(ctx)
	if err != nil {
		return nil, err
	}
	limits, self := params.BundleLimits(), l.self()
	if self.Key == nil {
		return nil, nil // the engine does not know yet
	}
	entries, to := limits.Entries+1, ""
	if over == tooLong {
		entries, to = limits.Entries, strings.Repeat("x", types.MaxOperatorBytes)
	}
	b := mpctypes.NewBundleBuilder(mpctypes.MaxBundle)
	for i := range entries {
		if e := l.proof(self, i, to); !l.applies(ctx, e) || !b.AddEvidence(e) {
			return nil, nil
		}
	}
	bz, err := b.Encode()
	if err == nil && ((len(bz) > limits.Bytes) != (over == tooLong) || int64(len(bz)) > maxTxBytes) {
		err = fmt.Errorf("%s: %d entries have %d bytes, the limits are %+v and %d", over, entries, len(bz), limits, maxTxBytes)
	}
	return [][]byte{bz}, err
}

// applies says whether the chain would take a proof.
func (l liar) applies(ctx context.Context, e types.Evidence) bool {
	return l.MPC.CheckEvidence(ctx, e) == nil
}

// proof is one against the node itself, of a session of which there is one for each
// number. It is longer the longer the name of the recipient is.
func (l liar) proof(self mpc.Self, number int, to string) types.Evidence {
	session := sha256.Sum256([]byte{byte(number)})
	say := func(body string) *wire.Envelope {
		return types.SignEnvelope(&wire.Header{
			ChainId: l.ChainID(), Context: session[:], Kind: wire.KIND_ROUND, Round: 1, From: string(self.Operator), To: to,
			IdentityVersion: self.Version, RequestKind: uint32(types.KindKeygen), RequestId: liedKey,
		}, []byte(body), self.Key)
	}
	return types.NewEvidence(say("one thing"), say("another"))
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
		return liar{app.New(logger, db, true, opts, server.DefaultBaseappOptions(opts)...), twice.home, twice.who}
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

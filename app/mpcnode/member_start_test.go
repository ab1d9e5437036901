package mpcnode

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/spf13/viper"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/server"

	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// startingApp is an application before its first block.
type startingApp struct {
	*fakeApp
	link *Link
}

func (startingApp) ChainID() string  { return "seq-1" }
func (a startingApp) MPCLink() *Link { return a.link }

// startingMember is a node's part in MPC with an identity and all that it has pools for.
func startingMember(t *testing.T) (m *member, close func()) {
	t.Helper()
	cfg, home := vaultConfig(t, "horse")
	return startingMemberOf(t, cfg, home, makeVault(t, cfg, home))
}

func startingMemberOf(t *testing.T, cfg Config, home string, vault *Vault) (m *member, close func()) {
	t.Helper()
	t.Setenv(gomaxprocs, "2") // or it would raise it for this whole process
	cfg.PreparamsTarget = 1
	_, err := vault.Database().AddPreparams([]byte("set")) // none to be made
	require.NoError(t, err)
	comet := cmtcfg.DefaultConfig().SetRoot(home)
	key := &cmtp2p.NodeKey{PrivKey: ed25519.GenPrivKey()}
	m, err = newMember(cfg, vault, startingApp{&fakeApp{}, NewLink()}, key, server.NewContext(viper.New(), comet, log.NewNopLogger()))
	require.NoError(t, err)
	return m, func() { require.NoError(t, vault.Close()) }
}

// noLeaks leaves out what runs already, and goleveldb's buffers, which it drains for
// a while after it is closed.
func noLeaks() []goleak.Option {
	return []goleak.Option{goleak.IgnoreCurrent(), goleak.IgnoreTopFunction("github.com/syndtr/goleveldb/leveldb.(*DB).mpoolDrain")}
}

// What a member starts ends with its context.
func TestMemberLeavesNothingRunning(t *testing.T) {
	leaks := noLeaks()
	m, closeVault := startingMember(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	require.NoError(t, m.start(ctx, group, waits(false)))
	client := NewClient(m.cfg.PathsOf(m.comet.RootDir).Socket)
	require.Eventually(t, func() bool {
		s, err := client.Status(ctx)
		return err == nil && s.Problem == "" && s.HasIdentity
	}, 10*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, group.Wait())
	require.ErrorIs(t, m.audit.Append(audit.Entry{}), fs.ErrClosed)
	closeVault()
	goleak.VerifyNone(t, leaks...)
}

// One that cannot start leaves nothing open.
func TestMemberThatCannotStart(t *testing.T) {
	leaks := noLeaks()
	for name, spoil := range map[string]func(t *testing.T, m *member){
		"socket": func(t *testing.T, m *member) {
			require.NoError(t, os.MkdirAll(filepath.Join(m.cfg.PathsOf(m.comet.RootDir).Socket, "x"), 0o700))
		},
		"transport": func(_ *testing.T, m *member) { m.cfg.Transport, m.cfg.LibP2PPeers = TransportLibP2P, "nobody" },
	} {
		t.Run(name, func(t *testing.T) {
			m, closeVault := startingMember(t)
			spoil(t, m)
			var group errgroup.Group
			require.Error(t, m.start(t.Context(), &group, waits(false)))
			require.NotNil(t, m.audit)
			require.ErrorIs(t, m.audit.Append(audit.Entry{}), fs.ErrClosed)
			require.NoError(t, group.Wait())
			closeVault()
		})
	}
	goleak.VerifyNone(t, leaks...)
}

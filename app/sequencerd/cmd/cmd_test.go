package cmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// operator is a validator operator address of this chain.
var operator = sdk.ValAddress(bytes.Repeat([]byte{7}, 20)).String()

// run runs sequencerd on a home and returns what it wrote to standard output.
func run(t *testing.T, home string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := NewRoot()
	root.SetOut(&out)
	root.SetErr(new(bytes.Buffer))
	root.SetArgs(append(args, "--home", home))
	err := svrcmd.Execute(root, EnvPrefix, home)
	return out.String(), err
}

// fullNode is the home of a node without an identity.
func fullNode(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	_, err := run(t, home, "init", "node", "--chain-id", "seq-1", "--no-mpc")
	require.NoError(t, err)
	return home
}

// edit replaces text in a configuration file.
func edit(t *testing.T, home, file, old, replacement string) {
	t.Helper()
	path := filepath.Join(home, "config", file)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600))
}

func TestInitOfAFullNode(t *testing.T) {
	home := fullNode(t)
	genesis, err := genutiltypes.AppGenesisFromFile(filepath.Join(home, "config", "genesis.json"))
	require.NoError(t, err)
	require.Equal(t, "seq-1", genesis.ChainID)
	require.Equal(t, int64(app.MaxBlockBytes), genesis.Consensus.Params.Block.MaxBytes)
	require.NoDirExists(t, filepath.Join(home, "mpc"))
	text, err := os.ReadFile(filepath.Join(home, "config", "app.toml"))
	require.NoError(t, err)
	require.Contains(t, string(text), "[mpc]")
	require.Contains(t, string(text), `minimum-gas-prices = "0useq"`)

	_, err = run(t, home, "mpc", "identity")
	require.ErrorContains(t, err, "sequencerd mpc identity create")
	_, err = run(t, home, "mpc", "status")
	require.ErrorIs(t, err, mpcnode.ErrNotRunning)
	require.ErrorContains(t, err, "sequencerd start")
	_, err = run(t, home, "mpc", "keys")
	require.ErrorContains(t, err, "no MPC database")
}

// A passphrase that is missing is noticed before anything is written.
func TestInitWithoutThePassphraseFile(t *testing.T) {
	home := t.TempDir()
	_, err := run(t, home, "mpc", "identity") // any command writes the default configuration
	require.Error(t, err)
	list := func() map[string]string {
		files := map[string]string{}
		require.NoError(t, filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				files[path] = ""
				return err
			}
			text, err := os.ReadFile(path)
			files[path] = string(text)
			return err
		}))
		return files
	}
	before := list()
	init := []string{"init", "alice", "--chain-id", "seq-1", "--mpc-passphrase", "file:config/mpc.pass"}
	_, err = run(t, home, init...)
	path := filepath.Join(home, "config", "mpc.pass")
	require.ErrorContains(t, err, "umask 077")
	require.ErrorContains(t, err, path)
	require.Equal(t, before, list())

	require.NoError(t, os.WriteFile(path, []byte("horse"), 0o600))
	_, err = run(t, home, init...)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(home, "config", "app.toml"))
	require.NoError(t, err)
	require.Contains(t, string(text), `passphrase = "file:config/mpc.pass"`)
	require.FileExists(t, filepath.Join(home, "mpc", "identity.json"))
}

func TestInitOfAValidator(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(home, "config"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, "config", "pass"), []byte("horse"), 0o600))
	_, err := run(t, home, "init", "alice", "--chain-id", "seq-1", "--mpc-passphrase", "file:config/pass")
	require.NoError(t, err)

	out, err := run(t, home, "mpc", "identity", "--output", "json")
	require.NoError(t, err)
	var identity identityReport
	require.NoError(t, json.Unmarshal([]byte(out), &identity))
	require.Len(t, identity.Keys, 1)

	// No node runs: the database answers, with the passphrase that init wrote down.
	out, err = run(t, home, "mpc", "keys")
	require.NoError(t, err)
	require.Contains(t, out, fromDatabase)

	_, err = run(t, home, "mpc", "add-genesis-participant", operator)
	require.NoError(t, err)
	_, err = run(t, home, "genesis", "validate")
	require.NoError(t, err)
	genesis, err := genutiltypes.AppGenesisFromFile(filepath.Join(home, "config", "genesis.json"))
	require.NoError(t, err)
	var state map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(genesis.AppState, &state))
	require.Contains(t, string(state[mpctypes.ModuleName]), operator)
	_, err = run(t, home, "mpc", "add-genesis-participant", operator)
	require.Error(t, err, "twice")

	_, err = run(t, home, "mpc", "identity", "rotate")
	require.NoError(t, err)
	out, err = run(t, home, "mpc", "identity")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(out, "key  "))

	// What is there is never overwritten.
	_, err = run(t, home, "mpc", "identity", "create")
	require.NoError(t, err)
	again, err := run(t, home, "mpc", "identity")
	require.NoError(t, err)
	require.Equal(t, out, again)
}

func TestWrongOperatorIsNamed(t *testing.T) {
	_, err := run(t, fullNode(t), "mpc", "add-genesis-participant", "cosmosvaloper1xyz")
	require.ErrorContains(t, err, "seqvaloper")
}

func TestStartRefuses(t *testing.T) {
	for _, c := range []struct {
		name, file, old, replacement string
		want                         string
	}{
		{"a chain without empty blocks", "config.toml", "create_empty_blocks = true", "create_empty_blocks = false", mpcnode.ErrNoEmptyBlocks.Error()},
		{"libp2p", "config.toml", "CometBFT's p2p.\nenabled = false", "\nenabled = true", mpcnode.ErrLibP2P.Error()},
		{"a wrong section", "app.toml", "parallel = 0", "parallel = -3", "parallel is -3"},
		{"an executor that is none", "app.toml", `block-executor = "sequential"`, `block-executor = "magic"`, "magic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := fullNode(t)
			edit(t, home, c.file, c.old, c.replacement)
			_, err := run(t, home, "start")
			require.ErrorContains(t, err, c.want)
			require.NoDirExists(t, filepath.Join(home, "data", "application.db"), "nothing was opened")
		})
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	home := fullNode(t)
	require.NoError(t, os.MkdirAll(filepath.Join(home, "mpc"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, "mpc", "identity.json"), []byte("{}"), 0o600))
	_, err := run(t, home, "start")
	require.ErrorIs(t, err, mpcnode.ErrNoDatabase)
}

// A network that is there is started as it is, or not at all.
func TestLocalnetRefusesToChangeANetwork(t *testing.T) {
	dir := t.TempDir()
	manifest, err := json.Marshal(localnet.Manifest{
		ChainID: "seq-9", BlockTime: "1s", RetireBlocks: 100, KeyringDir: dir,
		Nodes: []localnet.Info{{Name: "node0", Operator: operator, Home: filepath.Join(dir, "missing"), Log: filepath.Join(dir, "no", "log")}},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, localnet.ManifestName), manifest, 0o600))
	for flag, values := range map[string]struct{ same, other string }{
		flagValidators:   {"1", "4"},
		flagSentries:     {"0", "1"},
		flagChainID:      {"seq-9", "seq-1"},
		flagBlockTime:    {"1000ms", "2s"},
		flagRetireBlocks: {"100", "7"},
	} {
		_, err := run(t, dir, "localnet", "--output", dir, "--"+flag, values.other)
		require.ErrorContains(t, err, "was made with --"+flag)
		_, err = run(t, dir, "localnet", "--output", dir, "--"+flag, values.same)
		require.ErrorContains(t, err, "log", "it goes on to start a node, which has no folder for its log")
	}
}

func TestLocalnetNeedsAFolderOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "something"), nil, 0o600))
	_, err := run(t, dir, "localnet", "--output", dir)
	require.ErrorContains(t, err, "not empty")
	_, err = run(t, dir, "localnet", "--output", filepath.Join(dir, "net"), "--validators", "99")
	require.ErrorContains(t, err, "1 to 16")
	_, err = run(t, dir, "localnet")
	require.ErrorContains(t, err, "output")
}

// What an operator of an SDK chain expects to find.
func TestCommandsAreThere(t *testing.T) {
	root := NewRoot()
	for _, path := range []string{
		"init", "start", "status", "export", "version", "rollback", "prune", "snapshots list", "keys add",
		"genesis gentx", "genesis collect-gentxs", "genesis add-genesis-account", "genesis validate",
		"comet show-node-id", "comet unsafe-reset-all", "query bank balances", "query mpc key", "query block",
		"tx bank send", "tx staking create-validator", "tx mpc keygen", "tx gov vote",
		"mpc register", "mpc revoke", "mpc identity create", "mpc identity rotate", "mpc keys", "mpc sessions",
		"mpc status", "mpc add-genesis-participant", "localnet",
	} {
		found, rest, err := root.Find(strings.Fields(path))
		require.NoError(t, err, path)
		require.Empty(t, rest, path)
		require.Equal(t, path[strings.LastIndex(path, " ")+1:], found.Name())
	}
	every(root, func(c *cobra.Command) { require.NotEmpty(t, c.Short, c.CommandPath()) })
}

func every(c *cobra.Command, f func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		f(sub)
		every(sub, f)
	}
}

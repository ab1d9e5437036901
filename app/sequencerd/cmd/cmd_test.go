package cmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// operator is a validator operator address of this chain.
var operator = sdk.ValAddress(bytes.Repeat([]byte{7}, 20)).String()

// oneCommand runs at a time: a process has one cobra and one viper, which the program uses
// as if it were alone.
var oneCommand sync.Mutex

// run runs sequencerd on a home and returns what it wrote to standard output.
func run(t *testing.T, home string, args ...string) (string, error) {
	t.Helper()
	oneCommand.Lock()
	defer oneCommand.Unlock()
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

func TestInitOfAFullNode(t *testing.T) {
	home := fullNode(t)
	genesis, err := genutiltypes.AppGenesisFromFile(filepath.Join(home, "config", "genesis.json"))
	require.NoError(t, err)
	require.Equal(t, "seq-1", genesis.ChainID)
	require.Equal(t, int64(app.MaxBlockBytes), genesis.Consensus.Params.Block.MaxBytes)
	require.Equal(t, int64(app.MaxBlockGas), genesis.Consensus.Params.Block.MaxGas)
	require.NoDirExists(t, filepath.Join(home, "mpc"))
	text, err := os.ReadFile(filepath.Join(home, "config", "app.toml"))
	require.NoError(t, err)
	require.Contains(t, string(text), "[mpc]")
	require.Contains(t, string(text), `minimum-gas-prices = "0useq"`)
	require.Contains(t, string(text), `query-gas-limit = "50000000"`)

	_, err = run(t, home, "mpc", "identity")
	require.ErrorContains(t, err, "sequencerd mpc identity create")
	_, err = run(t, home, "mpc", "status")
	require.ErrorIs(t, err, mpcnode.ErrNotRunning)
	require.ErrorContains(t, err, "sequencerd start")
	_, err = run(t, home, "mpc", "keys")
	require.ErrorContains(t, err, "no MPC database")

	// A node without an identity is not asked for a passphrase.
	for _, args := range [][]string{
		{"mpc", "register", "--from", "alice"}, {"mpc", "identity", "rotate"}, {"mpc", "add-genesis-participant", operator},
	} {
		_, err = run(t, home, args...)
		require.ErrorIs(t, err, storage.ErrNoIdentity, args)
		require.ErrorContains(t, err, "sequencerd mpc identity create")
	}
}

// A passphrase that is missing is noticed before anything is written.
func TestInitWithoutThePassphraseFile(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	_, err := run(t, home, "mpc", "identity") // any command writes the default configuration
	require.Error(t, err)
	before := nodehome.Files(t, home)
	init := []string{"init", "alice", "--chain-id", "seq-1", "--mpc-passphrase", "file:config/mpc.pass"}
	_, err = run(t, home, init...)
	path := filepath.Join(home, "config", "mpc.pass")
	require.ErrorContains(t, err, "umask 077")
	require.ErrorContains(t, err, path)
	require.Equal(t, before, nodehome.Files(t, home))

	require.NoError(t, os.WriteFile(path, []byte("horse"), 0o600))
	_, err = run(t, home, init...)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(home, "config", "app.toml"))
	require.NoError(t, err)
	require.Contains(t, string(text), `passphrase = "file:config/mpc.pass"`)
	require.FileExists(t, filepath.Join(home, "mpc", "identity.json"))
}

func TestInitOfAValidator(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(home, "config"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, "config", "pass"), []byte("horse"), 0o600))
	_, err := run(t, home, "init", "alice", "--chain-id", "seq-1", "--mpc-passphrase", "file:config/pass")
	require.NoError(t, err)

	out, err := run(t, home, "mpc", "identity", "--output", "json")
	require.NoError(t, err)
	var identity struct{ Keys []string }
	require.NoError(t, json.Unmarshal([]byte(out), &identity))
	require.Len(t, identity.Keys, 1)

	// No node runs: the database answers, with the passphrase that init wrote down.
	out, err = run(t, home, "mpc", "keys")
	require.NoError(t, err)
	require.Contains(t, out, "from the database")

	_, err = run(t, home, "mpc", "add-genesis-participant", operator)
	require.NoError(t, err)
	_, err = run(t, home, "genesis", "validate")
	require.NoError(t, err)
	validateRefuses(t, home)
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

	// What is there is never overwritten, nor is where its passphrase comes from.
	before := nodehome.Files(t, home)
	for _, flags := range [][]string{nil, {"--mpc-passphrase", "file:config/pass"}} {
		_, err = run(t, home, append([]string{"mpc", "identity", "create"}, flags...)...)
		require.NoError(t, err)
	}
	for _, args := range [][]string{
		{"mpc", "identity", "create"}, {"init", "alice", "--chain-id", "seq-1", "--overwrite"},
	} {
		_, err = run(t, home, append(args, "--mpc-passphrase", "env:MPC_TEST_OTHER")...)
		require.ErrorContains(t, err, `names "file:config/pass"`, args)
	}
	require.Equal(t, before, nodehome.Files(t, home))
}

// Of a node whose passphrase only systemd has, a shell can do what needs it by
// another source, which is not written down.
func TestAnotherSourceForOneCommand(t *testing.T) {
	home := t.TempDir()
	credentials := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(credentials, "mpc"), []byte("horse"), 0o400))
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	_, err := run(t, home, "init", "alice", "--chain-id", "seq-1", "--mpc-passphrase", "credential:mpc")
	require.NoError(t, err)
	_, err = run(t, home, "keys", "add", "alice", "--keyring-backend", "test")
	require.NoError(t, err)
	t.Setenv("CREDENTIALS_DIRECTORY", "")

	toml := filepath.Join(home, "config", "app.toml")
	before, err := os.ReadFile(toml)
	require.NoError(t, err)
	register := []string{"mpc", "register", "--from", "alice", "--keyring-backend", "test", "--chain-id", "seq-1", "--node", "tcp://127.0.0.1:1"}
	for _, args := range [][]string{
		{"mpc", "identity", "rotate"}, {"mpc", "keys"}, {"mpc", "add-genesis-participant", operator}, register,
	} {
		_, err := run(t, home, args...)
		require.ErrorContains(t, err, "LoadCredential", args)
		require.ErrorContains(t, err, "--mpc-passphrase", args)
		t.Setenv("MPC_TEST_PASSPHRASE", "horse") // a command takes it out of the environment
		_, err = run(t, home, append(args, "--mpc-passphrase", "env:MPC_TEST_PASSPHRASE")...)
		if args[1] == register[1] {
			require.ErrorContains(t, err, "127.0.0.1:1", "no node is there to take the transaction")
		} else {
			require.NoError(t, err, args)
		}
		_, err = run(t, home, append(args, "--mpc-passphrase", "correct-horse")...)
		require.ErrorContains(t, err, "not the passphrase", args)
		require.NotContains(t, err.Error(), "correct-horse")
	}
	after, err := os.ReadFile(toml)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

// What an operator's transaction costs depends on what it did before, so it is estimated
// where there is somebody to ask.
func TestGasOfAnOperatorsTransactions(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "pass"), []byte("horse"), 0o600))
	_, err := run(t, home, "init", "alice", "--chain-id", "seq-1", "--mpc-passphrase", "file:"+filepath.Join(home, "pass"))
	require.NoError(t, err)
	_, err = run(t, home, "keys", "add", "alice", "--keyring-backend", "test")
	require.NoError(t, err)
	for _, command := range []string{"register", "revoke"} {
		help, err := run(t, home, "mpc", command, "--help")
		require.NoError(t, err)
		require.Regexp(t, `--gas string .*\(default "?auto"?\)`, help)
		require.Regexp(t, `--gas-adjustment float .*\(default 1.5\)`, help)

		args := []string{"mpc", command, "--from", "alice", "--keyring-backend", "test", "--chain-id", "seq-1", "--node", "tcp://127.0.0.1:1"}
		for flag, want := range map[string]string{"--generate-only": `"gas_limit":"200000"`, "--gas=300000": `"gas_limit":"300000"`} {
			out := stdout(t, func() {
				_, err := run(t, home, append(args, "--generate-only", flag)...)
				require.NoError(t, err)
			})
			require.Contains(t, out, want)
		}
		_, err = run(t, home, append(args, "--offline", "--account-number", "1", "--sequence", "0", "--yes")...)
		require.ErrorContains(t, err, "127.0.0.1:1", "it is signed with what nobody estimated")
	}
}

// stdout is what do writes to the process's output: the SDK prints transactions there.
func stdout(t *testing.T, do func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	before := os.Stdout
	os.Stdout = file
	defer func() { os.Stdout = before }()
	do()
	require.NoError(t, file.Close())
	text, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	return string(text)
}

// Only the source of the passphrase goes into app.toml: what the environment says
// at the time of init does not become permanent, and comments stay.
func TestInitWritesOneKey(t *testing.T) {
	home := fullNode(t)
	nodehome.Edit(t, home, "app.toml", "log-rounds = false", "log-rounds = false # quiet")
	toml := filepath.Join(home, "config", "app.toml")
	before, err := os.ReadFile(toml)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(filepath.Base(self)))+"_MPC_PREPARAMS_TARGET", "7")
	require.NoError(t, os.WriteFile(filepath.Join(home, "pass"), []byte("horse"), 0o600))
	_, err = run(t, home, "mpc", "identity", "create", "--mpc-passphrase", "file:pass")
	require.NoError(t, err)
	after, err := os.ReadFile(toml)
	require.NoError(t, err)
	require.Equal(t, strings.Replace(string(before), `passphrase = "prompt"`, `passphrase = "file:pass"`, 1), string(after))
}

func TestWrongOperatorIsNamed(t *testing.T) {
	_, err := run(t, fullNode(t), "mpc", "add-genesis-participant", "cosmosvaloper1xyz")
	require.ErrorContains(t, err, "seqvaloper")
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file, old, replacement string
		want                         string
	}{
		{"a chain without empty blocks", "config.toml", "create_empty_blocks = true", "create_empty_blocks = false", mpcnode.ErrNoEmptyBlocks.Error()},
		{"a chain that waits", "config.toml", `create_empty_blocks_interval = "0s"`, `create_empty_blocks_interval = "30s"`, "create_empty_blocks_interval"},
		{"libp2p", "config.toml", "CometBFT's p2p.\nenabled = false", "\nenabled = true", mpcnode.ErrLibP2P.Error()},
		{"a wrong section", "app.toml", "parallel = 0", "parallel = -3", "parallel is -3"},
		{"an executor that is none", "app.toml", `block-executor = "sequential"`, `block-executor = "magic"`, "magic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := fullNode(t)
			nodehome.Edit(t, home, c.file, c.old, c.replacement)
			_, err := run(t, home, "start")
			require.ErrorContains(t, err, c.want)
			require.NoDirExists(t, filepath.Join(home, "data", "application.db"), "nothing was opened")
		})
	}
}

// A node whose database or identity is gone or damaged goes on with the chain: here up to
// its genesis, which has no validators. What needs them says what is wrong, and nothing
// is made or changed in their place.
func TestStartOfANodeThatIsNotWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*testing.T, mpcnode.Paths)
		// keys and create are what "mpc keys" and "mpc identity create" fail with, if
		// they do, the latter for another passphrase.
		keys, create error
	}{
		"no database": {
			func(t *testing.T, p mpcnode.Paths) { require.NoError(t, os.RemoveAll(p.Database)) },
			mpcnode.ErrNoDatabase, mpcnode.ErrNoDatabase,
		},
		"a damaged database": {
			func(t *testing.T, p mpcnode.Paths) {
				require.NoError(t, os.WriteFile(filepath.Join(p.Database, "main", "CURRENT"), []byte("x"), 0o600))
			}, storage.ErrFilesDamaged, nil,
		},
		"no identity": {
			func(t *testing.T, p mpcnode.Paths) { require.NoError(t, os.Remove(p.Identity)) },
			nil, storage.ErrWrongPassphrase,
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := fullNode(t)
			nodehome.AddVault(t, home)
			paths := mpcnode.DefaultConfig().PathsOf(home)
			c.spoil(t, paths)
			before := nodehome.Files(t, paths.Folder)
			_, err := run(t, home, "start")
			require.ErrorContains(t, err, "validator set is empty")
			require.Equal(t, before, nodehome.Files(t, paths.Folder))
			if _, err = run(t, home, "mpc", "keys"); c.keys != nil {
				require.ErrorIs(t, err, c.keys)
				require.ErrorContains(t, err, "sequencerd mpc backup restore")
			} else {
				require.NoError(t, err)
			}
			before = nodehome.Files(t, paths.Folder)
			if c.create != nil {
				nodehome.WritePassphrase(t, home, "other", "cow")
				_, err = run(t, home, "mpc", "identity", "create", "--mpc-passphrase", "file:config/other")
				require.ErrorIs(t, err, c.create)
			}
			require.Equal(t, before, nodehome.Files(t, paths.Folder))
		})
	}
}

// What runs without CometBFT in the process has no MPC, which is said on a node
// that should have it.
func TestStartWithoutCometWarns(t *testing.T) {
	home := fullNode(t)
	start := []string{"start", "--with-comet=false", "--transport", "pigeon"} // ends as soon as it should serve
	out, err := run(t, home, start...)
	require.ErrorContains(t, err, "pigeon")
	require.NotContains(t, out, "takes part in no keys")
	require.NoError(t, os.MkdirAll(filepath.Join(home, "mpc"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, "mpc", "identity.json"), []byte("{}"), 0o600))
	out, err = run(t, home, start...)
	require.ErrorContains(t, err, "pigeon")
	require.Contains(t, out, "takes part in no keys")
}

// A network that is there is started as it is, or not at all.
func TestLocalnetRefusesToChangeANetwork(t *testing.T) {
	dir := t.TempDir()
	manifest, err := json.Marshal(localnet.Manifest{
		ChainID: "seq-9", BlockTime: "1s", Transport: "comet", RetireBlocks: 100, PresignTarget: 2, KeyringDir: dir,
		Nodes: []localnet.Info{{Name: "node0", Operator: operator, Home: filepath.Join(dir, "missing"), Log: filepath.Join(dir, "no", "log")}},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, localnet.ManifestName), manifest, 0o600))
	for flag, values := range map[string]struct{ same, other string }{
		flagValidators:   {"1", "4"},
		flagSentries:     {"0", "1"},
		flagTransport:    {"comet", "libp2p"},
		flagChainID:      {"seq-9", "seq-1"},
		flagBlockTime:    {"1000ms", "2s"},
		flagRetireBlocks: {"100", "7"},
		flagPresign:      {"2", "0"},
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
		"mpc status", "mpc libp2p-id", "mpc passphrase change",
		"mpc backup create", "mpc backup list", "mpc backup verify", "mpc backup restore", "mpc audit verify", "mpc database create", "mpc add-genesis-participant", "localnet",
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

// The relay's --rpc is a URL, and not the section of config.toml that has this name: on a
// home that has one the command gets as far as its key.
func TestRelayReadsNoConfig(t *testing.T) {
	_, err := run(t, fullNode(t), "settlement", "relay", "--rpc", "http://127.0.0.1:1", "--from", "nobody", "--keyring-backend", "test")
	require.ErrorContains(t, err, "nobody")
}

package ops

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/viper"
	"github.com/stretchr/testify/require"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// maxExposure is the most of systemd's scale from 0 to 10 (times ten) for services that
// need the network.
const maxExposure = "15"

// Units of systemd.
const (
	nodeUnit  = "sequencerd.service"
	relayUnit = "sequencer-relay.service"
)

// unit reads the settings of a service.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	settings := map[string][]string{}
	for line := range strings.Lines(readFile(t, name)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			settings[key] = append(settings[key], value)
		}
	}
	return settings
}

// The credential of the unit is the passphrase's source that README.md has operators write
// into app.toml, and the node reads it from there.
func TestPassphraseIsACredential(t *testing.T) {
	m := regexp.MustCompile(`^([\w-]+):(/.+)$`).FindStringSubmatch(strings.Join(unit(t, nodeUnit)["LoadCredential"], " "))
	require.NotNil(t, m)
	source := "credential:" + m[1]
	readme := readFile(t, "README.md")
	require.Contains(t, readme, `passphrase = "`+source+`"`)
	require.Contains(t, readme, "> "+m[2])
	require.Contains(t, readme, "--mpc-passphrase file:"+m[2])

	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, m[1]), []byte("horse\n"), 0o400))
	parsed, err := mpcnode.ParsePassphraseSource(source)
	require.NoError(t, err)
	pass, err := parsed.Read(t.TempDir(), "the node")
	require.NoError(t, err)
	require.Equal(t, "horse", string(pass))
}

// What README.md has operators do to app.toml switches on the API server, which has the page,
// and nothing else, and sets the passphrase.
func TestServicePreparesAppToml(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.toml")
	read := func() (serverconfig.Config, mpcnode.Config) {
		t.Helper()
		v := viper.New()
		v.SetConfigFile(path)
		require.NoError(t, v.ReadInConfig())
		cfg, err := serverconfig.GetConfig(v)
		require.NoError(t, err)
		mpc, err := mpcnode.ReadConfig(v)
		require.NoError(t, err)
		return cfg, mpc
	}
	mpcnode.WriteAppConfig(path, mpcnode.DefaultAppConfig("0coin"))
	want, _ := read()
	require.False(t, want.API.Enable, "it is off in a new one")
	edits := regexp.MustCompile(`(?m)^sed -i .* /var/lib/sequencer/config/app\.toml.*$`).FindAllString(readFile(t, "README.md"), -1)
	require.Len(t, edits, 2)
	for _, edit := range edits {
		out, err := exec.Command("sh", "-c", strings.ReplaceAll(edit, "/var/lib/sequencer/config/app.toml", path)).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	got, mpc := read()
	want.API.Enable = true
	require.Equal(t, want, got)
	require.Equal(t, "credential:mpc-passphrase", mpc.Passphrase)
	require.Equal(t, mpcnode.PageLocal, mpc.Page)
	require.Equal(t, "tcp://localhost:1317", got.API.Address, "nobody else reaches it")
}

// The home of each is the one folder that it can write, and the commands of README.md name it.
func TestServiceWritesItsHomeOnly(t *testing.T) {
	for name, command := range map[string]string{nodeUnit: " start", relayUnit: " settlement relay "} {
		u := unit(t, name)
		home := "/var/lib/" + u["StateDirectory"][0]
		require.Contains(t, u["ExecStart"][0], command)
		require.True(t, strings.HasSuffix(u["ExecStart"][0], " --home "+home), name)
		require.Equal(t, []string{"strict"}, u["ProtectSystem"], name)
		require.Empty(t, u["ReadWritePaths"], name)
		require.Equal(t, []string{"0077"}, u["UMask"], name)
		require.Equal(t, []string{"0"}, u["LimitCORE"], name)
		require.Equal(t, []string{"0"}, u["MemorySwapMax"], name)
		require.Contains(t, readFile(t, "README.md"), "--home "+home)
	}
}

// The relay has nothing of the node's, and what it is started with is in the file that README.md
// has operators write.
func TestRelayIsNotTheNode(t *testing.T) {
	node, relay := unit(t, nodeUnit), unit(t, relayUnit)
	require.NotEqual(t, node["User"], relay["User"])
	require.NotEqual(t, node["StateDirectory"], relay["StateDirectory"])
	require.Contains(t, strings.Fields(relay["InaccessiblePaths"][0]), "-/var/lib/"+node["StateDirectory"][0])
	require.Empty(t, relay["LoadCredential"])
	readme := readFile(t, "README.md")
	require.Contains(t, readme, "cat > "+relay["EnvironmentFile"][0]+")")
	variables := regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(relay["ExecStart"][0], -1)
	require.Len(t, variables, 3)
	for _, v := range variables {
		require.Regexp(t, `(?m)^`+v[1]+`=\S`, readme)
	}
	// The URL may have a key in it, and all can read the command line.
	require.NotRegexp(t, `\$\{?RPC`, relay["ExecStart"][0])
	require.Contains(t, relay["ExecStart"][0], " --rpc env:RPC ")
	require.Regexp(t, `(?m)^RPC=\S`, readme)
}

// systemd understands the units and finds them tight. CI must look, unless NO_SYSTEMD says that
// its machine has none.
func TestServiceWithSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.False(t, os.Getenv("CI") != "" && os.Getenv("NO_SYSTEMD") == "", "systemd-analyze is not installed, and CI must check with it: it is in Debian's package systemd")
		t.Skip("systemd-analyze is not installed: it is in Debian's package systemd")
	}
	self, err := os.Executable() // the program must be there
	require.NoError(t, err)
	for _, name := range []string{nodeUnit, relayUnit} {
		path := filepath.Join(t.TempDir(), name)
		text := strings.ReplaceAll(readFile(t, name), "/usr/local/bin/sequencerd", self)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Empty(t, string(out))
		out, err = exec.Command(analyze, "security", "--offline=true", "--threshold="+maxExposure, path).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

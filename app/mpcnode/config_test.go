package mpcnode

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/viper"
	"github.com/stretchr/testify/require"
)

// somePeer is a libp2p id.
const somePeer = "12D3KooWSCufgHzV4fCwRijfH2k3abrpAJxTKxEvN1FDuRXA2U9x"

// parse reads the text of an app.toml.
func parse(t *testing.T, text string) (Config, error) {
	t.Helper()
	v := viper.New()
	v.SetConfigType("toml")
	require.NoError(t, v.ReadConfig(strings.NewReader(text)))
	return ReadConfig(v)
}

func TestTemplateIsReadBackAsItWas(t *testing.T) {
	want := DefaultAppConfig("0useq")
	want.MPC = Config{
		Enabled: false, Dir: "elsewhere", Passphrase: "file:a b", Parallel: 7,
		Transport: TransportLibP2P, LibP2PListen: "1.2.3.4:5", LibP2PExternal: "6.7.8.9:10", LibP2PPeers: somePeer + "@host:1", SendQueue: 3, LogRounds: true, PreparamsTarget: 9, Page: PageOff,
		ShareMissingAfter: 90 * time.Second, AuditFiles: 5,
	}
	var text bytes.Buffer
	require.NoError(t, template.Must(template.New("app.toml").Parse(Template)).Execute(&text, want))
	got, err := parse(t, text.String())
	require.NoError(t, err)
	require.Equal(t, want.MPC, got)
}

func TestConfigWithoutSectionHasDefaults(t *testing.T) {
	got, err := parse(t, "pruning = \"default\"\n")
	require.NoError(t, err)
	require.Equal(t, DefaultConfig(), got)
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []struct{ name, toml, complains string }{
		{"the defaults", "", ""},
		{"most workers", "parallel = 1024", ""},
		{"no folder", `dir = ""`, "dir is empty"},
		{"negative workers", "parallel = -1", "parallel is -1"},
		{"too many workers", "parallel = 1025", "parallel is 1025"},
		{"unknown transport", `transport = "tor"`, "transport is"},
		{"libp2p", `transport = "libp2p"`, ""},
		{"libp2p with peers", `transport = "libp2p"` + "\nlibp2p-external = \"host:1\"\nlibp2p-peers = \"" + somePeer + "@127.0.0.1:1, " + somePeer + "@host.example:2\"", ""},
		{"libp2p nowhere", `transport = "libp2p"` + "\nlibp2p-listen = \"x\"", "libp2p-listen"},
		{"libp2p elsewhere", `transport = "libp2p"` + "\nlibp2p-external = \"x\"", "libp2p-external"},
		{"libp2p with a peer of CometBFT's form", `transport = "libp2p"` + "\nlibp2p-peers = \"0123456789012345678901234567890123456789@host:1\"", "libp2p-peers"},
		{"libp2p with half a peer", `transport = "libp2p"` + "\nlibp2p-peers = \"host:1\"", "ID@HOST:PORT"},
		{"shortest queue", "send-queue = 1", ""},
		{"longest queue", "send-queue = 256", ""},
		{"no queue", "send-queue = 0", "send-queue is 0"},
		{"page for everybody", `page = "on"`, ""},
		{"page of another kind", `page = "yes"`, `page is "yes"`},
		{"too long a queue", "send-queue = 257", "send-queue is 257"},
		{"no pre-parameters", "preparams-target = 0", "preparams-target is 0"},
		{"too many pre-parameters", "preparams-target = 65", "preparams-target is 65"},
		{"at once", `share-missing-after = "0s"`, ""},
		{"in a week", `share-missing-after = "168h"`, ""},
		{"never", `share-missing-after = "169h"`, "share-missing-after is 169h"},
		{"before it is lost", `share-missing-after = "-1s"`, "share-missing-after is -1s"},
		{"no time", `share-missing-after = "soon"`, "section [mpc]"},
		{"all of the audit log", "audit-files = 0", ""},
		{"least of the audit log", "audit-files = 2", ""},
		{"most of the audit log", "audit-files = 65536", ""},
		{"no old file of the audit log", "audit-files = 1", "audit-files is 1"},
		{"less than nothing of the audit log", "audit-files = -1", "audit-files is -1"},
		{"too much of the audit log", "audit-files = 65537", "audit-files is 65537"},
		{"unknown source", `passphrase = "vault:x"`, "none of: prompt"},
		{"the passphrase instead of a source", `passphrase = "horse"`, "not the passphrase"},
		{"source without a name", `passphrase = "file:"`, "none of: prompt"},
		{"prompt with a name", `passphrase = "prompt:x"`, "none of: prompt"},
		{"credential outside its folder", `passphrase = "credential:../x"`, "none of: prompt"},
		{"not a number", `parallel = "many"`, "section [mpc]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, "[mpc]\n"+c.toml+"\n")
			if c.complains == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.complains)
			require.ErrorContains(t, err, "[mpc]")
		})
	}
}

func TestWorkersAreResolved(t *testing.T) {
	for _, c := range []struct{ parallel, cores, want int }{
		{0, 1, 1}, {0, 2, 1}, {0, 3, 2}, {0, 64, 63}, {3, 1, 3}, {3, 64, 3},
	} {
		require.Equal(t, c.want, Config{Parallel: c.parallel}.workersOn(c.cores), "parallel = %d on %d cores", c.parallel, c.cores)
	}
	require.Equal(t, Config{}.workersOn(cores), Config{}.Workers())
}

func TestPathsAreBelowHome(t *testing.T) {
	home := filepath.FromSlash("/home/node")
	p := Config{Dir: "mpc"}.PathsOf(home)
	require.Equal(t, filepath.Join(home, "mpc", "db"), p.Database)
	require.Equal(t, filepath.Join(home, "mpc.sock"), p.Socket)
	require.Equal(t, filepath.FromSlash("/keys/identity.json"), Config{Dir: "/keys"}.PathsOf(home).Identity)
}

func TestCometSettingsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		enabled bool
		change  func(*cmtcfg.Config)
		want    error
	}{
		{"defaults", true, func(*cmtcfg.Config) {}, nil},
		{"libp2p", true, func(c *cmtcfg.Config) { c.P2P.LibP2PConfig.Enabled = true }, ErrLibP2P},
		{"no empty blocks", true, func(c *cmtcfg.Config) { c.Consensus.CreateEmptyBlocks = false }, ErrNoEmptyBlocks},
		{"no blocks for a while", true, func(c *cmtcfg.Config) { c.Consensus.CreateEmptyBlocksInterval = time.Minute }, ErrNoEmptyBlocks},
		{"no blocks for a while without MPC", false, func(c *cmtcfg.Config) { c.Consensus.CreateEmptyBlocksInterval = time.Minute }, nil},
		{"libp2p without MPC", false, func(c *cmtcfg.Config) { c.P2P.LibP2PConfig.Enabled = true }, nil},
		{"no empty blocks without MPC", false, func(c *cmtcfg.Config) { c.Consensus.CreateEmptyBlocks = false }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			comet := cmtcfg.DefaultConfig()
			c.change(comet)
			require.ErrorIs(t, CheckComet(Config{Enabled: c.enabled}, comet), c.want)
		})
	}
}

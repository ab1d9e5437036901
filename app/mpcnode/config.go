package mpcnode

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/viper"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// Bounds of the [mpc] section.
const (
	// MaxParallel bounds the executor's workers: more than any machine has cores.
	MaxParallel = 1024
	// MaxPreparamsTarget bounds the pool of pre-parameters. A set takes seconds
	// of CPU to make and serves one keygen.
	MaxPreparamsTarget = 64
	// MaxShareMissingAfter bounds how long a node keeps to itself that its shares are
	// lost: a week, in which somebody looks after it.
	MaxShareMissingAfter = 7 * 24 * time.Hour
	// MaxAuditFiles bounds the audit log to 1 TiB, unless all of it is kept.
	MaxAuditFiles = 1 << 16
)

// DefaultQueryGasLimit bounds one query to a new node: some half a second of reading.
// The SDK sets no limit, and a query may walk a list of any length. The node's own
// engine is not bound by it.
const DefaultQueryGasLimit = 50_000_000

// Config is the [mpc] section of app.toml.
type Config struct {
	// Enabled: the node carries the MPC channel and works on requests if it has
	// an identity. A node without an identity passes messages on.
	Enabled bool `mapstructure:"enabled"`
	// Dir holds the identity and the encrypted database; relative to the node's
	// home.
	Dir string `mapstructure:"dir"`
	// Passphrase says where the passphrase comes from, see ParsePassphraseSource.
	Passphrase string `mapstructure:"passphrase"`
	// Parallel is how many steps of sessions are computed at a time; 0: one less
	// than there are processor cores, and at least one.
	Parallel int `mapstructure:"parallel"`
	// Transport is what carries the channel: TransportComet or TransportLibP2P.
	Transport string `mapstructure:"transport"`
	// LibP2PListen is the UDP address of TransportLibP2P, LibP2PExternal what
	// peers are told instead, LibP2PPeers are the peers, see
	// p2p.ParseLibP2PPeers.
	LibP2PListen   string `mapstructure:"libp2p-listen"`
	LibP2PExternal string `mapstructure:"libp2p-external"`
	LibP2PPeers    string `mapstructure:"libp2p-peers"`
	// SendQueue is how many messages wait inside CometBFT for one peer, see
	// p2p.Options.
	SendQueue int `mapstructure:"send-queue"`
	// LogRounds writes a log line for each round of each session.
	LogRounds bool `mapstructure:"log-rounds"`
	// PreparamsTarget is how many sets of keygen pre-parameters are kept ready.
	PreparamsTarget int `mapstructure:"preparams-target"`
	// Page says whether the API server shows the page /mpc/: PageLocal, PageOn or
	// PageOff.
	Page string `mapstructure:"page"`
	// ShareMissingAfter is how long a node without its database runs before it says on
	// chain that its shares are missing, 0 to MaxShareMissingAfter.
	ShareMissingAfter time.Duration `mapstructure:"share-missing-after"`
	// AuditFiles is how many files of the audit log are kept, audit.MinFiles to
	// MaxAuditFiles of audit.MaxFileBytes each; 0: all.
	AuditFiles int `mapstructure:"audit-files"`
}

// When the page is there.
const (
	// PageLocal: where the API server listens on this machine's own address only, and asked
	// by that address.
	PageLocal = "local"
	PageOn    = "on"
	PageOff   = "off"
)

// DefaultConfig suits a validator whose operator types the passphrase.
func DefaultConfig() Config {
	return Config{
		Enabled: true, Dir: "mpc", Passphrase: "prompt", Transport: TransportComet, LibP2PListen: "0.0.0.0:26670",
		SendQueue: p2p.DefaultSendQueue, PreparamsTarget: 2, Page: PageLocal, ShareMissingAfter: 30 * time.Minute,
		AuditFiles: audit.DefaultFiles,
	}
}

// AppConfig is a whole app.toml: the SDK's sections and ours.
type AppConfig struct {
	serverconfig.Config `mapstructure:",squash"`
	MPC                 Config `mapstructure:"mpc"`
}

// DefaultAppConfig is a new node's app.toml.
func DefaultAppConfig(minGasPrices string) AppConfig {
	c := AppConfig{Config: *serverconfig.DefaultConfig(), MPC: DefaultConfig()}
	c.MinGasPrices, c.QueryGasLimit = minGasPrices, DefaultQueryGasLimit
	return c
}

// WriteAppConfig writes an app.toml. Like the SDK's own function, it panics if
// it cannot.
func WriteAppConfig(path string, cfg AppConfig) {
	serverconfig.SetConfigTemplate(Template) // one for the whole process
	serverconfig.WriteConfigFile(path, cfg)
}

// Template is the text of app.toml for AppConfig.
var Template = serverconfig.DefaultConfigTemplate + types.ForProgram(configTemplate)

const configTemplate = `
###############################################################################
###                                    MPC                                  ###
###############################################################################

[mpc]

# enabled: take part in the MPC channel. A node with an identity (see
# "sequencerd mpc identity") works on keys and signatures; one without passes
# messages on and needs no passphrase.
enabled = {{ .MPC.Enabled }}

# dir holds the identity, the encrypted database of key shares and the audit log;
# relative to the node's home. The socket for "sequencerd mpc" is mpc.sock in the
# home.
dir = "{{ .MPC.Dir }}"

# passphrase is a source, never the passphrase itself: it says where that of
# identity and database comes from.
#   prompt            asked for at start
#   file:PATH         first line of a file that only its owner can read;
#                     relative to the node's home
#   env:NAME          environment variable. Processes that the node starts do not get it,
#                     but whoever can look into the node itself sees what it was
#                     started with as long as it runs (/proc/PID/environ): better a
#                     file or a credential
#   credential:NAME   systemd credential (LoadCredential= or SetCredential=)
passphrase = "{{ .MPC.Passphrase }}"

# parallel is how many steps of sessions are computed at a time; 0: one less
# than there are processor cores, and at least one, so that consensus has a core
# to itself. Affinity and, on Linux, the CPU limit of a container count as cores.
# A node with an identity raises GOMAXPROCS, so that consensus never waits for a
# step; set that environment variable to choose it yourself.
parallel = {{ .MPC.Parallel }}

# transport carries the MPC channel; the same on all nodes of a network.
#   comet    CometBFT's connections: no port and no peers of its own
#   libp2p   a libp2p switch (QUIC) beside CometBFT, with the settings below
transport = "{{ .MPC.Transport }}"

# libp2p-listen is the UDP address of the libp2p switch, libp2p-external what peers
# are told if that is another one.
libp2p-listen = "{{ .MPC.LibP2PListen }}"
libp2p-external = "{{ .MPC.LibP2PExternal }}"

# libp2p-peers are all peers, as ID@HOST:PORT,ID@HOST:PORT with names or IPv4
# addresses. Two nodes are connected if each lists the other; others are turned
# away. "sequencerd mpc libp2p-id" shows the ID of a node.
libp2p-peers = "{{ .MPC.LibP2PPeers }}"

# send-queue is how many MPC messages wait inside CometBFT for one peer, 1 to
# 256. They leave in order: a short queue lets urgent messages overtake sooner,
# a long one holds more for a slow peer.
send-queue = {{ .MPC.SendQueue }}

# log-rounds writes a log line for each round of each session.
log-rounds = {{ .MPC.LogRounds }}

# preparams-target is how many sets of keygen pre-parameters are kept ready. A
# keygen uses up one; making one takes seconds of one core, and waits while
# sessions run or blocks are late, for ten minutes at most if there is none.
preparams-target = {{ .MPC.PreparamsTarget }}

# page is the page /mpc/ of the API server (section [api]): keys, sessions, peers and
# faults, to read only.
#   local    if the API server listens on an address of this machine alone, and then for
#            who asks from there: not by another name, another site's script or a proxy
#            that says that it is one. Another proxy on this machine publishes the page:
#            let it keep /mpc/ back, in nginx by "location /mpc/ { deny all; }"
#   on       always: whoever reaches the API server sees it
#   off      never
page = "{{ .MPC.Page }}"

# share-missing-after is how long a node whose database is gone or damaged runs before
# it says on chain that its shares are missing, 0s to 168h. It takes that back when the
# database is there again, once for each key and epoch, so the disk should have been mounted
# by then.
share-missing-after = "{{ .MPC.ShareMissingAfter }}"

# audit-files is how many files of the audit log are kept, 2 to 65536, of 16 MiB or some
# 30,000 lines each; 0: all. A signature is two lines on each node that takes part. The
# oldest file is removed when the next one begins, and log and audit log say so: who must
# keep what was signed sets 0, or copies files away before.
audit-files = {{ .MPC.AuditFiles }}
`

// ReadConfig reads and checks the [mpc] section. An app.toml of before MPC has
// none: the defaults then hold.
func ReadConfig(v *viper.Viper) (Config, error) {
	c, err := decodeConfig(v)
	if err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

func decodeConfig(v *viper.Viper) (Config, error) {
	c := struct {
		MPC Config `mapstructure:"mpc"`
	}{DefaultConfig()}
	if err := v.Unmarshal(&c); err != nil {
		return Config{}, fmt.Errorf("read section [mpc] of app.toml: %w", err)
	}
	return c.MPC, nil
}

// Validate names the first field that cannot work.
func (c Config) Validate() error {
	var err error
	switch {
	case c.Dir == "":
		err = errors.New("dir is empty; name a folder, such as \"mpc\"")
	case c.Parallel < 0 || c.Parallel > MaxParallel:
		err = fmt.Errorf("parallel is %d, not 0 (all cores but one) to %d", c.Parallel, MaxParallel)
	case c.SendQueue < 1 || c.SendQueue > p2p.MaxSendQueue:
		err = fmt.Errorf("send-queue is %d, not 1 to %d", c.SendQueue, p2p.MaxSendQueue)
	case c.PreparamsTarget < 1 || c.PreparamsTarget > MaxPreparamsTarget:
		err = fmt.Errorf("preparams-target is %d, not 1 to %d", c.PreparamsTarget, MaxPreparamsTarget)
	case c.Page != PageLocal && c.Page != PageOn && c.Page != PageOff:
		err = fmt.Errorf("page is %q, not %s, %s or %s", c.Page, PageLocal, PageOn, PageOff)
	case c.ShareMissingAfter < 0 || c.ShareMissingAfter > MaxShareMissingAfter:
		err = fmt.Errorf("share-missing-after is %s, not 0s to %s", c.ShareMissingAfter, MaxShareMissingAfter)
	case c.AuditFiles < 0 || c.AuditFiles > MaxAuditFiles || c.AuditFiles > 0 && c.AuditFiles < audit.MinFiles:
		err = fmt.Errorf("audit-files is %d, not 0 (all) or %d to %d", c.AuditFiles, audit.MinFiles, MaxAuditFiles)
	default:
		_, err = ParsePassphraseSource(c.Passphrase)
	}
	if err == nil {
		err = c.checkTransport()
	}
	if err != nil {
		return fmt.Errorf("section [mpc] of app.toml: %w", err)
	}
	return nil
}

// Workers is Parallel with its default resolved.
func (c Config) Workers() int { return c.workersOn(cores) }

func (c Config) workersOn(cores int) int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return max(1, cores-1)
}

// Paths are the files of a node's part in MPC.
type Paths struct {
	// Folder holds identity, database and the audit log.
	Folder string
	// Identity is the file with the identity keys.
	Identity string
	// Database is the folder of goleveldb.
	Database string
	// Socket answers "sequencerd mpc" while the node runs. It is in the home,
	// wherever the folder is.
	Socket string
}

// PathsOf resolves the files below a node's home.
func (c Config) PathsOf(home string) Paths {
	dir := c.Dir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(home, dir)
	}
	return Paths{
		Folder:   dir,
		Identity: filepath.Join(dir, "identity.json"),
		Database: filepath.Join(dir, "db"),
		Socket:   filepath.Join(home, "mpc.sock"),
	}
}

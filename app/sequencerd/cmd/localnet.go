package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Flags that say what network is made.
const (
	flagValidators   = "validators"
	flagSentries     = "sentries"
	flagTransport    = "mpc-transport"
	flagChainID      = "chain-id"
	flagBlockTime    = "block-time"
	flagRetireBlocks = "retire-blocks"
	flagPresign      = "presign-target"
)

// presignDefault of a local network: signatures are in the next block unless many are
// asked for at once.
const presignDefault = 2

// retireDefault of a local network lets a deletion be watched to its end.
const retireDefault = 100

// showInterval is how often the heights of a local network are shown.
const showInterval = 2 * time.Second

// localnetCmd is "sequencerd localnet". It reads no configuration of a node, so
// the root's preparations are left out.
func localnetCmd() *cobra.Command {
	cfg := localnet.DefaultConfig("", "")
	var retire, presign uint32
	cmd := &cobra.Command{
		Use:   "localnet",
		Short: "Write and run a network of validators on this machine",
		Long: `Writes the files of a network below --output and runs its nodes as processes of
this program on loopback, with free ports, until Ctrl-C or until the last of them
has ended. A folder that holds a
network already is started again as it is; flags that ask for another one are
refused.

DIR/localnet.json says where everything is. The account "requester" may ask for
keys and signatures:

  sequencerd tx mpc keygen my-key ecdsa-secp256-k1 2 --gas auto --gas-adjustment 1.5 \
    --from requester --keyring-backend test --keyring-dir DIR --home DIR/node0
  sequencerd query mpc key my-key --home DIR/node0`,
		Example:           "  sequencerd localnet --validators 4 --output build/net",
		Args:              cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if cfg.Binary, err = os.Executable(); err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			cfg.Progress = func(line string) { cmd.PrintErrln(line) }
			context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the nodes
			cfg.Params = func(p *mpctypes.Params) {
				p.PresignTarget, p.RetireBlocks = presign, retire
			}
			return runLocalnet(ctx, cmd, cfg)
		},
	}
	cmd.Flags().IntVar(&cfg.Validators, flagValidators, cfg.Validators, "number of validators")
	cmd.Flags().IntVar(&cfg.Sentries, flagSentries, 0, "number of nodes that validators are behind: each is connected to one of them only (default none)")
	cmd.Flags().StringVar(&cfg.Transport, flagTransport, cfg.Transport, "what carries MPC: comet, or libp2p with a UDP port for each node")
	cmd.Flags().StringVar(&cfg.Dir, "output", "", "folder of the network")
	cmd.Flags().StringVar(&cfg.ChainID, flagChainID, cfg.ChainID, "chain id of the network")
	cmd.Flags().DurationVar(&cfg.BlockTime, flagBlockTime, cfg.BlockTime, "pause between blocks")
	cmd.Flags().Uint32Var(&presign, flagPresign, presignDefault, "presignatures that each node keeps of each key, made while it is idle; 0: none")
	cmd.Flags().Uint32Var(&retire, flagRetireBlocks, retireDefault, "blocks from the deletion of a key until it is DELETED, and from there until its shares are destroyed; a chain of its own keeps them longer")
	if err := cmd.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// runLocalnet runs a network until the context ends. It is an error if all its
// nodes ended before.
func runLocalnet(ctx context.Context, cmd *cobra.Command, cfg localnet.Config) (err error) {
	net, err := localnet.Load(cfg.Dir, cfg.Binary, cfg.Progress)
	if errors.Is(err, os.ErrNotExist) {
		net, err = localnet.Write(ctx, cfg)
	} else if err == nil {
		err = asBefore(cmd.Flags(), net.Manifest())
	}
	if err != nil {
		return err
	}
	defer func() {
		cmd.PrintErrln("stopping the nodes")
		err = errors.Join(err, net.Close())
	}()
	if err := net.Start(); err != nil {
		return err
	}
	cmd.PrintErrf("%d nodes run; files and addresses: %s/%s\n", net.Len(), net.Dir(), localnet.ManifestName)
	return watch(ctx, cmd, net)
}

// asBefore refuses flags that ask for another network than the one that is in the
// folder: its genesis cannot be changed.
func asBefore(given *pflag.FlagSet, m localnet.Manifest) error {
	for name, there := range map[string]string{
		flagValidators:   strconv.Itoa(m.Validators()),
		flagSentries:     strconv.Itoa(m.Sentries()),
		flagTransport:    m.Transport,
		flagChainID:      m.ChainID,
		flagBlockTime:    m.BlockTime,
		flagRetireBlocks: strconv.FormatUint(uint64(m.RetireBlocks), 10),
		flagPresign:      strconv.FormatUint(uint64(m.PresignTarget), 10),
	} {
		if f := given.Lookup(name); f.Changed && f.Value.String() != there {
			return fmt.Errorf("the network in %s was made with --%s %s, not %s; leave the flag out, or name another folder",
				m.KeyringDir, name, there, f.Value)
		}
	}
	return nil
}

// errNoNodeRuns ends a network that nobody can use any more. How each node ended,
// and where its log is, comes with it from Network.Close.
var errNoNodeRuns = errors.New("no node of the network runs any more; start it again when its logs show nothing to mend first")

// watch shows heights and peers until the context ends, or the last node.
func watch(ctx context.Context, cmd *cobra.Command, net *localnet.Network) error {
	tick := time.NewTicker(showInterval)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if line := heights(ctx, net); line != last {
				cmd.PrintErrln(line)
				last = line
			}
			if ctx.Err() == nil && !anyRuns(net) {
				return errNoNodeRuns
			}
		}
	}
}

func anyRuns(net *localnet.Network) bool {
	for i := range net.Len() {
		if net.Node(i).Running() {
			return true
		}
	}
	return false
}

func heights(ctx context.Context, net *localnet.Network) string {
	parts := make([]string, net.Len())
	for i := range parts {
		node := net.Node(i)
		s, err := node.Status(ctx)
		switch {
		case !node.Running():
			parts[i] = fmt.Sprintf("%s stopped, see %s", node.Info().Name, node.Info().Log)
		case err != nil:
			parts[i] = node.Info().Name + " starting"
		default:
			parts[i] = fmt.Sprintf("%s block %d, %d peers", node.Info().Name, s.Height, s.Peers)
		}
	}
	return strings.Join(parts, " · ")
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// validators of the demo, of which threshold+1 = 3 sign.
	validators = 4
	threshold  = 2
	// retireBlocks is short, so that nobody has to wait for the destruction of
	// the key; a real chain takes its time to be able to roll back.
	retireBlocks = 5
	// signAttemptBlocks is short for the same reason: while a node is away, the
	// attempts that it would lead lapse.
	signAttemptBlocks = 4
	// timeLimit is many times what the demo takes on two cores.
	timeLimit = 15 * time.Minute
)

// errInterrupted: Ctrl-C.
var errInterrupted = errors.New("interrupted")

type options struct {
	binary, message, dir string
	keep                 bool
}

func main() {
	var o options
	flags := flag.NewFlagSet("demo", flag.ExitOnError) // imported test helpers register flags of their own
	flags.StringVar(&o.binary, "binary", "build/sequencerd", "path of sequencerd")
	flags.StringVar(&o.message, "message", "Hello from four sequencers", "message to sign as Ethereum wallets do (EIP-191)")
	flags.StringVar(&o.dir, "dir", "", "folder of the network (default: a new temporary one)")
	flags.BoolVar(&o.keep, "keep", false, "keep the folder")
	_ = flags.Parse(os.Args[1:]) // ExitOnError: it does not return an error
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "demo: FAILED:", err)
		os.Exit(1)
	}
}

// run makes the network, plays the demo on it and cleans up. After a failure the
// folder with the logs stays.
func run(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the nodes
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()

	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "sequencer-demo-"); err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
	}
	out := newScreen(os.Stdout)
	net, err := writeNetwork(ctx, o, out)
	if err != nil {
		return fmt.Errorf("%w\nwhat was written: %s", err, o.dir)
	}
	final, err := play(ctx, net, out, o.message)
	if err = errors.Join(err, net.Close()); err != nil {
		return fmt.Errorf("%w\nlogs of the nodes: %s", err, filepath.Join(net.Dir(), "node*.log"))
	}
	if !o.keep {
		if err := net.Remove(); err != nil {
			return fmt.Errorf("remove the folder of the demo: %w", err)
		}
	}
	fmt.Println(final)
	return nil
}

func writeNetwork(ctx context.Context, o options, out *screen) (*localnet.Network, error) {
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return nil, fmt.Errorf("find sequencerd: %w", err)
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("find sequencerd (make build makes it): %w", err)
	}
	cfg := localnet.DefaultConfig(o.dir, binary)
	cfg.Validators = validators
	cfg.Params = func(p *mpctypes.Params) {
		p.RetireBlocks = retireBlocks
		p.SignAttemptBlocks = signAttemptBlocks
		p.PresignTarget = presignTarget
	}
	cfg.Tune = func(_ int, n *localnet.NodeConfig) { n.App.MPC.PreparamsTarget = 1 }
	cfg.Progress = out.say
	out.title("A network of %d sequencers in %s", validators, o.dir)
	return localnet.Write(ctx, cfg)
}

// play returns the last line of a demo that went well. It starts the nodes; the
// caller stops them.
func play(ctx context.Context, net *localnet.Network, out *screen, message string) (string, error) {
	if err := net.Start(); err != nil {
		return "", err
	}
	if err := net.WaitHeight(ctx, 2); err != nil {
		return "", err
	}
	out.say("all nodes have block 2")
	requester, err := net.Requester(0)
	if err != nil {
		return "", err
	}
	s := &story{net: net, out: out, requester: requester, message: message, keyID: "demo-key"}
	err = s.tell(ctx)
	if err = errors.Join(err, requester.Close()); err != nil {
		return "", err
	}
	return fmt.Sprintf("demo: OK key=%s address=%s signature=0x%x height=%d", s.keyID, s.address, s.signature, s.height), nil
}

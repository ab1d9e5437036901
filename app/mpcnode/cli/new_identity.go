package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// newIdentity is the MPC identity that a command makes in its home, unless there
// is one.
type newIdentity struct {
	nodeFiles
	// there: the home has an identity, which is kept.
	there      bool
	passphrase []byte
}

// planIdentity looks for an identity and gets the passphrase of a new one. It
// changes nothing. The caller wipes.
func planIdentity(cmd *cobra.Command) (*newIdentity, error) {
	f, err := filesOf(cmd)
	if err != nil {
		return nil, err
	}
	n := &newIdentity{nodeFiles: f}
	if n.there, err = mpcnode.HasIdentity(f.paths); err != nil {
		return nil, err
	}
	if n.there {
		return n, n.checkKept()
	}
	if database, err := storage.Exists(f.paths.Database); err != nil {
		return nil, err
	} else if database {
		return nil, fmt.Errorf("%w (%s)", mpcnode.ErrNoIdentity, f.paths.Identity)
	}
	source, err := mpcnode.ParsePassphraseSource(f.cfg.Passphrase)
	if err != nil {
		return nil, err
	}
	n.passphrase, err = source.ReadNew(f.home, "the new MPC folder "+f.paths.Folder)
	return n, withRemedy(err, mpcnode.ErrNoTerminal, "--"+flagPassphrase+" names the source too, and writes it there")
}

// checkKept refuses another source than the one with which the next start opens
// the identity that is there.
func (n *newIdentity) checkKept() error {
	stored, err := mpcnode.StoredPassphraseSource(n.appToml())
	if err != nil || n.cfg.Passphrase == stored {
		return err
	}
	return fmt.Errorf("there is an MPC identity in %s, and section [mpc] of app.toml names %q as the source of its passphrase, not %q; leave out --%s and what the environment sets for it, or change the key passphrase there yourself if the same passphrase has moved",
		n.paths.Identity, stored, n.cfg.Passphrase, flagPassphrase)
}

func (n *newIdentity) wipe() { types.Wipe(n.passphrase) }

// make makes identity, database and a first set of pre-parameters. Before that it
// writes down where the passphrase came from, so that start finds it.
func (n *newIdentity) make(cmd *cobra.Command) (err error) {
	if n.there {
		fmt.Fprintf(cmd.ErrOrStderr(), "kept the MPC identity %s\n", n.paths.Identity)
		return nil
	}
	if err := mpcnode.StorePassphraseSource(n.appToml(), n.cfg.Passphrase); err != nil {
		return err
	}
	vault, err := mpcnode.CreateVault(n.cfg, n.home, n.passphrase)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	n.there = true
	fmt.Fprintf(cmd.ErrOrStderr(), "made the MPC identity %s\n", n.paths.Identity)
	return firstPreparams(cmd, vault)
}

// firstPreparams fills the pool with one set, so that the first keygen need not
// wait, on all cores: no node runs yet. Ctrl-C ends it: the node makes them when
// it runs.
func firstPreparams(cmd *cobra.Command, vault *mpcnode.Vault) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	out := cmd.ErrOrStderr()
	p := newProgress(out)
	err := mpcnode.AddPreparams(ctx, vault.Database(), runtime.GOMAXPROCS(0), p.show)
	p.done()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(out, "stopped; the node makes pre-parameters when it runs, before its first keygen")
		return nil
	}
	if err != nil {
		return fmt.Errorf("the MPC identity is there, but it has no pre-parameters yet: %w; the node makes them when it runs, before its first keygen", err)
	}
	return nil
}

// progress shows how far the search for pre-parameters is: on a terminal on one
// line, elsewhere a line for each prime.
type progress struct {
	out      io.Writer
	terminal bool
	shown    string
	found    int
}

func newProgress(out io.Writer) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), found: -1}
}

func (p *progress) show(s mpcnode.PreparamsProgress) {
	line := s.String()
	switch {
	case p.terminal && line != p.shown:
		fmt.Fprintf(p.out, "\r%-*s", len(p.shown), line)
	case !p.terminal && s.Found != p.found:
		fmt.Fprintln(p.out, line)
	}
	p.shown, p.found = line, s.Found
}

// done ends the line.
func (p *progress) done() {
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}

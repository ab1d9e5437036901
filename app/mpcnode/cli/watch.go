package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// watchInterval is as often as the engine publishes its status.
const watchInterval = 500 * time.Millisecond

// What a terminal is told: another screen without a cursor, the upper left corner, the
// rest of a line, the rest of the screen; and back.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	eraseLine   = "\x1b[K"
	eraseBelow  = "\x1b[J"
)

func watchCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "Watch the running node at work, until Ctrl-C",
		Long: `Shows what the MPC engine of the running node does, twice a second: its state, its
sessions with their progress and whom they wait for, and what happened last. Ctrl-C ends
it. A node that is stopped meanwhile is waited for.

Where the output is no terminal it writes a line for each thing that happens.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			client := mpcnode.NewClient(f.paths.Socket)
			out := cmd.OutOrStdout()
			if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
				return watchScreen(ctx, client, file)
			}
			return watchLines(ctx, client, out)
		},
	}
}

// each calls look at once and then again and again, until the context ends or it fails.
func each(ctx context.Context, look func() error) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		if err := look(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// watchScreen draws on a terminal, and leaves it as it was.
func watchScreen(ctx context.Context, client *mpcnode.Client, out *os.File) (err error) {
	if _, err := io.WriteString(out, enterScreen); err != nil {
		return err
	}
	defer func() {
		if _, left := io.WriteString(out, leaveScreen); err == nil {
			err = left
		}
	}()
	v := &watched{}
	return each(ctx, func() error {
		width, height, err := term.GetSize(int(out.Fd()))
		if err != nil {
			width, height = 80, 24
		}
		v.look(ctx, client)
		_, err = io.WriteString(out, frame(v.screen(width), width, height))
		return err
	})
}

// watchLines writes what happens, a line each.
func watchLines(ctx context.Context, client *mpcnode.Client, out io.Writer) error {
	v := &watched{}
	state := ""
	return each(ctx, func() error {
		fresh := v.look(ctx, client)
		select {
		case <-ctx.Done():
			return nil // what is missing now was interrupted
		default:
		}
		if now := v.state(); now != state {
			state = now
			if _, err := fmt.Fprintf(out, "%s  %s\n", clock(time.Now()), plain(state)); err != nil {
				return err
			}
		}
		for _, e := range fresh {
			if _, err := fmt.Fprintln(out, plain(eventText(e))); err != nil {
				return err
			}
		}
		return nil
	})
}

package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

const (
	// stopGrace is how long a node may take to stop before it is killed. It
	// waits for a step of a session that is computing, seconds on a busy machine.
	stopGrace = 30 * time.Second
	// poll is the pause between two looks at a node.
	poll = 200 * time.Millisecond
)

// ErrNotRunning says that the node's process is not there.
var ErrNotRunning = errors.New("the node does not run")

// Node is one node of the network.
type Node struct {
	info    Info
	binary  string
	cores   []int        // see Config
	changed func() error // writes localnet.json
	process *process
}

// process is a running sequencerd.
type process struct {
	cmd *exec.Cmd
	// done is closed when it has ended; err is set before.
	done chan struct{}
	err  error
	// meant: Stop or Kill ended it, and has said how.
	meant bool
}

// exit is how a process ended that is done; nil if well. SIGTERM ends one that has
// not come to listen for it.
func (p *process) exit() error {
	var exit *exec.ExitError
	if errors.As(p.err, &exit) && p.meant {
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() && s.Signal() == syscall.SIGTERM {
			return nil
		}
	}
	return p.err
}

// Info is where the node is.
func (n *Node) Info() Info {
	info := n.info
	info.PID = 0
	if n.Running() {
		info.PID = n.process.cmd.Process.Pid
	}
	return info
}

// Running says whether the process is there, paused or not.
func (n *Node) Running() bool {
	if n.process == nil {
		return false
	}
	select {
	case <-n.process.done:
		return false
	default:
		return true
	}
}

// atRest says that the node does not run, and is not meant to.
func (n *Node) atRest() bool {
	return n.process == nil || !n.Running() && n.process.meant
}

// ended describes how the process ended; nil if well.
func (n *Node) ended() error {
	if err := n.process.exit(); err != nil {
		return fmt.Errorf("%s ended: %w; its log: %s", n.info.Name, err, n.info.Log)
	}
	return nil
}

// MPC asks the node's engine.
func (n *Node) MPC() *mpcnode.Client {
	return mpcnode.NewClient(mpcnode.DefaultConfig().PathsOf(n.info.Home).Socket)
}

// Start starts the process; its output is appended to the node's log.
func (n *Node) Start() error {
	if n.Running() {
		return fmt.Errorf("start %s: it runs already", n.info.Name)
	}
	log, err := os.OpenFile(n.info.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", n.info.Name, err)
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(n.binary, "start", "--home", n.info.Home, "--log_no_color")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(n.cores, started)
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", n.info.Name, err)
	}
	n.process = p
	return n.changed()
}

// run starts the process, on some cores if any are named, and waits for it. The
// kernel ends a child with the thread that started it (see childAttributes), so
// that thread must live as long as the child does: it is locked to this
// goroutine and ends with it.
func (p *process) run(cores []int, started chan<- error) {
	runtime.LockOSThread()
	err := p.start(cores)
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

func (p *process) start(cores []int) error {
	if len(cores) == 0 {
		return p.cmd.Start()
	}
	return startOn(cores, p.cmd.Start)
}

// Stop asks the node to stop and waits until it has. It is an error if it did not
// end well.
func (n *Node) Stop() error {
	if !n.Running() {
		return errors.Join(fmt.Errorf("stop %s: %w", n.info.Name, ErrNotRunning), n.stop())
	}
	return errors.Join(n.stop(), n.changed())
}

// stop does nothing if the node is at rest, and says how one ended that died. A
// paused node is continued first: it could not hear the signal.
func (n *Node) stop() error {
	if n.atRest() {
		return nil
	}
	if !n.Running() {
		return n.ended()
	}
	err := errors.Join(n.signal(syscall.SIGCONT), n.signal(syscall.SIGTERM))
	n.process.meant = err == nil
	select {
	case <-n.process.done:
		return n.ended()
	case <-time.After(stopGrace):
		killed := n.signal(syscall.SIGKILL)
		<-n.process.done
		return errors.Join(err, killed, fmt.Errorf("%s did not stop within %s and was killed; its log: %s", n.info.Name, stopGrace, n.info.Log))
	}
}

// Kill ends the node as a power cut would (kill -9) and waits until it is gone.
func (n *Node) Kill() error {
	if err := n.signal(syscall.SIGKILL); err != nil {
		return err
	}
	n.process.meant = true
	<-n.process.done
	return n.changed()
}

// Pause stops the node where it stands (SIGSTOP); its connections stay open.
func (n *Node) Pause() error { return n.signal(syscall.SIGSTOP) }

// Continue lets a paused node go on.
func (n *Node) Continue() error { return n.signal(syscall.SIGCONT) }

// Restart stops the node in good order and starts it again.
func (n *Node) Restart() error {
	if err := n.Stop(); err != nil {
		return err
	}
	return n.Start()
}

// signal is sent to the node's process group.
func (n *Node) signal(s syscall.Signal) error {
	if !n.Running() {
		return fmt.Errorf("signal %s: %w", n.info.Name, ErrNotRunning)
	}
	if err := syscall.Kill(-n.process.cmd.Process.Pid, s); err != nil {
		return fmt.Errorf("signal %s: %w", n.info.Name, err)
	}
	return nil
}

// WaitHeight waits until the node has a block of this height. It fails early if
// the process ends.
func (n *Node) WaitHeight(ctx context.Context, height int64) error {
	return n.wait(ctx, fmt.Sprintf("block %d", height), func(ctx context.Context) bool {
		s, err := n.Status(ctx)
		return err == nil && s.Height >= height
	})
}

// wait looks until done says yes.
func (n *Node) wait(ctx context.Context, what string, done func(context.Context) bool) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !done(ctx) {
		if !n.Running() {
			return n.notRunning(what)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s of %s: %w; its log: %s", what, n.info.Name, ctx.Err(), n.info.Log)
		case <-tick.C:
		}
	}
	return nil
}

// notRunning says that nothing can be waited for, and how the process ended if it
// was there and nobody meant to end it.
func (n *Node) notRunning(what string) error {
	if !n.atRest() {
		if ended := n.ended(); ended != nil {
			return fmt.Errorf("wait for %s: %w: %w", what, ErrNotRunning, ended)
		}
	}
	return fmt.Errorf("wait for %s of %s: %w; its log: %s", what, n.info.Name, ErrNotRunning, n.info.Log)
}

// WaitReady waits until the node takes part: it has caught up, its identity is
// registered and it reaches other participants without relay. It fails early like
// WaitHeight.
func (n *Node) WaitReady(ctx context.Context) error {
	return n.wait(ctx, "the MPC engine", func(ctx context.Context) bool {
		s, err := n.MPC().Status(ctx)
		return err == nil && !s.CatchingUp && s.Operator != "" && len(s.Reachable) > 0
	})
}

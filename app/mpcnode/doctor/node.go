package doctor

import (
	"errors"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// examineNode looks at the process and how far it is.
func examineNode(r *Report, f Facts) {
	switch {
	case errors.Is(f.NodeError, mpcnode.ErrNotRunning):
		level := Warning
		if f.For != "" {
			level = Problem
		}
		r.advise("node", level, "", "start it: sequencerd start; then ask again, to hear of the chain and of the others",
			"it does not run; only its files were looked at")
		return
	case errors.Is(f.NodeError, mpcnode.ErrOtherUser):
		r.advise("node", Problem, "", "look again as the user that the node runs as, with sudo -u",
			"whether it runs, who looks now may not ask: %v", f.NodeError)
		return
	case f.Node == nil:
		r.advise("node", Problem, "", "look at its log, and start it again with this program", "it runs and does not answer: %v", f.NodeError)
		return
	}
	s := f.Node.Status
	if s.Engine == mpcnode.EngineRunning {
		r.ok("node", "it runs, height %d", s.Height)
	} else {
		r.advise("node", Problem, types.ErrStorage, "look at the disk and the log of this node, then start it again", "its MPC engine has %s", s.Engine)
	}
	if f.Node.ChainError != "" {
		r.advise("chain", Problem, "", "if the node has just begun, ask again after its first block; otherwise look at its log",
			"the chain's state could not be read: %s", f.Node.ChainError)
	}
	if s.CatchingUp && s.ClockAhead == 0 && !f.clockAhead() {
		r.found("chain", Problem, types.ErrCatchingUp, "the node is behind the chain, and takes part in nothing until it has caught up")
	}
	for _, w := range s.Warnings {
		r.add(Finding{Check: "node", Level: Warning, Detail: w.Detail, Reason: types.Reason(w.Reason), Remedy: w.Remedy})
	}
	if s.AuditProblem != "" {
		r.found("audit log", Problem, types.ErrStorage, "uses of shares are not written down: %s", s.AuditProblem)
	}
}

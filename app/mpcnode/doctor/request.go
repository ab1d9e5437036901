package doctor

import (
	"strconv"
	"strings"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func height(h int64) string { return strconv.FormatInt(h, 10) }

// examineRequest says what became of the request that somebody asked about.
func examineRequest(r *Report, f Facts) {
	const check = "request"
	if f.Node == nil || f.Request == "" || f.Node.ChainError != "" {
		return
	}
	if len(f.Node.Requests) == 0 {
		r.found(check, Problem, types.ErrUnknownRequest, "the chain has no key, signature or reshare %s", f.Request)
	}
	for i := range f.Node.Requests {
		o := &f.Node.Requests[i]
		switch o.Status {
		case "ERROR":
			failed(r, check, o, types.Reason(o.Reason))
		case mpcnode.StatusPruned:
			r.found(check, Warning, types.ErrPruned, "%s %s is over for so long that the chain does not keep it", o.Kind, o.ID)
		case types.KeyDeleting.String(), types.KeyDeleted.String():
			r.found(check, Problem, types.ErrKeyDeleted, "the key that %s asked for is %s", o.ID, o.Status)
		case "PENDING", "TESTING":
			detail := o.Kind + " " + o.ID + " is " + o.Status + " since height " + height(o.RequestedHeight)
			if o.ExpiryHeight > 0 {
				detail += ", and expires at " + height(o.ExpiryHeight) + " (now " + height(f.Node.Status.Height) + ")"
			}
			if waits := less(o.Participants, o.Attested); len(waits) > 0 {
				detail += "; not attested by " + strings.Join(waits, ", ")
			}
			r.advise(check, Warning, "", "see whom it waits for: sequencerd mpc inspect "+o.ID, "%s", detail)
		default:
			r.ok(check, "%s %s is %s", o.Kind, o.ID, o.Status)
		}
	}
}

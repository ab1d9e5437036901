package session

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Host is what a session needs of the engine that owns it. The session calls
// it on the engine's loop and never holds on to what it passes.
type Host interface {
	// Send queues an envelope for one member; false means that it was not
	// queued and is worth another try soon.
	Send(to types.Operator, e *wire.Envelope) bool
	// Submit runs a step of the party on the executor and hands what comes back
	// to HandleStep, on the loop.
	Submit(s *Session, run func() (Step, error))
	// Begin does what must be durable before the first round leaves, and opens
	// the secrets that the party needs.
	Begin(s *Session) (Material, error)
	// Consume says for which committed request a parked session of this node is used, as
	// its owner asks, and does what must be durable before. With a reason the session
	// ends; with neither this node cannot tell yet, and calls RetryConsume in time.
	Consume(s *Session, attempt uint32, request string, digest []byte) (*types.Request, types.Reason)
	// Finish stores a result, durably, and lets others know of it.
	Finish(s *Session, r *Result) error
	// End takes the session out of service. It is the last call.
	End(s *Session, end End)
}

// Material are the secrets of one session. The session wipes them once the
// party was made.
type Material struct {
	// Preparams for a keygen, and for a receiver of a reshare.
	Preparams []byte
	// Share for a signature, and for a dealer of a reshare.
	Share []byte
}

// End is why and how a session ended.
type End struct {
	// Reason is empty when the session did what it was for.
	Reason types.Reason
	// Culprits are whom it waited for or who broke the rules.
	Culprits []types.Operator
	// Among: some of the culprits did it, and the others know who, if any of them did not.
	Among bool
	// Refused: the one culprit said itself that it takes no part, for this reason.
	Refused bool
	// Left is who ended it by leaving, with the reason aborted, and LeftFor what it
	// gave as its own reason.
	Left    types.Operator
	LeftFor types.Reason
	// LeftOver are the others of the session that who left names for it, ascending. It
	// proves nothing.
	LeftOver []types.Operator
	// Awaited are those for whom a presignature was given up: they may have done nothing wrong.
	Awaited []types.Operator
	// Evidence is nil, or proves what the one culprit did.
	Evidence *types.Evidence
	Err      error
}

// Timing are a session's wall-clock lengths. Wall time decides about
// retransmission and the stall watchdog only, never about what is signed.
type Timing struct {
	// Resend is the first delay before an unanswered envelope goes out again;
	// it grows by half each time up to ResendMax.
	Resend, ResendMax time.Duration
	// Retry is the delay after a full send queue.
	Retry time.Duration
	// Working is how often a computing member says so.
	Working time.Duration
	// Stall is how long a member may be silent while the session waits for it.
	Stall time.Duration
	// Online is how long the owner of a presignature that is being used waits in vain
	// before it gives it up: the request is signed otherwise then.
	Online time.Duration
	// Grace is how long the initiator of a signature waits for members that are
	// less suspected than those that answered.
	Grace time.Duration
}

// DefaultTiming suits nodes on a wide-area network: Resend is several round
// trips, Stall several of Working.
func DefaultTiming() Timing {
	return Timing{
		Resend: 2 * time.Second, ResendMax: 10 * time.Second, Retry: 250 * time.Millisecond,
		Working: 3 * time.Second, Stall: 15 * time.Second, Online: 4 * time.Second, Grace: 1500 * time.Millisecond,
	}
}

// maxWorking bounds how often one member may say Working in one session: 20
// minutes at the default interval, far above the slowest keygen of 64 members.
const maxWorking = 400

// Config is what a session is made from.
type Config struct {
	ChainID string
	Request types.Request
	Attempt uint32
	Self    types.Operator
	// Identity signs; its public half is the one that the request pinned.
	Identity ed25519.PrivateKey
	Protocol Protocol
	Host     Host
	// Rand gives nonces and ephemeral keys.
	Rand io.Reader
	// Suspicion says how gladly the initiator would do without somebody; 0: it is
	// welcome.
	Suspicion func(types.Operator) int
	// Height of the last block that this node saw; it is in the Prepare.
	Height int64
	// Deals: this node has a share of the old epoch and can deal it anew (reshare).
	Deals bool
	// Shunned says whom the initiator does without, come what may.
	Shunned func(types.Operator) bool
	// Ahead says whether this node waits for somebody in a session of an earlier request
	// than this too: who says that it computes serves that one first. Nil: for nobody.
	Ahead func(*types.Request, types.Operator) bool
	// Late is told of each wait for a member that lasted longer than a resend time, and of
	// how much longer. Nil: nobody wants to know.
	Late   func(types.Operator, time.Duration)
	Timing Timing
}

func (c *Config) validate() error {
	member, ok := c.Request.Member(c.Self)
	switch {
	case !ok:
		return fmt.Errorf("%s is no member of %s", c.Self, c.Request.ID)
	case len(c.Identity) != ed25519.PrivateKeySize:
		return fmt.Errorf("identity key has %d bytes", len(c.Identity))
	case string(c.Identity.Public().(ed25519.PublicKey)) != string(member.IdentityKey):
		return fmt.Errorf("%s pinned another identity of %s", c.Request.ID, c.Self)
	case c.Host == nil || c.Protocol == nil || c.Rand == nil:
		return fmt.Errorf("session without host, protocol or randomness")
	case len(c.Request.Members) > types.MaxMembers:
		return fmt.Errorf("%d members, at most %d are allowed", len(c.Request.Members), types.MaxMembers)
	}
	return nil
}

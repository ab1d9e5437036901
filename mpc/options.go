package mpc

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// View is one committed state, as far as the engine must know it. It is
// immutable.
type View struct {
	// Height of the last committed block.
	Height int64
	// Time of that block; zero if it is not known. It tells of the age of presignatures, and of
	// blocks of which this node's clocks know nothing.
	Time time.Time
	// CatchingUp: the node knows that the chain is further. Nothing starts.
	CatchingUp bool
	// ClockAhead is how far this node's clock seems ahead of the chain's, if that is
	// why it takes itself to be behind; 0 otherwise.
	ClockAhead time.Duration
	// Requests are all open ones.
	Requests []types.Request
	// Keys are those that were asked for and that the chain knows.
	Keys map[types.KeyID]types.Key
	// Roster is everybody who ever registered.
	Roster *types.Roster
	// Attested are the attempts at open requests that the chain has attestations of.
	Attested map[types.AttestedAttempt]bool
	// Presign is how many presignatures of each READY key every participant of it keeps
	// ready; 0: none.
	Presign int
	// Faults are those of late: accusations count until they lapse.
	Faults []types.Fault
	// FaultBlocks is for how many blocks after a decision the chain takes proof of what
	// was done in its sessions; 0: none.
	FaultBlocks int64
}

// Chain reads committed state. It never blocks for long and changes nothing. View is
// called on the loop alone, the others from any goroutine: Judge reads too.
type Chain interface {
	// View reads the last committed state, and in it these keys.
	View(ctx context.Context, keys []types.KeyID) (*View, error)
	// Key reads one key; false if the chain does not know it. One that failed so long ago
	// that the chain does not keep it is ERROR, with nothing else; so is one of a view.
	Key(ctx context.Context, id types.KeyID) (types.Key, bool, error)
	// Unacknowledged lists the deleted keys that wait for a participant's word that it
	// destroyed what it had. It may read all deleted keys: it is asked at the start.
	Unacknowledged(ctx context.Context, op types.Operator) ([]types.KeyID, error)
	// Proven reports that the chain took proof against a participant in a session, be it
	// that it no longer counts.
	Proven(ctx context.Context, op types.Operator, session types.Context) (bool, error)
	// ReshareEnded reports that a reshare was asked for and is over, whatever became of
	// it, be it that the chain does not keep it any more; false while it is open, and if the
	// chain does not know it.
	ReshareEnded(ctx context.Context, id string) (types.EndedReshare, bool, error)
	// Signature reads a finished signature; false if there is none.
	Signature(ctx context.Context, id string) (types.SignatureResult, bool, error)
}

// Transport moves signed envelopes and results. Its methods never block.
type Transport interface {
	// Send queues an envelope for a participant; false if it was not queued.
	Send(to types.Operator, e *wire.Envelope) bool
	// Gossip queues a result for every peer.
	Gossip(g *wire.Gossip)
	// SetRoster says whose envelopes are let in from now on.
	SetRoster(r *types.Roster)
	// SetSelf says who this node is; the zero identity: nobody.
	SetSelf(self Self)
}

// Self is this node's place in the roster.
type Self struct {
	Operator types.Operator
	Version  uint32
	Key      ed25519.PrivateKey
}

// Executor runs the expensive steps of sessions. Requests of lower height, then
// lower id, go first, everywhere in the same order, so that nodes do not wait
// for each other in a circle.
type Executor interface {
	// Submit queues run. done is called on the engine's loop with what it
	// returned, also if the session ended meanwhile. Only an executor that stops
	// for good may drop steps that it did not begin; their sessions have ended by
	// then and wiped what those steps need.
	Submit(r *types.Request, run func() (session.Step, error), done func(session.Step, error))
}

// Observer is told what happens, for metrics. Calls come from the loop and
// must return at once.
type Observer interface {
	// SessionOpened: a session is in memory from here on.
	SessionOpened(request types.RequestID, session types.SessionID)
	// SessionEnded: it is over, well or not.
	SessionEnded(end SessionEnd)
	// RoundDone: a round, counted from 1, is computed, so long after the one before.
	RoundDone(request types.RequestID, session types.SessionID, round uint32, took time.Duration)
	// Dropped: something that came in was not taken.
	Dropped(reason types.Reason)
	// Reconciled says how many blocks were seen at once, and how long it took.
	Reconciled(blocks int64, took time.Duration)
}

// SessionEnd is what an Observer is told of a session that is over.
type SessionEnd struct {
	Request types.RequestID
	Session types.SessionID
	// Presigned: it was a presignature that was ready; of kind sign if it was used.
	Presigned bool
	// Reason is empty for success.
	Reason types.Reason
	// LeftFor is why somebody else left it, in the words of that one; empty if nobody did.
	// Reason is ErrAborted then.
	LeftFor types.Reason
	// Took is how long it was open here.
	Took time.Duration
	// Resent is how many of its envelopes went out again.
	Resent int
}

// Options make an engine.
type Options struct {
	ChainID string
	// Identities are all identity keys of this node, the newest last. None: the
	// engine only passes results on.
	Identities []ed25519.PrivateKey
	// LostIdentities are those of a node whose store is lost, and that has no Identities
	// therefore: with them the engine says on chain of which keys it has no share, when
	// NoteUnheld tells it, and signs nothing else.
	LostIdentities []ed25519.PrivateKey

	Chain     Chain
	Store     Store
	Transport Transport
	Protocols session.Protocols
	// Now is the wall clock; nil: time.Now.
	Now func() time.Time
	// Elapsed is the time since some moment by a clock that nobody sets; nil: by Now, whose
	// times have a monotonic reading if it is time.Now.
	Elapsed func() time.Duration
	// Rand gives nonces and session keys; nil: crypto/rand.
	Rand io.Reader
	// Log is structured; nil: discarded.
	Log *slog.Logger
	// Observer may be nil.
	Observer Observer
	// Kinds decode what requests for signatures are to sign; nil: raw digests are signed,
	// and nothing else.
	Kinds *types.PayloadKinds
	// Auditor may be nil.
	Auditor Auditor
	// Timing of sessions; zero: session.DefaultTiming.
	Timing session.Timing
	// MaxSessions in memory; 0: DefaultMaxSessions.
	MaxSessions int
	// MaxPresignatures in memory, of all keys and owners, those that are being made
	// included; 0: DefaultMaxPresignatures.
	MaxPresignatures int
	// LogRounds writes a log line for each round of each session.
	LogRounds bool
	// Version of the program, for participants that ask; 64 bytes at most are shown.
	Version string
}

// DefaultMaxSessions bounds the sessions in memory. A signing session of 16
// members holds about 16 * 16 * 2.5 KB = 0.6 MB at its widest, a keygen of 16
// members 16 * 180 KB = 3 MB: 256 sessions stay below 1 GB.
const DefaultMaxSessions = 256

// DefaultMaxPresignatures bounds what waits in memory for requests.
const DefaultMaxPresignatures = 1024

func (o *Options) complete() error {
	switch {
	case o.ChainID == "":
		return fmt.Errorf("engine without a chain id")
	case o.Chain == nil || o.Transport == nil:
		return fmt.Errorf("engine without chain or transport")
	case len(o.Identities) > 0 && (o.Store == nil || o.Protocols == nil):
		return fmt.Errorf("engine with an identity but without store or protocols")
	case len(o.LostIdentities) > 0 && (len(o.Identities) > 0 || o.Store != nil):
		return fmt.Errorf("engine that lost its store and has one")
	}
	for i, id := range slices.Concat(o.Identities, o.LostIdentities) {
		if len(id) != ed25519.PrivateKeySize {
			return fmt.Errorf("identity key %d has %d bytes, not %d", i, len(id), ed25519.PrivateKeySize)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Elapsed == nil {
		now, start := o.Now, o.Now()
		o.Elapsed = func() time.Duration { return now().Sub(start) }
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = nopObserver{}
	}
	if o.Auditor == nil {
		o.Auditor = nopAuditor{}
	}
	if o.Timing == (session.Timing{}) {
		o.Timing = session.DefaultTiming()
	}
	if o.MaxPresignatures == 0 {
		o.MaxPresignatures = DefaultMaxPresignatures
	}
	if o.MaxSessions == 0 {
		o.MaxSessions = DefaultMaxSessions
	}
	o.Version = printable(o.Version)
	return nil
}

type nopObserver struct{}

func (nopObserver) SessionOpened(types.RequestID, types.SessionID)                    {}
func (nopObserver) SessionEnded(SessionEnd)                                           {}
func (nopObserver) RoundDone(types.RequestID, types.SessionID, uint32, time.Duration) {}
func (nopObserver) Dropped(types.Reason)                                              {}
func (nopObserver) Reconciled(int64, time.Duration)                                   {}

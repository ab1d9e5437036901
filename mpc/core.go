package mpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Core is the engine without goroutines: everything it knows and decides. All
// its methods but Judge are called on one goroutine. Engine gives it a loop, a simulator
// drives it by hand.
type Core struct {
	opts Options
	exec Executor

	view *View
	pace pace
	// ticked is when the last Tick was.
	ticked time.Time
	awake  awake
	// chainClock and mostAtOnce, how many blocks may come at once, are for presignatures alone.
	chainClock chainClock
	mostAtOnce int64
	// requests are the open ones of the view. The map is never changed, and it and
	// decidedLately are in judging for other goroutines.
	requests map[types.RequestID]*types.Request
	judging  atomic.Pointer[judging]
	self     Self
	// outdated is what Status.IdentityOutdated says.
	outdated uint32

	records    map[types.RecordKey]types.Record // without shares
	byKey      map[types.KeyID]map[types.RecordKey]bool
	tombstones map[types.KeyID]bool // true: nothing is left to attest
	listed     listed
	unknown    map[types.KeyID]bool // reported already
	// withheld shares are kept though the chain has no use for them, withheldBefore were
	// at the last look.
	withheld, withheldBefore map[types.RecordKey]Withholding

	sessions  map[types.SessionID]*live
	byContext map[types.Context]*live
	// firstFor is the first request in which this node waits for somebody, at the last
	// tick.
	firstFor map[types.Operator]*types.Request
	// caught are those who drew out a session of late: no earlier request excuses them.
	caught   map[types.Operator]time.Time
	attempts map[attemptID]types.SessionID
	misfits  map[attemptID]bool // somebody led them with what no session can be made of
	// bound are open requests that bindOpen saw to.
	bound    map[types.RequestID]bool
	reserved map[uint64]bool // pre-parameters of unstarted sessions

	pool     *pool
	early    *earlyBuffer
	starts   map[types.SessionID]oldStart
	parked   []parkedPrepare
	suspects map[types.Operator]time.Time
	// liars are those that this node caught.
	liars map[types.Operator]time.Time
	// decidedLately are requests that were open in an earlier view, the oldest first. The
	// list is never changed.
	decidedLately []decidedRequest
	// left are members that left a session early, until this is forgotten.
	left map[types.Operator]departure
	// refusals are of members that could not be done without.
	refusals map[types.Operator]refusals
	// clashes are sessions whose culprit others know.
	clashes []clash
	// charges are against who did in a keygen or reshare what the chain does not know.
	charges map[types.Operator]charge
	// leftOver are pairs of which one left a session over the other, until this is
	// forgotten.
	leftOver map[accusationID]time.Time
	// doubts are about members of sessions in which somebody lied, nobody knows who.
	doubts map[types.Operator]doubt
	// late are members that this node waited for.
	late     map[types.Operator]lateness
	spoilers map[types.RequestID]spoilers
	presigns presigns
	lastLog  map[types.RequestID]types.Reason
	// owed are deletions that wait for a word of this node, as somebody was told when
	// it became askedFor: nothing else tells a node that was away, and whose share of
	// an earlier epoch is long gone.
	owed     map[types.KeyID]bool
	askedFor types.Operator
	// askedAt is the height at which it was told last.
	askedAt int64
	// ownDestroyed are deleted keys that have no tombstone, since a share of another key
	// is kept under their id, and of which a share was destroyed in this life.
	ownDestroyed map[types.KeyID]bool
	// unheld are keys that this node may have to say of that it has no share.
	unheld []types.KeyID
	// destroyed counts records and keys, in one Reconcile.
	destroyed int
	// falseResults counts, by who signed what brought them, since the last block.
	falseResults map[types.Operator]int
	// falseWords are the attestations among those, by their hash.
	falseWords map[types.Hash]bool
	outcomes   outcomes
	repeats    repeats
	// understood is what came of looking at what requests are to sign, since the last block.
	understood map[types.RequestID]error
	// guards: what panics is contained. panics counts it since the last block.
	guards bool
	panics map[task]int
	// writes is the store of opts.
	writes *writes
	// resent counts envelopes of sessions that are over.
	resent uint64
	// probes wait for answers; pinged is when who asked was answered last.
	probes []*probe
	pinged map[types.Operator]time.Time
	// history is for people.
	history history
	// broken is the first write that failed: a node that cannot write takes no
	// part.
	broken error
}

// errReadChain marks what the next block may mend; every other error of
// Reconcile is the store's.
var errReadChain = errors.New("read committed state")

// attemptID names an attempt; there is one session of it at most.
type attemptID struct {
	request types.RequestID
	attempt uint32
}

// live is a session in memory with what the engine holds for it.
type live struct {
	*session.Session
	preparams uint64 // reserved, 0: none
	started   bool   // what came before its Start was handed over
	// parked: it was counted when it did, and parkedAt is the time of the chain's block then.
	parked   bool
	parkedAt time.Time
	// asked is when its owner first said what it is used for, refused why this node does not
	// let it.
	asked   time.Time
	refused types.Reason
	// heldUpBy are those who held it up at the last tick; noticed all who ever did, caught
	// those of them whom nothing excuses any more, and accused whom this node accused of it.
	heldUpBy, noticed, caught, accused []types.Operator
	// holdsShare: it opened a share, and has not ended. noted is what its next step waits
	// for.
	holdsShare bool
	noted      func()
	round      uint32
	since      time.Time
	history    *SessionHistory
}

// NewCore checks the options and makes a core that knows nothing yet.
func NewCore(opts Options, exec Executor) (*Core, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	c := &Core{
		opts: opts, exec: exec, view: &View{CatchingUp: true},
		requests:   make(map[types.RequestID]*types.Request),
		records:    make(map[types.RecordKey]types.Record),
		byKey:      make(map[types.KeyID]map[types.RecordKey]bool),
		tombstones: make(map[types.KeyID]bool),
		unknown:    make(map[types.KeyID]bool),
		withheld:   make(map[types.RecordKey]Withholding),
		owed:       make(map[types.KeyID]bool),

		ownDestroyed: make(map[types.KeyID]bool),
		sessions:     make(map[types.SessionID]*live),
		byContext:    make(map[types.Context]*live),
		firstFor:     make(map[types.Operator]*types.Request),
		caught:       make(map[types.Operator]time.Time),
		attempts:     make(map[attemptID]types.SessionID),
		misfits:      make(map[attemptID]bool),
		bound:        make(map[types.RequestID]bool),
		reserved:     make(map[uint64]bool),
		pool:         newPool(),
		early:        newEarlyBuffer(),
		starts:       make(map[types.SessionID]oldStart),
		suspects:     make(map[types.Operator]time.Time),
		liars:        make(map[types.Operator]time.Time),
		left:         make(map[types.Operator]departure),
		refusals:     make(map[types.Operator]refusals),
		charges:      make(map[types.Operator]charge),
		leftOver:     make(map[accusationID]time.Time),
		doubts:       make(map[types.Operator]doubt),
		late:         make(map[types.Operator]lateness),
		spoilers:     make(map[types.RequestID]spoilers),
		lastLog:      make(map[types.RequestID]types.Reason),
		presigns:     newPresigns(),

		falseResults: make(map[types.Operator]int),
		falseWords:   make(map[types.Hash]bool),
		outcomes:     newOutcomes(),
		understood:   make(map[types.RequestID]error),
		panics:       make(map[task]int),
		writes:       &writes{Store: opts.Store},
		pinged:       make(map[types.Operator]time.Time),
	}
	if opts.Store != nil {
		c.opts.Store = c.writes
	}
	c.judging.Store(&judging{view: c.view, requests: c.requests})
	return c, nil
}

// Restore reads what earlier runs left. A session that was interrupted before
// it had a share is over; one with a share waits for the chain's word.
func (c *Core) Restore() error {
	if c.opts.Store == nil {
		return nil
	}
	records, err := c.opts.Store.Records()
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	for _, r := range records {
		if r.Status == types.StatusPending && !r.HasData {
			if r, err = c.failRecord(r, types.ErrInterrupted); err != nil {
				return err
			}
		}
		c.know(r)
	}
	tombstones, err := c.opts.Store.Tombstones()
	if err != nil {
		return fmt.Errorf("read tombstones: %w", err)
	}
	for _, id := range tombstones {
		c.tombstones[id] = false
	}
	return nil
}

// Tick lets time pass: resending, watchdogs, lapses.
func (c *Core) Tick() {
	c.noticeSleep()
	now := c.opts.Now()
	ordered := c.ordered()
	c.guardWork("whom sessions wait for", func() { c.noteAwaited(ordered) })
	c.guardWork("the history", func() { c.history.tick(ordered, now) })
	for _, l := range ordered {
		c.guardSession("the clock of a session", l, func() {
			l.Slept(c.ticked, now)
			l.Tick(now)
			c.settleSession(l, now)
			c.noticeStale(l, now)
		})
	}
	c.ticked = now
	c.guardWork("early envelopes", func() { c.early.expire(now, c.isOpen) })
	c.guardWork("old Starts", func() { c.forgetStarts(now) })
	c.expireParked(now)
	c.guardWork("members that clash", func() { c.settleClashes(now) })
	c.guardWork("what nobody was accused of", func() { c.sayCharges(now) })
	c.guardWork("old faults", func() { c.forgetFaults(now) })
	c.guardWork("telling results", func() { c.pool.flush(now, c.opts.Transport.Gossip) })
	c.guardWork("a presignature", func() { c.openPresign(now) })
	c.guardWork("probes", func() { c.tickProbes(now) })
}

// Err is the first write that failed, nil while all went well. The owner of the
// Core ends it then.
func (c *Core) Err() error { return c.broken }

// wrote notes a write that failed. Refusals with a reason are the caller's.
func (c *Core) wrote(err error) error {
	if err != nil && c.broken == nil {
		if reason := types.ReasonOf(err); reason == "" || reason == types.ErrStorage {
			c.broken = err
		}
	}
	return err
}

// Shutdown ends all sessions; what is durable stays.
func (c *Core) Shutdown() { stopAll(c.ordered()) }

// stopAll ends each session even if another one's end panics: they wipe secrets.
func stopAll(sessions []*live) {
	if len(sessions) == 0 {
		return
	}
	defer stopAll(sessions[1:])
	sessions[0].Stop(types.ErrInterrupted)
}

// Results is what this node holds for the next proposal.
func (c *Core) Results() types.Results {
	c.pool.publish()
	return c.pool.results()
}

// ordered lists the sessions as all nodes serve them.
func (c *Core) ordered() []*live {
	all := make([]*live, 0, len(c.sessions))
	for _, l := range c.sessions {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *live) int {
		switch {
		case a.Request().Before(b.Request()):
			return -1
		case b.Request().Before(a.Request()):
			return 1
		case a.Attempt() != b.Attempt():
			return int(a.Attempt()) - int(b.Attempt())
		}
		ida, idb := a.ID(), b.ID()
		return slices.Compare(ida[:], idb[:])
	})
	return all
}

// Reconcile reads the committed state and brings what runs and what is stored
// in line with what is wanted. Start, restart, replay, missed wake-ups and
// state sync all take this one path.
func (c *Core) Reconcile(ctx context.Context) error {
	c.noticeSleep()
	begun, before := c.opts.Now(), c.view.Height
	if err := c.look(ctx); err != nil {
		return fmt.Errorf("%w: %w", errReadChain, err)
	}
	c.guardWork("blocks that leap", c.noticeLeap)
	if err := c.try("recalling deletions", func() error { return c.recallDeletions(ctx) }); err != nil {
		return fmt.Errorf("%w: %w", errReadChain, err)
	}
	if err := c.settleRecords(); err != nil {
		return err
	}
	c.endDecided()
	if err := c.try("binding digests", c.bindOpen); err != nil {
		return err
	}
	c.dropPresigns()
	c.guardWork("missing shares", func() { c.declareMissing(ctx) })
	c.guardWork("shares that are here again", c.declareFound)
	c.guardWork("pruning results", func() { c.prunePool(ctx) })
	c.retryParked()
	c.retryConsumes(c.opts.Now())
	if !c.view.CatchingUp {
		c.openAttempts()
	}
	if before == 0 {
		before = c.view.Height // the first look is no lag
	}
	c.opts.Observer.Reconciled(max(c.view.Height-before, 0), c.opts.Now().Sub(begun))
	return c.broken
}

// look makes committed state as it is now the current view. If that panics, this node does
// not know what is committed, and takes itself to be behind: it starts nothing and signs for
// nothing new until it has read a block.
func (c *Core) look(ctx context.Context) (err error) {
	if c.guards {
		defer func() {
			if p := recover(); p != nil {
				behind := *c.view
				behind.CatchingUp = true
				c.view = &behind
				c.logPanic(p, "reading committed state panicked; this node takes no part in anything new until a block can be read")
				err = fmt.Errorf("the engine panicked (%T)", p)
			}
		}()
	}
	view, err := c.opts.Chain.View(ctx, c.interest())
	if err != nil {
		return err
	}
	c.adopt(view)
	return nil
}

// adopt makes a view the current one.
func (c *Core) adopt(view *View) {
	clockAhead := c.view.ClockAhead
	c.view = view
	c.mostAtOnce = c.maxBlocksAtOnce() // before those that came say how fast they come
	if view.CatchingUp {
		c.pace = pace{} // blocks of the past come as fast as they are executed
	} else {
		c.pace.block(view.Height, view.Time, c.opts.Now())
	}
	c.noticeClock(clockAhead)
	clear(c.falseResults)
	clear(c.falseWords)
	c.outcomes.forget()
	clear(c.panics)
	clear(c.understood)
	requests := make(map[types.RequestID]*types.Request, len(view.Requests))
	for i := range view.Requests {
		requests[view.Requests[i].ID] = &view.Requests[i]
	}
	last := c.requests
	c.requests = requests
	c.rememberDecided(last)
	c.judging.Store(&judging{view: view, requests: requests, decided: c.decidedLately})
	for id := range c.attempts {
		if _, open := c.requests[id.request]; !open {
			delete(c.attempts, id)
		}
	}
	maps.DeleteFunc(c.misfits, func(id attemptID, _ bool) bool { _, open := c.requests[id.request]; return !open })
	maps.DeleteFunc(c.bound, func(id types.RequestID, _ bool) bool { _, open := c.requests[id]; return !open })
	for id := range c.lastLog {
		if _, open := c.requests[id]; !open {
			delete(c.lastLog, id)
		}
	}
	for id := range c.spoilers {
		if _, open := c.requests[id]; !open {
			delete(c.spoilers, id)
		}
	}
	self := c.findSelf(view.Roster)
	c.opts.Transport.SetRoster(view.Roster)
	if self.Operator != c.self.Operator || self.Version != c.self.Version {
		c.self = self
		c.opts.Transport.SetSelf(self)
		if self.Operator != "" {
			c.opts.Log.Info("this node is a participant", "operator", self.Operator, "identity_version", self.Version)
		}
	}
	c.noticeOutdated()
	c.presigns.adopt(c)
}

// interest lists the keys that this node must know the chain's word on.
func (c *Core) interest() []types.KeyID {
	set := make(map[types.KeyID]bool)
	for id := range c.byKey {
		set[id] = true
	}
	for id, acked := range c.tombstones {
		if !acked {
			set[id] = true
		}
	}
	for _, id := range c.pool.unpinned() {
		set[id] = true
	}
	for _, id := range c.pool.presigned() {
		set[id] = true
	}
	for id := range c.owed {
		set[id] = true
	}
	ids := make([]types.KeyID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// closed says why a request is no longer open: it is decided, or time ran out.
func (c *Core) closed(r *types.Request) types.Reason {
	if !r.Expired(c.view.Height) || c.hasResult(r) {
		return types.ErrAlreadyDecided
	}
	return types.ErrExpired
}

// hasResult: the chain has what the request asked for.
func (c *Core) hasResult(r *types.Request) bool {
	switch r.ID.Kind {
	case types.KindSign:
		return c.signatureResult(r.ID) != nil
	case types.KindReshare:
		return c.view.Keys[r.KeyID].Epoch >= r.Epoch
	}
	return c.view.Keys[r.KeyID].Status != types.KeyError
}

// endDecided stops sessions whose request is no longer open.
func (c *Core) endDecided() {
	for _, l := range c.ordered() {
		if l.waits() {
			continue // see dropPresigns
		}
		c.guardSession("the end of a request", l, func() {
			r, open := c.requests[serves(l.Session).ID]
			switch {
			case !open:
				l.Stop(c.closed(serves(l.Session)))
			case r.Expired(c.view.Height):
				l.Stop(types.ErrExpired)
			}
		})
	}
}

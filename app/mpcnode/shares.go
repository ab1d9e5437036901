package mpcnode

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// How a share is missing.
const (
	// ShareMissing: the node has none of the key.
	ShareMissing = "missing"
	// ShareBehind: the node's share is of an earlier epoch or another session, as
	// in a database that was put back to an older state.
	ShareBehind = "behind"
)

// MissingShare is a key of which this node should have a share, says the chain,
// and has not.
type MissingShare struct {
	KeyID string `json:"key_id"`
	// Epoch is the chain's.
	Epoch uint64 `json:"epoch"`
	What  string `json:"what"`
	// OnChain: the chain knows that it is missing.
	OnChain bool `json:"on_chain"`
}

const (
	// sharesInterval is how often the chain is compared with the records: a read of
	// all READY keys.
	sharesInterval = time.Minute
	// maxSharesLogged bounds the lines of one look; the rest is counted.
	maxSharesLogged = 10
)

// errNoRecords: the engine has not said yet what it has; all would look missing.
var errNoRecords = errors.New("the records are not read yet")

// shareWatch compares what the chain says this node has a share of with what it
// has, which no record of the node's own can tell it.
type shareWatch struct {
	app    App
	public []ed25519.PublicKey
	// records are nil before the engine has read them.
	records func() []types.Record
	// declare is given what the chain does not know to be missing; nil: nobody is told.
	declare func([]types.KeyID)
	log     *slog.Logger
	now     func() time.Time
	// look is asked for after each view that is up to date.
	look chan struct{}

	missing atomic.Pointer[[]MissingShare]
	// keysAtRisk and presigns are as of the last look.
	keysAtRisk, presigns atomic.Int64
	logged               map[string]MissingShare
}

func newShareWatch(app App, public []ed25519.PublicKey, records func() []types.Record, log *slog.Logger) *shareWatch {
	return &shareWatch{
		app: app, public: public, records: records, log: log, now: time.Now,
		look: make(chan struct{}, 1), logged: make(map[string]MissingShare),
	}
}

// viewed never blocks.
func (w *shareWatch) viewed() {
	select {
	case w.look <- struct{}{}:
	default:
	}
}

// run looks once a minute, at most, until the context ends. What fails is mended by
// the next look, or is told by the engine.
func (w *shareWatch) run(ctx context.Context) error {
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.look:
		}
		now := w.now()
		if now.Sub(last) < sharesInterval {
			continue
		}
		err := w.compare()
		if errors.Is(err, errNoRecords) {
			continue
		}
		last = now
		if err != nil {
			w.log.Debug("compare the shares with the chain", "err", err)
		}
	}
}

// found lists what is missing, as of the last look.
func (w *shareWatch) found() []MissingShare {
	if w == nil {
		return nil
	}
	if all := w.missing.Load(); all != nil {
		return *all
	}
	return nil
}

// endangered is how many keys of this participant the next lost share or identity would end,
// or that lost too many already, as of the last look.
func (w *shareWatch) endangered() int64 {
	if w == nil {
		return 0
	}
	return w.keysAtRisk.Load()
}

// presignsWanted is how many presignatures this node is to keep at most, of the keys of which
// it has shares, as of the last look.
func (w *shareWatch) presignsWanted() int64 {
	if w == nil {
		return 0
	}
	return w.presigns.Load()
}

func (w *shareWatch) compare() (err error) {
	defer unpanicked(&err)
	records := w.records()
	if records == nil {
		return errNoRecords
	}
	has, err := w.own()
	if err != nil {
		return err
	}
	missing := missingOf(has.self, has.keys, records)
	w.missing.Store(&missing)
	w.keysAtRisk.Store(int64(has.atRisk()))
	w.presigns.Store(int64(has.signable(missing) * has.presign))
	w.tell(missing)
	if news := undeclared(missing); w.declare != nil && len(news) > 0 {
		w.declare(news)
	}
	return nil
}

// owned is of which keys a node should have a share, says the chain.
type owned struct {
	// self is who it is; nobody, without keys, if it is not registered.
	self types.Operator
	keys []types.Key
	// roster is everybody's identities.
	roster *types.Roster
	// presign is how many presignatures of each are to be kept.
	presign int
	// height is of the block after which it is so.
	height int64
}

// atRisk counts the keys that cannot do without one more participant, because some lost their
// share or revoked their identity. A key that never could is as it was asked for.
func (o *owned) atRisk() (n int) {
	for i := range o.keys {
		k := &o.keys[i]
		if left := k.Signers(o.roster); left < len(k.Participants) && left <= k.Threshold+1 {
			n++
		}
	}
	return n
}

// signable counts the keys that this node can make presignatures of, if others are there.
func (o *owned) signable(missing []MissingShare) (n int) {
	for i := range o.keys {
		k := &o.keys[i]
		if k.CanSign(o.roster) && !slices.ContainsFunc(missing, func(m MissingShare) bool { return m.KeyID == string(k.ID) }) {
			n++
		}
	}
	return n
}

// own reads the keys of which this node should have a share.
func (w *shareWatch) own() (owned, error) {
	ctx, err := (&chain{app: w.app}).committed()
	if err != nil {
		return owned{}, err
	}
	state := w.app.MPCState()
	roster, err := state.EngineRoster(ctx)
	if err != nil {
		return owned{}, fmt.Errorf("read the roster: %w", err)
	}
	has := owned{self: w.operator(roster), roster: roster, height: ctx.BlockHeight()}
	if has.self == "" {
		return has, nil
	}
	if has.keys, err = state.EngineKeysOf(ctx, has.self); err != nil {
		return owned{}, fmt.Errorf("read the keys of %s: %w", has.self, err)
	}
	if has.presign, err = state.EnginePresignTarget(ctx); err != nil {
		return owned{}, fmt.Errorf("read the parameters: %w", err)
	}
	return has, nil
}

// undeclared lists what the chain is to hear of.
func undeclared(missing []MissingShare) []types.KeyID {
	var ids []types.KeyID
	for _, m := range missing {
		if !m.OnChain {
			ids = append(ids, types.KeyID(m.KeyID))
		}
	}
	return ids
}

// recordsOf is what an engine has; nil before its first status.
func recordsOf(s mpc.Status) []types.Record {
	if s.At.IsZero() {
		return nil
	}
	return append([]types.Record{}, s.Records...)
}

// operator is whose identity this node has, revoked or not.
func (w *shareWatch) operator(roster *types.Roster) types.Operator {
	for i := len(w.public) - 1; i >= 0; i-- {
		if ov, ok := roster.Find(w.public[i]); ok {
			return ov.Operator
		}
	}
	return ""
}

// revokedBy is the operator whose identity this node has, if it revoked that and has registered no
// other one since; empty if not, or if nobody knows.
func (w *shareWatch) revokedBy() (operator string) {
	if w == nil {
		return ""
	}
	var err error
	defer unpanicked(&err)
	ctx, err := (&chain{app: w.app}).committed()
	if err != nil {
		return ""
	}
	roster, err := w.app.MPCState().EngineRoster(ctx)
	if err != nil {
		return ""
	}
	var r IdentityReport
	if r.found(roster, w.public); !r.Revoked {
		return ""
	}
	return r.Operator
}

// missingOf compares the keys of a participant with its records.
func missingOf(self types.Operator, keys []types.Key, records []types.Record) []MissingShare {
	fits, other := make(map[types.KeyID]bool), make(map[types.KeyID]bool)
	chain := make(map[types.KeyID]types.Key, len(keys))
	for _, k := range keys {
		chain[k.ID] = k
	}
	for _, r := range records {
		k, known := chain[r.KeyID]
		if !known || !r.HasData {
			continue
		}
		if r.Epoch == k.Epoch && r.Context == k.Session {
			fits[k.ID] = true
		}
		other[k.ID] = true
	}
	missing := []MissingShare{}
	for _, k := range keys {
		if fits[k.ID] {
			continue
		}
		m := MissingShare{KeyID: string(k.ID), Epoch: k.Epoch, What: ShareMissing, OnChain: slices.Contains(k.MissingShares, self)}
		if other[k.ID] {
			m.What = ShareBehind
		}
		missing = append(missing, m)
	}
	return missing
}

// tell logs what was not missing at the last look.
func (w *shareWatch) tell(missing []MissingShare) {
	now := make(map[string]MissingShare, len(missing))
	fresh := 0
	for _, m := range missing {
		m.OnChain = false // it is told once, whatever the chain knows
		now[m.KeyID] = m
		if w.logged[m.KeyID] == m {
			continue
		}
		if fresh++; fresh <= maxSharesLogged {
			w.log.Warn("this node should have a share of a key, and has none that fits", "key", m.KeyID, "epoch", m.Epoch,
				"share", m.What, "reason", types.ErrShareMissing, "remedy", types.ErrShareMissing.Remedy())
		}
	}
	if fresh > maxSharesLogged {
		w.log.Warn(types.ForProgram("shares of more keys are missing; all of them: sequencerd mpc keys"), "keys", fresh-maxSharesLogged,
			"reason", types.ErrShareMissing, "remedy", types.ErrShareMissing.Remedy())
	}
	w.logged = now
}

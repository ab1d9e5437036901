package mpcnode

import (
	"context"
	"fmt"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// State reads x/mpc for the engine, with the context of a committed state. The
// module's keeper implements it.
type State interface {
	// EngineRequests lists all open requests in the order of service.
	EngineRequests(context.Context) ([]types.Request, error)
	// EngineAttested are the attempts at them that the chain has attestations of.
	EngineAttested(context.Context) (map[types.AttestedAttempt]bool, error)
	// EngineRoster is everybody who ever registered.
	EngineRoster(context.Context) (*types.Roster, error)
	// EngineRosterChanges counts the writes of participants: the roster is the same as
	// long as it is.
	EngineRosterChanges(context.Context) (uint64, error)
	// EngineOperatorOf is the participant whose validator has a consensus address; false
	// if there is none.
	EngineOperatorOf(ctx context.Context, consensus []byte) (types.Operator, bool, error)
	// EngineFaults lists the faults that count when signers are chosen.
	EngineFaults(context.Context) ([]types.Fault, error)
	// EngineKey reads one key; false if the chain does not know it. One that failed and was
	// pruned is ERROR.
	EngineKey(context.Context, types.KeyID) (types.Key, bool, error)
	// EngineKeyChanges counts the writes of keys, and lists those after the first
	// since ones; false if it does not know them any more.
	EngineKeyChanges(ctx context.Context, since uint64) (count uint64, ids []types.KeyID, known bool, err error)
	// EnginePresignTarget is how many presignatures of each key a participant keeps.
	EnginePresignTarget(context.Context) (int, error)
	// EngineFaultBlocks is for how many blocks after a decision proof is taken.
	EngineFaultBlocks(context.Context) (int64, error)
	// EngineUnacknowledged lists the deleted keys that wait for an operator's word.
	EngineUnacknowledged(context.Context, types.Operator) ([]types.KeyID, error)
	// EngineKeysOf lists the READY keys that an operator is a participant of.
	EngineKeysOf(context.Context, types.Operator) ([]types.Key, error)
	// EngineReadyKeys lists all READY keys.
	EngineReadyKeys(context.Context) ([]types.Key, error)
	// EngineProven reports that proof against a participant in a session was ever taken.
	EngineProven(ctx context.Context, participant types.Operator, session types.Context) (bool, error)
	// EngineOutcome reads how a request ended, if it did; false if the chain does not
	// know it.
	EngineOutcome(context.Context, types.RequestID) (types.Outcome, bool, error)
	// EngineFailedSigns lists, the newest first, the signatures that failed among so many
	// that were decided last.
	EngineFailedSigns(ctx context.Context, looks int) ([]string, error)
	// EngineReshareEnded reports that a reshare was asked for and is over, or was pruned.
	EngineReshareEnded(ctx context.Context, id string) (types.EndedReshare, bool, error)
	// EngineCheckSign asks again whether a key's module allows what it is to sign.
	EngineCheckSign(ctx context.Context, signatureID string) error
	// PayloadKinds are those that the chain decodes; nil: none.
	PayloadKinds() *types.PayloadKinds
	// EngineSignature reads a finished signature; false if there is none.
	EngineSignature(ctx context.Context, id string) (types.SignatureResult, bool, error)
}

// syncState says whether consensus waits for state sync or block sync.
// consensus.Reactor implements it.
type syncState interface{ WaitSync() bool }

// Ages of the last block beyond which a node takes itself to be behind. A chain
// makes a block at least every timeout_propose + timeout_commit and some network
// delay in its first round; ageRounds allows for failed rounds, minBlockAge for
// clocks that differ and for machines under load.
const (
	ageRounds   = 10
	minBlockAge = 30 * time.Second
)

var _ mpc.SignChecker = (*chain)(nil)

// chain is the engine's view of committed state.
type chain struct {
	app   App
	sync  syncState
	clock clockWatch
	now   func() time.Time
	// seen is told of each view.
	seen func(sight)
	// nobody is the roster before the first block, the same one each time.
	nobody *types.Roster
	keys   knownKeys
	ready  readyKeys
	roster knownRoster
}

// sight is a view, and what else its state says.
type sight struct {
	*mpc.View
	// presigns are the presignatures that participants may make. Nobody changes it.
	presigns map[types.RequestID]bool
	ended    outcomes
	failed   failures
}

// failures lists the signatures that failed among so many that were decided last, the newest
// first. It is good as long as outcomes are.
type failures func(looks int) ([]string, error)

// outcomes says how a request ended in the state of a view, if it did; false if the chain
// does not know it. It is good as long as somebody is told of the view.
type outcomes func(types.RequestID) (types.Outcome, bool)

func newChain(app App, sync syncState, cfg *cmtcfg.ConsensusConfig, seen func(sight)) *chain {
	return &chain{
		app: app, sync: sync, now: time.Now, seen: seen, nobody: types.NewRoster(nil),
		clock: clockWatch{maxAge: maxBlockAge(cfg)},
	}
}

// maxBlockAge is the age of the last block beyond which a node takes itself to be behind.
func maxBlockAge(cfg *cmtcfg.ConsensusConfig) time.Duration {
	return max(minBlockAge, ageRounds*(cfg.TimeoutPropose+cfg.TimeoutCommit))
}

// View implements mpc.Chain; the engine's loop calls it. Before the first block the
// chain is one without requests and participants that has to catch up: the engine
// waits, and does not complain each time it looks.
func (c *chain) View(_ context.Context, keys []types.KeyID) (v *mpc.View, err error) {
	defer unpanicked(&err)
	if c.app.LastBlockHeight() == 0 {
		return &mpc.View{CatchingUp: true, Roster: c.nobody}, nil
	}
	ctx, err := c.committed()
	if err != nil {
		return nil, err
	}
	v = &mpc.View{Height: ctx.BlockHeight(), Time: ctx.BlockTime()}
	v.CatchingUp, v.ClockAhead = c.behind(ctx)
	state := c.app.MPCState()
	if v.Requests, err = state.EngineRequests(ctx); err != nil {
		return nil, fmt.Errorf("read open requests: %w", err)
	}
	if v.Attested, err = state.EngineAttested(ctx); err != nil {
		return nil, fmt.Errorf("read what is attested: %w", err)
	}
	if v.Roster, err = c.roster.read(ctx, state); err != nil {
		return nil, err
	}
	if v.Faults, err = state.EngineFaults(ctx); err != nil {
		return nil, fmt.Errorf("read faults: %w", err)
	}
	if v.Presign, err = state.EnginePresignTarget(ctx); err != nil {
		return nil, fmt.Errorf("read the parameters: %w", err)
	}
	if v.FaultBlocks, err = state.EngineFaultBlocks(ctx); err != nil {
		return nil, fmt.Errorf("read the parameters: %w", err)
	}
	if v.Keys, err = c.keys.read(ctx, state, keys); err != nil {
		return nil, err
	}
	presigns, err := c.presignable(ctx, state, v.Presign)
	if err != nil {
		return nil, err
	}
	ended := func(id types.RequestID) (types.Outcome, bool) {
		o, known, err := state.EngineOutcome(ctx, id)
		return o, known && err == nil // one that cannot be read is not counted
	}
	c.seen(sight{v, presigns, ended, func(looks int) ([]string, error) { return state.EngineFailedSigns(ctx, looks) }})
	return v, nil
}

// presignable are the presignatures that participants may make, of so many for each key.
func (c *chain) presignable(ctx context.Context, state State, target int) (map[types.RequestID]bool, error) {
	if target <= 0 {
		c.ready.forget()
		return nil, nil
	}
	return c.ready.read(ctx, state)
}

// behind says whether the node knows that the chain is further, or takes itself to
// be behind because its last block is old; and in the latter case how far its clock
// seems ahead instead.
func (c *chain) behind(ctx sdk.Context) (bool, time.Duration) {
	if c.sync.WaitSync() {
		c.clock.syncing()
		return true, 0
	}
	now := c.now()
	age := now.Sub(ctx.BlockTime())
	return age > c.clock.maxAge, c.clock.ahead(now, ctx.BlockHeight(), age)
}

// Key implements mpc.Chain.
func (c *chain) Key(_ context.Context, id types.KeyID) (_ types.Key, _ bool, err error) {
	defer unpanicked(&err)
	ctx, err := c.committed()
	if err != nil {
		return types.Key{}, false, err
	}
	return c.app.MPCState().EngineKey(ctx, id)
}

// Unacknowledged implements mpc.Chain.
func (c *chain) Unacknowledged(_ context.Context, op types.Operator) (_ []types.KeyID, err error) {
	defer unpanicked(&err)
	ctx, err := c.committed()
	if err != nil {
		return nil, err
	}
	return c.app.MPCState().EngineUnacknowledged(ctx, op)
}

// Proven implements mpc.Chain.
func (c *chain) Proven(_ context.Context, op types.Operator, session types.Context) (_ bool, err error) {
	defer unpanicked(&err)
	ctx, err := c.committed()
	if err != nil {
		return false, err
	}
	return c.app.MPCState().EngineProven(ctx, op, session)
}

// ReshareEnded implements mpc.Chain.
func (c *chain) ReshareEnded(_ context.Context, id string) (_ types.EndedReshare, _ bool, err error) {
	defer unpanicked(&err)
	ctx, err := c.committed()
	if err != nil {
		return types.EndedReshare{}, false, err
	}
	return c.app.MPCState().EngineReshareEnded(ctx, id)
}

// CheckSign implements mpc.SignChecker.
func (c *chain) CheckSign(_ context.Context, signatureID string) (err error) {
	defer unpanicked(&err)
	ctx, err := c.committed()
	if err != nil {
		return fmt.Errorf("%w: %w", types.ErrStorage, err)
	}
	if err := c.app.MPCState().EngineCheckSign(ctx, signatureID); err != nil {
		reason := mpctypes.ReasonOf(err)
		if reason == "" {
			reason = types.ErrStorage
		}
		return fmt.Errorf("%w: %w", reason, err)
	}
	return nil
}

// Signature implements mpc.Chain.
func (c *chain) Signature(_ context.Context, id string) (_ types.SignatureResult, _ bool, err error) {
	defer unpanicked(&err)
	ctx, err := c.committed()
	if err != nil {
		return types.SignatureResult{}, false, err
	}
	return c.app.MPCState().EngineSignature(ctx, id)
}

// committed is the last committed state. The height is named, because "latest"
// has gaps: between a commit and the check state after it there is none. The
// operator's query-gas-limit is for the queries of others.
func (c *chain) committed() (sdk.Context, error) {
	height := c.app.LastBlockHeight()
	if height == 0 {
		return sdk.Context{}, fmt.Errorf("read committed state: there is no block yet")
	}
	ctx, err := c.app.CreateQueryContext(height, false)
	if err != nil {
		return sdk.Context{}, fmt.Errorf("read committed state of height %d: %w", height, err)
	}
	return ctx.WithGasMeter(storetypes.NewInfiniteGasMeter()), nil
}

// unpanicked makes an error of a store's panic, as over a version that was pruned:
// the engine looks again at the next block.
func unpanicked(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("read committed state: panic: %v", r)
	}
}

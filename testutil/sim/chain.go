package sim

import (
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	cmtabci "github.com/cometbft/cometbft/abci/types"

	"cosmossdk.io/log/v2"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// ChainID is the chain id with which every simulated network begins.
const ChainID = chain.ChainID

// maxTxBytes of every proposal.
const maxTxBytes = 1 << 20

// Chain is x/mpc's own keeper and ABCI handlers on a store in memory. Only
// consensus is left out: each block's proposer is a random node that is up,
// and everybody executes what it proposes.
type Chain struct {
	// Fixture has the keeper, the validators and their jail.
	Fixture *chain.Fixture
	// Bundles, if set, replaces what a proposer injects.
	Bundles func(proposer *Node, bundle []byte) []byte
	// Proposes, if set, says who may propose; a block of nobody's has no bundle.
	Proposes func(*Node) bool
	// Rejected counts proposals that ProcessProposal refused; such a block goes
	// without a bundle.
	Rejected int

	world  *World
	roster *types.Roster
	blocks []*snapshot // by height, from 1
	// states are those after each block, if they are kept.
	states []chain.State
	keys   []types.KeyID
	signed []string
	// forks are digests that nodes see instead of the chain's.
	forks map[string][]byte
	// takenBack are those for which that is over.
	takenBack map[string]bool
	// reshared were asked for, here or by the module.
	reshared []string
	queue    []func(sdk.Context) error
	// Errors are those of queued messages, in order.
	Errors []error
}

// snapshot is a committed state as the engine reads it; never changed.
type snapshot struct {
	height     int64
	time       time.Time
	requests   []types.Request
	keys       map[types.KeyID]types.Key
	signatures map[string]types.SignatureResult
	ended      map[string]types.EndedReshare // those that are over, by id
	attested   map[types.AttestedAttempt]bool
	faults     []types.Fault
	// proven says against whom there ever was proof in a session.
	proven      map[types.Context]types.Operator
	roster      *types.Roster
	presign     int
	faultBlocks int64
}

func newChain(t testing.TB, w *World) *Chain {
	var named []string
	for _, op := range w.Operators {
		named = append(named, string(op))
	}
	c := &Chain{Fixture: chain.NewPlain(t, w.Config.Nodes, named...), world: w, forks: make(map[string][]byte), takenBack: make(map[string]bool)}
	params, err := c.Fixture.Keeper.Params(c.Fixture.Ctx)
	c.must(err)
	if w.Params != nil {
		w.Params(&params)
		c.must(c.Fixture.Keeper.SetParams(c.Fixture.Ctx, params))
	}
	c.begin()
	return c
}

func (c *Chain) must(err error) {
	if err != nil {
		panic(err)
	}
}

// begin commits the first block.
func (c *Chain) begin() {
	c.blocks, c.states = make([]*snapshot, 1, 256), make([]chain.State, 1)
	c.commit()
}

// ID is the chain's.
func (c *Chain) ID() string { return c.Fixture.Ctx.ChainID() }

// Roster is everybody.
func (c *Chain) Roster() *types.Roster { return c.roster }

// Height is the last committed block.
func (c *Chain) Height() int64 { return int64(len(c.blocks) - 1) }

func (c *Chain) at(height int64) *snapshot { return c.blocks[height] }

func (c *Chain) last() *snapshot { return c.blocks[len(c.blocks)-1] }

// Key reads the last state.
func (c *Chain) Key(id types.KeyID) (types.Key, bool) {
	k, ok := c.last().keys[id]
	return k, ok
}

// Signature reads the last state.
func (c *Chain) Signature(id string) (types.SignatureResult, bool) {
	s, ok := c.last().signatures[id]
	return s, ok
}

// Open counts open requests, those of the next block among them.
func (c *Chain) Open() int { return len(c.last().requests) + len(c.queue) }

// Do executes something in the next block, as a transaction would.
func (c *Chain) Do(tx func(sdk.Context) error) { c.queue = append(c.queue, tx) }

// Keygen asks for a key in the next block: of these participants, or of all that are
// bonded.
func (c *Chain) Keygen(id types.KeyID, threshold int, of ...*Node) {
	c.keys = append(c.keys, id)
	c.Do(func(ctx sdk.Context) error {
		_, err := c.Fixture.Msg.KeyGen(ctx, &xtypes.MsgKeyGen{
			Requester: c.Fixture.Requester, KeyId: string(id), Algorithm: xtypes.ALGORITHM_ECDSA_SECP256K1,
			Threshold: uint32(threshold), Participants: operators(of), AllowRaw: true,
		})
		return err
	})
}

// ChangeParams changes the parameters in the next block.
func (c *Chain) ChangeParams(change func(*xtypes.Params)) {
	c.Do(func(ctx sdk.Context) error {
		params, err := c.Fixture.Keeper.Params(ctx)
		if err != nil {
			return err
		}
		change(&params)
		return c.Fixture.Keeper.SetParams(ctx, params)
	})
}

// Reshare asks for new shares of a key in the next block, as Keygen.
func (c *Chain) Reshare(id string, key types.KeyID, threshold int, to ...*Node) {
	c.Do(func(ctx sdk.Context) error {
		_, err := c.Fixture.Msg.KeyReshare(ctx, &xtypes.MsgKeyReshare{
			Requester: c.Fixture.Requester, ReshareId: id, KeyId: string(key), Threshold: uint32(threshold), Participants: operators(to),
		})
		return err
	})
}

// CancelReshare gives a reshare up in the next block.
func (c *Chain) CancelReshare(id string) {
	c.Do(func(ctx sdk.Context) error {
		_, err := c.Fixture.Msg.CancelReshare(ctx, &xtypes.MsgCancelReshare{Requester: c.Fixture.Requester, ReshareId: id})
		return err
	})
}

// ReshareStatus reads the last state; unspecified if nobody asked.
func (c *Chain) ReshareStatus(id string) xtypes.ReshareStatus {
	r, err := c.Fixture.Keeper.Reshare(c.Fixture.Ctx, id)
	if err != nil {
		return xtypes.RESHARE_STATUS_UNSPECIFIED
	}
	return r.Status
}

func operators(nodes []*Node) []string {
	var ops []string
	for _, n := range nodes {
		ops = append(ops, string(n.Operator))
	}
	return ops
}

// Attest asks for a key in the next block, as Keygen, with its participants' word on a
// session that made it elsewhere.
func (c *Chain) Attest(id types.KeyID, threshold int, session types.Context, payload []byte, of ...*Node) {
	c.Keygen(id, threshold, of...)
	c.Do(func(ctx sdk.Context) error {
		for _, p := range c.Fixture.Participants {
			if len(of) > 0 && !slices.Contains(operators(of), p.Operator) {
				continue
			}
			a := p.Attest(string(id), 0, session, payload)
			if err := c.Fixture.Keeper.ApplyAttestation(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sign asks for a signature in the next block.
func (c *Chain) Sign(id string, key types.KeyID, digest []byte) {
	c.signed = append(c.signed, id)
	c.Do(func(ctx sdk.Context) error {
		_, err := c.Fixture.Msg.KeySign(ctx, &xtypes.MsgKeySign{
			Requester: c.Fixture.Requester, SignatureId: id, KeyId: string(key), Payload: xtypes.DigestPayload(digest),
		})
		return err
	})
}

// Delete asks for the deletion of a key in the next block.
func (c *Chain) Delete(id types.KeyID) {
	c.Do(func(ctx sdk.Context) error {
		_, err := c.Fixture.Msg.KeyDelete(ctx, &xtypes.MsgKeyDelete{Requester: c.Fixture.Requester, KeyId: string(id)})
		return err
	})
}

// Undelete takes the deletion of a key back in the next block.
func (c *Chain) Undelete(id types.KeyID) {
	c.Do(func(ctx sdk.Context) error {
		_, err := c.Fixture.Msg.Undelete(ctx, &xtypes.MsgUndelete{Requester: c.Fixture.Requester, KeyId: string(id)})
		return err
	})
}

// Jail takes a validator out of the bonded set in the next block.
func (c *Chain) Jail(op types.Operator) {
	c.Do(func(sdk.Context) error {
		for _, p := range c.Fixture.Participants {
			if p.Operator == string(op) {
				p.Jail()
			}
		}
		return nil
	})
}

// produce executes and commits the next block and schedules the one after it.
func (c *Chain) produce() {
	ctx := c.Fixture.Ctx.WithBlockHeight(c.Height() + 1).WithEventManager(sdk.NewEventManager())
	ctx = chain.WithAppHash(ctx, fmt.Sprintf("%s after block %d of %d", c.ID(), c.Height(), c.last().time.UnixNano()))
	c.Fixture.Ctx = ctx
	handlers := abci.NewHandlers(c.Fixture.Keeper, nil, log.NewNopLogger())
	txs := c.proposal(ctx)
	c.world.note("block %d brings %x", ctx.BlockHeight(), txs)
	_, err := handlers.PreBlocker(nil)(ctx, &cmtabci.RequestFinalizeBlock{Height: ctx.BlockHeight(), Txs: txs})
	c.must(err)
	for _, tx := range c.queue {
		cached, write := ctx.CacheContext()
		if err := tx(cached); err != nil {
			c.Errors = append(c.Errors, err)
			continue
		}
		write()
	}
	c.queue = nil
	c.must(c.Fixture.Keeper.EndBlock(ctx))
	c.commit()
	for _, n := range c.world.Nodes {
		if n.listens() {
			n.committed(c.Height())
		}
	}
	c.world.after(c.world.BlockTime, c.produce)
}

// proposal is what a random proposer proposes and the others accept.
func (c *Chain) proposal(ctx sdk.Context) [][]byte {
	up := slices.DeleteFunc(slices.Clone(c.world.Nodes), func(n *Node) bool {
		return !n.Up() || c.Proposes != nil && !c.Proposes(n)
	})
	if len(up) == 0 {
		return nil
	}
	proposer := up[c.world.Rand.IntN(len(up))]
	for _, a := range proposer.core.Results().Accusations {
		proposer.noteAccusation(a) // it may be on chain before it is told
	}
	handlers := abci.NewHandlers(c.Fixture.Keeper, proposer.core, log.NewNopLogger())
	prepared, err := handlers.PrepareProposal(noTxs)(ctx, &cmtabci.RequestPrepareProposal{
		Height: ctx.BlockHeight(), MaxTxBytes: maxTxBytes,
	})
	c.must(err)
	txs := prepared.Txs
	if c.Bundles != nil {
		var bundle []byte
		if len(txs) > 0 {
			bundle = txs[0]
		}
		txs = nil
		if bundle = c.Bundles(proposer, bundle); bundle != nil {
			txs = [][]byte{bundle}
		}
	}
	processed, err := handlers.ProcessProposal(acceptAll)(ctx, &cmtabci.RequestProcessProposal{Height: ctx.BlockHeight(), Txs: txs})
	if err != nil || processed.Status != cmtabci.ResponseProcessProposal_ACCEPT {
		c.Rejected++
		return nil
	}
	return txs
}

func noTxs(sdk.Context, *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
	return &cmtabci.ResponsePrepareProposal{}, nil
}

func acceptAll(sdk.Context, *cmtabci.RequestProcessProposal) (*cmtabci.ResponseProcessProposal, error) {
	return &cmtabci.ResponseProcessProposal{Status: cmtabci.ResponseProcessProposal_ACCEPT}, nil
}

// commit reads what engines may read of the new state.
func (c *Chain) commit() {
	k, ctx := c.Fixture.Keeper, c.Fixture.Ctx
	s := &snapshot{
		height: int64(len(c.blocks)), time: c.world.Now(), keys: make(map[types.KeyID]types.Key),
		signatures: make(map[string]types.SignatureResult), ended: make(map[string]types.EndedReshare),
	}
	var err error
	s.requests, err = k.EngineRequests(ctx)
	c.must(err)
	s.attested, err = k.EngineAttested(ctx)
	c.must(err)
	s.faults, err = k.EngineFaults(ctx)
	c.must(err)
	s.proven = c.provenBy(s.faults)
	s.presign, err = k.EnginePresignTarget(ctx)
	c.must(err)
	s.faultBlocks, err = k.EngineFaultBlocks(ctx)
	c.must(err)
	for _, id := range c.keys {
		key, known, err := k.EngineKey(ctx, id)
		c.must(err)
		if !known {
			continue
		}
		s.keys[id] = key
		stored, err := k.Key(ctx, string(id))
		c.must(err)
		if open := stored.ReshareId; open != "" && !slices.Contains(c.reshared, open) {
			c.reshared = append(c.reshared, open)
		}
	}
	for _, id := range c.signed {
		if old, ok := c.known(id); ok {
			s.signatures[id] = old
			continue
		}
		sig, done, err := k.EngineSignature(ctx, id)
		c.must(err)
		if done {
			s.signatures[id] = sig
			c.world.words.signed(id, sig.R, sig.S)
		}
	}
	for _, id := range c.reshared {
		end, ended, err := k.EngineReshareEnded(ctx, id)
		c.must(err)
		if ended {
			s.ended[id] = end
		}
	}
	c.roster, err = k.EngineRoster(ctx)
	c.must(err)
	s.roster = c.roster
	c.blocks = append(c.blocks, s)
	if c.world.KeepStates {
		c.states = append(c.states, c.Fixture.Save())
	}
	c.world.noteBlock(s)
}

func (c *Chain) known(signature string) (types.SignatureResult, bool) {
	last := c.last()
	if last == nil {
		return types.SignatureResult{}, false
	}
	sig, ok := last.signatures[signature]
	return sig, ok
}

// view is what a node that has seen this height knows.
func (c *Chain) view(height int64, keys []types.KeyID) *mpc.View {
	s := c.at(height)
	v := &mpc.View{Height: height, Time: s.time, Requests: c.requestsAt(height), Keys: make(map[types.KeyID]types.Key), Roster: s.roster, Attested: s.attested, Faults: s.faults, FaultBlocks: s.faultBlocks, Presign: s.presign}
	for _, id := range keys {
		if k, ok := s.keys[id]; ok {
			v.Keys[id] = k
		}
	}
	return v
}

// identity finds a node's identity key.
func (c *Chain) identity(i int) (types.Operator, ed25519.PrivateKey) {
	p := c.Fixture.Participants[i]
	return types.Operator(p.Operator), p.Identity
}

// provenBy adds to what was proved before: proof stays, whether it counts or not.
func (c *Chain) provenBy(faults []types.Fault) map[types.Context]types.Operator {
	proven := make(map[types.Context]types.Operator)
	if len(c.blocks) > 1 {
		maps.Copy(proven, c.last().proven)
	}
	for _, f := range faults {
		if f.Proven() {
			proven[f.Session] = f.Participant
		}
	}
	return proven
}

// Faults lists what the chain holds against participants.
func (c *Chain) Faults() []types.Fault {
	var faults []types.Fault
	resp, err := c.Fixture.Query.Faults(c.Fixture.Ctx, &xtypes.QueryFaultsRequest{})
	c.must(err)
	for _, f := range resp.Faults {
		faults = append(faults, f.ToEngine())
	}
	return faults
}

// EverHeld lists what the chain held against participants at any time, oldest first.
func (c *Chain) EverHeld() []types.Fault {
	var held []types.Fault
	known := make(map[types.Fault]bool)
	for _, s := range c.blocks[1:] {
		for _, f := range s.faults {
			if !known[f] {
				known[f] = true
				held = append(held, f)
			}
		}
	}
	return held
}

// Proven lists the faults that were ever proved.
func (c *Chain) Proven() []types.Fault {
	return slices.DeleteFunc(c.EverHeld(), func(f types.Fault) bool { return !f.Proven() })
}

package sim

import (
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// startTimeout of every request.
const startTimeout = 8 * time.Second

// Chain is a model of what x/mpc commits: the rules of a result are the same,
// everything else of a chain is left out. Each block's proposer is a random
// node that is up; what it holds is what gets in.
type Chain struct {
	world  *World
	blocks []*state // by height
	ids    map[types.Operator][]types.Identity
	roster *types.Roster
	// Retire is how many blocks after its decision a key's losers may go.
	Retire int64
	queue  []func(*state)
}

// state is one committed state; never changed after its block.
type state struct {
	height       int64
	requests     map[types.RequestID]types.Request
	keys         map[types.KeyID]types.Key
	signatures   map[string]types.SignatureResult
	failed       map[types.RequestID]types.Reason
	attestations map[types.RequestID][]types.Attestation
}

func newChain(w *World) *Chain {
	c := &Chain{world: w, ids: make(map[types.Operator][]types.Identity), Retire: 20}
	c.blocks = []*state{{
		requests: map[types.RequestID]types.Request{}, keys: map[types.KeyID]types.Key{},
		signatures: map[string]types.SignatureResult{}, failed: map[types.RequestID]types.Reason{},
		attestations: map[types.RequestID][]types.Attestation{},
	}}
	return c
}

func (c *Chain) register(n *Node) {
	c.ids[n.Operator] = []types.Identity{{Version: 1, Key: n.Identity.Public().(ed25519.PublicKey)}}
	c.roster = types.NewRoster(c.ids)
}

// Roster is everybody.
func (c *Chain) Roster() *types.Roster { return c.roster }

// Height is the last committed block.
func (c *Chain) Height() int64 { return int64(len(c.blocks) - 1) }

func (c *Chain) at(height int64) *state { return c.blocks[height] }

func (c *Chain) last() *state { return c.blocks[len(c.blocks)-1] }

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

// Failed reads the last state.
func (c *Chain) Failed(id types.RequestID) (types.Reason, bool) {
	r, ok := c.last().failed[id]
	return r, ok
}

// Open counts open requests.
func (c *Chain) Open() int { return len(c.last().requests) }

// Keygen commits a request with all nodes in the next block.
func (c *Chain) Keygen(id types.KeyID, threshold int, attempt, lifetime int64) {
	c.queue = append(c.queue, func(s *state) {
		r := types.Request{
			ID: types.RequestID{Kind: types.KindKeygen, ID: string(id)}, KeyID: id, Algorithm: types.ECDSASecp256k1,
			Threshold: threshold, Members: c.members(), Height: s.height, ExpiryHeight: s.height + lifetime,
			AttemptBlocks: attempt, StartTimeout: startTimeout,
		}
		s.requests[r.ID] = r
		s.keys[id] = types.Key{
			ID: id, Status: types.KeyPending, Algorithm: r.Algorithm, Threshold: threshold, Participants: r.Operators(),
		}
	})
}

// Sign commits a request for a READY key in the next block.
func (c *Chain) Sign(id string, key types.KeyID, digest []byte, attempt, lifetime int64) {
	c.queue = append(c.queue, func(s *state) {
		k := s.keys[key]
		r := types.Request{
			ID: types.RequestID{Kind: types.KindSign, ID: id}, KeyID: key, Algorithm: k.Algorithm, Threshold: k.Threshold,
			Epoch: k.Epoch, Members: c.members(), Height: s.height, ExpiryHeight: s.height + lifetime,
			AttemptBlocks: attempt, StartTimeout: startTimeout, Digest: digest, KeySession: k.Session, PublicKey: k.PublicKey,
		}
		s.requests[r.ID] = r
	})
}

// Delete makes a key DELETED in the next block.
func (c *Chain) Delete(id types.KeyID) {
	c.queue = append(c.queue, func(s *state) {
		k := s.keys[id]
		k.Status = types.KeyDeleted
		s.keys[id] = k
		for rid, r := range s.requests {
			if r.KeyID == id {
				delete(s.requests, rid)
				s.failed[rid] = types.ErrKeyDeleted
			}
		}
	})
}

func (c *Chain) members() []types.Member {
	var ms []types.Member
	for _, n := range c.world.Nodes {
		ms = append(ms, types.Member{
			Operator: n.Operator, IdentityVersion: 1, IdentityKey: n.Identity.Public().(ed25519.PublicKey),
		})
	}
	return ms
}

// produce commits the next block and schedules the one after it.
func (c *Chain) produce() {
	s := c.last().next()
	if p := c.proposer(); p != nil {
		c.apply(s, p.core.Results())
	}
	for id, r := range s.requests {
		if r.Expired(s.height) {
			c.fail(s, id, types.ErrExpired)
		}
	}
	for _, tx := range c.queue {
		tx(s)
	}
	c.queue = nil
	c.blocks = append(c.blocks, s)
	for _, n := range c.world.Nodes {
		if n.Up() {
			n.committed(s.height)
		}
	}
	c.world.after(c.world.BlockTime, c.produce)
}

func (c *Chain) proposer() *Node {
	up := slices.DeleteFunc(slices.Clone(c.world.Nodes), func(n *Node) bool { return !n.Up() })
	if len(up) == 0 {
		return nil
	}
	return up[c.world.Rand.IntN(len(up))]
}

func (c *Chain) apply(s *state, results types.Results) {
	for _, a := range results.Attestations {
		c.attest(s, a)
	}
	for _, sig := range results.Signatures {
		id := types.RequestID{Kind: types.KindSign, ID: sig.RequestID}
		r, open := s.requests[id]
		if open && types.VerifySignature(r.PublicKey, r.Digest, &sig) == nil {
			s.signatures[sig.RequestID] = sig
			delete(s.requests, id)
		}
	}
}

// attest counts one attestation: the first session that all participants
// attest alike wins.
func (c *Chain) attest(s *state, a types.Attestation) {
	if a.Request.Kind == types.KindDelete {
		c.attestDeletion(s, a)
		return
	}
	r, open := s.requests[a.Request]
	m, member := r.Member(a.Operator)
	if !open || !member || a.Verify(ChainID, m.IdentityKey) != nil {
		return
	}
	alike := 1
	for _, b := range s.attestations[a.Request] {
		if b.Operator == a.Operator && b.Session == a.Session {
			return
		}
		if b.Session == a.Session && string(b.Payload) == string(a.Payload) {
			alike++
		}
	}
	s.attestations[a.Request] = append(slices.Clone(s.attestations[a.Request]), a)
	k := s.keys[r.KeyID]
	if !slices.Contains(k.Holders, a.Operator) {
		k.Holders = append(slices.Clone(k.Holders), a.Operator)
		slices.Sort(k.Holders)
	}
	if alike == len(r.Members) {
		payload, err := types.DecodeKeygenPayload(a.Payload)
		if err != nil {
			panic(fmt.Sprintf("verified attestation with a bad payload: %v", err))
		}
		k.Status, k.Session, k.PublicKey = types.KeyReady, a.Session, payload.PublicKey
		k.DecidedHeight, k.RetireHeight = s.height, s.height+c.Retire
		delete(s.requests, a.Request)
	}
	s.keys[r.KeyID] = k
}

func (c *Chain) attestDeletion(s *state, a types.Attestation) {
	k, ok := s.keys[types.KeyID(a.Request.ID)]
	ids := c.ids[a.Operator]
	if !ok || k.Status != types.KeyDeleted || len(ids) == 0 || a.Verify(ChainID, ids[len(ids)-1].Key) != nil {
		return
	}
	if slices.Contains(k.Holders, a.Operator) && !slices.Contains(k.DeletionAcked, a.Operator) {
		k.DeletionAcked = append(slices.Clone(k.DeletionAcked), a.Operator)
		s.keys[k.ID] = k
	}
}

func (c *Chain) fail(s *state, id types.RequestID, reason types.Reason) {
	r := s.requests[id]
	delete(s.requests, id)
	s.failed[id] = reason
	if id.Kind == types.KindKeygen {
		k := s.keys[r.KeyID]
		k.Status, k.DecidedHeight, k.RetireHeight = types.KeyError, s.height, s.height+c.Retire
		s.keys[r.KeyID] = k
	}
}

// view is what a node that has seen this height knows.
func (c *Chain) view(height int64, keys []types.KeyID) *mpc.View {
	s := c.at(height)
	v := &mpc.View{Height: height, Keys: make(map[types.KeyID]types.Key), Roster: c.Roster()}
	for _, r := range s.requests {
		v.Requests = append(v.Requests, r)
	}
	slices.SortFunc(v.Requests, func(a, b types.Request) int {
		if a.Before(&b) {
			return -1
		}
		return 1
	})
	for _, id := range keys {
		if k, ok := s.keys[id]; ok {
			v.Keys[id] = k
		}
	}
	return v
}

// next copies a state for the block after it.
func (s *state) next() *state {
	return &state{
		height: s.height + 1, requests: maps.Clone(s.requests), keys: maps.Clone(s.keys),
		signatures: maps.Clone(s.signatures), failed: maps.Clone(s.failed), attestations: maps.Clone(s.attestations),
	}
}

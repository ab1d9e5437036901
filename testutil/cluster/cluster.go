package cluster

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// ChainID of every cluster.
const ChainID = "cluster"

// BlockTime is between blocks of who asks whether one is Due.
const BlockTime = time.Second

// Cluster is a few engines that hold the shares of one READY key.
type Cluster struct {
	t       testing.TB
	key     fixtures.KeySet
	members []*member
	done    chan struct{}

	// carry, if set, brings each envelope to whom it is for.
	carry atomic.Pointer[func(deliver func())]

	mu     sync.Mutex
	view   mpc.View
	newest time.Time // when its block was made
	signed map[string]types.SignatureResult
}

// member is one engine.
type member struct {
	c      *Cluster
	op     types.Operator
	key    ed25519.PrivateKey
	db     *storage.DB
	audit  *auditor
	engine *mpc.Engine
}

// keyID of the cluster's key.
const keyID = "fixture"

// New starts the engines of all participants of a key, with this many workers each.
// Every participant keeps presign presignatures. All of it ends with the test.
func New(t testing.TB, key fixtures.KeySet, protocols session.Protocols, workers, presign int) *Cluster {
	t.Helper()
	c := &Cluster{t: t, key: key, newest: time.Now(), done: make(chan struct{}, 1), signed: make(map[string]types.SignatureResult)}
	roster := make(map[types.Operator][]types.Identity)
	for i, op := range key.Operators {
		m := c.newMember(op, key.Shares[i])
		roster[op] = []types.Identity{{Version: 1, Key: m.key.Public().(ed25519.PublicKey)}}
		c.members = append(c.members, m)
	}
	c.view = mpc.View{Height: 1, Roster: types.NewRoster(roster), Presign: presign, Keys: map[types.KeyID]types.Key{keyID: {
		ID: keyID, Status: types.KeyReady, Session: key.Session, Algorithm: types.ECDSASecp256k1, Threshold: key.Threshold,
		Participants: key.Operators, PublicKey: key.Payload.PublicKey, DecidedHeight: 1, Holders: key.Operators,
	}}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, m := range c.members {
		var err error
		m.engine, err = mpc.New(mpc.Options{
			ChainID: ChainID, Identities: []ed25519.PrivateKey{m.key}, Chain: c, Store: m.db, Transport: m, Protocols: protocols,
			Auditor: m.audit,
		}, workers)
		require.NoError(t, err)
	}
	for _, m := range c.members {
		running.Go(func() {
			if err := m.engine.Run(ctx); err != nil {
				t.Errorf("engine of %s: %v", m.op, err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		for _, m := range c.members {
			m.close()
		}
	})
	return c
}

func (m *member) close() {
	if err := m.db.Close(); err != nil {
		m.c.t.Errorf("close the database of %s: %v", m.op, err)
	}
	if err := m.audit.lines.Close(); err != nil {
		m.c.t.Errorf("close the audit log of %s: %v", m.op, err)
	}
}

// newMember makes a database with the share in it, READY, and an audit log.
func (c *Cluster) newMember(op types.Operator, share []byte) *member {
	c.t.Helper()
	seed := sha256.Sum256([]byte(op))
	m := &member{c: c, op: op, key: ed25519.NewKeyFromSeed(seed[:])}
	var err error
	m.db, err = storage.Create(filepath.Join(c.t.TempDir(), "mpc"), []byte("passphrase"), storage.Options{
		KDF: &storage.KDF{Time: 1, MemoryKiB: 8, Threads: 1},
	})
	require.NoError(c.t, err)
	lines, err := audit.Open(c.t.TempDir())
	require.NoError(c.t, err)
	m.audit = &auditor{m, lines}
	record := types.Record{
		RecordKey: types.RecordKey{KeyID: keyID, Session: c.key.Session}, Algorithm: types.ECDSASecp256k1, Status: types.StatusPending,
		Context: c.key.Session, Participants: c.key.Operators, Threshold: c.key.Threshold, PublicKey: c.key.Payload.PublicKey,
		Payload: c.key.Payload.Encode(), Data: share, IdentityVersion: 1, Created: time.Now(), Updated: time.Now(),
	}
	require.NoError(c.t, m.db.PutRecord(record))
	record.Status = types.StatusReady
	require.NoError(c.t, m.db.PutRecord(record))
	return m
}

// Carry lets a network decide how each envelope from here on is delivered: on any goroutine,
// as often as it likes.
func (c *Cluster) Carry(network func(deliver func())) { c.carry.Store(&network) }

// Ready is how many presignatures the engines have for requests that they lead.
func (c *Cluster) Ready() (n int) {
	for _, m := range c.members {
		for _, s := range m.engine.Status().Presignatures {
			n += s.Ready
		}
	}
	return n
}

// Stock is how many presignatures the engines have for requests that they lead, and
// whether they make no others, by what they say of a time after since.
func (c *Cluster) Stock(since time.Time) (ready int, resting bool) {
	for _, m := range c.members {
		s := m.engine.Status()
		if !s.At.After(since) {
			return 0, false
		}
		for _, p := range s.Presignatures {
			ready += p.Ready
			if p.Building > 0 {
				return 0, false
			}
		}
	}
	return ready, true
}

// Late says whether all engines take blocks for late: they begin no presignature then,
// until one came in time.
func (c *Cluster) Late() bool {
	return !slices.ContainsFunc(c.members, func(m *member) bool { return !m.engine.Status().BlocksLate })
}

// Sign commits requests and returns when all are signed, or fails the test. The next block
// does not have them any more.
func (c *Cluster) Sign(digests map[string][]byte, atMost time.Duration) {
	c.t.Helper()
	c.commit(func(v *mpc.View) {
		for id, digest := range digests {
			v.Requests = append(v.Requests, c.request(id, digest, v.Height))
		}
	})
	deadline := time.After(atMost)
	for !c.all(digests) {
		select {
		case <-c.done:
		case <-deadline:
			c.t.Fatalf("%d requests are not signed after %s", len(digests), atMost)
		}
	}
}

func (c *Cluster) all(digests map[string][]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range digests {
		if _, ok := c.signed[id]; !ok {
			return false
		}
	}
	return true
}

func (c *Cluster) request(id string, digest []byte, height int64) types.Request {
	r := c.key.SignRequest(id, digest)
	r.Height, r.ExpiryHeight, r.AttemptBlocks, r.StartTimeout = height, height+1000, 1000, time.Minute
	for i := range r.Members {
		r.Members[i].IdentityKey = c.members[i].key.Public().(ed25519.PublicKey)
	}
	return r
}

// Block commits one with nothing in it. Engines make presignatures while blocks are in time.
func (c *Cluster) Block() { c.commit(func(*mpc.View) {}) }

// Due says whether the last one is BlockTime ago. Engines take for late what comes later
// than it used to: who wants presignatures makes a block when one is due, and not before.
func (c *Cluster) Due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.newest) >= BlockTime
}

// commit makes a block. What was asked for before it is signed.
func (c *Cluster) commit(change func(*mpc.View)) {
	c.mu.Lock()
	v := c.view
	v.Height++
	v.Requests = nil
	change(&v)
	c.view, c.newest = v, time.Now()
	c.mu.Unlock()
	for _, m := range c.members {
		m.engine.Wake()
	}
}

// View implements mpc.Chain.
func (c *Cluster) View(context.Context, []types.KeyID) (*mpc.View, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.view
	return &v, nil
}

// Key implements mpc.Chain.
func (c *Cluster) Key(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.view.Keys[id]
	return k, ok, nil
}

// Unacknowledged implements mpc.Chain.
func (*Cluster) Unacknowledged(context.Context, types.Operator) ([]types.KeyID, error) {
	return nil, nil
}

// Proven implements mpc.Chain.
func (*Cluster) Proven(context.Context, types.Operator, types.Context) (bool, error) {
	return false, nil
}

// ReshareEnded implements mpc.Chain.
func (*Cluster) ReshareEnded(context.Context, string) (types.EndedReshare, bool, error) {
	return types.EndedReshare{}, false, nil
}

// Signature implements mpc.Chain.
func (c *Cluster) Signature(_ context.Context, id string) (types.SignatureResult, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.signed[id]
	return s, ok, nil
}

// Send implements mpc.Transport: the bytes are decoded and the signature is verified, as
// a reactor does.
func (m *member) Send(to types.Operator, e *wire.Envelope) bool {
	bz, err := e.Marshal()
	if err != nil {
		m.c.t.Errorf("encode an envelope: %v", err)
		return false
	}
	var copied wire.Envelope
	if err := copied.Unmarshal(bz); err != nil {
		m.c.t.Errorf("decode an envelope: %v", err)
		return false
	}
	sender, recipient := m.c.member(types.Operator(e.Header.From)), m.c.member(to)
	if sender == nil || recipient == nil {
		m.c.t.Errorf("an envelope of %s to %s", e.Header.From, to)
		return false
	}
	v, err := types.VerifyEnvelope(&copied, ChainID, sender.key.Public().(ed25519.PublicKey))
	if err != nil {
		m.c.t.Errorf("verify an envelope: %v", err)
		return false
	}
	deliver := func() { recipient.engine.Receive(v) }
	if carry := m.c.carry.Load(); carry != nil {
		(*carry)(deliver)
		return true
	}
	deliver()
	return true
}

// Gossip implements mpc.Transport: what is signed is on the chain, as far as a cluster
// has one.
func (m *member) Gossip(g *wire.Gossip) {
	s, ok := g.Sum.(*wire.Gossip_Signature)
	if !ok {
		return
	}
	result, err := types.SignatureResultFromWire(s.Signature)
	if err != nil {
		m.c.t.Errorf("decode a signature: %v", err)
		return
	}
	m.c.mu.Lock()
	m.c.signed[result.RequestID] = result
	m.c.mu.Unlock()
	select {
	case m.c.done <- struct{}{}:
	default:
	}
}

// SetRoster implements mpc.Transport.
func (*member) SetRoster(*types.Roster) {}

// SetSelf implements mpc.Transport.
func (*member) SetSelf(mpc.Self) {}

func (c *Cluster) member(op types.Operator) *member {
	for _, m := range c.members {
		if m.op == op {
			return m
		}
	}
	return nil
}

package session_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
)

const chainID = "session-test"

// timing is the real one; time is virtual.
var timing = session.DefaultTiming()

// mail is an envelope on its way. from is who sent it on, not always who signed.
type mail struct {
	from, to *player
	e        *wire.Envelope
}

func (m mail) is(from, to *player, kind wire.Kind) bool {
	return m.from == from && m.to == to && m.e.Header.Kind == kind
}

// network is a few sessions of one attempt, on one goroutine.
type network struct {
	t       testing.TB
	now     time.Time
	request types.Request
	players []*player
	watch   *fakeproto.Watch // of their parties
	mails   []mail
	// hold keeps back what a test wants to see late, or never.
	hold func(mail) bool
	held []mail
	// sent is everything that was ever sent, sentAt when.
	sent   []mail
	sentAt []time.Duration
	// chance, if set, decides what moves next and what arrives twice.
	chance *rand.Rand
}

// player is one member and the Host of its session.
type player struct {
	net *network
	op  types.Operator
	key ed25519.PrivateKey
	s   *session.Session

	secret   []byte // pre-parameters or share
	suspects map[types.Operator]int
	ahead    func(types.Operator) bool
	late     map[types.Operator]time.Duration // what it heard of its waits
	full     bool                             // its send queue
	slow     bool                             // its steps wait for work
	mute     bool                             // its party never has a result
	// knows is the committed request for which presignatures are used; nil: it does not
	// know of it yet. refuses is why it does not want to.
	knows     *types.Request
	refuses   types.Reason
	lie       func([]session.Outbound)
	jobs      []func() (session.Step, error)
	beginErr  error
	finishErr error

	material session.Material // as handed out, not copied
	share    []byte           // of the result, not copied
	kept     []byte           // of the result, copied
	result   *session.Result
	ends     []session.End
}

func (p *player) Send(to types.Operator, e *wire.Envelope) bool {
	if p.full {
		return false
	}
	m := mail{p, p.net.player(to), e}
	p.net.sent = append(p.net.sent, m)
	p.net.sentAt = append(p.net.sentAt, p.net.now.Sub(epoch))
	p.net.mails = append(p.net.mails, m)
	return true
}

func (p *player) Submit(_ *session.Session, run func() (session.Step, error)) {
	p.jobs = append(p.jobs, run)
}

func (p *player) Begin(*session.Session) (session.Material, error) {
	if p.net.request.ID.Kind == types.KindKeygen {
		p.material.Preparams = bytes.Clone(p.secret)
	} else {
		p.material.Share = bytes.Clone(p.secret)
	}
	p.net.watch.Secret("the pre-parameters opened for "+string(p.op), p.material.Preparams)
	p.net.watch.Secret("the share opened for "+string(p.op), p.material.Share)
	return p.material, p.beginErr
}

func (p *player) Consume(_ *session.Session, _ uint32, request string, digest []byte) (*types.Request, types.Reason) {
	switch {
	case p.refuses != "":
		return nil, p.refuses
	case p.knows == nil:
		return nil, ""
	case p.knows.ID.ID != request || string(p.knows.Digest) != string(digest):
		return nil, types.ErrBadDigest
	}
	return p.knows, ""
}

func (p *player) Finish(_ *session.Session, r *session.Result) error {
	p.result, p.share, p.kept = r, r.Share, bytes.Clone(r.Share)
	return p.finishErr
}

func (p *player) End(_ *session.Session, end session.End) { p.ends = append(p.ends, end) }

func (p *player) config() session.Config {
	protocol, err := fakeproto.Protocols{Watch: p.net.watch}.Protocol(p.net.request.ID.Kind, p.net.request.Algorithm)
	require.NoError(p.net.t, err)
	return session.Config{
		ChainID: chainID, Request: p.net.request, Self: p.op, Identity: p.key, Protocol: protocol, Host: p,
		Rand: rand.NewChaCha8(sha256.Sum256([]byte(p.op))), Timing: timing,
		Ahead:     func(_ *types.Request, op types.Operator) bool { return p.ahead != nil && p.ahead(op) },
		Suspicion: func(op types.Operator) int { return p.suspects[op] },
		Late:      func(op types.Operator, took time.Duration) { p.late[op] += took },
	}
}

// work runs one step.
func (p *player) work() {
	run := p.jobs[0]
	p.jobs = p.jobs[1:]
	step, err := run()
	if p.lie != nil {
		p.lie(step.Out)
	}
	if p.mute {
		step.Result = nil
	}
	p.s.HandleStep(step, err, p.net.now)
}

func (p *player) tick() { p.s.Tick(p.net.now) }

func (p *player) hear(v types.Verified) { p.s.HandleEnvelope(v, p.net.now) }

// ended is the one End that a session must have had.
func (p *player) ended() session.End {
	p.net.t.Helper()
	require.Len(p.net.t, p.ends, 1, "%s is %s in round %d", p.op, p.s.Phase(), p.s.Round())
	require.Equal(p.net.t, session.Ended, p.s.Phase())
	require.Zero(p.net.t, p.s.Keys(), "session keys outlive the session")
	return p.ends[0]
}

var epoch = time.Unix(1_700_000_000, 0).UTC()

// newPlayer makes op-a, op-b, ...
func newPlayer(n *network, i int) *player {
	op := types.Operator(fmt.Sprintf("op-%c", 'a'+i))
	seed := sha256.Sum256([]byte(op))
	return &player{net: n, op: op, key: ed25519.NewKeyFromSeed(seed[:]), secret: []byte("pre-parameters of " + op), late: make(map[types.Operator]time.Duration)}
}

// outsider is registered and has a key, but is no member of the request.
func outsider(n *network) *player { return newPlayer(n, 25) }

// newKeygen is an attempt at a keygen of n members; nothing was sent yet.
func newKeygen(t testing.TB, members int) *network {
	n := &network{t: t, now: epoch, watch: &fakeproto.Watch{}, request: types.Request{
		ID: types.RequestID{Kind: types.KindKeygen, ID: "key"}, KeyID: "key", Algorithm: types.ECDSASecp256k1,
		Threshold: 1, Height: 1, ExpiryHeight: 100, AttemptBlocks: 10, StartTimeout: time.Minute,
	}}
	for i := range members {
		p := newPlayer(n, i)
		n.players = append(n.players, p)
		n.request.Members = append(n.request.Members, types.Member{
			Operator: p.op, IdentityVersion: 1, IdentityKey: p.key.Public().(ed25519.PublicKey),
		})
	}
	return n
}

// newSign is an attempt at a signature by a key that a keygen made.
func newSign(t testing.TB, members, threshold int) *network {
	keygen := newKeygen(t, members)
	keygen.open()
	keygen.settle()
	n := newKeygen(t, members)
	n.request.ID = types.RequestID{Kind: types.KindSign, ID: "sig"}
	n.request.Threshold = threshold
	n.request.Digest = append(make([]byte, 31), 1)
	n.request.KeySession = keygen.context()
	n.request.PublicKey = keygen.players[0].result.Payload.PublicKey
	for i, p := range n.players {
		p.secret = keygen.players[i].kept
	}
	return n
}

func (n *network) player(op types.Operator) *player {
	for _, p := range n.players {
		if p.op == op {
			return p
		}
	}
	n.t.Fatalf("nobody is called %s", op)
	return nil
}

// open: op-a leads.
func (n *network) open() {
	s, err := session.Open(n.players[0].config(), n.now)
	require.NoError(n.t, err)
	n.players[0].s = s
	s.Announce(n.now)
}

// context is that of the running session.
func (n *network) context() types.Context { return n.players[0].s.Context() }

// settle lets everything happen that needs no time to pass.
func (n *network) settle() {
	for n.next() {
	}
}

func (n *network) next() bool {
	for _, p := range n.players {
		if len(p.jobs) > 0 && !p.slow && (n.chance == nil || n.chance.IntN(3) == 0) {
			p.work()
			return true
		}
	}
	if len(n.mails) == 0 {
		return slices.ContainsFunc(n.players, func(p *player) bool { return len(p.jobs) > 0 && !p.slow })
	}
	i := 0
	if n.chance != nil {
		i = n.chance.IntN(len(n.mails))
	}
	m := n.mails[i]
	if n.chance == nil || n.chance.IntN(4) > 0 { // else it comes again
		n.mails = slices.Delete(n.mails, i, i+1)
	}
	if n.hold != nil && n.hold(m) {
		n.held = append(n.held, m)
		return true
	}
	n.deliver(m)
	return true
}

// deliver carries the bytes and verifies them, as the reactor does.
func (n *network) deliver(m mail) {
	bz, err := m.e.Marshal()
	require.NoError(n.t, err)
	e := &wire.Envelope{}
	require.NoError(n.t, e.Unmarshal(bz))
	signer := n.player(types.Operator(e.Header.From))
	v, err := types.VerifyEnvelope(e, chainID, signer.key.Public().(ed25519.PublicKey))
	require.NoError(n.t, err)
	switch {
	case m.to.s != nil:
		m.to.hear(v)
	case e.Header.Kind == wire.KIND_PREPARE:
		m.to.s, err = session.Join(m.to.config(), v, n.now)
		require.NoError(n.t, err)
		m.to.s.Announce(n.now)
	}
}

// release delivers what was held back.
func (n *network) release() {
	n.hold = nil
	n.mails = append(n.held, n.mails...)
	n.held = nil
	n.settle()
}

// pass lets time pass in steps; everybody ticks after each.
func (n *network) pass(d, step time.Duration) {
	for end := n.now.Add(d); n.now.Before(end); {
		n.now = n.now.Add(step)
		for _, p := range n.players {
			if p.s != nil {
				p.tick()
			}
		}
		n.settle()
	}
}

// times lists when a player sent envelopes of a kind to another.
func (n *network) times(from, to *player, kind wire.Kind) []time.Duration {
	var at []time.Duration
	for i, m := range n.sent {
		if m.is(from, to, kind) {
			at = append(at, n.sentAt[i])
		}
	}
	return at
}

// forge signs anything with a player's key. Chain, sender and identity version
// are filled in unless set.
func forge(t testing.TB, from *player, h wire.Header, body []byte) types.Verified {
	t.Helper()
	h.ChainId, h.From, h.Sequence = chainID, string(from.op), 1<<40
	if h.RequestId == "" {
		h.RequestKind, h.RequestId = uint32(from.net.request.ID.Kind), from.net.request.ID.ID
	}
	if h.IdentityVersion == 0 {
		h.IdentityVersion = 1
	}
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, body, from.key), chainID, from.key.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	return v
}

// message is what encodes itself.
type message interface{ Marshal() ([]byte, error) }

func encode(t testing.TB, m message) []byte {
	t.Helper()
	bz, err := m.Marshal()
	require.NoError(t, err)
	return bz
}

// finished: everybody of these has a result and the same session.
func (n *network) finished(players ...*player) {
	n.t.Helper()
	for _, p := range players {
		require.Equal(n.t, session.Lingering, p.s.Phase(), "%s waits for %v in round %d: %v", p.op, p.s.AwaitedFor(), p.s.Round(), p.ends)
		require.Equal(n.t, n.context(), p.s.Context())
		if n.request.ID.Kind == types.KindSign {
			require.NoError(n.t, types.VerifySignature(n.request.PublicKey, n.request.Digest, p.result.Signature))
			continue
		}
		require.Equal(n.t, players[0].result.Payload, p.result.Payload)
	}
}

// newPresign is an attempt at a presignature. What may be asked for is the request that
// it returns.
func newPresign(t testing.TB, members, threshold int) (*network, *types.Request) {
	n := newSign(t, members, threshold)
	asked := n.request
	n.request.ID = types.RequestID{Kind: types.KindPresign, ID: n.request.KeySession.String()}
	n.request.Digest = nil
	return n, &asked
}

package session

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// initiatorShare is the part of start_timeout that the initiator waits for
// Readys; the rest is for the Start to arrive before the first Ready lapses.
const (
	initiatorShareNum = 3
	initiatorShareDen = 4
)

// Open makes the session of an attempt that this node leads. Nobody hears of it
// before Announce: the caller writes down first what must not be forgotten.
func Open(cfg Config, now time.Time) (*Session, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s, err := newSession(cfg, cfg.Self, Preparing, now)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, 32)
	if _, err := io.ReadFull(cfg.Rand, nonce); err != nil {
		return nil, fmt.Errorf("read randomness for a Prepare: %w", err)
	}
	body := wire.Prepare{
		Attempt: cfg.Attempt, Nonce: nonce, EphemeralKey: s.ephemeral.PublicKey().Bytes(), Deals: cfg.Deals, Height: cfg.Height,
	}
	if cfg.Request.ID.Kind == types.KindPresign {
		commitment := cfg.Request.Commitment(cfg.ChainID)
		body.Commitment = commitment[:]
	}
	bz, err := body.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode a Prepare: %w", err)
	}
	e := s.envelope(wire.Header{Context: make([]byte, 32), Kind: wire.KIND_PREPARE}, bz)
	if s.prepare, err = s.verify(e); err != nil {
		return nil, fmt.Errorf("verify our own Prepare: %w", err)
	}
	s.id = s.prepare.Hash()
	for _, m := range cfg.Request.Members {
		if m.Operator != cfg.Self {
			s.outbox.keep(m.Operator, e, now)
		}
	}
	return s, nil
}

// Announce sends the first message of a session that Open or Join made.
func (s *Session) Announce(now time.Time) {
	if s.phase != Ended {
		s.outbox.flush(now)
	}
}

// Join makes the session of a Prepare that the engine accepted. It says Ready
// when it is announced.
func Join(cfg Config, prepare types.Verified, now time.Time) (*Session, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s, err := newSession(cfg, prepare.From(), Waiting, now)
	if err != nil {
		return nil, err
	}
	if _, err := s.confirmVerified(prepare); err != nil {
		return nil, err
	}
	if err := CheckPrepare(prepare); err != nil {
		return nil, err
	}
	s.prepare, s.id = prepare, prepare.Hash()
	ready := wire.Ready{EphemeralKey: s.ephemeral.PublicKey().Bytes(), Deals: cfg.Deals}
	bz, err := ready.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode a Ready: %w", err)
	}
	e := s.envelope(wire.Header{Context: s.id[:], Kind: wire.KIND_READY, To: string(s.initiator)}, bz)
	if s.ready, err = s.verify(e); err != nil {
		return nil, fmt.Errorf("verify our own Ready: %w", err)
	}
	s.outbox.keep(s.initiator, e, now)
	return s, nil
}

func newSession(cfg Config, initiator types.Operator, phase Phase, now time.Time) (*Session, error) {
	ephemeral, err := newEphemeral(cfg.Rand)
	if err != nil {
		return nil, err
	}
	traffic := new(Traffic)
	cfg.Host = metered{cfg.Host, traffic}
	return &Session{
		cfg: cfg, traffic: traffic, initiator: initiator, phase: phase, opened: now, since: now, progress: now, ephemeral: ephemeral,
		readys: make(map[types.Operator]types.Verified), deals: make(map[types.Operator]bool), refusals: make(map[types.Operator]types.Reason),
		restarted: make(map[types.Operator]time.Time),
		outdated:  make(map[types.Operator]bool), parking: plannedParking(cfg.Protocol),
		outbox: outbox{timing: cfg.Timing, send: cfg.Host.Send},
	}, nil
}

// DecodePrepare reads the body of a Prepare and checks its shape.
func DecodePrepare(v types.Verified) (types.RequestID, uint32, error) {
	var p wire.Prepare
	if err := p.Unmarshal(v.Body()); err != nil {
		return types.RequestID{}, 0, fmt.Errorf("decode a Prepare of %s: %w", v.From(), err)
	}
	if len(p.Nonce) != 32 || len(p.EphemeralKey) != 32 {
		return types.RequestID{}, 0, fmt.Errorf("prepare of %s: nonce and key have 32 bytes each", v.From())
	}
	return v.Request(), p.Attempt, nil
}

// PreparedAt is the height of the last block that the initiator saw when it made a Prepare,
// which DecodePrepare took.
func PreparedAt(v types.Verified) int64 {
	height, _ := PreparedFor(v)
	return height
}

// PreparedFor is that of the Prepare of a presignature, and the hash of what it is for.
func PreparedFor(v types.Verified) (height int64, commitment []byte) {
	var p wire.Prepare
	if err := p.Unmarshal(v.Body()); err != nil {
		return 0, nil
	}
	return p.Height, p.Commitment
}

// CheckPrepare says whether a session can be started with the key in a Prepare. It
// draws no randomness and costs about as much as its signature did.
func CheckPrepare(v types.Verified) error {
	var p wire.Prepare
	if err := p.Unmarshal(v.Body()); err != nil {
		return fmt.Errorf("decode a Prepare of %s: %w", v.From(), err)
	}
	return checkSessionKey(probe, p.EphemeralKey, v.From())
}

// onReady collects what members say; the first word of each counts.
func (s *Session) onReady(v types.Verified, now time.Time) {
	if s.initiator != s.cfg.Self {
		return
	}
	if s.phase != Preparing {
		s.repeatStart(v.From(), now)
		return
	}
	if _, said := s.readys[v.From()]; said {
		return
	}
	if err := s.usable(v); err != nil {
		s.without(End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{v.From()}, Err: err}, now)
		return
	}
	delete(s.refusals, v.From())
	delete(s.outdated, v.From())
	s.readys[v.From()] = v
	s.order = append(s.order, v.From())
	s.progress = now
	s.answered(v.From())
	s.maybeStart(now)
}

// usable says whether a session can be started with this Ready: a bad key would
// only show at the Start, and the initiator would look guilty.
func (s *Session) usable(v types.Verified) error {
	r, err := decodeReady(v, s.id)
	if err != nil {
		return err
	}
	s.deals[v.From()] = r.Deals
	return checkSessionKey(s.ephemeral, r.EphemeralKey, v.From())
}

// answered: no more Prepares for this member.
func (s *Session) answered(op types.Operator) {
	s.outbox.drop(func(to types.Operator, h *wire.Header) bool { return to == op && h.Kind == wire.KIND_PREPARE })
}

// without goes on without a member, and gives up as soon as too few are left.
func (s *Session) without(e End, now time.Time) {
	op := e.Culprits[0]
	s.refusals[op] = e.Reason
	s.answered(op)
	if !s.cfg.Request.CanDoWithout(slices.Collect(maps.Keys(s.refusals))) {
		s.end(e)
		return
	}
	s.maybeStart(now)
}

// maxReady bounds the body of a Ready: a key and a flag. A Start carries those of all
// members, and receivers take none that is longer than these make it.
const maxReady = 34 + 2

// decodeReady reads a Ready for this session.
func decodeReady(v types.Verified, id types.SessionID) (*wire.Ready, error) {
	if string(v.Header().Context) != string(id[:]) {
		return nil, fmt.Errorf("ready of %s is for another session", v.From())
	}
	if len(v.Body()) > maxReady {
		return nil, fmt.Errorf("ready of %s has %d bytes, at most %d are allowed", v.From(), len(v.Body()), maxReady)
	}
	var r wire.Ready
	if err := r.Unmarshal(v.Body()); err != nil {
		return nil, fmt.Errorf("decode a Ready of %s: %w", v.From(), err)
	}
	if len(r.EphemeralKey) != 32 {
		return nil, fmt.Errorf("session key of %s has %d bytes, not 32", v.From(), len(r.EphemeralKey))
	}
	return &r, nil
}

// onRefuse notes why a member takes no part.
func (s *Session) onRefuse(v types.Verified, now time.Time) {
	if s.disownable(v.From()) {
		s.onDisowned(v)
		return
	}
	if s.initiator != s.cfg.Self || s.phase != Preparing {
		return
	}
	if _, said := s.readys[v.From()]; said {
		return
	}
	var r wire.Refuse
	if err := r.Unmarshal(v.Body()); err != nil || types.Reason(r.Reason).Remedy() == "" {
		r.Reason = string(types.ErrProtocolFault)
	}
	s.without(End{
		Reason: types.Reason(r.Reason), Culprits: []types.Operator{v.From()}, Refused: true,
		Err: fmt.Errorf("%s refused: %s", v.From(), r.Reason),
	}, now)
}

// onOutdated notes that a member refused under another identity than the one that
// the request pinned, because it does not have that one. Whoever stole an identity
// that was replaced could say so too, so it ends nothing: it is not waited for or
// called silent any more, and its Ready still counts.
func (s *Session) onOutdated(v types.Verified, now time.Time) {
	if v.Header().Kind != wire.KIND_REFUSE || s.initiator != s.cfg.Self || s.phase != Preparing {
		return
	}
	var r wire.Refuse
	if err := r.Unmarshal(v.Body()); err != nil || types.Reason(r.Reason) != types.ErrIdentityOld {
		return
	}
	s.outdated[v.From()] = true
	s.maybeStart(now)
}

func (s *Session) tickPreparing(now time.Time) {
	s.maybeStart(now)
	if s.phase != Preparing {
		return
	}
	if now.Sub(s.since) >= s.cfg.Request.StartTimeout*initiatorShareNum/initiatorShareDen {
		s.endUnstarted()
	}
}

// endUnstarted gives up waiting. If all who are missing said that they cannot come,
// nobody is blamed.
func (s *Session) endUnstarted() {
	missing := s.unheard()
	if len(missing) == 0 && len(s.outdated) > 0 {
		outdated := slices.Sorted(maps.Keys(s.outdated))
		s.end(End{Reason: types.ErrIdentityOld, Culprits: outdated, Err: fmt.Errorf("%v cannot sign as the request wants", outdated)})
		return
	}
	s.end(End{Reason: types.ErrStartTimeout, Culprits: missing})
}

// unheard lists the members that said nothing, under whatever identity.
func (s *Session) unheard() []types.Operator {
	var ops []types.Operator
	for _, m := range s.cfg.Request.Members {
		_, ready := s.readys[m.Operator]
		_, refused := s.refusals[m.Operator]
		if m.Operator != s.cfg.Self && !ready && !refused && !s.outdated[m.Operator] {
			ops = append(ops, m.Operator)
		}
	}
	return ops
}

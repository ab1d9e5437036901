package mpcnode

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/cosmos/cosmos-sdk/version"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// Checkup is what a running node knows of itself, of the chain and of the others:
// nothing but facts. Package doctor says what is wrong.
type Checkup struct {
	// Version of the program.
	Version  string         `json:"version"`
	Status   StatusReport   `json:"status"`
	Identity IdentityReport `json:"identity"`
	Clock    ClockReport    `json:"clock"`
	// PreparamsTarget is how many sets of pre-parameters the node keeps, PresignTarget how
	// many presignatures of each key.
	PreparamsTarget int                  `json:"preparams_target"`
	PresignTarget   int                  `json:"presign_target"`
	Presignatures   []PresignatureReport `json:"presignatures"`
	// ReadyKeys are how many READY keys this node is a participant of that enough participants
	// are left to sign with, SpentKeys those that too few are.
	ReadyKeys int `json:"ready_keys"`
	SpentKeys int `json:"spent_keys"`
	// Strangers are peers without the MPC channel.
	Strangers []p2p.Stranger `json:"strangers"`
	// Participants are all registered ones, and those of the key that was asked for.
	Participants []ParticipantReport `json:"participants"`
	// Asked says whether the others were asked: a node without an identity that the chain
	// goes by, or whose engine stopped or hangs, cannot. AskError is what is wrong with the
	// engine then.
	Asked    bool   `json:"asked"`
	AskError string `json:"ask_error,omitempty"`
	// Key is the one that was asked for, Requests are those with the id that was; nil if
	// the chain does not know it.
	Key      *OutcomeReport  `json:"key,omitempty"`
	Requests []OutcomeReport `json:"requests,omitempty"`
	// Held are the READY keys that this node is a participant of, if they were asked for.
	Held []HeldKey `json:"held,omitempty"`
	// Validator is how the validator of this node's operator is: ValidatorBonded and so on;
	// empty: nobody knows.
	Validator string `json:"validator,omitempty"`
	// Signer is the key that the node signs blocks with, beside that validator's; nil: nobody
	// knows.
	Signer *SignerReport `json:"signer,omitempty"`
	// Chosen are whom the chain would choose, if that was asked for.
	Chosen *ChosenReport `json:"chosen,omitempty"`
	// ChainError is why the chain's state could not be read.
	ChainError string `json:"chain_error,omitempty"`
}

// HeldKey is a READY key as the chain has it: Threshold+1 of the participants sign.
type HeldKey struct {
	KeyID        string   `json:"key_id"`
	Threshold    int      `json:"threshold"`
	Participants []string `json:"participants"`
	// MissingShares are participants that said that they have no share.
	MissingShares []string `json:"missing_shares,omitempty"`
}

// IdentityReport is what the chain says of this node's identity keys.
type IdentityReport struct {
	// Keys are how many the node has; 0: none.
	Keys int `json:"keys"`
	// Operator registered one of them; empty: nobody did.
	Operator string `json:"operator,omitempty"`
	// Version is that of the newest of them, Current the one that the chain goes by.
	Version uint32 `json:"version,omitempty"`
	Current uint32 `json:"current,omitempty"`
	// Revoked: the operator revoked its identities, and has registered none since.
	Revoked bool `json:"revoked,omitempty"`
}

// SignerReport compares the key that a node signs blocks with with that of its operator's
// validator.
type SignerReport struct {
	// Address is that of the node's key.
	Address string `json:"address"`
	// Own: it is the validator's.
	Own bool `json:"own"`
	// Elsewhere: it is not, and that of the validator voted in one of the last SignerBlocks
	// blocks: another node signs for it.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// ClockReport compares this node's clock with the last block's time.
type ClockReport struct {
	Now       time.Time `json:"now"`
	BlockTime time.Time `json:"block_time"`
	// MaxAge of a block, in seconds, beyond which the node takes itself to be behind.
	MaxAge float64 `json:"max_age_seconds"`
}

// PresignatureReport is what the node has of presignatures of a key.
type PresignatureReport struct {
	KeyID  string `json:"key_id"`
	Epoch  uint64 `json:"epoch"`
	Ready  int    `json:"ready"`
	Parked int    `json:"parked"`
	// Building are being made, by whoever leads that.
	Building int `json:"building"`
}

// ParticipantReport is what the node knows of a participant.
type ParticipantReport struct {
	Operator string `json:"operator"`
	// IdentityVersion is current on chain; 0: none is.
	IdentityVersion uint32 `json:"identity_version"`
	Self            bool   `json:"self,omitempty"`
	// Direct: its node is a peer of this one.
	Direct bool `json:"direct"`
	// Answered: it did, straight or by relay, and said all that follows.
	Answered bool `json:"answered"`
	// AnsweredAs is the identity version that it answered under; its node does not have the
	// key of the current one if that is newer.
	AnsweredAs uint32 `json:"answered_as,omitempty"`
	// RoundTrip in seconds, from engine to engine.
	RoundTrip  float64 `json:"round_trip_seconds,omitempty"`
	Version    string  `json:"version,omitempty"`
	Height     int64   `json:"height,omitempty"`
	CatchingUp bool    `json:"catching_up,omitempty"`
	// ClockAhead of this node's, in seconds; below 0: behind.
	ClockAhead float64 `json:"clock_ahead_seconds,omitempty"`
	// HasShare and Epoch are of the key that was asked for.
	HasShare bool   `json:"has_share,omitempty"`
	Epoch    uint64 `json:"epoch,omitempty"`
}

// participantsAnswer is how long a checkup waits for the engine to hear of the others:
// less than who asks for the checkup waits for it, so that an engine that hangs does not
// keep the rest from being said.
const participantsAnswer = mpc.ProbePatience + time.Second

// peers is what a checkup needs of the reactor.
type peers interface {
	Reachable() []types.Operator
	Strangers() []p2p.Stranger
}

// prober asks other participants. mpc.Engine is one.
type prober interface {
	Probe(ctx context.Context, key types.KeyID) ([]mpc.Answer, error)
	Status() mpc.Status
}

// examiner finds the facts of a checkup.
type examiner struct {
	app    App
	chain  chainQueries
	engine prober
	peers  peers
	public []ed25519.PublicKey
	// consensus is the key that the node signs blocks with; votedLately reports whether the
	// validator with an address voted in the last blocks.
	consensus   *consensusKey
	votedLately func(validator []byte) bool
	status      func() StatusReport
	// maxAge is the engine's, preparams the configured target.
	maxAge    time.Duration
	preparams int
	now       func() time.Time
}

// newExaminer is that of a node whose engine is made.
func (m *member) newExaminer(engine *mpc.Engine, chain chainQueries, status func() StatusReport) *examiner {
	return &examiner{
		app: m.app, chain: chain, engine: engine, peers: m.reactor,
		public: m.vault.PublicKeys(), consensus: m.signs, votedLately: m.votedLately, status: status, maxAge: maxBlockAge(m.comet.Consensus), preparams: m.cfg.PreparamsTarget, now: time.Now,
	}
}

// ServeHTTP answers with a Checkup of a Question.
func (x *examiner) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	q, err := readQuestion(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, x.examine(req.Context(), q))
}

// examine never fails: what could not be found out stands in the report.
func (x *examiner) examine(ctx context.Context, q Question) Checkup {
	c := Checkup{
		Version: version.Version, Status: x.status(), PreparamsTarget: x.preparams, Strangers: x.peers.Strangers(),
		Identity: IdentityReport{Keys: len(x.public)},
		Clock:    ClockReport{Now: x.now(), MaxAge: x.maxAge.Seconds()},
	}
	for _, s := range x.engine.Status().Presignatures {
		c.Presignatures = append(c.Presignatures, PresignatureReport{string(s.KeyID), s.Epoch, s.Ready, s.Parked, s.Building})
	}
	roster, err := x.readChain(ctx, &c, q)
	if err != nil {
		c.ChainError = err.Error()
	}
	asked, cancel := context.WithTimeout(ctx, participantsAnswer)
	defer cancel()
	answers, err := x.engine.Probe(asked, types.KeyID(q.Key))
	c.Asked, c.AskError = err == nil, askError(err)
	c.Participants = x.participants(&c, roster, answers)
	return c
}

// askError is why an engine that could ask the others did not; empty if it did, or could
// not.
func askError(err error) string {
	switch {
	case err == nil, errors.Is(err, mpc.ErrNoProbe):
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "the engine does not answer"
	}
	return err.Error()
}

func (x *examiner) readChain(ctx context.Context, c *Checkup, q Question) (roster *types.Roster, err error) {
	defer unpanicked(&err)
	committed, err := (&chain{app: x.app}).committed()
	if err != nil {
		return nil, err
	}
	c.Clock.BlockTime = committed.BlockTime()
	if roster, err = x.app.MPCState().EngineRoster(committed); err != nil {
		return nil, err
	}
	c.Identity.found(roster, x.public)
	validator, signs := x.validator(ctx, c.Identity.Operator)
	c.Validator, c.Signer = validator, x.signer(ctx, c, signs)
	if c.PresignTarget, err = x.app.MPCState().EnginePresignTarget(committed); err != nil {
		return roster, err
	}
	if c.Identity.Operator != "" {
		keys, err := x.app.MPCState().EngineKeysOf(committed, types.Operator(c.Identity.Operator))
		if err != nil {
			return roster, err
		}
		c.readKeys(keys, roster, q.Held)
	}
	if q.Key != "" {
		found, err := x.chain.outcomes(ctx, q.Key)
		if err != nil {
			return roster, err
		}
		if i := slices.IndexFunc(found, func(o OutcomeReport) bool { return o.Kind == types.KindKeygen.String() }); i >= 0 {
			c.Key = &found[i]
		}
	}
	if q.Request != "" {
		if c.Requests, err = x.chain.outcomes(ctx, q.Request); err != nil {
			return roster, err
		}
	}
	c.Chosen, err = x.choose(ctx, q, c.Key)
	return roster, err
}

// readKeys counts READY keys of this node, and lists them if they are to be.
func (c *Checkup) readKeys(keys []types.Key, roster *types.Roster, list bool) {
	for i := range keys {
		k := &keys[i]
		if k.CanSign(roster) {
			c.ReadyKeys++
		} else {
			c.SpentKeys++
		}
		if list {
			c.Held = append(c.Held, HeldKey{string(k.ID), k.Threshold, texts(k.Participants), texts(k.MissingShares)})
		}
	}
}

// found notes whose identity keys are, and which one the chain goes by.
func (r *IdentityReport) found(roster *types.Roster, keys []ed25519.PublicKey) {
	for _, k := range slices.Backward(keys) {
		ov, ok := roster.Find(k)
		if !ok {
			continue
		}
		r.Operator, r.Version = string(ov.Operator), ov.Version
		current, ok := roster.Current(ov.Operator)
		r.Current, r.Revoked = current.Version, !ok
		return
	}
}

// participants are those of the roster with a current identity, and those of the key.
func (x *examiner) participants(c *Checkup, roster *types.Roster, answers []mpc.Answer) []ParticipantReport {
	direct := x.peers.Reachable()
	all := []ParticipantReport{}
	for _, op := range roster.Operators() {
		current, ok := roster.Current(op)
		if !ok && (c.Key == nil || !slices.Contains(c.Key.Participants, string(op))) {
			continue
		}
		p := ParticipantReport{
			Operator: string(op), IdentityVersion: current.Version, Self: string(op) == c.Identity.Operator,
			Direct: slices.Contains(direct, op),
		}
		if i := slices.IndexFunc(answers, func(a mpc.Answer) bool { return a.Operator == op }); i >= 0 {
			p.answered(answers[i])
		}
		all = append(all, p)
	}
	return all
}

// Outdated says that the chain goes by an identity whose key its node does not have.
func (p *ParticipantReport) Outdated() bool {
	return p.Answered && p.AnsweredAs < p.IdentityVersion
}

func (p *ParticipantReport) answered(a mpc.Answer) {
	p.Answered, p.RoundTrip, p.Version, p.Height, p.CatchingUp = true, a.RoundTrip.Seconds(), a.Version, a.Height, a.CatchingUp
	p.ClockAhead, p.HasShare, p.Epoch = a.ClockAhead.Seconds(), a.HasShare, a.Epoch
	p.AnsweredAs = a.IdentityVersion
}

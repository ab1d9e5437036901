package mpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// An operator who wants to know whether others are there lets its node ask them: a Ping
// to each that is registered, straight or by relay, and a Pong back. Nobody asks by
// itself. What a Pong says is its sender's word, and decides nothing.

const (
	// maxProbes at the same time: more people than that do not look at one node at once.
	maxProbes = 4
	// probeAgain is when who did not answer is asked once more: a Ping is not resent.
	probeAgain = time.Second
	// ProbePatience is when a probe ends without the answers that did not come.
	ProbePatience = 2500 * time.Millisecond
	// pongPause is how soon the same participant gets another answer: a probe asks twice
	// at most, a second apart.
	pongPause = 100 * time.Millisecond
	// nonceBytes of a Ping.
	nonceBytes = 16
	// maxVersionBytes of a program are shown.
	maxVersionBytes = 64
)

// probeRequest stands in the headers of Pings and Pongs, which are of no request.
const probeRequest = "probe"

// ErrNoProbe says that a node without a registered identity cannot ask anybody.
var ErrNoProbe = errors.New("this node has no registered identity to ask others with")

// Answer is what a participant said to a probe.
type Answer struct {
	Operator        types.Operator
	IdentityVersion uint32
	// RoundTrip is from this engine to the other one and back.
	RoundTrip time.Duration
	// Version of its program; empty if it does not say.
	Version    string
	Height     int64
	CatchingUp bool
	// ClockAhead is how far its clock is ahead of this node's, below 0: behind. It is
	// right to half of RoundTrip.
	ClockAhead time.Duration
	// HasShare: it has a share of the key that was asked for, of Epoch.
	HasShare bool
	Epoch    uint64
}

// probe is one question to all.
type probe struct {
	nonce   []byte
	key     types.KeyID
	shots   []time.Time
	silent  []types.Operator
	answers []Answer
	done    func([]Answer)
}

// Probe asks all other registered participants whether they are there, and what they
// have of a key, if one is named. done is called once, on the loop, with those that
// answered in time. Errors: ErrNoProbe, types.ErrBusy.
func (c *Core) Probe(key types.KeyID, done func([]Answer)) error {
	if c.self.Operator == "" || c.self.Key == nil {
		return ErrNoProbe
	}
	p := &probe{nonce: make([]byte, nonceBytes), key: key, done: done}
	if _, err := io.ReadFull(c.opts.Rand, p.nonce); err != nil {
		return fmt.Errorf("read randomness for a probe: %w", err)
	}
	for _, op := range c.view.Roster.Operators() {
		if op != c.self.Operator && c.isParticipant(op) {
			p.silent = append(p.silent, op)
		}
	}
	if len(p.silent) == 0 {
		done(nil)
		return nil
	}
	if len(c.probes) == maxProbes {
		return types.ErrBusy // who is asked for them waits still
	}
	c.probes = append(c.probes, p)
	c.shoot(p)
	return nil
}

// shoot asks who did not answer yet.
func (c *Core) shoot(p *probe) {
	ping := wire.Ping{Nonce: p.nonce, Count: uint32(len(p.shots)), KeyId: string(p.key)}
	p.shots = append(p.shots, c.opts.Now())
	body, err := ping.Marshal()
	if err != nil {
		c.opts.Log.Error("encode a Ping", "err", err)
		return
	}
	for _, op := range p.silent {
		c.sendProbe(wire.KIND_PING, op, body)
	}
}

func (c *Core) sendProbe(kind wire.Kind, to types.Operator, body []byte) {
	h := &wire.Header{
		ChainId: c.opts.ChainID, Context: make([]byte, len(types.Context{})), Kind: kind, From: string(c.self.Operator),
		IdentityVersion: c.self.Version, To: string(to), Sequence: 1, RequestId: probeRequest,
	}
	c.opts.Transport.Send(to, types.SignEnvelope(h, body, c.self.Key))
}

func (c *Core) endProbe(p *probe) {
	c.probes = slices.DeleteFunc(c.probes, func(other *probe) bool { return other == p })
	p.done(p.answers)
}

// tickProbes asks again, and ends what waited for long enough.
func (c *Core) tickProbes(now time.Time) {
	for _, p := range slices.Clone(c.probes) {
		switch waited := now.Sub(p.shots[0]); {
		case waited >= ProbePatience:
			c.endProbe(p)
		case waited >= probeAgain && len(p.shots) == 1:
			c.shoot(p)
		}
	}
}

// answerPing answers a registered participant, for this node alone.
func (c *Core) answerPing(v types.Verified, now time.Time) {
	var ping wire.Ping
	if err := ping.Unmarshal(v.Body()); err != nil || len(ping.Nonce) != nonceBytes {
		c.opts.Observer.Dropped(types.ErrProtocolFault)
		return
	}
	if c.self.Key == nil || v.Header().To != string(c.self.Operator) || !c.isParticipant(v.From()) {
		return
	}
	if age := now.Sub(c.pinged[v.From()]); age >= 0 && age < pongPause {
		c.opts.Observer.Dropped(types.ErrBusy)
		return
	}
	c.pinged[v.From()] = now
	pong := wire.Pong{
		Nonce: ping.Nonce, Count: ping.Count, Version: c.opts.Version, Height: c.view.Height, CatchingUp: c.view.CatchingUp,
		TimeMs: now.UnixMilli(),
	}
	pong.Epoch, pong.HasShare = c.newestShare(types.KeyID(ping.KeyId))
	body, err := pong.Marshal()
	if err != nil {
		c.opts.Log.Error("encode a Pong", "err", err)
		return
	}
	c.sendProbe(wire.KIND_PONG, v.From(), body)
}

// newestShare is the last epoch of a key of which this node has a share that can sign.
func (c *Core) newestShare(id types.KeyID) (epoch uint64, has bool) {
	for k := range c.byKey[id] {
		if r := c.records[k]; r.HasData && r.Status == types.StatusReady {
			epoch, has = max(epoch, r.Epoch), true
		}
	}
	return epoch, has
}

// takePong takes the first answer of each who was asked.
func (c *Core) takePong(v types.Verified, now time.Time) {
	var pong wire.Pong
	if err := pong.Unmarshal(v.Body()); err != nil {
		c.opts.Observer.Dropped(types.ErrProtocolFault)
		return
	}
	for _, p := range slices.Clone(c.probes) {
		asked := slices.Index(p.silent, v.From())
		if !bytes.Equal(p.nonce, pong.Nonce) || asked < 0 || int(pong.Count) >= len(p.shots) {
			continue
		}
		p.silent = slices.Delete(p.silent, asked, asked+1)
		p.answers = append(p.answers, answerOf(v, &pong, p.shots[pong.Count], now))
		if len(p.silent) == 0 {
			c.endProbe(p)
		}
	}
}

func answerOf(v types.Verified, pong *wire.Pong, asked, now time.Time) Answer {
	trip := now.Sub(asked)
	return Answer{
		Operator: v.From(), IdentityVersion: v.Header().IdentityVersion, RoundTrip: trip, Version: printable(pong.Version),
		Height: pong.Height, CatchingUp: pong.CatchingUp, ClockAhead: time.UnixMilli(pong.TimeMs).Sub(asked.Add(trip / 2)),
		HasShare: pong.HasShare, Epoch: pong.Epoch,
	}
}

// printable keeps what somebody else says of its version fit for a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text[:min(len(text), maxVersionBytes)])
}

// Probe asks all other registered participants whether they are there, and what they
// have of a key, if one is named. It returns the answers that came within ProbePatience.
// Errors: ErrNoProbe, ErrStopped, types.ErrBusy, and that of the context, which is what
// ends it where the loop hangs.
func (e *Engine) Probe(ctx context.Context, key types.KeyID) ([]Answer, error) {
	return ask(ctx, e, func(answer func([]Answer, error)) {
		if err := e.core.Probe(key, func(a []Answer) { answer(a, nil) }); err != nil {
			answer(nil, err)
		}
	})
}

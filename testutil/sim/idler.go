package sim

import (
	"crypto/ecdh"
	"encoding/binary"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Idler is a member without an engine. It says Ready to every Prepare, and in
// every session that starts with it nothing but Working, for ever.
type Idler struct {
	// Leads: where it is its turn it opens sessions too, as many as it is let.
	Leads bool
	// Mute: it does not even say Working.
	Mute bool
	// Leaves, if set, is what it says instead of Working, once.
	Leaves *wire.Abort
	// Sessions counts those that started with it.
	Sessions int

	node     *Node
	sequence uint64
	opened   map[types.SessionID]*opening
	started  map[types.Context]bool
}

// opening is a session that an Idler opened.
type opening struct {
	request types.Request
	prepare types.Verified
	readys  map[types.Operator]types.Verified
}

// Idle replaces a node's engine by an Idler.
func (n *Node) Idle(d *Idler) {
	n.Crash()
	d.node, d.opened, d.started = n, make(map[types.SessionID]*opening), make(map[types.Context]bool)
	n.idler = d
}

// hear is its Core.HandleEnvelope.
func (d *Idler) hear(v types.Verified) {
	h := v.Header()
	switch h.Kind {
	case wire.KIND_PREPARE:
		id := v.Hash()
		d.say(v.From(), d.header(wire.KIND_READY, id, v.Request(), v.From()), &wire.Ready{EphemeralKey: d.ephemeral()})
	case wire.KIND_READY:
		if o := d.opened[types.SessionID(h.Context)]; o != nil {
			o.readys[v.From()] = v
			d.start(o)
		}
	case wire.KIND_START:
		var start wire.Start
		must(start.Unmarshal(v.Body()))
		if slices.Contains(start.Signers, string(d.node.Operator)) {
			d.run(types.SessionID(h.Context), v.Request(), &start)
		}
	}
}

// lead opens a session of every request whose attempt is its own to lead.
func (d *Idler) lead(height int64) {
	if !d.Leads {
		return
	}
	for _, r := range d.node.world.Chain.at(height).requests {
		attempt := r.Attempt(height)
		if r.Initiator(attempt) != d.node.Operator {
			continue
		}
		nonce := binary.BigEndian.AppendUint64(make([]byte, 24), d.sequence)
		e := d.envelope(d.header(wire.KIND_PREPARE, types.SessionID{}, r.ID, ""), &wire.Prepare{
			Attempt: attempt, Nonce: nonce, EphemeralKey: d.ephemeral(),
		})
		prepare, err := types.VerifyEnvelope(e, ChainID, d.public())
		must(err)
		d.opened[prepare.Hash()] = &opening{r, prepare, make(map[types.Operator]types.Verified)}
		d.send(e, r.Operators()...)
	}
}

// start starts a session as soon as it can, with itself among the signers.
func (d *Idler) start(o *opening) {
	if len(o.readys) != o.request.SignersNeeded()-1 {
		return
	}
	body := wire.Start{Prepare: o.prepare.Envelope()}
	signers := []types.Operator{d.node.Operator}
	for op := range o.readys {
		signers = append(signers, op)
	}
	slices.Sort(signers)
	for _, op := range signers {
		if op != d.node.Operator {
			body.Readys = append(body.Readys, o.readys[op].Envelope())
		}
		body.Signers = append(body.Signers, string(op))
	}
	e := d.envelope(d.header(wire.KIND_START, o.prepare.Hash(), o.request.ID, ""), &body)
	d.send(e, o.request.Operators()...)
	d.run(o.prepare.Hash(), o.request.ID, &body)
}

// run does what it does in a session, for ever.
func (d *Idler) run(id types.SessionID, request types.RequestID, start *wire.Start) {
	transcript := types.Transcript{Prepare: id}
	for _, e := range start.Readys {
		transcript.Readys = append(transcript.Readys, types.HeaderHash(e.Header))
	}
	for _, s := range start.Signers {
		transcript.Signers = append(transcript.Signers, types.Operator(s))
	}
	context := transcript.Context()
	if d.started[context] {
		return
	}
	d.started[context] = true
	d.Sessions++
	switch {
	case d.Leaves != nil:
		d.send(d.envelope(d.header(wire.KIND_ABORT, context, request, ""), d.Leaves), transcript.Signers...)
	case !d.Mute:
		d.work(context, request, transcript.Signers, 1)
	}
}

func (d *Idler) work(context types.Context, request types.RequestID, with []types.Operator, count uint32) {
	h := d.header(wire.KIND_WORKING, context, request, "")
	h.Round = 1
	d.send(d.envelope(h, &wire.Working{Count: count}), with...)
	d.node.own(d.node.world.Timing.Working, func() { d.work(context, request, with, count+1) })
}

func (d *Idler) header(kind wire.Kind, context types.Hash, request types.RequestID, to types.Operator) *wire.Header {
	d.sequence++
	key := d.public()
	self, ok := d.node.world.Chain.Roster().Find(key)
	if !ok {
		panic("an idler that is not registered")
	}
	return &wire.Header{
		ChainId: ChainID, Context: context[:], Kind: kind, From: string(d.node.Operator), IdentityVersion: self.Version,
		To: string(to), Sequence: d.sequence, RequestKind: uint32(request.Kind), RequestId: request.ID,
	}
}

func (d *Idler) envelope(h *wire.Header, m interface{ Marshal() ([]byte, error) }) *wire.Envelope {
	body, err := m.Marshal()
	must(err)
	return types.SignEnvelope(h, body, d.node.Identity)
}

func (d *Idler) say(to types.Operator, h *wire.Header, m interface{ Marshal() ([]byte, error) }) {
	d.send(d.envelope(h, m), to)
}

func (d *Idler) send(e *wire.Envelope, to ...types.Operator) {
	for _, op := range to {
		if op != d.node.Operator {
			(*transport)(d.node).Send(op, e)
		}
	}
}

func (d *Idler) public() []byte { return d.node.Identity[32:] }

// ephemeral is a session key that the others take.
func (d *Idler) ephemeral() []byte {
	seed := binary.BigEndian.AppendUint64(make([]byte, 24), d.sequence+1)
	key, err := ecdh.X25519().NewPrivateKey(seed)
	must(err)
	return key.PublicKey().Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

package sim

import (
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// words are what engines said in sessions, before any lie. Two different messages
// for one place are proof against a member, and two sealed with one nonce give both
// away: no engine may ever make either, not even one that crashed.
type words struct {
	places map[place]types.Hash
	nonces map[nonce]types.Hash
	broken []string
}

// place is where a member says one thing.
type place struct {
	context  types.Hash
	kind     wire.Kind
	round    uint32
	typ      string
	from, to string
}

// nonce is what a message is sealed with, under a key of each session and direction.
type nonce struct {
	context  types.Hash
	from, to string
	sequence uint64
}

func newWords() words {
	return words{places: make(map[place]types.Hash), nonces: make(map[nonce]types.Hash)}
}

// said notes an envelope that an engine sends.
func (w *words) said(e *wire.Envelope) {
	h := e.Header
	context, body := types.Hash(h.Context), types.Hash(h.BodyHash)
	switch h.Kind {
	case wire.KIND_ROUND, wire.KIND_CONFIRM, wire.KIND_START:
	default:
		return
	}
	p := place{context, h.Kind, h.Round, h.Type, h.From, h.To}
	if before, said := w.places[p]; said && before != body {
		w.broken = append(w.broken, fmt.Sprintf("%s said two things as %s %s of round %d to %q", h.From, h.Kind, h.Type, h.Round, h.To))
	}
	w.places[p] = body
	if h.Kind != wire.KIND_ROUND || h.To == "" {
		return
	}
	n := nonce{context, h.From, h.To, h.Sequence}
	if before, used := w.nonces[n]; used && before != body {
		w.broken = append(w.broken, fmt.Sprintf("%s sealed two messages to %s with nonce %d", h.From, h.To, h.Sequence))
	}
	w.nonces[n] = body
}

// Broken lists what engines should never have said.
func (w *World) Broken() []string { return w.words.broken }

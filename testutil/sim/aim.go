package sim

import (
	"fmt"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Aim picks envelopes of sessions; what is not set picks all.
type Aim struct {
	From, To *Node
	Kind     wire.Kind
	Round    uint32
	Type     string
}

// Hits says whether a message on its way is one of them.
func (a Aim) Hits(from, to *Node, m *wire.Message) bool {
	e := m.GetEnvelope()
	return e != nil && (a.From == nil || a.From == from) && (a.To == nil || a.To == to) &&
		(a.Kind == wire.KIND_UNSPECIFIED || a.Kind == e.Header.Kind) &&
		(a.Round == 0 || a.Round == e.Header.Round) && (a.Type == "" || a.Type == e.Header.Type)
}

// Drop loses all that is aimed at, beside what Meddle does, and tells hit of each.
func (w *World) Drop(a Aim, hit func()) {
	before := w.Meddle
	w.Meddle = func(from, to *Node, m *wire.Message) Verdict {
		if a.Hits(from, to, m) {
			hit()
			return Verdict{Drop: true}
		}
		if before == nil {
			return Verdict{}
		}
		return before(from, to, m)
	}
}

// Lies are the names of what RandomLiar does to envelopes.
func Lies() (names []string) {
	for _, l := range lies {
		names = append(names, l.name)
	}
	return names
}

// LieAt makes a node do this one thing of Lies to all its messages that are aimed at, and to no
// other one. What is said to another one than a.To, or of another round, is the truth.
func (w *World) LieAt(n *Node, name string, a Aim) {
	i := slices.IndexFunc(lies, func(l lie) bool { return l.name == name })
	if i < 0 {
		panic(fmt.Sprintf("there is no lie %q; see Lies", name))
	}
	n.liar = true
	w.Lies[n.Operator] = func(to *Node, m *wire.Message) []*wire.Message {
		if !a.Hits(n, to, m) {
			return []*wire.Message{m}
		}
		return envelopes(lies[i].tell(w, n, to, m.GetEnvelope()))
	}
}

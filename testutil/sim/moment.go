package sim

// When says on which side of a write, or of a message, a node may crash.
type When string

// The sides. Halfway is a write's alone: see memstore.
const (
	Before  When = "before"
	Halfway When = "halfway in"
	After   When = "after"
)

// What of a Moment that is a message's: it leaves a node, or one hears it.
const (
	Send = "send"
	Hear = "hear"
)

// Moment is a moment at which a node may crash: at a write, named as by memstore or for
// the audit log, or at a message. Before a Send and after a Hear is enough: between them lie nothing but
// writes, computing and waiting.
type Moment struct {
	When When
	What string
}

// String is for people.
func (m Moment) String() string { return string(m.When) + " " + m.What }

// IsMessage tells messages from writes.
func (m Moment) IsMessage() bool { return m.What == Send || m.What == Hear }

// comes is where a node crashes, if a crash is wanted at this moment.
func (n *Node) comes(when When, what string) {
	m := Moment{when, what}
	if !m.IsMessage() {
		n.world.note("%s: %s", n.Operator, m)
	}
	if n.core == nil || n.world.CrashAt == nil {
		return
	}
	if away := n.world.CrashAt(n, m); away > 0 {
		panic(crashed{n, away})
	}
}

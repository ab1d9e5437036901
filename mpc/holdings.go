package mpc

// Holdings counts what a Core holds in memory, beyond the lists of its store and
// of committed state. Everything in it has an end: what belongs to a request goes
// with it, the rest after minutes, but for Suspects, Grudges and Decided.
type Holdings struct {
	// Sessions and Contexts are those in service, Attempts of open requests.
	Sessions, Contexts, Attempts int
	// Presignatures wait for a request, or are being made; their sessions and contexts
	// are not counted above.
	Presignatures int
	// Reserved are pre-parameters of unstarted sessions.
	Reserved int
	// Results wait for a proposer.
	Results int
	// Early and Parked are envelopes that came too soon, Over contexts whose late
	// envelopes are expected, and their Starts.
	Early, Parked, Over int
	// Suspects would rather be left out, for a day at most, Shunned are, by open request.
	// Notes are of what was logged, refused and bound.
	Suspects, Shunned, Notes int
	// Grudges are counts of what participants refused, which are kept for hours, and of
	// presignatures that came to nothing: one or two for each participant, and each pair of them.
	Grudges int
	// Decided are requests that were, so long as the chain takes proof about them.
	Decided int
	// Answered is what was answered lately and is not looked up, refused or answered again so
	// soon. Probes wait for answers.
	Answered, Probes int
	// Presigning is what is remembered for some blocks of presignatures, beside those that
	// there are.
	Presigning int
	// Tombstones and Unknown are keys that this node asks the chain about at each
	// block though it has no use for them.
	Tombstones, Unknown int
}

// Holdings counts. It is for tests and for people who look for a leak.
func (c *Core) Holdings() Holdings {
	h := Holdings{
		Sessions: len(c.sessions), Contexts: len(c.byContext), Attempts: len(c.attempts), Reserved: len(c.reserved),
		Results: c.pool.size(), Parked: len(c.parked), Over: len(c.early.ended) + len(c.starts),
		Suspects: len(c.suspects) + len(c.liars) + len(c.caught) + len(c.left) + len(c.leftOver) + len(c.doubts) + len(c.late) + len(c.clashes) + len(c.charges), Shunned: len(c.spoilers),
		Notes: len(c.lastLog) + len(c.misfits) + len(c.bound) + len(c.falseResults) + len(c.falseWords), Unknown: len(c.unknown),
		Grudges: len(c.refusals) + len(c.presigns.wasted) + len(c.presigns.excused), Decided: len(c.decidedLately),
		Answered: c.outcomes.size() + c.repeats.size() + len(c.pinged), Probes: len(c.probes), Presigning: c.presigns.notes(),
	}
	for _, l := range c.sessions {
		if l.waits() {
			h.Presignatures++
			h.Sessions--
			if _, begun := c.byContext[l.Context()]; begun {
				h.Contexts--
			}
		}
	}
	for _, held := range c.early.bySender {
		h.Early += len(held)
	}
	for _, settled := range c.tombstones {
		if !settled {
			h.Tombstones++
		}
	}
	return h
}

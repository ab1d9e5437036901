package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// leads is a session of op-00's own that it started with op-01.
func (p *presigner) leads() *session.Session {
	p.t.Helper()
	p.core.Tick()
	require.Len(p.t, p.core.sessions, 1)
	l := p.core.ordered()[0]
	ready := wire.Ready{EphemeralKey: append([]byte{9}, make([]byte, 31)...)}
	body, err := ready.Marshal()
	require.NoError(p.t, err)
	p.core.HandleEnvelope(p.signedIn(l.ID(), "op-01", wire.KIND_READY, 1, p.request.ID, body))
	require.Equal(p.t, session.Running, l.Phase())
	p.sent = nil
	return l.Session
}

// TestNoteWaste: against whom it counts here that a presignature came to nothing. Whatever
// others say, nobody is refused for it but owners, and those that this node itself saw at
// fault.
func TestNoteWaste(t *testing.T) {
	const owner, other = "op-01", "op-02"
	type counts map[types.Operator]waste
	left := func(who types.Operator, reason types.Reason, over ...types.Operator) session.End {
		return session.End{Reason: types.ErrAborted, Left: who, LeftFor: reason, LeftOver: over}
	}
	for name, tt := range map[string]struct {
		own  bool // this node's
		end  session.End
		want counts
		// refused is why this node does not let its owner use it.
		refused types.Reason
	}{
		"given up for somebody":            {own: true, end: session.End{Reason: types.ErrPresignLost, Awaited: []types.Operator{other}}, want: counts{other: {count: 1}}},
		"somebody lied":                    {own: true, end: session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{other}}, want: counts{other: {count: 1}}},
		"a signer left this node's":        {own: true, end: left(other, types.ErrPresignLost), want: counts{other: {count: 1}}},
		"a signer left it for another":     {own: true, end: left(other, types.ErrPresignLost, "op-03"), want: counts{other: {count: 1}, "op-03": {named: 1}}},
		"its owner left it":                {end: left(owner, types.ErrPresignLost), want: counts{owner: {count: 1}}},
		"its owner left it for somebody":   {end: left(owner, types.ErrPresignLost, other), want: counts{other: {named: 1}}},
		"a signer lost it":                 {end: left(other, types.ErrPresignLost), want: counts{owner: {count: 1}}},
		"a signer lost it by its owner":    {end: left(other, types.ErrPresignLost, owner), want: counts{owner: {count: 1, named: 1}}},
		"a signer restarts":                {end: left(other, types.ErrInterrupted), want: counts{other: {count: 1}}},
		"a signer left it for a lie":       {end: left(other, types.ErrProtocolFault, owner), want: counts{other: {count: 1}}},
		"dropped":                          {end: session.End{Reason: types.ErrPresignDropped}, want: counts{}},
		"its use is refused here":          {end: session.End{Reason: types.ErrBadDigest}, refused: types.ErrBadDigest, want: counts{owner: {count: 1}}},
		"used too often":                   {end: session.End{Reason: types.ErrPresignLost}, refused: types.ErrPresignLost, want: counts{owner: {count: 1}}},
		"this node is behind":              {end: session.End{Reason: types.ErrCatchingUp}, refused: types.ErrCatchingUp, want: counts{}},
		"a signer refuses its use":         {end: left(other, types.ErrBadDigest), want: counts{owner: {count: 1}}},
		"a signer does not know for what":  {end: left(other, types.ErrUnknownRequest), want: counts{owner: {count: 1}}},
		"a signer is in another's session": {end: left(other, types.ErrInProgress), want: counts{}},
		"this node is in another's":        {end: session.End{Reason: types.ErrInProgress}, refused: types.ErrInProgress, want: counts{}},
		"so is a signer of this node's":    {own: true, end: left(other, types.ErrInProgress), want: counts{}},
		"a signer is behind":               {end: left(other, types.ErrCatchingUp), want: counts{other: {count: 1}}},
		"a signer refuses this node's":     {own: true, end: left(other, types.ErrBadDigest), want: counts{other: {count: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPresigner(t)
			for ; p.from != owner; p.from = p.request.Initiator(p.attempt) {
				p.attempt++
			}
			p.start()
			s := p.leads
			if !tt.own {
				s = p.started
			}
			l := p.core.sessions[s().ID()]
			l.refused = tt.refused
			p.core.End(l.Session, tt.end)
			got := make(counts)
			for op, w := range p.core.presigns.wasted {
				w.since = time.Time{}
				got[op] = w
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestNoteUsedInVain: against whom it counts that one came to nothing that was used. Signers
// know of no other fault than that its owner left it for nobody.
func TestNoteUsedInVain(t *testing.T) {
	const self, owner, other = "op-00", "op-01", "op-02"
	left := func(who types.Operator, reason types.Reason, over ...types.Operator) session.End {
		return session.End{Reason: types.ErrAborted, Left: who, LeftFor: reason, LeftOver: over}
	}
	for name, tt := range map[string]struct {
		owner   types.Operator
		end     session.End
		charged types.Operator
	}{
		"its owner leaves":                 {owner, left(owner, types.ErrPresignLost), owner},
		"its owner leaves for the next":    {owner, left(owner, types.ErrSuperseded), owner},
		"its owner leaves for somebody":    {owner, left(owner, types.ErrPresignLost, other), ""},
		"a signer leaves":                  {owner, left(other, types.ErrPresignLost), ""},
		"a signer does not want to":        {owner, left(other, types.ErrBadDigest), ""},
		"signed otherwise":                 {owner, session.End{Reason: types.ErrAlreadyDecided}, ""},
		"somebody does not answer":         {self, session.End{Reason: types.ErrPresignLost, Awaited: []types.Operator{other}}, other},
		"a signer has no part any more":    {self, left(other, types.ErrPresignLost), other},
		"a signer does not let this node":  {self, left(other, types.ErrBadDigest), other},
		"a signer leaves for somebody bad": {self, left(other, types.ErrProtocolFault, "op-03"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPresigner(t)
			p.start()
			p.core.noteUsedInVain(tt.owner, tt.end)
			for _, op := range p.ops {
				require.Equal(t, op == tt.charged, p.core.wasteOf(op).count == 1, op)
			}
		})
	}
}

// TestOwnerIsExcused: an owner that names whom it lost its presignatures for is charged for
// them only when it goes on so with the same one.
func TestOwnerIsExcused(t *testing.T) {
	const owner = "op-01"
	p := newPresigner(t)
	for ; p.from != owner; p.from = p.request.Initiator(p.attempt) {
		p.attempt++
	}
	p.start()
	l := p.core.sessions[p.started().ID()]
	lose := func(over types.Operator) int {
		p.core.noteWaste(l, session.End{Reason: types.ErrAborted, Left: owner, LeftFor: types.ErrPresignLost, LeftOver: []types.Operator{over}})
		return p.core.wasteOf(owner).count
	}
	for range p.core.view.Presign + 1 {
		require.Zero(t, lose("op-02"))
	}
	require.Zero(t, lose("op-03"))
	require.Equal(t, 1, lose("op-02"))
	require.Equal(t, 2, lose("op-02"))
	require.Equal(t, 2, lose("op-03"))
	p.now = p.now.Add(presignWasteFor)
	require.Zero(t, lose("op-02"))
	p.now = p.now.Add(presignWasteFor)
	p.commit()
	require.Empty(t, p.core.presigns.excused)
}

// TestGiveUpCharges: an owner that drops what it has with somebody who was not there counts
// it against that one.
func TestGiveUpCharges(t *testing.T) {
	p := newPresigner(t)
	p.start()
	p.leads().GiveUp([]types.Operator{"op-01", "op-03"})
	require.Equal(t, 1, p.core.wasteOf("op-01").count)
	require.Zero(t, p.core.wasteOf("op-03").count, "it is none of its signers")
}

// TestBusyMembersDelayLittle: an owner whose members are busy asks again soon, however often
// they are. Silence makes it wait longer each time.
func TestBusyMembersDelayLittle(t *testing.T) {
	for _, busy := range []bool{true, false} {
		p := newPresigner(t)
		p.start()
		p.core.Tick()
		l := p.core.ordered()[0]
		end := session.End{Reason: types.ErrStartTimeout, Culprits: p.ops[1:]}
		if busy {
			end = session.End{Reason: types.ErrBusy, Refused: true, Culprits: p.ops[1:2]}
		}
		for range 5 {
			p.core.chargePresign(l, end)
			p.now = p.core.presigns.pauses["key"].until
		}
		p.core.chargePresign(l, end)
		require.Equal(t, busy, p.core.presigns.pauses["key"].until.Sub(p.now) == presignPause)
	}
}

// TestDropped: who drops a presignature before this node knows why is charged only if no
// block shows it, and neither is its key.
func TestDropped(t *testing.T) {
	const other = "op-02"
	for name, tt := range map[string]struct {
		after   func(*presigner)
		charged bool
	}{
		"the next block has another identity":    {func(p *presigner) { p.rotate() }, false},
		"the next block has another key":         {func(p *presigner) { p.changeKey(func(k *types.Key) { k.Epoch, k.Session = 1, types.Context{6} }) }, false},
		"the key is gone":                        {func(p *presigner) { p.changeKey(func(k *types.Key) { k.Status = types.KeyDeleting }) }, false},
		"nobody wants any":                       {func(p *presigner) { p.view.Presign = 0 }, false},
		"for nothing":                            {func(*presigner) {}, true},
		"for nothing, while this node is behind": {func(p *presigner) { p.view.CatchingUp = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPresigner(t)
			p.start()
			l := p.core.sessions[p.leads().ID()]
			p.core.End(l.Session, session.End{Reason: types.ErrAborted, Left: other, LeftFor: types.ErrPresignDropped})
			require.Empty(t, p.core.presigns.wasted)
			tt.after(p)
			p.view.Height++
			p.commit()
			require.Empty(t, p.core.presigns.wasted)
			require.Empty(t, p.core.presigns.pauses)
			p.now = p.now.Add(dropPatience)
			p.view.Height++
			p.commit()
			require.Equal(t, tt.charged, p.core.wasteOf(other).count == 1)
			require.Equal(t, tt.charged, len(p.core.presigns.pauses) == 1)
			require.Equal(t, p.view.CatchingUp, len(p.core.presigns.dropped) == 1)
		})
	}
}

// TestPrefersWhoWastesNothing: those for whom presignatures came to nothing are chosen last,
// also those that only others named.
func TestPrefersWhoWastesNothing(t *testing.T) {
	p := newPresigner(t)
	p.start()
	p.core.presigns.wasted["op-01"] = waste{count: 1, since: p.now}
	p.core.presigns.wasted["op-02"] = waste{named: 2, since: p.now}
	suspicion := p.core.presignConfig(&p.request, 0).Suspicion
	require.Equal(t, []int{1, 2, 0}, []int{suspicion("op-01"), suspicion("op-02"), suspicion("op-03")})
}

// TestProlong: each pause is twice as long as the last, within bounds, and what is lost
// during one counts to it.
func TestProlong(t *testing.T) {
	pauses, now := make(map[types.KeyID]pause), poolEpoch
	for _, wait := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
		for range 3 {
			prolong(pauses, "key", now)
			require.Equal(t, wait*time.Second, pauses["key"].wait)
		}
		now = pauses["key"].until
	}
}

package session_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// inPhase makes a keygen of three with a member in the nth of these places.
func inPhase(t testing.TB, place byte) (*network, *player, session.Phase) {
	if place%7 == 6 { // of a presignature of three of four
		n, _ := parked(t)
		return n, n.players[1], session.Parked
	}
	n := newKeygen(t, 3)
	a, b := n.players[0], n.players[1]
	p, phase := a, session.Running
	lost := wire.KIND_UNSPECIFIED
	switch place % 7 {
	case 0:
		lost, phase = wire.KIND_READY, session.Preparing
	case 1:
		p, lost, phase = b, wire.KIND_START, session.Waiting
	case 2:
		a.slow = true // makes its party
	case 3:
		p, lost = b, wire.KIND_ROUND
	case 4:
		lost = wire.KIND_CONFIRM
	case 5:
		phase = session.Lingering
	}
	n.hold = func(m mail) bool { return m.to == p && m.e.Header.Kind == lost }
	n.open()
	n.settle()
	return n, p, phase
}

// heap is how many bytes are held, if a message is long enough to make that many.
func heap(message int) uint64 {
	if message < 1<<12 {
		return 0
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// FuzzHandleEnvelope: whatever a member signs, in whatever phase it comes,
// nothing panics, little more is held than what came, and nobody else is blamed for it.
func FuzzHandleEnvelope(f *testing.F) {
	digest, count := encode(f, &wire.Confirm{Digest: make([]byte, 32)}), encode(f, &wire.Working{Count: 1 << 31})
	for place := range byte(7) {
		for kind := wire.KIND_PREPARE; kind <= wire.KIND_PONG; kind++ {
			f.Add(place, place == 1, int32(kind), uint32(1), "k1", place%2 == 0, byte(0), []byte(nil))
			f.Add(place, place == 1, int32(kind), uint32(1<<32-1), "", false, byte(1), []byte{0xff, 0xff})
		}
		f.Add(place, place == 1, int32(wire.KIND_CONFIRM), uint32(1), "", false, byte(0), digest)
		f.Add(place, place == 1, int32(wire.KIND_WORKING), uint32(3), "", false, byte(0), count)
		f.Add(place, place == 1, int32(wire.KIND_ROUND), uint32(2), "k2p", true, byte(1), make([]byte, 48))
		f.Add(place, place == 1, int32(wire.KIND_READY), uint32(0), "", true, byte(2), encode(f, &wire.Ready{EphemeralKey: make([]byte, 32)}))
		f.Add(place, place == 1, int32(wire.KIND_REFUSE), uint32(0), "", true, byte(2), encode(f, &wire.Refuse{Reason: "busy"}))
		f.Add(place, place == 1, int32(wire.KIND_START), uint32(0), "", false, byte(2), encode(f, &wire.Start{Signers: []string{"op-a"}}))
		for _, leader := range []bool{false, true} {
			f.Add(place, leader, int32(wire.KIND_PARKED), uint32(4), "", false, byte(0), []byte(nil))
			f.Add(place, leader, int32(wire.KIND_ROUND), uint32(4), "consume", false, byte(0), encode(f, &wire.Consume{RequestId: "sig", Digest: make([]byte, 32)}))
			f.Add(place, leader, int32(wire.KIND_ROUND), uint32(4), "s4", false, byte(0), make([]byte, 32))
		}
		for round := range uint32(5) {
			f.Add(place, place == 1, int32(wire.KIND_DISPUTE), round, "", false, byte(0), bytes.Repeat([]byte{0x0a, 0x00}, 18_432))
		}
	}
	f.Fuzz(func(t *testing.T, place byte, leader bool, kind int32, round uint32, typ string, direct bool, named byte, body []byte) {
		n, p, phase := inPhase(t, place)
		sender, member := n.players[2], n.request.Members[2]
		if leader && p != n.players[0] {
			sender, member = n.players[0], n.request.Members[0]
		}
		require.Equal(t, phase, p.s.Phase())
		h := wire.Header{
			ChainId: chainID, Kind: wire.Kind(kind), Round: round, Type: typ, From: string(sender.op), IdentityVersion: 1,
			Sequence: 77, RequestKind: uint32(n.request.ID.Kind), RequestId: n.request.ID.ID,
		}
		id, context := p.s.ID(), p.s.Context()
		h.Context = [][]byte{context[:], id[:], make([]byte, 32)}[named%3]
		if direct {
			h.To = string(p.op)
		}
		v, err := types.VerifyEnvelope(types.SignEnvelope(&h, body, sender.key), chainID, member.IdentityKey)
		if err != nil {
			return // has no shape that the reactor lets in
		}
		before := heap(len(body))
		p.hear(v)
		p.hear(v)
		require.LessOrEqual(t, heap(len(body)), before+4*uint64(len(body))+64<<10)
		n.now = n.now.Add(time.Second)
		p.tick()
		p.s.Snapshot()
		n.settle()
		for _, end := range p.ends {
			for _, culprit := range end.Culprits {
				require.Equal(t, sender.op, culprit)
			}
		}
	})
}

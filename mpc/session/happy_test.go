package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

func TestKeygen(t *testing.T) {
	n := newKeygen(t, 4)
	n.open()
	n.settle()
	n.finished(n.players...)
	for _, p := range n.players {
		require.Equal(t, p.s.Rounds()+1, int(p.s.Round()))
		require.NotEmpty(t, p.kept)
		require.Empty(t, p.ends)
	}
}

func TestSign(t *testing.T) {
	n := newSign(t, 4, 2)
	n.open()
	n.settle()
	a, b, c, d := n.players[0], n.players[1], n.players[2], n.players[3]
	n.finished(a, b, c)
	require.Equal(t, session.End{Reason: types.ErrReleased}, d.ended(), "t+1 sign, not all")
	require.Equal(t, []types.Operator{"op-a", "op-b", "op-c"}, a.s.Snapshot().Signers)
}

func requireWiped(t testing.TB, secret []byte) {
	t.Helper()
	require.Empty(t, bytes.Trim(secret, "\x00"), "a secret is still in memory")
}

// TestSecretsAreWiped looks at the very slices that crossed the Host.
func TestSecretsAreWiped(t *testing.T) {
	for name, n := range map[string]*network{"keygen": newKeygen(t, 3), "sign": newSign(t, 3, 1)} {
		t.Run(name, func(t *testing.T) {
			n.open()
			n.settle()
			for _, p := range n.players[:2] {
				secret := append(p.material.Preparams, p.material.Share...)
				require.NotEmpty(t, secret)
				requireWiped(t, secret)
				requireWiped(t, p.share)
			}
		})
	}
}

// TestSecretsAreWipedOnFailure: neither a store that fails nor a session that
// ended meanwhile keeps a share in memory.
func TestSecretsAreWipedOnFailure(t *testing.T) {
	t.Run("store fails", func(t *testing.T) {
		n := newKeygen(t, 2)
		n.players[1].finishErr = errors.New("disk is full")
		n.open()
		n.settle()
		p := n.players[1]
		require.Equal(t, types.ErrStorage, p.ended().Reason)
		require.NotEmpty(t, p.kept)
		requireWiped(t, p.share)
	})
	t.Run("stopped during the last step", func(t *testing.T) {
		n := newKeygen(t, 2)
		p := n.players[1]
		n.open()
		n.hold = func(m mail) bool {
			p.slow = p.slow || m.to == p && m.e.Header.Round == 3
			return false
		}
		n.settle()
		require.Len(t, p.jobs, 1, "the step that makes the share")
		step, err := p.jobs[0]()
		require.NoError(t, err)
		require.Contains(t, string(step.Result.Share), "Private")
		p.s.Stop(types.ErrExpired)
		p.s.HandleStep(step, nil, n.now)
		requireWiped(t, step.Result.Share)
		require.Nil(t, p.result)
	})
}

// TestDurableFirst: no round message leaves before Begin, and a Begin that
// fails ends the session with the reason that the Host gave.
func TestDurableFirst(t *testing.T) {
	for _, c := range []struct {
		err  error
		want types.Reason
	}{
		{errors.New("disk is full"), types.ErrStorage}, {types.ErrShareMissing, types.ErrShareMissing},
	} {
		n := newKeygen(t, 3)
		b := n.players[1]
		b.beginErr = c.err
		n.open()
		n.settle()
		require.Equal(t, c.want, b.ended().Reason)
		for _, m := range n.sent {
			require.False(t, m.from == b && m.e.Header.Kind == wire.KIND_ROUND)
		}
	}
}

// TestResultRefused: a signature that does not verify is no trouble of the disk.
func TestResultRefused(t *testing.T) {
	n := newSign(t, 3, 1)
	n.players[0].finishErr = fmt.Errorf("%w: it does not verify", types.ErrProtocolFault)
	n.open()
	n.settle()
	require.Equal(t, types.ErrProtocolFault, n.players[0].ended().Reason)
}

// TestAnyOrder delivers everything in any order, some of it several times.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		n := newKeygen(t, 4)
		if seed%2 == 1 {
			n = newSign(t, 4, 2)
		}
		n.chance = rand.New(rand.NewPCG(seed, 1))
		n.open()
		n.settle()
		n.pass(10*time.Second, time.Second) // what overtook its Start comes again
		var signers []*player
		for _, p := range n.players {
			if p.s.Phase() == session.Ended {
				require.Equal(t, types.ErrReleased, p.ended().Reason, "seed %d", seed)
				continue
			}
			signers = append(signers, p)
		}
		require.Len(t, signers, n.request.SignersNeeded())
		n.finished(signers...)
	}
}

// TestSnapshot is what people are shown while a session runs.
func TestSnapshot(t *testing.T) {
	n := newKeygen(t, 3)
	n.hold = func(m mail) bool { return m.is(n.players[2], n.players[1], wire.KIND_ROUND) }
	n.open()
	n.settle()
	s := n.players[1].s
	require.Equal(t, session.Snapshot{
		ID: s.ID(), Context: n.context(), Request: n.request.ID, KeyID: "key", Phase: session.Running, Leader: "op-a",
		Signers: n.request.Operators(), Round: 1, Rounds: 3, Awaiting: []types.Operator{"op-c"}, Opened: epoch,
	}, s.Snapshot())
	require.Equal(t, 2, s.Keys(), "one for each other signer; the session's own secret is gone")
}

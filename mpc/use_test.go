package mpc_test

import (
	"context"
	"crypto/ed25519"
	"sync"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// uses keeps what an auditor hears.
type uses struct {
	mu     sync.Mutex
	opened []mpc.Use
	closed []mpc.Use
	ends   []types.Reason
	burned []mpc.Use
	// onBurned, if set, looks on.
	onBurned func()
	// disk, if set, is what notes wait for, and waiting how many do.
	disk    chan struct{}
	waiting int
}

func (u *uses) PreparamsBurned(use mpc.Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.burned = append(u.burned, use)
	if u.onBurned != nil {
		u.onBurned()
	}
}

func (u *uses) ShareOpened(use mpc.Use) func() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.opened = append(u.opened, use)
	if u.disk == nil {
		return nil
	}
	return func() {
		u.mu.Lock()
		u.waiting++
		u.mu.Unlock()
		<-u.disk
	}
}

func (u *uses) ShareClosed(use mpc.Use, reason types.Reason) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed, u.ends = append(u.closed, use), append(u.ends, reason)
}

// counts are those opened and closed.
func (u *uses) counts() [2]int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return [2]int{len(u.opened), len(u.closed)}
}

// start runs an engine with an auditor; ran is how it ended.
func (s *stopped) start(t *testing.T, u *uses, workers int) (engine *mpc.Engine, stop func(), ran <-chan error) {
	t.Helper()
	m := s.club.members[0]
	engine, err := mpc.New(mpc.Options{
		ChainID: chainID, Identities: []ed25519.PrivateKey{m.key}, Chain: s.club.ledger, Store: s.store,
		Transport: m, Protocols: s.protocols, Auditor: u,
	}, workers)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() { end <- engine.Run(ctx) }()
	return engine, stop, end
}

// audited runs an engine with an auditor until it has told so much.
func (s *stopped) audited(t *testing.T, u *uses, opened, closed int) {
	t.Helper()
	_, stop, ran := s.start(t, u, 1)
	require.Eventually(t, func() bool { return u.counts() == [2]int{opened, closed} }, 20*time.Second, time.Millisecond)
	stop()
	if closed < opened { // the worker waits at the gate, and the sessions end
		require.Eventually(t, func() bool { return u.counts() == [2]int{opened, opened} }, 20*time.Second, time.Millisecond)
		close(s.protocols.gate)
	}
	require.NoError(t, <-ran)
}

// Each use of a share is told when it begins and when it ends, once.
func TestAuditor(t *testing.T) {
	s := newStopped(t, types.KindSign, 2)
	s.club.ledger.change(func(v *mpc.View) {
		for i := range v.Requests { // that of newStopped's share
			v.Requests[i].PublicKey = secp256k1.PrivKeyFromBytes([]byte("private")).PubKey().SerializeCompressed()
		}
	})
	close(s.protocols.gate)
	u := &uses{}
	s.audited(t, u, 2, 2)
	require.Equal(t, u.opened, u.closed)
	require.Equal(t, []types.Reason{"", ""}, u.ends)
	seen := map[string]bool{}
	for _, use := range u.opened {
		seen[use.Request.ID] = true
		require.Equal(t, types.KindSign, use.Request.Kind)
		require.Equal(t, types.KeyID("key"), use.Key)
		require.Equal(t, append(make([]byte, 31), 1), use.Digest)
		require.Equal(t, []types.Operator{s.club.members[0].op}, use.Signers)
		require.NotZero(t, use.Height)
		require.False(t, use.Session.IsZero())
	}
	require.Equal(t, map[string]bool{"id-0": true, "id-1": true}, seen)
}

// A share is not used before the note of it is durable. The workers wait for that; the
// loop does not, and begins other sessions.
func TestUseWaitsForItsNote(t *testing.T) {
	s := newStopped(t, types.KindSign, 2)
	u := &uses{disk: make(chan struct{})}
	engine, stop, ran := s.start(t, u, 2)
	waiting := func() int { u.mu.Lock(); defer u.mu.Unlock(); return u.waiting }
	require.Eventually(t, func() bool { return waiting() == 2 }, 20*time.Second, time.Millisecond)

	s.club.ledger.change(func(v *mpc.View) {
		r := v.Requests[0]
		r.ID.ID = "another"
		v.Requests = append(v.Requests, r)
	})
	engine.Wake()
	require.Eventually(t, func() bool { return u.counts() == [2]int{3, 0} }, 20*time.Second, time.Millisecond)
	require.Zero(t, s.protocols.begun.Load(), "a share is used that no note on disk tells of")

	close(u.disk)
	require.Eventually(t, func() bool { return s.protocols.begun.Load() == 2 }, 20*time.Second, time.Millisecond)
	close(s.protocols.gate)
	require.Eventually(t, func() bool { return u.counts() == [2]int{3, 3} }, 20*time.Second, time.Millisecond)
	require.Equal(t, 3, waiting())
	stop()
	require.NoError(t, <-ran)
}

// A session that is under way when the engine ends is told to have ended with it.
func TestAuditorOfAnEngineThatEnds(t *testing.T) {
	s := newStopped(t, types.KindSign, 1)
	u := &uses{}
	s.audited(t, u, 1, 0)
	require.Equal(t, u.opened, u.closed)
	require.Equal(t, []types.Reason{types.ErrInterrupted}, u.ends)
}

// Each set of pre-parameters that is used is told of, once, when it is destroyed and
// before anything is made with it.
func TestAuditorOfPreparams(t *testing.T) {
	s := newStopped(t, types.KindKeygen, 2)
	left := []int{}
	u := &uses{onBurned: func() {
		ids, err := s.store.Preparams()
		require.NoError(t, err)
		left = append(left, len(ids))
	}}
	_, stop, ran := s.start(t, u, 1)
	require.Eventually(t, func() bool { u.mu.Lock(); defer u.mu.Unlock(); return len(u.burned) == 2 }, 20*time.Second, time.Millisecond)
	close(s.protocols.gate)
	stop()
	require.NoError(t, <-ran)
	require.Equal(t, []int{1, 0}, left)
	require.Empty(t, u.opened)
	for _, use := range u.burned {
		require.Equal(t, types.KindKeygen, use.Request.Kind)
		require.Equal(t, types.KeyID(use.Request.ID), use.Key)
		require.False(t, use.Session.IsZero())
		require.NotZero(t, use.Height)
	}
}

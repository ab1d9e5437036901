package mpc

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// newIdentity is one that op-00 registered and that its node does not have.
func newIdentity() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("op-00 again"))
	return ed25519.NewKeyFromSeed(seed[:])
}

// rotate registers op-00 anew; requests of later pin that identity.
func (d *desk) rotate(revoked bool) {
	roster := map[types.Operator][]types.Identity{"op-00": {
		{Version: 1, Key: d.public("op-00"), Revoked: revoked},
		{Version: 2, Key: newIdentity().Public().(ed25519.PublicKey)},
	}}
	for _, op := range d.ops[1:] {
		roster[op] = []types.Identity{{Version: 1, Key: d.public(op)}}
	}
	d.view.Roster = types.NewRoster(roster)
}

func (d *desk) pinned(kind types.RequestKind) types.Request {
	r := d.request(kind)
	r.Members[0].IdentityVersion, r.Members[0].IdentityKey = 2, newIdentity().Public().(ed25519.PublicKey)
	return r
}

// TestOutdatedIdentity: a node whose operator registered another identity says so
// once, and refuses what pinned it under the identity that it has.
func TestOutdatedIdentity(t *testing.T) {
	d := newDesk(t, 4)
	var log bytes.Buffer
	d.start(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	require.Zero(t, d.core.Status().IdentityOutdated)

	d.rotate(false)
	r := d.pinned(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.commit()
	d.commit()
	status := d.core.Status()
	require.Equal(t, uint32(2), status.IdentityOutdated)
	require.Equal(t, uint32(1), status.IdentityVersion)
	require.Equal(t, 1, strings.Count(log.String(), "reason=identity_outdated"), log.String())
	require.Contains(t, log.String(), "start the node again")

	d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
	require.Len(t, d.sent, 1)
	require.Equal(t, uint32(1), d.sent[0].Header.IdentityVersion)
	said, to, _ := d.answer() // verifies it with the key of version 1
	require.Equal(t, []string{"identity_outdated", string(r.Initiator(0))}, []string{said, to})

	// What pinned the identity that it has goes on as before.
	before := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{before}
	d.commit()
	d.core.HandleEnvelope(d.prepare(before.Initiator(0), before.ID, 0, 1))
	said, _, _ = d.answer()
	require.Equal(t, "ready", said)
}

// TestOutdatedInitiator: an attempt that such a node leads is not opened, for that
// reason and no other.
func TestOutdatedInitiator(t *testing.T) {
	d := newDesk(t, 4)
	d.rotate(false)
	r := d.pinned(types.KindKeygen)
	attempt := uint32(0)
	for r.Initiator(attempt) != "op-00" {
		attempt++
	}
	d.view.Height = r.Height + int64(attempt)*r.AttemptBlocks
	d.view.Requests = []types.Request{r}
	d.start()
	require.Equal(t, types.ErrIdentityOld, d.core.lastLog[r.ID])
	require.Empty(t, d.core.Status().Sessions)
	require.Empty(t, d.sent)
}

// TestOutdatedOrNot: whose key counts.
func TestOutdatedOrNot(t *testing.T) {
	tests := []struct {
		name   string
		before func(*desk, *Options)
		want   uint32
	}{
		{"the key is here", func(d *desk, o *Options) { d.rotate(false); o.Identities = append(o.Identities, newIdentity()) }, 0},
		{"the key is here, the old one is the newest", func(d *desk, o *Options) {
			d.rotate(false)
			o.Identities = []ed25519.PrivateKey{newIdentity(), d.keys["op-00"]}
		}, 0},
		{"rotated but not registered", func(_ *desk, o *Options) { o.Identities = append(o.Identities, newIdentity()) }, 0},
		{"what is here was revoked", func(d *desk, _ *Options) { d.rotate(true) }, 2},
		{"all was revoked", func(d *desk, _ *Options) {
			d.view.Roster = types.NewRoster(map[types.Operator][]types.Identity{"op-00": {{Version: 1, Key: d.public("op-00"), Revoked: true}}})
		}, 0},
		{"nobody knows this node", func(d *desk, _ *Options) { d.view.Roster = types.NewRoster(nil) }, 0},
		{"behind the chain", func(d *desk, _ *Options) { d.rotate(false); d.view.CatchingUp = true }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.start(func(o *Options) { tt.before(d, o) })
			require.Equal(t, tt.want, d.core.Status().IdentityOutdated)
		})
	}
}

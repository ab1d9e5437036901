package mpc

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// made stores a session's record of "key": PENDING with a share of a public key, if it has
// one, or READY.
func (d *desk) made(session byte, epoch uint64, commitment types.Hash, public string, status types.Status) types.Record {
	d.t.Helper()
	r := types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Epoch: epoch, Session: types.SessionID{session}}, Context: types.Context{session},
		Commitment: commitment, Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
	}
	if public != "" {
		r.Data, r.PublicKey = []byte("share"), []byte(public)
	}
	require.NoError(d.t, d.store.PutRecord(r))
	if status == types.StatusReady {
		r.Status = status
		require.NoError(d.t, d.store.PutRecord(r))
	}
	return r
}

// sessions lists the first bytes of the sessions that are left.
func (d *desk) sessions() (left []byte) {
	for _, k := range d.core.recordKeys() {
		left = append(left, k.Session[0])
	}
	return left
}

// TestAnotherRequestsShareIsKept: the chain makes a key READY in a block that this node
// never looks at, and is begun anew below it; another request under the same id is
// answered then. The share of the first one is no loser of the second.
func TestAnotherRequestsShareIsKept(t *testing.T) {
	ours, another, reshare := types.Hash{7}, types.Hash{8}, types.Hash{17}
	const won, other, present = 1, 2, 3
	now := types.Key{Status: types.KeyReady, Session: types.Context{won}, Commitment: ours}
	reshared := types.Key{Status: types.KeyReady, Epoch: 1, Session: types.Context{present}, Commitment: reshare}
	deleted := reshared
	deleted.Status = types.KeyDeleted
	for name, c := range map[string]struct {
		key types.Key
		// commitment and public are those of the other session's share.
		commitment types.Hash
		public     string
		left       []byte
	}{
		"of another request":                       {now, another, "first", []byte{won, other}},
		"of the same request":                      {now, ours, "lost", []byte{won}},
		"of another request, the same key's":       {now, another, "public", []byte{won}},
		"of another request, and never made":       {now, another, "", []byte{won}},
		"of before commitments":                    {now, types.Hash{}, "first", []byte{won}},
		"of a key of before commitments":           {types.Key{Status: types.KeyReady, Session: types.Context{won}}, another, "first", []byte{won}},
		"of another request, then a reshare":       {reshared, another, "first", []byte{other, present}},
		"of the same request, then a reshare":      {reshared, ours, "lost", []byte{present}},
		"of another request, then a deletion":      {deleted, another, "first", []byte{other}},
		"of the same request, then a deletion":     {deleted, ours, "lost", nil},
		"of another request, and the keygen fails": {types.Key{Status: types.KeyError}, another, "first", nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			key := c.key
			key.ID, key.RetireHeight, key.Holders, key.Participants = "key", 50, d.ops, d.ops
			if key.Status != types.KeyError {
				key.PublicKey = []byte("public")
				d.made(won, 0, ours, "public", types.StatusReady)
			}
			if key.Epoch == 1 {
				d.made(present, 1, reshare, "public", types.StatusReady)
			}
			kept := d.made(other, 0, c.commitment, c.public, types.StatusPending)
			d.view.Keys["key"], d.view.Height = key, 1000
			for range 2 { // also with what is left of it
				d.start()
				d.commit()
				d.commit()
			}
			require.Equal(t, c.left, d.sessions())
			if !bytes.Contains(c.left, []byte{other}) {
				require.Empty(t, d.core.Status().Withheld)
				return
			}
			require.Equal(t, []Withheld{{kept.RecordKey, WithheldForeign}}, d.core.Status().Withheld)
			share, err := d.store.OpenShare(kept.RecordKey)
			require.NoError(t, err)
			require.Equal(t, "share", string(share))
		})
	}
}

// TestLosersOfAnotherRequest: of what was made for a request of before a rollback that share
// is kept which was READY, and not those that lost to it; without it each may be the one.
func TestLosersOfAnotherRequest(t *testing.T) {
	ours, another := types.Hash{7}, types.Hash{8}
	for name, c := range map[string]struct {
		first types.Status
		left  []byte
	}{"it was READY": {types.StatusReady, []byte{1, 2}}, "nobody knows which": {types.StatusPending, []byte{1, 2, 3}}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			d.made(1, 0, ours, "public", types.StatusReady)
			d.made(2, 0, another, "first", c.first)
			d.made(3, 0, another, "lost", types.StatusPending)
			d.view.Keys["key"] = types.Key{
				ID: "key", Status: types.KeyReady, Session: types.Context{1}, Commitment: ours, PublicKey: []byte("public"),
				RetireHeight: 50, Participants: d.ops,
			}
			d.view.Height = 1000
			d.start()
			d.commit()
			require.Equal(t, c.left, d.sessions())
			require.Len(t, d.core.Status().Withheld, len(c.left)-1)
		})
	}
}

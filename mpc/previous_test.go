package mpc

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestPreviousEpochOfNobody: a node whose identity the chain does not know keeps its share
// of the epoch before until it has one of the present epoch that opens, or learns that
// it is no participant any more.
func TestPreviousEpochOfNobody(t *testing.T) {
	d := newDesk(t, 3)
	hold := func(epoch uint64) {
		r := types.Record{
			RecordKey: types.RecordKey{KeyID: "key", Epoch: epoch, Session: types.SessionID{byte(epoch)}}, Context: types.Context{byte(epoch)},
			Data: []byte("share"), Status: types.StatusPending, Algorithm: types.ECDSASecp256k1, PublicKey: []byte("public"),
		}
		require.NoError(t, d.store.PutRecord(r))
		r.Status = types.StatusReady
		require.NoError(t, d.store.PutRecord(r))
	}
	hold(1)
	known := d.view.Roster
	d.view.Roster = types.NewRoster(nil)
	d.view.Keys["key"] = types.Key{
		ID: "key", Status: types.KeyReady, Epoch: 2, Session: types.Context{2}, PublicKey: []byte("public"), RetireHeight: 50, Participants: d.ops,
	}
	d.view.Height = 1000
	d.start()
	require.Len(t, d.core.records, 1, "nobody knows whose it is")
	d.view.Roster = known
	d.commit()
	require.Len(t, d.core.records, 1, "a participant without its present share")

	d.view.Roster = types.NewRoster(nil)
	hold(2)
	d.start()
	require.Len(t, d.core.records, 1, "the present share opens")
	require.Equal(t, uint64(2), d.core.recordKeys()[0].Epoch)

	require.NoError(t, d.store.DestroyRecord(types.RecordKey{KeyID: "key", Epoch: 2, Session: types.SessionID{2}}))
	hold(1)
	key := d.view.Keys["key"]
	key.Participants = d.ops[1:]
	d.view.Keys["key"], d.view.Roster = key, known
	d.start()
	require.Empty(t, d.core.records, "no participant any more")
}

// TestPreviousEpochIsKept: where too few are known to have a share of the present epoch, who
// has one of the epoch before keeps it, be it a participant still or left out, and also if it
// comes back when its end is long over. It goes when one is found.
func TestPreviousEpochIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		member bool
		lost   int // others
		height int64
		why    Withholding
	}{
		"a member, and too few have the present one":      {true, 2, 50, WithheldEarlier},
		"a member, and just enough have it":               {true, 1, 50, ""},
		"left out, and too few have the present one":      {false, 2, 50, WithheldEarlier},
		"left out, and just enough have it":               {false, 1, 50, ""},
		"left out, and back when it is long over":         {false, 2, 5000, WithheldEarlier},
		"left out, and the switch may be rolled back yet": {false, 2, 49, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			previous := d.holdEpoch(0, types.StatusReady)
			key := types.Key{
				ID: "key", Status: types.KeyReady, Epoch: 1, Session: types.Context{2}, Commitment: types.Hash{2}, PublicKey: []byte("public"),
				Participants: d.ops[1:], Threshold: 1, MissingShares: d.ops[4-c.lost:], RetireHeight: 50,
			}
			if c.member {
				d.holdEpoch(1, types.StatusReady)
				key.Participants = []types.Operator{d.ops[0], d.ops[2], d.ops[3]}
			}
			d.view.Keys["key"], d.view.Height = key, c.height
			var log bytes.Buffer
			d.start(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			d.commit()
			_, err := d.store.OpenShare(previous)
			if c.why == "" {
				require.Equal(t, c.height < 50, err == nil)
				require.Empty(t, d.core.Status().Withheld)
				return
			}
			require.NoError(t, err, "a share that may be one of the last of the key is destroyed")
			require.Equal(t, []Withheld{{previous, c.why}}, d.core.Status().Withheld)
			require.Equal(t, 1, strings.Count(log.String(), "why="+string(c.why)), log.String())
			require.Contains(t, c.why.Remedy(), "runbook")

			key.MissingShares = d.ops[3:]
			d.view.Keys["key"] = key
			d.commit()
			_, err = d.store.OpenShare(previous)
			require.ErrorIs(t, err, types.ErrShareMissing)
			require.Empty(t, d.core.Status().Withheld)
		})
	}
}

// TestEachEpochHasItsEnd: a share of an earlier epoch goes at the end of that, and not at that of
// a later one, be this node a participant still or left out.
func TestEachEpochHasItsEnd(t *testing.T) {
	for name, member := range map[string]bool{"a member": true, "left out": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			key := types.Key{
				ID: "key", Status: types.KeyReady, Epoch: 4, Session: types.Context{5}, Commitment: types.Hash{5}, PublicKey: []byte("public"),
				Participants: d.ops[1:], Threshold: 1, RetireHeight: 300,
				EndedEpochs: []types.EndedEpoch{{Epoch: 1, RetireHeight: 100}, {Epoch: 2, RetireHeight: 200}, {Epoch: 3, RetireHeight: 300}},
			}
			for epoch := range uint64(4) {
				d.holdEpoch(epoch, types.StatusReady)
			}
			if member {
				d.holdEpoch(4, types.StatusReady)
				key.Participants = d.ops
			}
			d.view.Keys["key"] = key
			for _, c := range []struct {
				height int64
				left   []uint64
			}{{99, []uint64{0, 1, 2, 3}}, {100, []uint64{2, 3}}, {199, []uint64{2, 3}}, {200, []uint64{3}}, {299, []uint64{3}}, {300, nil}} {
				d.view.Height = c.height
				d.start()
				var left []uint64
				for _, r := range d.core.recordKeys() {
					if r.Epoch < key.Epoch {
						left = append(left, r.Epoch)
					}
				}
				require.Equal(t, c.left, left, "at height %d", c.height)
				require.Equal(t, member, d.core.has(key))
			}
		})
	}
}

// TestDeletionDestroysWhatIsKept: a deletion ends what is kept for want of shares of the
// present epoch, too.
func TestDeletionDestroysWhatIsKept(t *testing.T) {
	d := newDesk(t, 3)
	d.holdEpoch(0, types.StatusReady)
	d.view.Keys["key"] = types.Key{
		ID: "key", Status: types.KeyDeleted, Epoch: 1, Session: types.Context{2}, PublicKey: []byte("public"), Holders: d.ops,
		Participants: d.ops[1:], Threshold: 1, MissingShares: d.ops[1:], RetireHeight: 50,
	}
	d.view.Height = 50
	d.start()
	require.Empty(t, d.core.records)
	require.Contains(t, d.core.tombstones, types.KeyID("key"))
}

// revoke takes the identity of op-00 back.
func (d *desk) revoke() {
	roster := make(map[types.Operator][]types.Identity)
	for i, op := range d.ops {
		roster[op] = []types.Identity{{Version: 1, Key: d.public(op), Revoked: i == 0}}
	}
	d.view.Roster = types.NewRoster(roster)
}

// TestPreviousEpochOfARevoker: a participant that revoked its identity destroys the share of
// which a reshare relieved it as any other that was left out, and keeps it as long as it
// should have one of the present epoch.
func TestPreviousEpochOfARevoker(t *testing.T) {
	for name, c := range map[string]struct {
		participants int // from this one on
		withheld     []Withholding
	}{"left out": {1, nil}, "a participant still": {0, []Withholding{WithheldPrevious}}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.holdEpoch(0, types.StatusReady)
			d.revoke()
			d.view.Keys["key"] = types.Key{
				ID: "key", Status: types.KeyReady, Epoch: 1, Session: types.Context{2}, PublicKey: []byte("public"),
				Threshold: 1, Participants: d.ops[c.participants:], RetireHeight: 50,
			}
			d.view.Height = 49
			d.start()
			require.Len(t, d.core.records, 1, "the switch may be rolled back")
			d.view.Height = 50
			d.commit()
			require.Len(t, d.core.records, len(c.withheld))
			require.Equal(t, c.withheld, d.whys())
		})
	}
}

// TestPreviousEpochOfAnotherRequest: the share of the epoch before stays as long as the
// present one was made for another request under the same id, with which this node never
// signs.
func TestPreviousEpochOfAnotherRequest(t *testing.T) {
	for name, c := range map[string]struct {
		made types.Hash
		left int
	}{"the same request": {types.Hash{7}, 1}, "another request": {types.Hash{8}, 2}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			for epoch, made := range []types.Hash{{6}, c.made} {
				r := types.Record{
					RecordKey: types.RecordKey{KeyID: "key", Epoch: uint64(epoch), Session: types.SessionID{byte(epoch + 1)}},
					Context:   types.Context{byte(epoch + 1)}, Commitment: made, Data: []byte("share"), Status: types.StatusPending,
					Algorithm: types.ECDSASecp256k1, PublicKey: []byte("public"),
				}
				require.NoError(t, d.store.PutRecord(r))
				r.Status = types.StatusReady
				require.NoError(t, d.store.PutRecord(r))
			}
			d.view.Keys["key"] = types.Key{
				ID: "key", Status: types.KeyReady, Epoch: 1, Session: types.Context{2}, Commitment: types.Hash{7},
				PublicKey: []byte("public"), RetireHeight: 50, Participants: d.ops,
			}
			d.view.Height = 1000
			d.start()
			d.commit()
			require.Len(t, d.core.records, c.left)
			require.Equal(t, c.left == 2, slices.Contains(d.core.Status().Withheld, Withheld{types.RecordKey{KeyID: "key", Session: types.SessionID{1}}, WithheldPrevious}))
		})
	}
}

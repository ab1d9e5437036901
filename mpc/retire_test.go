package mpc

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// What lost is destroyed at the height that the chain fixed, which a deletion
// sets anew; what won goes when the key is DELETED, and not before, and while it is DELETING
// nothing does.
func TestRetire(t *testing.T) {
	won, lost := types.Context{5}, types.Context{6}
	for name, c := range map[string]struct {
		status types.KeyStatus
		height int64
		kept   []types.Context
	}{
		"READY, in time for a rollback":    {types.KeyReady, 109, []types.Context{won, lost}},
		"READY, final":                     {types.KeyReady, 110, []types.Context{won}},
		"DELETING before the losers' end":  {types.KeyDeleting, 109, []types.Context{won, lost}},
		"DELETING after the losers' end":   {types.KeyDeleting, 149, []types.Context{won, lost}},
		"DELETING, its own end":            {types.KeyDeleting, 150, []types.Context{won, lost}},
		"DELETED, in time for a rollback":  {types.KeyDeleted, 149, []types.Context{won, lost}},
		"DELETED, final":                   {types.KeyDeleted, 150, nil},
		"ERROR, in time for a rollback":    {types.KeyError, 109, []types.Context{won, lost}},
		"ERROR, final: nobody won":         {types.KeyError, 110, nil},
		"PENDING, however long it may be":  {types.KeyPending, 1000, []types.Context{won, lost}},
		"DELETING, postponed by the chain": {types.KeyDeleting, 200, []types.Context{won, lost}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			for i, context := range []types.Context{won, lost} {
				require.NoError(t, d.store.PutRecord(types.Record{
					RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{byte(i + 1)}}, Context: context,
					Data: []byte("share"), Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
				}))
			}
			key := types.Key{ID: "key", Status: c.status, DecidedHeight: 10, RetireHeight: 110, Holders: d.ops}
			if c.status == types.KeyDeleting || c.status == types.KeyDeleted {
				key.RetireHeight = 150
			}
			if c.status != types.KeyError && c.status != types.KeyPending {
				key.Session = won
			}
			d.view.Keys["key"], d.view.Height = key, c.height
			d.start()
			var kept []types.Context
			for _, k := range d.core.recordKeys() {
				kept = append(kept, d.core.records[k].Context)
			}
			require.Equal(t, c.kept, kept)
		})
	}
}

// TestRetireOfAPrunedKey: of a key that failed so long ago that the chain does not keep it,
// and of a reshare likewise, a node that was away for longer destroys what it staged. What was
// READY here, before a rollback that nobody heard of, stays.
func TestRetireOfAPrunedKey(t *testing.T) {
	for name, c := range map[string]struct {
		status types.Status
		public string
		left   []byte
	}{
		"staged": {types.StatusPending, "public", nil}, "without a share": {types.StatusPending, "", nil},
		"READY": {types.StatusReady, "public", []byte{1}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			d.made(1, 0, types.Hash{7}, c.public, c.status)
			d.view.Keys["key"], d.view.Height = types.Key{ID: "key", Status: types.KeyError}, 1000
			d.start()
			d.commit()
			require.Equal(t, c.left, d.sessions())
			require.Empty(t, d.core.Status().Unknown, "it is none that the chain does not know")
			require.Len(t, d.core.Status().Withheld, len(c.left))
		})
	}
}

// TestCatchingUpDestroysNothing: a node that executes blocks of the past sees a deletion
// that the chain may have been rolled back over.
func TestCatchingUpDestroysNothing(t *testing.T) {
	d := newDesk(t, 3)
	d.hold(types.Context{5}, types.StatusReady)
	d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyDeleted, RetireHeight: 5, Holders: d.ops}
	d.view.CatchingUp = true
	d.start()
	require.Len(t, d.core.records, 1)
	require.Empty(t, d.core.tombstones)
	d.view.CatchingUp = false
	d.commit()
	require.Empty(t, d.core.records)
	require.Len(t, d.core.Results().Attestations, 1)
}

// TestDestroyedKeyComesBack: a node that destroyed its share before the chain was rolled
// back far over that says so to whoever asks it for anything about the key.
func TestDestroyedKeyComesBack(t *testing.T) {
	for name, kind := range map[string]types.RequestKind{"sign": types.KindSign, "keygen": types.KindKeygen, "reshare": types.KindReshare} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			r := d.request(kind)
			if kind == types.KindReshare {
				r.Epoch, r.Handover = 1, &types.Handover{Holders: d.ops, Receivers: d.ops, Threshold: 1}
			}
			require.NoError(t, d.store.DestroyKey(r.KeyID))
			d.view.Requests = []types.Request{r}
			d.start()
			leader := r.Initiator(0)
			d.core.HandleEnvelope(d.prepare(leader, r.ID, 0, 1))
			said, to, _ := d.answer()
			require.Equal(t, string(types.ErrKeyDeleted), said)
			require.Equal(t, string(leader), to)
		})
	}
}

// TestDestroysFewAtOnce: of many keys that the chain buries in one block this node
// destroys some at each look, so that it goes on answering.
func TestDestroysFewAtOnce(t *testing.T) {
	d := newDesk(t, 3)
	const many = 2*maxDestroyed + 3
	for i := range many {
		id := types.KeyID(fmt.Sprintf("key-%02d", i))
		require.NoError(t, d.store.PutRecord(types.Record{
			RecordKey: types.RecordKey{KeyID: id, Session: types.SessionID{1}}, Context: types.Context{1},
			Data: []byte("share"), Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
		}))
		d.view.Keys[id] = types.Key{ID: id, Status: types.KeyDeleted, Holders: d.ops}
		if i%2 == 0 {
			d.view.Keys[id] = types.Key{ID: id, Status: types.KeyError}
		}
	}
	d.start()
	for left := many - maxDestroyed; left > 0; left -= maxDestroyed {
		require.Len(t, d.core.records, left)
		d.commit()
	}
	require.Empty(t, d.core.records)
	require.Empty(t, d.core.byKey)
	require.Len(t, d.core.Results().Attestations, many/2)
	stored, err := d.store.Records()
	require.NoError(t, err)
	require.Empty(t, stored)
}

// openings counts how often a share is opened.
type openings struct {
	Store
	count int
}

// OpenShare implements RecordStore.
func (o *openings) OpenShare(k types.RecordKey) ([]byte, error) {
	o.count++
	return o.Store.OpenShare(k)
}

// TestOpensFewAtOnce: of many keys that were reshared only those present shares are opened
// whose earlier ones are destroyed at this look.
func TestOpensFewAtOnce(t *testing.T) {
	d := newDesk(t, 3)
	for i := range 2*maxDestroyed + 3 {
		id := types.KeyID(fmt.Sprintf("key-%02d", i))
		for epoch := range uint64(2) {
			r := types.Record{
				RecordKey: types.RecordKey{KeyID: id, Epoch: epoch, Session: types.SessionID{1}}, Context: types.Context{byte(epoch + 1)},
				Data: []byte("share"), Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
			}
			require.NoError(t, d.store.PutRecord(r))
			r.Status = types.StatusReady
			require.NoError(t, d.store.PutRecord(r))
		}
		d.view.Keys[id] = types.Key{ID: id, Status: types.KeyReady, Epoch: 1, Session: types.Context{2}, Participants: d.ops}
	}
	store := &openings{Store: d.store}
	d.start(func(o *Options) { o.Store = store })
	require.Equal(t, maxDestroyed, store.count)
	require.Len(t, d.core.records, 3*maxDestroyed+6)
}

// TestForeignKeyIsKept: a share that was READY is not destroyed because the chain,
// begun anew, made or failed another key under the same id.
func TestForeignKeyIsKept(t *testing.T) {
	for name, key := range map[string]types.Key{
		"another key":     {Status: types.KeyReady, Session: types.Context{8}, PublicKey: []byte("other")},
		"a later epoch":   {Status: types.KeyReady, Epoch: 1, Session: types.Context{8}, PublicKey: []byte("other")},
		"a failed keygen": {Status: types.KeyError},
		"one in deletion": {Status: types.KeyDeleting, Session: types.Context{8}, PublicKey: []byte("other")},
		"a deleted one":   {Status: types.KeyDeleted, Session: types.Context{8}, PublicKey: []byte("other")},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			r := types.Record{
				RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{9}}, Context: types.Context{5}, Data: []byte("share"),
				Status: types.StatusPending, Algorithm: types.ECDSASecp256k1, PublicKey: []byte("old"),
			}
			require.NoError(t, d.store.PutRecord(r))
			r.Status = types.StatusReady
			require.NoError(t, d.store.PutRecord(r))
			lost := types.Record{
				RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{10}}, Context: types.Context{6}, Data: []byte("another"),
				Status: types.StatusPending, Algorithm: types.ECDSASecp256k1, PublicKey: []byte("other"),
			}
			require.NoError(t, d.store.PutRecord(lost))
			key.ID, key.RetireHeight, key.Holders = "key", 50, d.ops
			key.Participants, key.Threshold = d.ops[1:], 1
			d.view.Keys["key"], d.view.Height = key, 1000
			d.start()
			d.commit()
			share, err := d.store.OpenShare(r.RecordKey)
			require.NoError(t, err)
			require.Equal(t, "share", string(share))
			_, err = d.store.OpenShare(lost.RecordKey)
			if key.Status == types.KeyDeleting {
				require.NoError(t, err, "nothing goes as long as the deletion may be taken back")
			} else {
				require.ErrorIs(t, err, types.ErrShareMissing, "what lost goes")
			}
			require.Equal(t, []Withheld{{r.RecordKey, WithheldForeign}}, d.core.Status().Withheld)
			require.Contains(t, WithheldForeign.Remedy(), "mpc backup create")
			require.Empty(t, d.core.tombstones)
			require.Equal(t, key.Status == types.KeyDeleted, len(d.core.Results().Attestations) == 1, "it says that it destroyed what was the key's")
			for _, a := range d.core.Results().Attestations {
				require.False(t, a.FoundNothing())
			}

			key.PublicKey = []byte("old")
			if key.Status == types.KeyDeleting {
				key.Status = types.KeyDeleted
			}
			d.view.Keys["key"] = key
			d.commit()
			require.Empty(t, d.core.records, "the same key's goes as ever")
			require.Empty(t, d.core.Status().Withheld)
		})
	}
}

// TestRolledBackKeygen: after a rollback over the block that made a key READY, the
// shares that are there are attested again, and nobody makes others meanwhile.
func TestRolledBackKeygen(t *testing.T) {
	d, r := decidedDesk(t, func(*types.Key) {})
	require.Equal(t, types.StatusReady, d.core.records[d.core.recordKeys()[0]].Status)
	require.Empty(t, d.core.Results().Attestations)
	d.view.Height--
	d.view.Requests = []types.Request{r}
	d.view.Keys[r.KeyID] = types.Key{ID: r.KeyID, Status: types.KeyPending}
	d.commit()
	said := d.core.Results().Attestations
	require.Len(t, said, 1)
	require.Equal(t, winning, said[0].Session)
	d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
	answer, _, _ := d.answer()
	require.Equal(t, string(types.ErrInProgress), answer)
}

// TestSaysWhatItDestroyed: a holder's word on a deletion says whether there was a share,
// also after a restart.
func TestSaysWhatItDestroyed(t *testing.T) {
	for name, held := range map[string]bool{"a share": true, "nothing": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			if held {
				d.hold(types.Context{5}, types.StatusReady)
			}
			d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyDeleted, Holders: d.ops}
			for range 2 {
				d.start()
				d.commit() // by then it knows what it owes
				said := d.core.Results().Attestations
				require.Len(t, said, 1)
				require.NoError(t, said[0].Verify(deskChain, d.public("op-00")))
				require.Equal(t, !held, said[0].FoundNothing())
			}
		})
	}
}

// TestSaysWhatItDestroyedInTwoLives: a crash in the middle of a deletion leaves no share and
// no tombstone. The node says all the same that there was one, on chain and to its operator.
func TestSaysWhatItDestroyedInTwoLives(t *testing.T) {
	d := newDesk(t, 3)
	d.hold(types.Context{5}, types.StatusReady)
	d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyDeleted, Holders: d.ops}
	d.store.Halfway = func(string) { panic("killed") }
	require.Panics(t, func() { d.start() })
	records, err := d.store.Records()
	require.NoError(t, err)
	require.Empty(t, records)
	tombstones, err := d.store.Tombstones()
	require.NoError(t, err)
	require.Empty(t, tombstones)

	d.store.Halfway = func(string) {}
	var log bytes.Buffer
	d.start(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	d.commit()
	said := d.core.Results().Attestations
	require.Len(t, said, 1)
	require.False(t, said[0].FoundNothing())
	require.Contains(t, log.String(), "key destroyed")
	require.NotContains(t, log.String(), "is not in its store")
}

// TestOwedDeletion: a node that was away while a key was deleted, and has nothing of it
// any more, says so when it is back.
func TestOwedDeletion(t *testing.T) {
	d := newDesk(t, 3)
	d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyDeleted, Holders: d.ops, DeletionAcked: d.ops[1:]}
	d.start()
	d.commit()
	said := d.core.Results().Attestations
	require.Len(t, said, 1)
	require.Equal(t, types.RequestID{Kind: types.KindDelete, ID: "key"}, said[0].Request)
	d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyDeleted, Holders: d.ops, DeletionAcked: d.ops}
	d.commit()
	require.Empty(t, d.core.Results().Attestations)
	require.Empty(t, d.core.owed)
	require.Zero(t, d.core.Holdings().Tombstones)

	// One that it did not hear of while it ran is found some blocks later.
	d.view.Keys["late"] = types.Key{ID: "late", Status: types.KeyDeleted, Holders: d.ops, DeletionAcked: d.ops[1:]}
	d.view.Height += recallBlocks - 1
	d.commit()
	require.Empty(t, d.core.Results().Attestations)
	d.view.Height++
	d.commit()
	d.commit()
	said = d.core.Results().Attestations
	require.Len(t, said, 1)
	require.Equal(t, "late", said[0].Request.ID)
}

// TestStagedShareIsKept: what a reshare staged goes when that reshare is known to have
// failed, and not because an earlier one did, long before a rollback.
func TestStagedShareIsKept(t *testing.T) {
	d := newDesk(t, 3)
	r := types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Epoch: 1, Session: types.SessionID{9}}, Context: types.Context{5}, Data: []byte("share"),
		Status: types.StatusPending, Algorithm: types.ECDSASecp256k1, Request: types.RequestID{Kind: types.KindReshare, ID: "r"},
	}
	require.NoError(t, d.store.PutRecord(r))
	d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyReady, Session: types.Context{8}, Participants: d.ops[1:], Threshold: 1, RetireHeight: 50, StagedRetireHeight: 60}
	d.view.Height, d.ended = 1000, []string{"earlier"}
	d.start()
	d.commit()
	require.Len(t, d.core.records, 1)
	require.Equal(t, []Withheld{{r.RecordKey, WithheldUnasked}}, d.core.Status().Withheld)
	d.view.CatchingUp = true
	d.commit()
	require.Len(t, d.core.Status().Withheld, 1, "nothing is found out while catching up")
	d.view.CatchingUp = false
	d.ended = append(d.ended, "r")
	d.commit()
	require.Empty(t, d.core.records)
	require.Empty(t, d.core.Status().Withheld)
}

// TestAttestsForThatRequestOnly: a share that was made for a request is attested for no
// other one of the same id: later, of another threshold, or of another chain.
func TestAttestsForThatRequestOnly(t *testing.T) {
	for name, change := range map[string]func(*types.Request){
		"later": func(r *types.Request) { r.Height-- }, "threshold": func(r *types.Request) { r.Threshold++ },
		"participants": func(r *types.Request) { r.Members = r.Members[:3] },
	} {
		t.Run(name, func(t *testing.T) {
			d, r := decidedDesk(t, func(k *types.Key) { k.Status, k.Session = types.KeyPending, types.Context{} })
			d.view.Requests = []types.Request{r}
			d.commit()
			require.Len(t, d.core.Results().Attestations, 1)
			change(&r)
			d.view.Requests = []types.Request{r}
			d.start()
			require.Empty(t, d.core.Results().Attestations)
			d.start(func(o *Options) { o.ChainID = "other" })
			require.Empty(t, d.core.Results().Attestations)
			require.Len(t, d.core.records, 1, "it is kept")
		})
	}
}

// TestNothingToDestroy: a node that finds nothing of a deleted key of which it had a share
// once warns of other copies if it should still have had one, and not if a reshare left it
// out, or the key was never made.
func TestNothingToDestroy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *desk, key *types.Key)
		warns  bool
	}{
		"of the last committee": {func(*desk, *types.Key) {}, true},
		"left out by a reshare": {func(d *desk, key *types.Key) { key.Participants, key.Epoch = d.ops[1:], 1 }, false},
		"never made":            {func(_ *desk, key *types.Key) { key.PublicKey = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			key := types.Key{
				ID: "key", Status: types.KeyDeleted, RetireHeight: 5, Holders: d.ops, Participants: d.ops, PublicKey: []byte("public"),
			}
			c.change(d, &key)
			d.view.Keys["key"] = key
			var log bytes.Buffer
			d.start(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			d.commit()
			require.Contains(t, d.core.tombstones, types.KeyID("key"))
			require.Equal(t, c.warns, strings.Contains(log.String(), "level=WARN"), log.String())
			require.Equal(t, c.warns, strings.Contains(log.String(), "other copies"))
			require.Contains(t, log.String(), "deleted key")
		})
	}
}

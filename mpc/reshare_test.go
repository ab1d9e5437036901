package mpc

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// holdEpoch stores a share of "key" that the reshare "r", or its keygen, made.
func (d *desk) holdEpoch(epoch uint64, status types.Status) types.RecordKey {
	d.t.Helper()
	r := types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Epoch: epoch, Session: types.SessionID{byte(epoch + 1)}}, Context: types.Context{byte(epoch + 1)},
		Commitment: types.Hash{byte(epoch + 1)}, Data: []byte("share"), Status: types.StatusPending, Algorithm: types.ECDSASecp256k1,
		PublicKey: []byte("public"), Request: types.RequestID{Kind: types.KindReshare, ID: "r"},
	}
	if epoch == 0 {
		r.Request = types.RequestID{Kind: types.KindKeygen, ID: "key"}
	}
	require.NoError(d.t, d.store.PutRecord(r))
	if status == types.StatusReady {
		r.Status = status
		require.NoError(d.t, d.store.PutRecord(r))
	}
	return r.RecordKey
}

// whys are the reasons for which shares are kept.
func (d *desk) whys() (list []Withholding) {
	for _, w := range d.core.Status().Withheld {
		list = append(list, w.Why)
	}
	return list
}

// damaged is a store with a share that cannot be read.
type damaged struct {
	Store
	record types.RecordKey
	damage bool
}

// OpenShare implements RecordStore.
func (s *damaged) OpenShare(k types.RecordKey) ([]byte, error) {
	if s.damage && k == s.record {
		return nil, types.ErrStorage
	}
	return s.Store.OpenShare(k)
}

// TestNextEpochIsKept: the chain is back before the reshare that made a share, and another
// one of the same id failed there. A share that the chain once switched to stays, whoever
// has it; one that it never did goes, unless it is all that this node should have has.
func TestNextEpochIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		next types.Status
		// present: this node has its share of the chain's epoch.
		present bool
		// member: it should.
		member bool
		damage bool
		// lost is how many others said that they have no share of the chain's epoch.
		lost int
		why  Withholding
	}{
		"switched to, and nothing else is here":      {types.StatusReady, false, true, false, 0, WithheldNext},
		"switched to, of a newcomer":                 {types.StatusReady, false, false, false, 0, WithheldUnasked},
		"switched to, beside the present one":        {types.StatusReady, true, true, false, 0, WithheldUnasked},
		"staged, and nothing else is here":           {types.StatusPending, false, true, false, 0, WithheldNext},
		"staged, and the present one does not open":  {types.StatusPending, true, true, true, 0, WithheldNext},
		"staged, of a newcomer":                      {types.StatusPending, false, false, false, 0, ""},
		"staged, beside the present one":             {types.StatusPending, true, true, false, 0, ""},
		"staged, where too few have the present one": {types.StatusPending, true, true, false, 2, WithheldNext},
		"staged, where just enough have it":          {types.StatusPending, true, true, false, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			next := d.holdEpoch(1, c.next)
			store := &damaged{Store: d.store}
			if c.present {
				store.record, store.damage = d.holdEpoch(0, types.StatusReady), c.damage
			}
			key := types.Key{
				ID: "key", Status: types.KeyReady, Session: types.Context{1}, Commitment: types.Hash{1}, PublicKey: []byte("public"),
				Participants: d.ops, Threshold: 1, MissingShares: d.ops[3-c.lost:], RetireHeight: 5, StagedRetireHeight: 60,
			}
			if !c.member {
				key.Participants = d.ops[1:]
			}
			d.view.Keys["key"], d.view.Height, d.ended = key, 1000, []string{"r"}
			var log bytes.Buffer
			d.start(func(o *Options) { o.Store, o.Log = store, slog.New(slog.NewTextHandler(&log, nil)) })
			d.commit()
			_, err := d.store.OpenShare(next)
			if c.why == "" {
				require.ErrorIs(t, err, types.ErrShareMissing)
				require.Empty(t, d.core.Status().Withheld)
				return
			}
			require.NoError(t, err, "a share that may be the last of the key is destroyed")
			require.Equal(t, []Withheld{{next, c.why}}, d.core.Status().Withheld)
			require.Equal(t, 1, strings.Count(log.String(), "why="+string(c.why)), log.String())
			require.NotEmpty(t, c.why.Remedy())

			key.Epoch, key.Session, key.Commitment, key.MissingShares = 1, types.Context{2}, types.Hash{2}, nil
			d.view.Keys["key"] = key
			d.commit()
			require.Empty(t, d.core.Status().Withheld)
			require.True(t, d.core.has(key), "a chain that is at its epoch after all signs with it")
		})
	}
}

// TestEachFailedReshareHasItsEnd: what a reshare staged goes when that one failed so long ago, be
// it that others were asked for and failed since, or that one is open or tested now. It stays
// before, and if it may be of what is open or tested.
func TestEachFailedReshareHasItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		since func(*desk, *types.Key)
		end   int64 // 0: none
	}{
		"nothing since":                {func(_ *desk, key *types.Key) { key.StagedRetireHeight = 60 }, 60},
		"another one failed":           {func(_ *desk, key *types.Key) { key.StagedRetireHeight = 200 }, 60},
		"another one is open":          {func(*desk, *types.Key) {}, 60},
		"another one is tested":        {func(_ *desk, key *types.Key) { key.NextSession = types.Context{7} }, 60},
		"a deletion was taken back":    {func(_ *desk, key *types.Key) { key.RetireHeight, key.StagedRetireHeight = 80, 80 }, 80},
		"pruned":                       {func(d *desk, key *types.Key) { d.stagedEnds, key.StagedRetireHeight = nil, 90 }, 90},
		"pruned, and one is open":      {func(d *desk, _ *types.Key) { d.stagedEnds = nil }, 0},
		"pruned, and one is tested":    {func(d *desk, key *types.Key) { d.stagedEnds, key.NextSession = nil, types.Context{7} }, 0},
		"it is tested":                 {func(d *desk, key *types.Key) { key.NextSession, d.ended, d.stagedEnds = types.Context{2}, nil, nil }, 0},
		"another session is tested":    {func(d *desk, key *types.Key) { key.NextSession, d.ended, d.stagedEnds = types.Context{7}, nil, nil }, 0},
		"too few have the present one": {func(d *desk, key *types.Key) { key.MissingShares = d.ops[2:] }, 0},
		"it is open": {func(d *desk, key *types.Key) {
			r := d.request(types.KindReshare)
			r.ID.ID, r.Epoch, r.Handover = "r", 1, &types.Handover{Holders: d.ops, Receivers: d.ops, Threshold: 1, PublicShares: make([][]byte, 4)}
			d.view.Requests = []types.Request{r}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.holdEpoch(1, types.StatusPending)
			key := types.Key{
				ID: "key", Status: types.KeyReady, Session: types.Context{1}, Commitment: types.Hash{1}, PublicKey: []byte("public"),
				Threshold: 1, Participants: d.ops[1:], RetireHeight: 5,
			}
			d.ended, d.stagedEnds = []string{"r"}, map[string]int64{"r": 60}
			c.since(d, &key)
			d.view.Keys["key"], d.view.Height = key, 59
			d.start()
			last := c.end
			if c.end == 0 {
				last = 1000
			}
			for _, d.view.Height = range []int64{60, last - 1} {
				if d.view.Height < last {
					d.commit()
					require.Len(t, d.core.records, 1, "at height %d its failure may be rolled back", d.view.Height)
				}
			}
			d.view.Height = last
			d.commit()
			if c.end == 0 {
				require.Len(t, d.core.records, 1)
				return
			}
			require.Empty(t, d.core.records)
		})
	}
}

// TestNextEpochOfARevoker: a newcomer that ended the reshare by revoking its identity destroys
// what that one staged here, as any other newcomer; a participant of the present epoch that
// has no share of it keeps what it has.
func TestNextEpochOfARevoker(t *testing.T) {
	for name, c := range map[string]struct {
		participants int // from this one on
		withheld     []Withholding
	}{"a newcomer": {1, nil}, "a participant": {0, []Withholding{WithheldNext}}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.holdEpoch(1, types.StatusPending)
			d.revoke()
			d.view.Keys["key"] = types.Key{
				ID: "key", Status: types.KeyReady, Session: types.Context{1}, Commitment: types.Hash{1}, PublicKey: []byte("public"),
				Threshold: 1, Participants: d.ops[c.participants:], RetireHeight: 5, StagedRetireHeight: 60,
			}
			d.view.Height, d.ended = 59, []string{"r"}
			d.start()
			require.Len(t, d.core.records, 1, "the failure may be rolled back")
			d.view.Height = 60
			d.commit()
			d.commit()
			require.Len(t, d.core.records, len(c.withheld))
			require.Equal(t, c.withheld, d.whys())
		})
	}
}

// TestNextEpochGoesWithAnother: what was kept goes as soon as the chain comes to its epoch
// by another reshare, for which t+1 had shares, and this node has that one.
func TestNextEpochGoesWithAnother(t *testing.T) {
	d := newDesk(t, 3)
	d.holdEpoch(1, types.StatusReady)
	key := types.Key{
		ID: "key", Status: types.KeyReady, Session: types.Context{1}, PublicKey: []byte("public"), Participants: d.ops, RetireHeight: 5, StagedRetireHeight: 60,
	}
	d.view.Keys["key"], d.view.Height, d.ended = key, 1000, []string{"r"}
	d.start()
	d.commit()
	require.Len(t, d.core.records, 1)
	key.Epoch, key.Session, key.RetireHeight, key.StagedRetireHeight = 1, types.Context{9}, 1100, 0
	d.view.Keys["key"], d.view.Height = key, 1099
	d.commit()
	require.Len(t, d.core.records, 1, "the switch may be rolled back")
	d.view.Height = 1100
	d.commit()
	require.Empty(t, d.core.records)
}

// TestUnaskedIsToldAtLast: a share of a reshare that the chain does not know is told of,
// whatever became of other reshares of the key, once that is so for two looks. One of a reshare that is
// over, or under test, is not, and neither is a record without a share.
func TestUnaskedIsToldAtLast(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*desk, *types.Key)
		told   bool
	}{
		"no other one failed":         {func(*desk, *types.Key) {}, true},
		"another one failed just now": {func(_ *desk, key *types.Key) { key.StagedRetireHeight = 2000 }, true},
		"another one failed long ago": {func(_ *desk, key *types.Key) { key.StagedRetireHeight = 60 }, true},
		"it is over":                  {func(d *desk, _ *types.Key) { d.ended = []string{"r"} }, false},
		"it failed just now": {func(d *desk, key *types.Key) {
			d.ended, key.StagedRetireHeight = []string{"r"}, 2000
		}, false},
		"another session of it is tested": {func(_ *desk, key *types.Key) { key.NextSession = types.Context{7} }, false},
		"it is tested":                    {func(_ *desk, key *types.Key) { key.NextSession = types.Context{2} }, false},
		"behind the chain":                {func(d *desk, _ *types.Key) { d.view.CatchingUp = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 3)
			d.holdEpoch(0, types.StatusReady)
			next := d.holdEpoch(1, types.StatusPending)
			key := types.Key{
				ID: "key", Status: types.KeyReady, Session: types.Context{1}, Commitment: types.Hash{1}, PublicKey: []byte("public"),
				Participants: d.ops, RetireHeight: 5,
			}
			c.change(d, &key)
			d.view.Keys["key"], d.view.Height = key, 1000
			var log bytes.Buffer
			d.start(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			require.Empty(t, d.core.Status().Withheld, "the chain may end it in this block")
			require.NotContains(t, log.String(), "does not know")
			for range 3 {
				d.commit()
			}
			require.Len(t, d.core.records, 2)
			if !c.told {
				require.Empty(t, d.core.Status().Withheld)
				require.NotContains(t, log.String(), "does not know")
				return
			}
			require.Equal(t, []Withheld{{next, WithheldUnasked}}, d.core.Status().Withheld)
			require.Equal(t, 1, strings.Count(log.String(), "does not know"), log.String())
		})
	}
}

// TestCondemnedReshareIsNotUnasked: the chain is about to end a reshare, which is neither
// open nor over for a block.
func TestCondemnedReshareIsNotUnasked(t *testing.T) {
	d := newDesk(t, 4)
	d.holdEpoch(0, types.StatusReady)
	d.holdEpoch(1, types.StatusPending)
	r := d.request(types.KindReshare)
	r.ID.ID, r.Epoch, r.Handover = "r", 1, &types.Handover{Holders: d.ops, Receivers: d.ops, Threshold: 1, PublicShares: make([][]byte, 4)}
	key := types.Key{
		ID: "key", Status: types.KeyReady, Session: types.Context{1}, Commitment: types.Hash{1}, PublicKey: []byte("public"), Participants: d.ops, RetireHeight: 5,
	}
	d.view.Keys["key"], d.view.Requests = key, []types.Request{r}
	var log bytes.Buffer
	d.start(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	d.view.Height, d.view.Requests = d.view.Height+1, nil
	d.commit()
	key.StagedRetireHeight, d.ended = d.view.Height+100, []string{"r"}
	d.view.Height, d.view.Keys["key"] = d.view.Height+1, key
	d.commit()
	d.commit()
	require.Empty(t, d.core.Status().Withheld)
	require.NotContains(t, log.String(), "does not know")
}

// TestRecordWithoutShareIsNotKept: nothing is told of a record whose session made no share.
func TestRecordWithoutShareIsNotKept(t *testing.T) {
	d := newDesk(t, 3)
	d.holdEpoch(0, types.StatusReady)
	require.NoError(t, d.store.PutRecord(types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Epoch: 1, Session: types.SessionID{2}}, Context: types.Context{2},
		Status: types.StatusPending, Algorithm: types.ECDSASecp256k1, Request: types.RequestID{Kind: types.KindReshare, ID: "r"},
	}))
	d.view.Keys["key"] = types.Key{
		ID: "key", Status: types.KeyReady, Session: types.Context{1}, Commitment: types.Hash{1}, PublicKey: []byte("public"), Participants: d.ops, RetireHeight: 5,
	}
	d.start()
	d.commit()
	require.Len(t, d.core.records, 2)
	require.Empty(t, d.core.Status().Withheld)
}

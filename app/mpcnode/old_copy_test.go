package mpcnode

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// TestSharesThatAnOldCopyLacks: a database that knows the chain up to height 100, and a
// chain that shows what was made with this node's share since.
func TestSharesThatAnOldCopyLacks(t *testing.T) {
	k := fixtures.Shares(2, 1)
	held := fixtureRecord(k, "held", 0)
	key := func(id types.KeyID, epoch uint64, session types.Context, decided int64) types.Key {
		return types.Key{ID: id, Status: types.KeyReady, Epoch: epoch, Session: session, DecidedHeight: decided}
	}
	for name, c := range map[string]struct {
		keys []types.Key
		told bool
	}{
		"made since":                  {[]types.Key{key("since", 0, types.Context{9}, 101)}, true},
		"reshared since":              {[]types.Key{key("held", 1, types.Context{9}, 300)}, true},
		"made since, and it is there": {[]types.Key{key("held", 0, held.Context, 300)}, false},
		"lost before":                 {[]types.Key{key("before", 0, types.Context{9}, 100)}, false},
		"no keys":                     {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			v, paths := newVault(t)
			db := v.Database()
			require.NoError(t, db.PutRecord(held))
			_, err := db.AddPreparams([]byte("of the copy"))
			require.NoError(t, err)
			m := memberOf(v, 100)
			require.NoError(t, db.NoteChain(storage.ChainSeen{ChainID: m.app.ChainID(), Height: 100}))
			m.openAudit(paths.Folder)
			defer m.closeAudit()
			require.Empty(t, m.warnings)
			_, err = db.AddPreparams([]byte("made since"))
			require.NoError(t, err)

			state := idleEngine(t)
			m.copied.own = func() (types.Operator, []types.Key, error) { return "me", c.keys, nil }
			m.copied.tell = func(detail string) { m.tellOldCopy(state, detail) }
			m.copied.viewed(false)
			require.NoError(t, m.copied.run(t.Context()))
			sets, err := db.Preparams()
			require.NoError(t, err)
			if !c.told {
				require.Empty(t, state.warned())
				require.Equal(t, []uint64{1, 2}, sets)
				return
			}
			require.Equal(t, []uint64{2}, sets, "what another copy may have used is gone, what is new is not")
			s := reportStatus(state.engine.Status(), state, nil)
			require.Len(t, s.Warnings, 1)
			require.Equal(t, string(types.ErrDatabaseOld), s.Warnings[0].Reason)
			require.Contains(t, s.Warnings[0].Detail, string(c.keys[0].ID))
			require.Contains(t, s.Warnings[0].Remedy, "sequencerd mpc backup restore")
			require.Contains(t, notes(t, paths.Folder)[0], string(types.ErrDatabaseOld))
			shown := newMetrics("seq-1")
			shown.watch(state, &shareWatch{})
			require.InDelta(t, 1, gather(t, shown)["sequencer_mpc_warnings"].Metric[0].GetGauge().GetValue(), 0)
		})
	}
}

// What the chain beside a copy cannot tell: it is another one, or the database knows none;
// and where a backup was restored, the operator knows.
func TestOldCopiesThatAreNotLookedFor(t *testing.T) {
	v, paths := newVault(t)
	m := memberOf(v, 100)
	m.openAudit(paths.Folder)
	require.Nil(t, m.copied, "nobody told the database how far the chain is")
	m.closeAudit()
	require.NoError(t, v.Database().NoteChain(storage.ChainSeen{ChainID: "another", Height: 100}))
	m = memberOf(v, 10)
	m.openAudit(paths.Folder)
	defer m.closeAudit()
	require.Nil(t, m.copied)

	state := idleEngine(t)
	m.restored = true
	m.tellOldCopy(state, "a share is not there")
	require.Empty(t, state.warned())
}

// A node looks again while it catches up, once a minute, and when it cannot look.
func TestOldCopyIsLookedForWhileCatchingUp(t *testing.T) {
	v, _ := newVault(t)
	told := make(chan string, 1)
	looked := make(chan int64, 8)
	height := int64(100)
	o := &oldCopy{db: v.Database(), told: storage.ChainSeen{Height: 102}, log: slog.New(slog.DiscardHandler), look: make(chan bool, 1)}
	o.tell = func(detail string) { told <- detail }
	o.own = func() (types.Operator, []types.Key, error) {
		height++
		looked <- height
		if height == 102 {
			return "", nil, errors.New("this height was pruned")
		}
		return "me", []types.Key{{ID: "key", Status: types.KeyReady, Session: types.Context{5}, DecidedHeight: height}}, nil
	}
	clock := make(chan time.Time)
	o.now = func() time.Time { return <-clock }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- o.run(ctx) }()
	start := time.Unix(1000, 0)
	look := func(at time.Time, catchingUp bool) {
		o.viewed(catchingUp)
		clock <- at
	}
	look(start, true)
	require.EqualValues(t, 101, <-looked)
	look(start.Add(sharesInterval-1), true) // too soon
	look(start.Add(sharesInterval), false)
	require.EqualValues(t, 102, <-looked)
	look(start.Add(sharesInterval+1), false) // it could not look: it is not sure yet
	require.EqualValues(t, 103, <-looked)
	require.Contains(t, <-told, "key key, epoch 0")
	require.NoError(t, <-done)
	require.Empty(t, looked)
}

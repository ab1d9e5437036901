package mpcnode

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// attested is a READY key of which this node attested a share, decided at a height.
func attested(id types.KeyID, epoch uint64, session types.Context, decided int64) types.Key {
	return types.Key{ID: id, Status: types.KeyReady, Epoch: epoch, Session: session, DecidedHeight: decided}
}

// comparedTo notes up to which height of the chain "seq-1" a database had every share.
func comparedTo(t *testing.T, db *storage.DB, height int64) {
	t.Helper()
	require.NoError(t, db.NoteCompared(storage.Compared{ChainID: "seq-1", Height: height}))
}

// copyOf is what looks for an old copy in a node that begins with a database, and counts
// what it tells. The chain is at *height and has these keys.
func copyOf(t *testing.T, db copyStore, v *Vault, height *int64, keys *[]types.Key) (o *oldCopy, told *int) {
	t.Helper()
	m := memberOf(v, *height)
	o, err := m.lookForOldCopy()
	require.NoError(t, err)
	told = new(int)
	o.db, o.tell = db, func(string) { *told++ }
	o.own = func() (owned, error) { return owned{self: "me", keys: *keys, height: *height}, nil }
	return o, told
}

func compared(t *testing.T, db *storage.DB) storage.Compared {
	t.Helper()
	c, err := db.Compared()
	require.NoError(t, err)
	return c
}

func preparamsOf(t *testing.T, db *storage.DB) []uint64 {
	t.Helper()
	ids, err := db.Preparams()
	require.NoError(t, err)
	return ids
}

// TestSharesThatAnOldCopyLacks: a database that had every share up to height 100, and a
// chain that shows what was made with this node's share since.
func TestSharesThatAnOldCopyLacks(t *testing.T) {
	k := fixtures.Shares(2, 1)
	held := fixtureRecord(k, "held", 0)
	for name, c := range map[string]struct {
		keys []types.Key
		told bool
	}{
		"made since":                  {[]types.Key{attested("since", 0, types.Context{9}, 101)}, true},
		"reshared since":              {[]types.Key{attested("held", 1, types.Context{9}, 300)}, true},
		"made since, and it is there": {[]types.Key{attested("held", 0, held.Context, 300)}, false},
		"lost before":                 {[]types.Key{attested("before", 0, types.Context{9}, 100)}, false},
		"no keys":                     {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			v, paths := newVault(t)
			db := v.Database()
			require.NoError(t, db.PutRecord(held))
			_, err := db.AddPreparams([]byte("of the copy"))
			require.NoError(t, err)
			m := memberOf(v, 100)
			comparedTo(t, db, 100)
			m.openAudit(paths.Folder)
			defer m.closeAudit()
			require.Empty(t, m.warnings)
			_, err = db.AddPreparams([]byte("made since"))
			require.NoError(t, err)

			state := idleEngine(t)
			m.copied.own = func() (owned, error) { return owned{self: "me", keys: c.keys, height: 400}, nil }
			m.copied.tell = func(detail string) { m.tellOldCopy(state, detail) }
			require.NoError(t, m.copied.step(true))
			if !c.told {
				require.Empty(t, state.warned())
				require.Equal(t, []uint64{1, 2}, preparamsOf(t, db))
				return
			}
			require.Equal(t, []uint64{2}, preparamsOf(t, db), "what another copy may have used is gone, what is new is not")
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

// A copy is found though its node is started again while it catches up, and has told the
// database of blocks since; it is told once, however often the node is started after that.
func TestOldCopyThatIsStartedAgain(t *testing.T) {
	v, paths := newVault(t)
	db := v.Database()
	_, err := db.AddPreparams([]byte("of the copy"))
	require.NoError(t, err)
	comparedTo(t, db, 100)
	height, keys := int64(450), []types.Key{}
	o, told := copyOf(t, db, v, &height, &keys)
	require.NoError(t, o.step(false))

	m := memberOf(v, 600)
	m.seen.observe(&mpc.View{Height: 600})
	m.openAudit(paths.Folder)
	m.closeAudit()
	require.Empty(t, m.warnings, "the database knows the chain as far as it is")
	height, keys = 600, []types.Key{attested("since", 0, types.Context{9}, 500)}
	o, again := copyOf(t, db, v, &height, &keys)
	require.NoError(t, o.step(false))
	require.Zero(t, *told)
	require.Equal(t, 1, *again)
	require.Empty(t, preparamsOf(t, db))

	// More of the kind comes until the chain is up to date.
	_, err = db.AddPreparams([]byte("made since"))
	require.NoError(t, err)
	height, keys = 700, append(keys, attested("later", 0, types.Context{9}, 650))
	require.NoError(t, o.step(false))
	o, last := copyOf(t, db, v, &height, &keys)
	require.NoError(t, o.step(false))
	require.NoError(t, o.step(true))
	require.Equal(t, 1, *again)
	require.Zero(t, *last)
	require.Equal(t, storage.Compared{ChainID: "seq-1", Height: 700}, compared(t, db))
	require.Equal(t, []uint64{2}, preparamsOf(t, db))
}

// A new database in the place of one that was lost lacks what that had. It is no older
// copy, however often its node is started before it is up to date.
func TestNewDatabaseIsNoOldCopy(t *testing.T) {
	v, _ := newVault(t)
	db := v.Database()
	height, keys := int64(300), []types.Key{}
	for _, at := range []int64{300, 600} {
		height, keys = at, []types.Key{attested("lost", 0, types.Context{9}, at-10)}
		o, told := copyOf(t, db, v, &height, &keys)
		require.NoError(t, o.step(false))
		require.Zero(t, *told)
		require.Zero(t, compared(t, db))
		memberOf(v, at).seen.observe(&mpc.View{Height: at})
	}
	o, told := copyOf(t, db, v, &height, &keys)
	require.NoError(t, o.step(true))
	require.Zero(t, *told)
	require.Equal(t, storage.Compared{ChainID: "seq-1", Height: 600}, compared(t, db))

	// From then on it has what its node attests, until a copy of it is put back. The chain may
	// begin again under another id, and be rolled back, to where it has an epoch again whose
	// share is destroyed.
	height, keys = 900, append(keys, attested("since", 0, types.Context{9}, 800))
	o, told = copyOf(t, db, v, &height, &keys)
	o.chainID = "seq-2"
	require.NoError(t, o.step(true))
	require.Zero(t, *told)
	comparedTo(t, db, 1000)
	o, told = copyOf(t, db, v, &height, &keys)
	require.NoError(t, o.step(true))
	require.Zero(t, *told)
	require.Equal(t, storage.Compared{ChainID: "seq-1", Height: 900}, compared(t, db))
	height, keys = 960, append(keys, attested("anew", 0, types.Context{9}, 950))
	require.NoError(t, o.step(true))
	require.Equal(t, 1, *told)
}

// sick is a database that does not destroy pre-parameters, or takes nothing.
type sick struct {
	*storage.DB
	keeps, deaf bool
}

func (s *sick) BurnPreparams(id uint64) error {
	if s.keeps {
		return errors.New("read error")
	}
	return s.DB.BurnPreparams(id)
}

func (s *sick) NoteCompared(c storage.Compared) error {
	if s.deaf {
		return errors.New("disk is full")
	}
	return s.DB.NoteCompared(c)
}

// What could not be destroyed, or not even be noted, is destroyed by the next look, or by
// the next start; it is told once, and what was made since stays.
func TestBurnThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		sick  sick
		start bool // the node is started again before it works
		told  int
	}{
		"the next look":                       {sick: sick{keeps: true}, told: 1},
		"the next start":                      {sick: sick{keeps: true}, start: true, told: 1},
		"not noted, the next look":            {sick: sick{deaf: true}, told: 1},
		"not noted, and the node starts anew": {sick: sick{deaf: true}, start: true, told: 2},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := newVault(t)
			db := &c.sick
			db.DB = v.Database()
			_, err := db.AddPreparams([]byte("of the copy"))
			require.NoError(t, err)
			comparedTo(t, db.DB, 100)
			height, keys := int64(400), []types.Key{attested("since", 0, types.Context{9}, 300)}
			var out logBuffer
			o, told := copyOf(t, db, v, &height, &keys)
			o.log = slog.New(slog.NewTextHandler(&out, nil))
			for range 2 {
				require.Error(t, o.step(true))
			}
			require.Equal(t, []uint64{1}, preparamsOf(t, db.DB))
			require.Equal(t, 1, strings.Count(out.String(), "level=ERROR"))
			total := *told
			db.keeps, db.deaf = false, false
			_, err = db.AddPreparams([]byte("made since"))
			require.NoError(t, err)
			if c.start {
				memberOf(v, height).seen.observe(&mpc.View{Height: height})
				o, told = copyOf(t, db, v, &height, &keys)
				*told = total
			}
			require.NoError(t, o.step(true))
			require.NotContains(t, preparamsOf(t, db.DB), uint64(1))
			require.Equal(t, c.told, *told)
			require.NoError(t, o.step(true))
			require.Equal(t, storage.Compared{ChainID: "seq-1", Height: height}, compared(t, db.DB))
			require.Equal(t, c.told, *told)
		})
	}
}

// An older copy that is known at the start: what could not be destroyed then is destroyed
// later, though the database was told of the chain meanwhile.
func TestBurnThatFailsAtTheStart(t *testing.T) {
	v, _ := newVault(t)
	db := &sick{DB: v.Database(), keeps: true}
	_, err := db.AddPreparams([]byte("of the copy"))
	require.NoError(t, err)
	height, keys := int64(400), []types.Key{}
	o, _ := copyOf(t, db, v, &height, &keys)
	require.Error(t, o.doubt())
	memberOf(v, height).seen.observe(&mpc.View{Height: height})
	o, told := copyOf(t, v.Database(), v, &height, &keys)
	require.NoError(t, o.step(false))
	require.Empty(t, preparamsOf(t, db.DB))
	require.Zero(t, *told)
}

// What is destroyed between a look at the chain and one at the database was not lacking.
func TestShareThatIsDestroyedMeanwhile(t *testing.T) {
	v, _ := newVault(t)
	comparedTo(t, v.Database(), 100)
	height, keys := int64(400), []types.Key{attested("deleted", 0, types.Context{9}, 300)}
	o, told := copyOf(t, v.Database(), v, &height, &keys)
	o.own = func() (owned, error) {
		has := owned{self: "me", keys: keys, height: height}
		keys = nil
		return has, nil
	}
	require.NoError(t, o.step(true))
	require.Zero(t, *told)
}

// Where a backup was restored over a copy that lacks shares all the same, the operator is told
// of both: what was made since that backup is not there, nor its bindings.
func TestOldCopyThatWasRestored(t *testing.T) {
	v, paths := newVault(t)
	saved := &backup.Saved{Created: time.Unix(1000, 0)}
	require.NoError(t, Record(t.Context(), paths, RestoreOperation(saved, VaultRestored{})))
	m := memberOf(v, 100)
	m.openAudit(paths.Folder)
	defer m.closeAudit()
	state := idleEngine(t)
	m.tellOldCopy(state, "a share is not there")
	require.Len(t, state.warned(), 1)
	require.Contains(t, state.warned()[0].Detail, "a share is not there; a backup of 1970-01-01T00:16:40Z was restored over it")
}

// A node looks again while it catches up, once a minute, and when it cannot look; and goes
// on, as one whose clock is behind takes itself to be up to date too early.
func TestOldCopyIsLookedForAllTheTime(t *testing.T) {
	v, _ := newVault(t)
	comparedTo(t, v.Database(), 100)
	looked := make(chan int64, 8)
	height, keys := int64(100), []types.Key{}
	o, _ := copyOf(t, v.Database(), v, &height, &keys)
	told := make(chan string, 1)
	o.tell = func(detail string) { told <- detail }
	o.own = func() (owned, error) {
		height++
		looked <- height
		switch height {
		case 102:
			return owned{}, errors.New("this height was pruned")
		case 104:
			keys = []types.Key{attested("key", 0, types.Context{5}, height)}
		}
		return owned{self: "me", keys: keys, height: height}, nil
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
	look(start.Add(sharesInterval+2), false) // it is
	look(start.Add(2*sharesInterval+1), false)
	require.EqualValues(t, 104, <-looked)
	require.EqualValues(t, 105, <-looked, "it tells only what it sees twice")
	require.Contains(t, <-told, "key key, epoch 0")
	cancel()
	require.NoError(t, <-done)
	require.Empty(t, looked)
}

package mpcnode

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// keysState is a chain on which "me" registered and has keys.
type keysState struct {
	fakeState
	public ed25519.PublicKey
	keys   *[]types.Key
	// others are registered too.
	others map[types.Operator]types.Identity
}

func (s keysState) EngineRoster(context.Context) (*types.Roster, error) {
	all := map[types.Operator][]types.Identity{"me": {{Version: 1, Key: s.public}}}
	for op, id := range s.others {
		all[op] = []types.Identity{id}
	}
	return types.NewRoster(all), nil
}

func (s keysState) EngineKeysOf(_ context.Context, op types.Operator) ([]types.Key, error) {
	if op != "me" {
		return nil, nil
	}
	return *s.keys, nil
}

// keysApp has that chain.
type keysApp struct {
	*fakeApp
	keysState
}

func (a keysApp) MPCState() State { return a.keysState }

func TestSharesThatAreMissing(t *testing.T) {
	public := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	key := func(id string, epoch uint64) types.Key {
		return types.Key{ID: types.KeyID(id), Status: types.KeyReady, Epoch: epoch, Session: types.Context{byte(epoch), 5}, Participants: []types.Operator{"me"}}
	}
	record := func(id string, epoch uint64, hasData bool) types.Record {
		return types.Record{
			RecordKey: types.RecordKey{KeyID: types.KeyID(id), Epoch: epoch}, Context: types.Context{byte(epoch), 5}, HasData: hasData,
		}
	}
	keys := []types.Key{key("behind", 2), key("fine", 1), key("lost", 0), key("unfinished", 0)}
	other := record("other", 0, true)
	records := []types.Record{
		record("behind", 1, true), record("fine", 0, true), record("fine", 1, true), record("unfinished", 0, false), other,
	}
	var out logBuffer
	app := keysApp{&fakeApp{height: 5}, keysState{public: public, keys: &keys}}
	w := newShareWatch(app, []ed25519.PublicKey{public}, func() []types.Record { return records }, slog.New(slog.NewTextHandler(&out, nil)))
	var declared []types.KeyID
	w.declare = func(ids []types.KeyID) { declared = ids }
	require.Empty(t, w.found(), "nobody looked yet")
	require.NoError(t, w.compare())
	require.Equal(t, []MissingShare{{"behind", 2, ShareBehind, false}, {"lost", 0, ShareMissing, false}, {"unfinished", 0, ShareMissing, false}}, w.found())
	require.Equal(t, []types.KeyID{"behind", "lost", "unfinished"}, declared)
	require.Equal(t, 3, strings.Count(out.String(), "reason=share_missing"))
	require.Contains(t, out.String(), "sequencerd tx mpc refresh")

	// Told once, and not to the chain what it knows; a reshare mends it.
	keys[2].MissingShares, keys[3].MissingShares = []types.Operator{"me"}, []types.Operator{"other"}
	require.NoError(t, w.compare())
	require.Equal(t, []types.KeyID{"behind", "unfinished"}, declared)
	require.True(t, w.found()[1].OnChain)
	require.Equal(t, 3, strings.Count(out.String(), "reason=share_missing"))
	m := newMetrics("seq-1")
	m.watch(idleEngine(t), w)
	wanted := slices.IndexFunc(gather(t, m)["sequencer_mpc_presignatures"].Metric, func(m *dto.Metric) bool {
		return slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetValue() == "wanted" })
	})
	require.InDelta(t, 3, gather(t, m)["sequencer_mpc_presignatures"].Metric[wanted].GetGauge().GetValue(), 0, "of the one key that is fine")
	keys[2] = key("lost", 1)
	records = append(records, record("lost", 1, true), record("behind", 2, true))
	require.NoError(t, w.compare())
	require.Equal(t, []MissingShare{{"unfinished", 0, ShareMissing, false}}, w.found())

	// Many are not told one by one.
	keys = nil
	for i := range 30 {
		keys = append(keys, key("k"+strings.Repeat("x", i), 0))
	}
	require.NoError(t, w.compare())
	require.Equal(t, 3+maxSharesLogged+1, strings.Count(out.String(), "reason=share_missing"))
	require.Contains(t, out.String(), "keys=20")

	stranger := newShareWatch(app, nil, w.records, w.log)
	require.NoError(t, stranger.compare())
	require.Empty(t, stranger.found())
}

// A key that lost so many shares or identities that it can spare no other one is counted; one
// that never could is not.
func TestKeysAtRisk(t *testing.T) {
	public := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	all := []types.Operator{"me", "p1", "p2", "p3", "p4"}
	for name, c := range map[string]struct {
		threshold, participants int
		missing, revoked        []types.Operator
		want                    float64
	}{
		"whole":                         {2, 4, nil, nil, 0},
		"everybody is needed":           {2, 3, nil, nil, 0},
		"one can be spared yet":         {2, 5, all[1:2], nil, 0},
		"none can be spared":            {2, 4, all[1:2], nil, 1},
		"too few are left":              {2, 4, all[1:3], nil, 1},
		"one revoked, one can go yet":   {2, 5, nil, all[1:2], 0},
		"one revoked":                   {2, 4, nil, all[1:2], 1},
		"two revoked":                   {2, 4, nil, all[1:3], 1},
		"one missing, another revoked":  {2, 5, all[1:2], all[2:3], 1},
		"one missing, the same revoked": {2, 5, all[1:2], all[1:2], 0},
		"another one revoked":           {2, 4, nil, all[4:], 0},
	} {
		t.Run(name, func(t *testing.T) {
			keys := []types.Key{{ID: "key", Status: types.KeyReady, Threshold: c.threshold, Participants: all[:c.participants], MissingShares: c.missing}}
			others := make(map[types.Operator]types.Identity)
			for _, op := range all[1:] {
				others[op] = types.Identity{Version: 1, Key: []byte(op), Revoked: slices.Contains(c.revoked, op)}
			}
			app := keysApp{&fakeApp{height: 5}, keysState{public: public, keys: &keys, others: others}}
			w := newShareWatch(app, []ed25519.PublicKey{public}, func() []types.Record { return []types.Record{} }, slog.New(slog.DiscardHandler))
			require.NoError(t, w.compare())
			m := newMetrics("seq-1")
			m.watch(idleEngine(t), w)
			require.InDelta(t, c.want, gather(t, m)["sequencer_mpc_keys_endangered"].Metric[0].GetGauge().GetValue(), 0)
			require.Zero(t, w.presignsWanted(), "it has no share")
		})
	}
}

// The chain is read when there is something new to see, and not all the time.
func TestSharesAreLookedAtSometimes(t *testing.T) {
	public := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	keys := []types.Key{{ID: "a", Status: types.KeyReady}}
	held := make(chan []types.Record, 8)
	app := keysApp{&fakeApp{height: 5}, keysState{public: public, keys: &keys}}
	w := newShareWatch(app, []ed25519.PublicKey{public}, func() []types.Record { return <-held }, slog.New(slog.DiscardHandler))
	clock := make(chan time.Time) // each look waits for its time
	w.now = func() time.Time { return <-clock }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.run(ctx) }()
	start := time.Unix(1000, 0)
	held <- nil // the engine did not read its records yet
	w.viewed()
	clock <- start
	held <- []types.Record{}
	w.viewed()
	clock <- start
	held <- []types.Record{}
	w.viewed()
	clock <- start.Add(time.Second) // by then the first look is over
	require.Len(t, w.found(), 1)
	keys = append(keys, types.Key{ID: "b", Status: types.KeyReady})
	w.viewed()
	clock <- start.Add(2 * time.Second)
	w.viewed()
	clock <- start.Add(sharesInterval)
	w.viewed()
	clock <- start.Add(sharesInterval + time.Second)
	require.Len(t, w.found(), 2)
	cancel()
	require.NoError(t, <-done)
}

// keysNamed answers of each key by its id.
type keysNamed struct{ keysApp }

func (a keysNamed) MPCState() State { return keysNamedState{a.keysState} }

type keysNamedState struct{ keysState }

func (s keysNamedState) EngineKey(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	i := slices.IndexFunc(*s.keys, func(k types.Key) bool { return k.ID == id })
	if i < 0 {
		return types.Key{}, false, nil
	}
	return (*s.keys)[i], true, nil
}

// What others have now, and what was destroyed, is elsewhere; what the chain does not know may
// be of blocks that are to come.
func TestKeysThatAreElsewhere(t *testing.T) {
	public := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	keys := []types.Key{
		{ID: "own", Status: types.KeyReady, Participants: []types.Operator{"me", "other"}},
		{ID: "others", Status: types.KeyReady, Epoch: 3, Participants: []types.Operator{"other"}},
		{ID: "others, before the share", Status: types.KeyReady, Epoch: 2, Participants: []types.Operator{"other"}},
		{ID: "destroyed", Status: types.KeyDeleted, Participants: []types.Operator{"me"}},
	}
	app := keysNamed{keysApp{&fakeApp{height: 5}, keysState{public: public, keys: &keys}}}
	var last backup.Manifest
	for _, id := range []string{"destroyed", "others", "others, before the share", "own", "unknown"} {
		last.Records = append(last.Records, backup.Entry{KeyID: id, Epoch: 2, Status: types.StatusReady.String(), Share: true})
	}
	lost := backup.LostSince(&last, backup.Manifest{})
	w := newShareWatch(app, []ed25519.PublicKey{public}, nil, slog.New(slog.DiscardHandler))
	elsewhere, wanted := w.word(lost)
	require.Equal(t, []string{"destroyed", "others"}, elsewhere)
	require.Empty(t, wanted)
	stranger := newShareWatch(app, nil, nil, slog.New(slog.DiscardHandler))
	elsewhere, _ = stranger.word(lost)
	require.Equal(t, []string{"destroyed"}, elsewhere, "nobody knows whose node it is")
}

// Of a share that was not READY the chain knows whether it chose it since, may yet, or whether
// it went as it should.
func TestStagedSharesThatMayCount(t *testing.T) {
	public := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	won, lost := types.Context{1}, types.Context{2}
	ready := types.Key{Status: types.KeyReady, Epoch: 1, Session: won, Participants: []types.Operator{"me", "b", "c"}, Threshold: 1}
	of := func(epoch uint64, context types.Context, reshare string) backup.Entry {
		return backup.Entry{KeyID: "k", Epoch: epoch, Status: types.StatusPending.String(), Share: true, Context: context.String(), Request: reshare}
	}
	tested, deleting, failed, deleted, pending := ready, ready, ready, ready, types.Key{Status: types.KeyPending}
	tested.NextSession, deleting.Status, failed.Status, deleted.Status = lost, types.KeyDeleting, types.KeyError, types.KeyDeleted
	short, shortDeleting := ready, deleting
	short.MissingShares, shortDeleting.MissingShares = []types.Operator{"b", "c"}, []types.Operator{"b", "c"}
	spare := ready
	spare.MissingShares = []types.Operator{"c"}
	before := of(2, lost, "")
	before.Context = ""
	for name, c := range map[string]struct {
		key   types.Key
		entry backup.Entry
		want  bool
	}{
		"the chain chose it":                        {ready, of(1, won, "ended"), true},
		"and may take a deletion back":              {deleting, of(1, won, "ended"), true},
		"the chain chose another session":           {ready, of(1, lost, "ended"), false},
		"of an epoch of before":                     {ready, of(0, won, "k"), false},
		"its keygen is open":                        {pending, of(0, lost, "k"), true},
		"its keygen failed":                         {failed, of(0, lost, "k"), false},
		"its key is deleted":                        {deleted, of(1, won, "k"), false},
		"its reshare is open, or not known yet":     {ready, of(2, lost, "open"), true},
		"its reshare failed":                        {ready, of(2, lost, "ended"), false},
		"its reshare failed, another one is tested": {tested, of(2, won, "ended"), false},
		"it is tested":                              {tested, of(2, lost, "ended"), true},
		"its reshare failed, the key is short":      {short, of(2, lost, "ended"), true},
		"the same of a key that is DELETING":        {shortDeleting, of(2, lost, "ended"), true},
		"its reshare failed, the key can sign":      {spare, of(2, lost, "ended"), false},
		"it lost to another, the key is short":      {short, of(1, lost, "ended"), false},
		"the manifest is of before it told":         {short, before, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.key.ID = "k"
			app := keysNamed{keysApp{&fakeApp{height: 5}, keysState{public: public, keys: &[]types.Key{c.key}}}}
			w := newShareWatch(app, []ed25519.PublicKey{public}, nil, slog.New(slog.DiscardHandler))
			_, wanted := w.word(backup.Lost{Staged: []backup.Entry{c.entry}})
			require.Equal(t, c.want, len(wanted) == 1)
		})
	}
	unknown := of(0, won, "k")
	unknown.KeyID = "of blocks to come"
	app := keysNamed{keysApp{&fakeApp{height: 5}, keysState{public: public, keys: &[]types.Key{ready}}}}
	w := newShareWatch(app, nil, nil, slog.New(slog.DiscardHandler))
	_, wanted := w.word(backup.Lost{Staged: []backup.Entry{unknown}})
	require.Len(t, wanted, 1)
	app.height = 0
	_, wanted = w.word(backup.Lost{Staged: []backup.Entry{of(1, lost, "ended"), before}})
	require.Equal(t, []backup.Entry{of(1, lost, "ended")}, wanted, "the chain cannot be asked now, and never of the other one")
}

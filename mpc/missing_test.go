package mpc

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
)

// TestDeclareMissing: a node says that it has no share where one is wanted of it, once,
// with a word that the chain takes, and where it should have one only.
func TestDeclareMissing(t *testing.T) {
	tests := map[string]struct {
		change   func(d *desk, r *types.Request, key *types.Key)
		declares bool
	}{
		"a signature by a share that is gone": {func(*desk, *types.Request, *types.Key) {}, true},
		"a share of another session": {func(d *desk, _ *types.Request, _ *types.Key) {
			d.hold(types.Context{8}, types.StatusReady)
		}, true},
		"a share to be dealt anew": {func(_ *desk, r *types.Request, key *types.Key) {
			r.ID.Kind, r.Epoch = types.KindReshare, 1
			r.Handover = &types.Handover{Holders: key.Participants, Receivers: key.Participants}
		}, true},
		"a new participant of a reshare": {func(d *desk, r *types.Request, key *types.Key) {
			r.ID.Kind, r.Epoch = types.KindReshare, 1
			r.Handover = &types.Handover{Holders: d.ops[1:], Receivers: d.ops}
			key.Participants = d.ops[1:]
		}, false},
		"the share is there":    {func(d *desk, _ *types.Request, _ *types.Key) { d.hold(types.Context{5}, types.StatusReady) }, false},
		"it waits for the word": {func(d *desk, _ *types.Request, _ *types.Key) { d.hold(types.Context{5}, types.StatusPending) }, false},
		"a test of new shares":  {func(_ *desk, r *types.Request, _ *types.Key) { r.Test = true }, false},
		"no member":             {func(_ *desk, r *types.Request, _ *types.Key) { r.Members = r.Members[1:] }, false},
		"a block behind":        {func(d *desk, _ *types.Request, _ *types.Key) { d.view.CatchingUp = true }, false},
		"the chain knows": {func(d *desk, _ *types.Request, key *types.Key) {
			key.MissingShares = d.ops[:1]
		}, false},
		"the key has other shares": {func(_ *desk, _ *types.Request, key *types.Key) { key.Session = types.Context{6} }, false},
		"the key is DELETING":      {func(_ *desk, _ *types.Request, key *types.Key) { key.Status = types.KeyDeleting }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			r := d.request(types.KindSign)
			key := types.Key{ID: "key", Status: types.KeyReady, Session: r.KeySession, Participants: d.ops, RetireHeight: 1000}
			tt.change(d, &r, &key)
			d.view.Keys["key"] = key
			second := r // of the same key: no second word
			second.ID.ID += "-second"
			d.view.Requests = []types.Request{r, second}
			d.start()
			d.commit()
			said := d.core.Results().Attestations
			if !tt.declares {
				require.Empty(t, said)
				return
			}
			require.Len(t, said, 1)
			require.NoError(t, said[0].Verify(deskChain, d.public("op-00")))
			require.Equal(t, types.RequestID{Kind: types.KindShareMissing, ID: "key"}, said[0].Request)
			require.Equal(t, r.KeySession, said[0].Session)

			// It goes when the chain has it, and does not come back.
			key.MissingShares = d.ops[:1]
			d.view.Keys["key"] = key
			d.commit()
			d.commit()
			require.Empty(t, d.core.Results().Attestations)
		})
	}
}

// TestDeclareUnheld: of keys that nobody uses a node says so when it is told to look, a
// few at a time, and only where it is true.
func TestDeclareUnheld(t *testing.T) {
	d := newDesk(t, 4)
	d.start()
	d.view.Height = 20
	var ids []types.KeyID
	set := func(id types.KeyID, change func(*types.Key)) {
		key := types.Key{ID: id, Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops}
		change(&key)
		d.view.Keys[id] = key
		ids = append(ids, id)
	}
	d.hold(types.Context{5}, types.StatusReady)
	require.NoError(t, d.core.Restore())
	set("key", func(*types.Key) {}) // held
	set("deleting", func(k *types.Key) { k.Status = types.KeyDeleting })
	set("of-others", func(k *types.Key) { k.Participants = d.ops[1:] })
	set("known", func(k *types.Key) { k.MissingShares = d.ops[:1] })
	ids = append(ids, "unknown")
	const lost = 3*maxMissingTold + 1
	for i := range lost {
		set(types.KeyID(fmt.Sprintf("lost-%03d", i)), func(*types.Key) {})
	}
	d.commit()
	require.Empty(t, d.core.Results().Attestations, "nobody said anything")

	shown := 0
	for block := 0; shown < lost; block++ {
		require.Less(t, block, 20, "it does not get on")
		d.core.NoteUnheld(ids) // as the watch does now and then, from the beginning
		d.commit()
		said := d.core.Results().Attestations
		require.LessOrEqual(t, len(said), maxMissingTold)
		d.commit()
		require.LessOrEqual(t, len(d.core.Results().Attestations), maxMissingTold, "what the chain lacks is not added to")
		for _, a := range d.core.Results().Attestations {
			require.NoError(t, a.Verify(deskChain, d.public("op-00")))
			require.Equal(t, types.KindShareMissing, a.Request.Kind)
			require.Contains(t, a.Request.ID, "lost-")
			key := d.view.Keys[types.KeyID(a.Request.ID)]
			key.MissingShares = d.ops[:1]
			d.view.Keys[key.ID] = key
			ids = slices.DeleteFunc(ids, func(id types.KeyID) bool { return id == key.ID })
			shown++
		}
	}
	d.core.NoteUnheld(ids)
	d.commit()
	d.commit()
	require.Empty(t, d.core.Results().Attestations)
}

// TestDeclareLost: a node that lost its store says of which keys it has no share, when it
// is told to, and signs nothing else, whatever is asked of it.
func TestDeclareLost(t *testing.T) {
	d := newDesk(t, 4)
	d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops}
	d.view.Keys["of-others"] = types.Key{ID: "of-others", Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops[1:]}
	d.view.Keys["gone"] = types.Key{ID: "gone", Status: types.KeyDeleted, Holders: d.ops}
	sign, keygen := d.request(types.KindSign), d.request(types.KindKeygen)
	led := sign // of which it would open the first attempt
	for i := 0; led.Initiator(0) != "op-00"; i++ {
		led.ID.ID = fmt.Sprintf("led-%d", i)
	}
	d.view.Requests = []types.Request{sign, keygen, led}
	d.start(func(o *Options) {
		o.LostIdentities, o.Identities, o.Store = o.Identities, nil, nil
	})
	for _, r := range d.view.Requests {
		for _, op := range d.ops[1:] {
			d.core.HandleEnvelope(d.prepare(op, r.ID, 0, 1))
		}
	}
	d.commit()
	d.core.Tick()
	require.Empty(t, d.core.Results().Attestations, "nobody told it to")

	d.core.NoteUnheld([]types.KeyID{"key", "of-others", "gone", "unknown"})
	d.view.CatchingUp = true
	d.commit()
	require.Empty(t, d.core.Results().Attestations)
	d.view.CatchingUp = false
	for range 2 {
		d.commit()
		d.core.Tick()
		said := d.core.Results().Attestations
		require.Len(t, said, 1)
		require.Equal(t, types.RequestID{Kind: types.KindShareMissing, ID: "key"}, said[0].Request)
		require.NoError(t, said[0].Verify(deskChain, d.public("op-00")))
	}
	require.Empty(t, d.sent)
	require.Empty(t, d.core.sessions)
	require.Empty(t, d.core.self.Operator)

	// An identity that is not registered, or was revoked, says nothing.
	d.view.Roster = types.NewRoster(map[types.Operator][]types.Identity{"op-01": {{Version: 1, Key: d.public("op-01")}}})
	d.commit()
	d.core.NoteUnheld([]types.KeyID{"key"})
	d.commit()
	require.Empty(t, d.core.Results().Attestations)

	for _, spoil := range []func(*Options){
		func(o *Options) { o.LostIdentities = o.Identities },
		func(o *Options) { o.LostIdentities, o.Identities = o.Identities, nil },
	} {
		opts := Options{ChainID: deskChain, Identities: []ed25519.PrivateKey{d.keys["op-00"]}, Chain: d, Store: d.store, Transport: d, Protocols: fakeproto.Protocols{}}
		spoil(&opts)
		_, err := NewCore(opts, d)
		require.ErrorContains(t, err, "lost its store")
	}
}

// TestTakeMissing: what others say of themselves is passed on if it is wanted and theirs.
func TestTakeMissing(t *testing.T) {
	d := newDesk(t, 4)
	key := types.Key{ID: "key", Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops[:2]}
	d.view.Keys["key"] = key
	d.start()
	say := func(of, by types.Operator, session types.Context) types.Attestation {
		a := types.Attestation{
			Request: types.RequestID{Kind: types.KindShareMissing, ID: "key"}, Commitment: key.EpochCommitment(deskChain),
			Session: session, Operator: of, IdentityVersion: 1,
		}
		a.Sign(deskChain, d.keys[by])
		return a
	}
	for name, a := range map[string]types.Attestation{
		"no participant":   say("op-02", "op-02", types.Context{5}),
		"of another epoch": say("op-01", "op-01", types.Context{6}),
		"of this epoch on another branch": func() types.Attestation {
			a := say("op-01", "op-01", types.Context{5})
			other := key
			other.DecidedHeight++
			a.Commitment = other.EpochCommitment(deskChain)
			a.Sign(deskChain, d.keys["op-01"])
			return a
		}(),
		"of an unknown key": func() types.Attestation {
			a := say("op-01", "op-01", types.Context{5})
			a.Request.ID = "x"
			a.Sign(deskChain, d.keys["op-01"])
			return a
		}(),
	} {
		d.hear(a)
		require.Empty(t, d.core.Results().Attestations, name)
	}
	_, err := d.core.Judge(told(say("op-01", "op-02", types.Context{5})))
	require.ErrorIs(t, err, types.ErrBadResult, "of somebody else")
	word := say("op-01", "op-01", types.Context{5})
	d.hear(word)
	require.Len(t, d.core.Results().Attestations, 1)
	d.commit()
	require.Len(t, d.core.Results().Attestations, 1, "until the chain has it")
	d.view.Roster = types.NewRoster(map[types.Operator][]types.Identity{"op-01": {{Version: 1, Key: d.public("op-01"), Until: 10}, {Version: 2, Key: d.public("op-03")}}})
	d.commit()
	require.Empty(t, d.core.Results().Attestations, "whoever has what was replaced says nothing by it")
	d.hear(word)
	require.Empty(t, d.core.Results().Attestations)
}

// TestTakesMissingBack: a node that has its share again takes back what the chain has of
// it, once, and of no share but that by which the chain signs now.
func TestTakesMissingBack(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *desk, key *types.Key)
		says   bool
	}{
		"the share is there":         {func(*desk, *types.Key) {}, true},
		"of another session":         {func(_ *desk, key *types.Key) { key.Session = types.Context{6} }, false},
		"of an earlier epoch":        {func(_ *desk, key *types.Key) { key.Epoch = 1 }, false},
		"of another public key":      {func(_ *desk, key *types.Key) { key.PublicKey = []byte("another") }, false},
		"the chain has nothing":      {func(_ *desk, key *types.Key) { key.MissingShares = nil }, false},
		"another one's":              {func(d *desk, key *types.Key) { key.MissingShares = d.ops[1:2] }, false},
		"it did so before":           {func(d *desk, key *types.Key) { key.FoundShares = d.ops[:1] }, false},
		"a block behind":             {func(d *desk, _ *types.Key) { d.view.CatchingUp = true }, false},
		"the key is DELETING":        {func(_ *desk, key *types.Key) { key.Status = types.KeyDeleting }, false},
		"it is no participant of it": {func(d *desk, key *types.Key) { key.Participants = d.ops[1:] }, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.hold(types.Context{5}, types.StatusReady)
			records, err := d.store.Records()
			require.NoError(t, err)
			key := types.Key{
				ID: "key", Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops, MissingShares: d.ops[:1],
				PublicKey: records[0].PublicKey, RetireHeight: 1000,
			}
			c.change(d, &key)
			d.view.Keys["key"] = key
			d.start()
			d.commit()
			said := d.core.Results().Attestations
			if !c.says {
				require.Empty(t, said)
				return
			}
			require.Len(t, said, 1)
			require.NoError(t, said[0].Verify(deskChain, d.public("op-00")))
			require.Equal(t, types.RequestID{Kind: types.KindShareFound, ID: "key"}, said[0].Request)

			key.MissingShares, key.FoundShares = nil, d.ops[:1]
			d.view.Keys["key"] = key
			d.commit()
			require.Empty(t, d.core.Results().Attestations)

			// Lost once more, it says so with another word.
			require.NoError(t, d.store.DestroyRecord(records[0].RecordKey))
			d.start()
			d.core.NoteUnheld([]types.KeyID{"key"})
			d.commit()
			said = d.core.Results().Attestations
			require.Len(t, said, 1)
			require.Equal(t, types.KindShareMissing, said[0].Request.Kind)
			require.EqualValues(t, 1, said[0].Attempt)
		})
	}
}

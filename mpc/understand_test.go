package mpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakekind"
)

var notes = types.NewPayloadKinds(fakekind.Kind{})

// ofNote makes a request one for a note.
func ofNote(r *types.Request) {
	note := fakekind.Note{Chain: "1", Nonce: 7, To: "a", Value: 2}
	digest := note.Digest()
	r.Payload, r.Digest = types.Payload{Kind: fakekind.Name, Data: note.Data()}, digest[:]
}

// understandTests are payloads as committed state has them, and what a node with these
// kinds says of them.
var understandTests = map[string]struct {
	change func(*types.Request)
	kinds  *types.PayloadKinds
	reason types.Reason
}{
	"a payload":                           {func(*types.Request) {}, notes, ""},
	"a raw digest":                        {func(r *types.Request) { r.Payload = types.Payload{} }, nil, ""},
	"a node without the kind":             {func(*types.Request) {}, types.NewPayloadKinds(), types.ErrUnknownKind},
	"a node without kinds":                {func(*types.Request) {}, nil, types.ErrUnknownKind},
	"another digest":                      {func(r *types.Request) { r.Digest = append(make([]byte, 31), 2) }, notes, types.ErrDigestDiffers},
	"another payload":                     {func(r *types.Request) { r.Payload.Data = append(slices.Clone(r.Payload.Data), 'b') }, notes, types.ErrDigestDiffers},
	"nothing that is known":               {func(r *types.Request) { r.Payload.Data = []byte(fakekind.Unreadable) }, notes, types.ErrBadPayload},
	"another encoding":                    {func(r *types.Request) { r.Payload.Data = []byte(fakekind.NotCanonical) }, notes, types.ErrNotCanonical},
	"a payload that kills":                {func(r *types.Request) { r.Payload.Data = []byte(fakekind.Panics) }, notes, types.ErrBadPayload},
	"a kind without data":                 {func(r *types.Request) { r.Payload.Data = nil }, notes, types.ErrBadPayload},
	"within the policy":                   {func(r *types.Request) { r.Policy = &types.Policy{ChainIDs: []string{"1"}} }, notes, ""},
	"another chain":                       {func(r *types.Request) { r.Policy = &types.Policy{ChainIDs: []string{"2"}} }, notes, types.ErrWrongChain},
	"to somebody else":                    {func(r *types.Request) { r.Policy = &types.Policy{To: []string{"b"}} }, notes, types.ErrPolicy},
	"a raw digest by a key with a policy": {func(r *types.Request) { r.Payload, r.Policy = types.Payload{}, &types.Policy{} }, notes, types.ErrPolicy},
	"a request of no kind":                {func(r *types.Request) { r.Payload.Kind = "" }, notes, types.ErrUnknownKind},
}

// A member says Ready only to what it can decode, and binds the request's id to nothing
// else.
func TestMemberUnderstands(t *testing.T) {
	for name, c := range understandTests {
		t.Run(name, func(t *testing.T) {
			a := &admission{desk: newDesk(t, 4), version: 1}
			a.request = a.desk.request(types.KindSign)
			ofNote(&a.request)
			c.change(&a.request)
			a.view.Requests, a.from = []types.Request{a.request}, a.request.Initiator(0)
			a.hold(a.request.KeySession, types.StatusReady)
			a.start(func(o *Options) { o.Kinds = c.kinds })
			a.deliver()
			said, to, _ := a.answer()
			want := string(c.reason)
			if want == "" {
				want = "ready"
			}
			require.Equal(t, want, said)
			require.Equal(t, string(a.from), to)
			bound := a.store.BindDigest(a.request.ID.ID, types.Hash{1}, append(make([]byte, 31), 9))
			require.Equal(t, c.reason == "", bound != nil, "what is refused is not bound either")
		})
	}
}

// Nor does it lead an attempt at what it cannot decode.
func TestLeaderUnderstands(t *testing.T) {
	for name, c := range understandTests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			r := d.request(types.KindSign)
			ofNote(&r)
			c.change(&r)
			d.view.Requests, d.view.Height = []types.Request{r}, 25
			require.Equal(t, types.Operator("op-00"), r.Initiator(r.Attempt(25)))
			d.hold(r.KeySession, types.StatusReady)
			d.start(func(o *Options) { o.Kinds = c.kinds })
			leads := slices.ContainsFunc(d.sent, func(e *wire.Envelope) bool { return e.Header.Kind == wire.KIND_PREPARE })
			require.Equal(t, c.reason == "", leads)
		})
	}
}

// Nor does it let a presignature be used for it.
func TestPresignatureUnderstands(t *testing.T) {
	for name, c := range understandTests {
		t.Run(name, func(t *testing.T) {
			p := newPresigner(t)
			wanted := p.desk.request(types.KindSign)
			wanted.PublicKey = []byte("public")
			ofNote(&wanted)
			c.change(&wanted)
			for p.request.Initiator(p.attempt) != wanted.Initiator(0) {
				p.attempt++
			}
			p.from = p.request.Initiator(p.attempt)
			p.view.Requests = []types.Request{wanted}
			p.start(func(o *Options) { o.Kinds = c.kinds })
			s := p.started()
			used, reason := p.core.Consume(s, 0, wanted.ID.ID, wanted.Digest)
			require.Equal(t, c.reason, reason)
			require.Equal(t, c.reason == "", used != nil)
		})
	}
}

// careful is a chain whose modules look at what is signed.
type careful struct {
	Chain
	asked  string
	asks   int
	refuse error
}

func (c *careful) CheckSign(_ context.Context, id string) error {
	c.asked = id
	c.asks++
	return c.refuse
}

// However often a refused request is asked about, and by whom, it is looked at once for
// each block.
func TestMemberAsksOnceABlock(t *testing.T) {
	a := &admission{desk: newDesk(t, 4), version: 1}
	a.request = a.desk.request(types.KindSign)
	ofNote(&a.request)
	chain := &careful{Chain: a.desk, refuse: types.ErrPolicy}
	a.view.Requests, a.from = []types.Request{a.request}, a.request.Initiator(0)
	a.hold(a.request.KeySession, types.StatusReady)
	a.start(func(o *Options) { o.Kinds, o.Chain = notes, chain })
	for range 3 {
		a.deliver()
	}
	require.Equal(t, 1, chain.asks)
	chain.refuse = errors.New("the disk is slow") // no refusal: it is asked again
	a.desk.commit()
	for range 3 {
		a.deliver()
	}
	require.GreaterOrEqual(t, chain.asks, 4)
}

// A module's word counts, too, and nothing is bound before it is heard. It is not asked
// about a reshare's test, which is no module's.
func TestMemberAsksModules(t *testing.T) {
	for name, c := range map[string]struct {
		refuse error
		test   bool
		said   string
	}{
		"allowed": {nil, false, "ready"},
		"refused": {fmt.Errorf("%w: not to strangers", types.ErrPolicy), false, "policy_refused"},
		"a test":  {types.ErrPolicy, true, "ready"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &admission{desk: newDesk(t, 4), version: 1}
			a.request = a.desk.request(types.KindSign)
			chain := &careful{Chain: a.desk, refuse: c.refuse}
			if c.test {
				digest := types.ReshareTestDigest(deskChain, a.request.KeyID, 0, a.request.KeySession, nil)
				a.request.Test, a.request.Digest = true, digest[:]
			} else {
				ofNote(&a.request)
			}
			a.view.Requests, a.from = []types.Request{a.request}, a.request.Initiator(0)
			a.hold(a.request.KeySession, types.StatusReady)
			a.start(func(o *Options) { o.Kinds, o.Chain = notes, chain })
			a.deliver()
			said, _, _ := a.answer()
			require.Equal(t, c.said, said)
			if c.test {
				require.Empty(t, chain.asked)
				return
			}
			require.Equal(t, a.request.ID.ID, chain.asked)
			bound := a.store.BindDigest(a.request.ID.ID, types.Hash{1}, append(make([]byte, 31), 9))
			require.Equal(t, c.refuse == nil, bound != nil)
		})
	}
}

// What new shares sign is made of their session and of the seed of their request, and is
// nothing else.
func TestMemberTestsItsSeedAlone(t *testing.T) {
	seed := bytes.Repeat([]byte{1}, 32)
	for name, c := range map[string]struct {
		seed, signed []byte
		epoch        uint64
		said         string
	}{
		"the seed":             {seed, seed, 0, "ready"},
		"none, of before":      {nil, nil, 0, "ready"},
		"another seed":         {seed, bytes.Repeat([]byte{2}, 32), 0, "bad_digest"},
		"no seed":              {seed, nil, 0, "bad_digest"},
		"a seed where is none": {nil, seed, 0, "bad_digest"},
		"another epoch":        {seed, seed, 1, "bad_digest"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &admission{desk: newDesk(t, 4), version: 1}
			a.request = a.desk.request(types.KindSign)
			digest := types.ReshareTestDigest(deskChain, a.request.KeyID, c.epoch, a.request.KeySession, c.signed)
			a.request.Test, a.request.TestSeed, a.request.Digest = true, c.seed, digest[:]
			a.view.Requests, a.from = []types.Request{a.request}, a.request.Initiator(0)
			a.hold(a.request.KeySession, types.StatusReady)
			a.start(func(*Options) {})
			a.deliver()
			said, _, _ := a.answer()
			require.Equal(t, c.said, said)
		})
	}
}

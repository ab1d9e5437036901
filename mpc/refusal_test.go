package mpc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// refusals are those that this node would propose.
func (d *desk) refusals() []types.Accusation {
	d.t.Helper()
	d.core.pool.publish()
	all := d.core.pool.results().Accusations
	for _, a := range all {
		require.True(d.t, a.IsRefusal())
	}
	return all
}

// What a member will not sign it says to the chain as soon as it is committed, without
// being asked, once for each request.
func TestMemberSaysItsRefusal(t *testing.T) {
	for name, c := range understandTests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			r := d.request(types.KindSign)
			ofNote(&r)
			c.change(&r)
			d.view.Requests = []types.Request{r}
			d.hold(r.KeySession, types.StatusReady)
			d.start(func(o *Options) { o.Kinds = c.kinds })
			if c.reason == "" {
				require.Empty(t, d.refusals())
				return
			}
			said := d.refusals()
			require.Len(t, said, 1)
			require.Equal(t, c.reason, said[0].Reason)
			require.NoError(t, said[0].Verify(deskChain, d.public("op-00")))
			require.NoError(t, r.CheckRefusal(deskChain, &said[0]))
			d.commit()
			require.Equal(t, said, d.refusals(), "until the chain has it")

			d.view.Requests[0].Refused = map[types.Operator]types.Reason{"op-00": c.reason}
			d.commit()
			require.Empty(t, d.refusals())
			d.view.Height += 5 // another attempt
			d.commit()
			require.Empty(t, d.refusals(), "not again")
		})
	}
}

// Nor will it sign something else under an id that it knows. Trouble with reading is no
// refusal.
func TestWhatIsARefusal(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*desk, *types.Request, *careful)
		want   types.Reason
	}{
		"bound to another digest": {func(d *desk, r *types.Request, _ *careful) {
			require.NoError(d.t, d.store.BindDigest(r.ID.ID, r.BindingHash(), append(make([]byte, 31), 9)))
		}, types.ErrDigestBound},
		"the module says no": {func(_ *desk, _ *types.Request, chain *careful) {
			chain.refuse = fmt.Errorf("%w: not to strangers", types.ErrPolicy)
		}, types.ErrPolicy},
		"decided meanwhile":         {func(_ *desk, _ *types.Request, chain *careful) { chain.refuse = types.ErrAlreadyDecided }, ""},
		"state cannot be read":      {func(_ *desk, _ *types.Request, chain *careful) { chain.refuse = types.ErrStorage }, ""},
		"an error without a reason": {func(_ *desk, _ *types.Request, chain *careful) { chain.refuse = fmt.Errorf("odd") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &admission{desk: newDesk(t, 4), version: 1}
			a.request = a.desk.request(types.KindSign)
			ofNote(&a.request)
			chain := &careful{Chain: a.desk}
			a.view.Requests, a.from = []types.Request{a.request}, a.request.Initiator(0)
			a.hold(a.request.KeySession, types.StatusReady)
			c.before(a.desk, &a.request, chain)
			a.start(func(o *Options) { o.Kinds, o.Chain = notes, chain })
			a.deliver() // a digest that is bound is found when somebody asks
			if c.want == "" {
				require.Empty(t, a.refusals())
				return
			}
			require.Len(t, a.refusals(), 1)
			require.Equal(t, c.want, a.refusals()[0].Reason)
		})
	}
}

// A member that refused for what may pass, and finds that it will never sign, says so when
// the chain has the first word.
func TestMemberRefusesForGood(t *testing.T) {
	a := &admission{desk: newDesk(t, 4), version: 1}
	a.request = a.desk.request(types.KindSign)
	ofNote(&a.request)
	chain := &careful{Chain: a.desk, refuse: types.ErrPolicy}
	a.view.Requests, a.from = []types.Request{a.request}, a.request.Initiator(0)
	a.hold(a.request.KeySession, types.StatusReady)
	require.NoError(t, a.store.BindDigest(a.request.ID.ID, a.request.BindingHash(), append(make([]byte, 31), 9)))
	a.start(func(o *Options) { o.Kinds, o.Chain = notes, chain })
	require.Equal(t, types.ErrPolicy, a.refusals()[0].Reason)

	chain.refuse = nil
	a.view.Requests[0].Refused = map[types.Operator]types.Reason{"op-00": types.ErrPolicy}
	a.desk.commit()
	a.deliver()
	require.Len(t, a.refusals(), 1)
	require.Equal(t, types.ErrDigestBound, a.refusals()[0].Reason)

	a.view.Requests[0].Refused = map[types.Operator]types.Reason{"op-00": types.ErrDigestBound}
	a.desk.commit()
	a.deliver()
	require.Empty(t, a.refusals(), "once")
}

// Who holds no share, or is no member, is not asked and says nothing.
func TestStrangersRefuseNothing(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign)
	ofNote(&r)
	d.view.Requests = []types.Request{r}
	d.start()
	require.Empty(t, d.refusals(), "no share")
}

// What others refuse is passed on, as long as it answers this very request.
func TestRefusalsOfOthers(t *testing.T) {
	d := newDesk(t, 4)
	first, second := d.request(types.KindSign), d.request(types.KindSign)
	second.ID.ID = "second"
	test := d.request(types.KindSign)
	test.ID.ID, test.Test = "test:r", true
	d.view.Requests = []types.Request{first, second, test}
	d.start()
	hear := func(r types.Request, op types.Operator, change func(*types.Accusation)) {
		m, _ := r.Member(op)
		a := r.Refusal(deskChain, m, types.ErrPolicy)
		change(&a)
		a.Sign(deskChain, d.keys[op])
		if a.Reason == "forged" {
			a.Signature[0]++
		}
		d.core.HandleGossip(t.Context(), Judged{gossip: &wire.Gossip{Sum: &wire.Gossip_Accusation{Accusation: a.ToWire()}}})
	}
	good := func(*types.Accusation) {}
	for _, change := range []func(*types.Accusation){
		func(a *types.Accusation) { a.Session[0]++ },
		func(a *types.Accusation) { a.Attempt = 1 },
		func(a *types.Accusation) { a.IdentityVersion = 2 },
		func(a *types.Accusation) { a.Request.ID = "unknown" },
		func(a *types.Accusation) { a.Reason = "forged" },
		func(a *types.Accusation) { a.Request.Kind = types.KindKeygen },
	} {
		hear(first, "op-01", change)
	}
	hear(test, "op-01", good)
	require.Empty(t, d.refusals())

	hear(first, "op-01", good)
	hear(first, "op-01", func(a *types.Accusation) { a.Reason = types.ErrBadPayload })
	hear(second, "op-01", good)
	hear(first, "op-02", good)
	require.Len(t, d.refusals(), 3, "one of each member for each request")
	for _, a := range d.refusals() {
		require.Equal(t, types.ErrPolicy, a.Reason, "the first one")
	}
	d.view.Requests = []types.Request{second}
	d.commit()
	require.Len(t, d.refusals(), 1, "what is decided is refused by nobody")
	require.Zero(t, d.core.suspicion("op-01"), "who refuses is guilty of nothing")
}

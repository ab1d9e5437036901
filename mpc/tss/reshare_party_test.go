package tss_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// handover is a resharing of a stored key.
type handover struct {
	old       fixtures.KeySet
	session   types.Context
	dealers   []types.Operator
	receivers []types.Operator
	threshold int
}

// smallHandover gives the key of two to one of them and a newcomer, so that one member
// is only in the old committee, one in both, one only in the new one.
func smallHandover() handover {
	k := fixtures.Shares(2, 1)
	receivers := append([]types.Operator{k.Operators[1]}, "seqvaloper1x")
	slices.Sort(receivers)
	return handover{k, types.Context{5}, k.Operators, receivers, 1}
}

func (h handover) signers() []types.Operator {
	all := append(slices.Clone(h.dealers), h.receivers...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (h handover) config(self types.Operator) session.PartyConfig {
	req := types.Request{
		ID: types.RequestID{Kind: types.KindReshare, ID: "r"}, KeyID: "key", Algorithm: types.ECDSASecp256k1,
		Threshold: h.threshold, Epoch: 1, KeySession: h.old.Session, PublicKey: h.old.Payload.PublicKey,
		Handover: &types.Handover{
			Holders: h.old.Operators, Threshold: h.old.Threshold, PublicShares: h.old.Payload.PublicShares, Receivers: h.receivers,
		},
	}
	members := append(slices.Clone(h.old.Operators), h.receivers...)
	slices.Sort(members)
	for _, op := range slices.Compact(members) {
		req.Members = append(req.Members, types.Member{Operator: op})
	}
	cfg := session.PartyConfig{Request: req, Context: h.session, Self: self, Signers: h.signers(), Dealers: h.dealers}
	if i := slices.Index(h.old.Operators, self); i >= 0 && slices.Contains(h.dealers, self) {
		cfg.Share = h.old.Shares[i]
	}
	if i := slices.Index(h.receivers, self); i >= 0 {
		cfg.Preparams = fixtures.Preparams(fixtures.PreparamSets - 1 - i)
	}
	return cfg
}

func (h handover) parties(t *testing.T) map[types.Operator]session.Party {
	t.Helper()
	all := make(map[types.Operator]session.Party)
	for _, op := range h.signers() {
		p, err := protocol(t, types.KindReshare).NewParty(h.config(op))
		require.NoError(t, err)
		all[op] = p
	}
	return all
}

// newKey is the key after the resharing.
func (h handover) newKey(t *testing.T, results map[types.Operator]*session.Result) fixtures.KeySet {
	t.Helper()
	k := fixtures.KeySet{Threshold: h.threshold, Session: h.session, Operators: h.receivers}
	k.Payload = results[h.receivers[0]].Payload
	for _, op := range h.receivers {
		require.Equal(t, k.Payload, results[op].Payload)
		require.NoError(t, tss.CheckShare(results[op].Share, k.Payload, op, h.receivers))
		k.Shares = append(k.Shares, results[op].Share)
	}
	return k
}

// The shares of a key go to another committee with another threshold, and to the
// same one anew; each time the new ones sign for the old key and the old ones are
// what they were.
func TestReshare(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("heavy: about 20 seconds of CPU")
	}
	first := smallHandover()
	before := bytes.Clone(first.old.Shares[0])
	out := (&fixtures.Lockstep{Parties: first.parties(t)}).Run()
	require.NoError(t, out.Err())
	require.Equal(t, before, first.old.Shares[0])
	gone := out.Results[first.old.Operators[0]]
	require.Empty(t, gone.Share, "who leaves gets nothing")
	next := first.newKey(t, out.Results)
	require.Equal(t, first.old.Payload.PublicKey, next.Payload.PublicKey)

	digest := digestOf("after a reshare")
	signers := next.Operators
	signed := (&fixtures.Lockstep{Parties: signParties(t, next, digest, signers)}).Run()
	require.NoError(t, signed.Err())
	verifyElsewhere(t, next.Payload.PublicKey, digest, signed.Results[signers[0]].Signature)

	refresh := handover{next, types.Context{6}, next.Operators, next.Operators, 1}
	again := (&fixtures.Lockstep{Parties: refresh.parties(t)}).Run()
	require.NoError(t, again.Err())
	fresh := refresh.newKey(t, again.Results)
	require.Equal(t, next.Payload.PublicKey, fresh.Payload.PublicKey)
	require.NotEqual(t, next.Payload.PublicShares, fresh.Payload.PublicShares)
	two := fresh.Operators
	signed = (&fixtures.Lockstep{Parties: signParties(t, fresh, digest, two)}).Run()
	require.NoError(t, signed.Err())

	// An old and a new share of the key do not sign together: a signer refuses a share of
	// another session than the request's, and where one does not, nothing comes of it.
	for _, c := range []struct{ asked, held fixtures.KeySet }{{fresh, next}, {next, fresh}} {
		cfg := signConfig(c.asked, digest, two[0], two)
		cfg.Share = c.held.Share(two[0])
		_, err := protocol(t, types.KindSign).NewParty(cfg)
		require.ErrorContains(t, err, "the share is of session "+c.held.Session.Short())
	}
	mixed := signParties(t, fresh, digest, two)
	mixed[two[0]] = signParties(t, next, digest, two)[two[0]]
	none := (&fixtures.Lockstep{Parties: mixed}).Run()
	require.Error(t, none.Err())
	require.Empty(t, none.Results)
}

// A dealer that deals another key is named, by a receiver that knows nothing but
// what is on chain.
func TestDealerOfAnotherKey(t *testing.T) {
	h := smallHandover()
	liar := h.dealers[0]
	l := fixtures.Lockstep{Parties: h.parties(t)}
	l.Tamper = func(_ types.Operator, round uint32, in []session.Inbound) []session.Inbound {
		for i, m := range in {
			if m.From == liar && m.Type == "dg1" {
				content, err := tss.DecodeBody(m.Type, m.Body)
				require.NoError(t, err)
				deal := content.(interface{ GetEcdsaPubX() []byte }).GetEcdsaPubX()
				in[i].Body = bytes.Replace(m.Body, deal, fixtures.Shares(3, 1).Payload.PublicKey[1:], 1)
			}
		}
		return in
	}
	out := l.Run()
	for _, op := range h.receivers {
		requireBlame(t, out.Errors[op], liar, "EcdsaPub is not")
		require.True(t, tss.Ended(l.Parties[op]))
	}
}

func TestReshareConfig(t *testing.T) {
	h := smallHandover()
	both, gone, fresh := h.old.Operators[1], h.old.Operators[0], types.Operator("seqvaloper1x")
	cases := []struct {
		name string
		self types.Operator
		edit func(*session.PartyConfig)
		want string
	}{
		{"member of both", both, func(*session.PartyConfig) {}, ""},
		{"member of the old", gone, func(*session.PartyConfig) {}, ""},
		{"member of the new", fresh, func(*session.PartyConfig) {}, ""},
		{"other kind", both, func(c *session.PartyConfig) { c.Request.ID.Kind = types.KindKeygen }, "unsupported_algorithm"},
		{"no handover", both, func(c *session.PartyConfig) { c.Request.Handover = nil }, "unsupported_algorithm"},
		{"no context", both, func(c *session.PartyConfig) { c.Context = types.Context{} }, "two different"},
		{"the key's own session", both, func(c *session.PartyConfig) { c.Context = c.Request.KeySession }, "two different"},
		{"threshold of the new", both, func(c *session.PartyConfig) { c.Request.Threshold = 3 }, "bad_threshold"},
		{"one dealer", both, func(c *session.PartyConfig) { c.Dealers = c.Dealers[1:] }, "1 dealers of 2"},
		{"a dealer without a share", gone, func(c *session.PartyConfig) { c.Share = nil }, "share_missing"},
		{"no pre-parameters", fresh, func(c *session.PartyConfig) { c.Preparams = nil }, "no_preparams"},
		{"broken pre-parameters", fresh, func(c *session.PartyConfig) { c.Preparams = c.Preparams[1:] }, "malformed"},
		{"pre-parameters that do not fit", fresh, func(c *session.PartyConfig) {
			edited, err := tss.EditPreparams(c.Preparams, func(p *keygen.LocalPreParams) { p.H2i = p.H1i })
			require.NoError(t, err)
			c.Preparams = edited
		}, "h2"},
		{"another key", gone, func(c *session.PartyConfig) { c.Request.PublicKey = fixtures.Shares(3, 1).Payload.PublicKey }, "another key"},
		{"another epoch", gone, func(c *session.PartyConfig) { c.Share = fixtures.Shares(3, 1).Shares[0] }, "not of the epoch"},
		{"a stranger deals", fresh, func(c *session.PartyConfig) { c.Dealers = []types.Operator{gone, "seqvaloper1y"} }, "held no share"},
		{"a stranger signs", fresh, func(c *session.PartyConfig) { c.Signers = append(c.Signers, "seqvaloper1z") }, "in neither committee"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := h.config(c.self)
			h := *cfg.Request.Handover
			cfg.Request.Handover = &h
			c.edit(&cfg)
			p, err := protocol(t, types.KindReshare).NewParty(cfg)
			if c.want == "" {
				require.NoError(t, err)
				p.Close()
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// What keeps a node from its work stands in its status, with what to do.
func TestStatusWarns(t *testing.T) {
	require.NotContains(t, statusText{mpcnode.StatusReport{Operator: "op"}}.text(), "warning")

	text := statusText{mpcnode.StatusReport{Operator: "op", Preparams: 1}}.text()
	require.Regexp(t, `(?m)^pre-parameters +1$`, text)
	text = statusText{mpcnode.StatusReport{Operator: "op", Preparams: 1, PreparamsPrimes: 2, PreparamsNeeded: 4}}.text()
	require.Regexp(t, `(?m)^pre-parameters +1, and 2 of 4 safe primes of the next set$`, text)

	text = statusText{mpcnode.StatusReport{Operator: "op", IdentityVersion: 1, IdentityOutdated: 2}}.text()
	require.Regexp(t, `(?m)^warning +identity_outdated: version 2 is registered: .*start the node again`, text)

	text = statusText{mpcnode.StatusReport{Operator: "op", CatchingUp: true, ClockAhead: 61}}.text()
	require.Regexp(t, `(?m)^warning +catching_up: this node's clock seems 61 s ahead of the chain's: .*clock`, text)
}

// Only who has an identity that can be used is told to register: a sentry that did would take
// the validator's place, and who lost one has another remedy.
func TestStatusOfAnOperator(t *testing.T) {
	lost := mpcnode.StatusReport{Problem: "database_missing", Remedy: "restore it"}
	for want, s := range map[string]mpcnode.StatusReport{
		`op, identity version 2$`:                                     {Operator: "op", IdentityVersion: 2, HasIdentity: true},
		`none: the chain has no identity .*: sequencerd mpc register`: {HasIdentity: true, Height: 7},
		`none yet: .* has caught up$`:                                 {HasIdentity: true, Height: 7, CatchingUp: true},
		`none yet: .* caught up$`:                                     {HasIdentity: true},
		`none: op revoked .*: sequencerd mpc identity rotate, .*, then sequencerd mpc register`: {HasIdentity: true, Height: 7, RevokedBy: "op"},
		`none: this node follows the chain`:                                                     {},
		`none, for the problem below$`:                                                          lost,
	} {
		text := statusText{s}.text()
		require.Regexp(t, `(?m)^operator +`+want, text)
		require.Equal(t, s.HasIdentity && s.Operator == "" && s.Height > 0 && !s.CatchingUp, strings.Contains(text, "mpc register"), text)
	}
	require.Regexp(t, `(?m)^problem +database_missing: restore it$`, statusText{lost}.text())
}

// A share that is kept though the chain has no use for it stands so in the list of keys.
func TestKeysShowWhatIsKept(t *testing.T) {
	text := keysText{fromNode, mpcnode.KeysReport{Keys: []mpcnode.KeyReport{
		{KeyID: "key", Status: "READY"}, {KeyID: "key", Epoch: 1, Status: "READY", Withheld: "unknown_reshare"},
	}}}.text()
	require.Regexp(t, `(?m)^key +0 +READY +1 of 0`, text)
	require.Regexp(t, `(?m)^key +1 +READY \(kept: unknown_reshare\) +1 of 0`, text)
}

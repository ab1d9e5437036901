package mpcnode_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
	"github.com/sequencer-mpc/sequencer/testutil/nodeprogram"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// newHome is that of a participant.
func newHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	require.Contains(t, nodeprogram.Printed(home, "mpc", "status"), "no node runs on this home", "that makes the configuration")
	nodehome.AddVault(t, home)
	return home
}

// complaints are level and check of the doctor's findings that are not ok, but of the disk,
// which is the machine's.
func complaints(text string) (all []string) {
	for _, found := range regexp.MustCompile(`(?m)^(warning|problem) +(\S+)`).FindAllStringSubmatch(text, -1) {
		if found[2] != "disk" {
			all = append(all, found[1]+" "+found[2])
		}
	}
	return all
}

// expire asks for nothing any more until all requests are over.
func expire(t *testing.T, s mpcnode.Stage) {
	t.Helper()
	f := s.Chain()
	p, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + int64(max(p.KeygenLifetimeBlocks, p.SignLifetimeBlocks)) + 1)
}

// Doctor and inspect of a node, as its operator types them, say what is wrong and what to do
// about it. The failures are staged on engines that talk to each other, the chain's keeper,
// and files.
func TestFailuresInPrint(t *testing.T) {
	for _, c := range []struct {
		name string
		// poor has no pre-parameters, ahead is by how much the examined node's clock is.
		poor  int
		ahead time.Duration
		// stage returns what inspect is asked about, and what doctor is asked beside.
		stage func(*testing.T, mpcnode.Stage) (id string, args []string)
		// complaints are all that doctor has; it and inspect say these lines. OP1 is the
		// second participant, ID what was asked about.
		complaints, doctor, inspect []string
	}{
		{"one participant down", -1, 0, func(_ *testing.T, s mpcnode.Stage) (string, []string) {
			s.Cut(2)
			return s.AskKey(), nil
		}, []string{"warning participant"},
			[]string{`^warning +participant +OP2 does not answer: its node is down`, `^ +-> stalled: look at the named participants`},
			[]string{`^keygen ID +PENDING$`, `^  preparing .*, waiting for OP2 `}},
		{"no pre-parameters", 0, 0, func(_ *testing.T, s mpcnode.Stage) (string, []string) {
			return s.AskKey(), nil
		}, []string{"warning pre-parameters"},
			[]string{`^warning +pre-parameters +none of 2; until there is a set this node refuses keygens`, `^ +-> no_preparams: pre-parameters are being made`},
			[]string{`this node leads an attempt but cannot open it: no_preparams: pre-parameters are being made`}},
		{"pre-parameters of another", 2, 0, func(_ *testing.T, s mpcnode.Stage) (string, []string) {
			return s.AskKey(), nil
		}, nil, nil,
			[]string{`^  end +\S+  no_preparams of OP2.*: pre-parameters are being made`}},
		{"clock ahead by a minute", -1, time.Minute, func(t *testing.T, s mpcnode.Stage) (string, []string) {
			s.Pass(3, 31*time.Second)
			require.Eventually(t, func() bool { return s.Status().ClockAhead > 0 }, 10*time.Second, time.Millisecond)
			return s.AskKey(), nil
		}, []string{"problem clock"},
			[]string{`^problem +clock +it seems 6\d s ahead of the chain's`, `^ +-> catching_up: set this node's clock right`},
			[]string{`this node's clock is 1m\d+s ahead of the chain's.*: catching_up: .*set it right`}},
		{"clock behind by a minute", -1, -time.Minute, func(*testing.T, mpcnode.Stage) (string, []string) {
			return "", nil // nothing of a request depends on it
		}, []string{"warning clock"},
			[]string{`^warning +clock +it is (5[5-9]|6[0-5]) s behind the other participants'`, `^ +-> set this node's clock right`}, nil},
		{"peer without the channel", -1, 0, func(_ *testing.T, s mpcnode.Stage) (string, []string) {
			s.Stranger("abc")
			s.Cut(3)
			return s.AskKey(), nil
		}, []string{"warning peers", "warning participant"},
			[]string{`^warning +peers +1 without the MPC channel, nothing of MPC passes them: abc$`, `^ +-> if one of them is yours`},
			[]string{`^peers of this node: 1 without the MPC channel, nothing of MPC passes them: abc: if one of them is yours`, `, waiting for OP3 `}},
		{"key in ERROR", -1, 0, func(t *testing.T, s mpcnode.Stage) (string, []string) {
			id := s.AskKey()
			expire(t, s)
			return id, []string{"--key", id}
		}, []string{"problem key"},
			[]string{`^problem +key +keygen ID is in ERROR since height \d+: expired$`, `^ +-> key_failed: the key was not made and never will be; make one with a new id; why it failed \(expired\): too few participants`},
			[]string{`^keygen ID +ERROR$`, `^  reason +expired: too few participants answered in time`}},
		{"deleted key", -1, 0, func(t *testing.T, s mpcnode.Stage) (string, []string) {
			f := s.Chain()
			f.ReadyKey("old", 2)
			_, err := f.Msg.KeyDelete(f.Ctx, &mpcmodule.MsgKeyDelete{Requester: f.Requester, KeyId: "old"})
			require.NoError(t, err)
			key, err := f.Keeper.Key(f.Ctx, "old")
			require.NoError(t, err)
			f.EndBlocks(key.RetireHeight + 1)
			return "old", []string{"--key", "old"}
		}, []string{"problem key"},
			[]string{`^problem +key +ID is DELETED; 0 of its participants say that they destroyed`, `^ +-> key_deleted: a deleted key signs nothing; use another key`},
			[]string{`^keygen ID +DELETED$`, `^  remedy +a deleted key signs nothing; use another key`}},
		{"expired request", -1, 0, func(t *testing.T, s mpcnode.Stage) (string, []string) {
			f := s.Chain()
			f.ReadyKey("key", 2)
			f.KeySign("late", "key", "text")
			expire(t, s)
			return "late", []string{"--request", "late"}
		}, []string{"problem request"},
			[]string{`^problem +request +sign late is in ERROR since height \d+: expired$`, `^ +-> expired: too few participants answered in time`},
			[]string{`^sign late +ERROR$`, `^  reason +expired: too few participants answered in time`, `^  decided +at height`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			home := newHome(t)
			s := mpcnode.NewStage(t, c.poor, c.ahead)
			id, args := c.stage(t, s)
			s.Tell()
			s.Serve(mpcnode.DefaultConfig().PathsOf(home).Socket)
			names := []string{"ID", regexp.QuoteMeta(id)}
			for i := range 4 {
				names = append(names, "OP"+string(rune('0'+i)), s.Operator(i))
			}
			says := func(text string, lines []string) bool {
				for _, line := range lines {
					if !regexp.MustCompile(`(?m)` + strings.NewReplacer(names...).Replace(line)).MatchString(text) {
						return false
					}
				}
				return true
			}
			var text string
			// A slow machine may keep an answer from the first look.
			seen := assert.Eventually(t, func() bool {
				text = nodeprogram.Printed(home, append([]string{"mpc", "doctor"}, args...)...)
				return slices.Equal(c.complaints, complaints(text)) && says(text, c.doctor)
			}, time.Minute, 50*time.Millisecond, "%s %s", c.complaints, c.doctor)
			require.True(t, seen, text)
			if c.inspect == nil {
				return
			}
			seen = assert.Eventually(t, func() bool {
				text = nodeprogram.Printed(home, "mpc", "inspect", id)
				return says(text, c.inspect)
			}, 20*time.Second, 50*time.Millisecond, "%s", c.inspect)
			require.True(t, seen, text)
		})
	}
}

// A node whose passphrase is wrong does not start; its files say why.
func TestWrongPassphraseInPrint(t *testing.T) {
	home := newHome(t)
	nodehome.WritePassphrase(t, home, "pass", "donkey")
	text := nodeprogram.Printed(home, "mpc", "doctor")
	require.Equal(t, []string{"warning node", "warning consensus", "problem passphrase", "warning database"}, complaints(text), text)
	require.Regexp(t, `(?m)^problem +passphrase +that of file:config/pass is wrong$`, text)
	require.Regexp(t, `(?m)^ +-> put the one that the identity has now there`, text)
	text = nodeprogram.Printed(home, "mpc", "inspect", "payment-1")
	require.Regexp(t, `^no node runs on this home.*passphrase: that of file:config/pass is wrong: put the one that the identity has now there.*sequencerd mpc doctor`, text)

	nodehome.WritePassphrase(t, home, "pass", nodehome.Passphrase)
	text = nodeprogram.Printed(home, "mpc", "inspect", "payment-1")
	require.NotContains(t, text, "wrong", "it was just not started")
	require.Contains(t, text, "start it with: sequencerd start")
}

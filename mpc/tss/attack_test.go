package tss_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// attack is a session in which a peer breaks a rule of the guard. Each is made
// on the library without a guard, all other messages being valid, and on the
// guard.
type attack struct {
	// rule is the one of the guard's table (doc.go) that it breaks, "message
	// field: rule". Attacks of one name are of several rules.
	rule, name string
	forge      forge
	// alone is what the library does by itself, text part of what it says then.
	alone alone
	text  string
	// want is part of what the guard says; nothing if the guard lets it pass.
	want string
	// through is how many rounds the library receives; 0 are all. In signing,
	// what a forger goes on to send is not in the stored session.
	through int
	// strict victims are slower (bareKeygen).
	strict bool
	stage  *stage
}

// alone is what the library alone does.
type alone string

const (
	dies     alone = "dies"     // a goroutine panics: the process ends
	panics   alone = "panics"   // Update panics: the party is lost
	accepts  alone = "accepts"  // goes on, to the end unless through says less
	works    alone = "works"    // goes on, having raised to a number beyond the bound
	harmless alone = "harmless" // goes on, and nothing is known to come of it
	misnames alone = "misnames" // names an honest party, itself or nobody
	hangs    alone = "hangs"    // waits for ever
	refuses  alone = "refuses"  // refuses it too, and names the sender
)

// seen is how the outcome looks from outside.
func (a alone) seen() alone {
	if a == works || a == harmless {
		return accepts
	}
	return a
}

// edit changes the peer's message of one type.
type edit struct {
	typ   string
	apply func(tsslib.MessageContent)
}

// forge prepares an attack; some take a while.
type forge func(testing.TB) []edit

// change edits one message.
func change[T tsslib.MessageContent](apply func(T)) forge {
	var none T
	typ, _ := tss.TypeOf(none)
	return func(testing.TB) []edit { return []edit{{typ, on(apply)}} }
}

// on adapts an edit of one message type.
func on[T tsslib.MessageContent](apply func(T)) func(tsslib.MessageContent) {
	return func(c tsslib.MessageContent) { apply(c.(T)) }
}

// also makes one attack of several.
func (f forge) also(others ...forge) forge {
	return func(t testing.TB) []edit {
		all := f(t)
		for _, o := range others {
			all = append(all, o(t)...)
		}
		return all
	}
}

// stage is a kind of session with a victim.
type stage struct {
	name string
	// victim makes a party of the library that believes everything.
	victim func(strict bool) bare
	// guard judges the rounds one after the other.
	guard func(testing.TB, [][]session.Inbound) error
}

// transcript is what the victim receives if nobody cheats.
func (s *stage) transcript() [][]session.Inbound { return bareSessions()[s.name] }

// of returns what peers sent of one type, decoded.
func (s *stage) of(typ string) tsslib.MessageContent {
	for _, m := range s.transcript()[roundOf(typ)-1] {
		if m.Type == typ {
			content, err := tss.DecodeBody(typ, m.Body)
			if err != nil {
				panic(err)
			}
			return content
		}
	}
	panic("no message " + typ)
}

var keygenStage = stage{
	"keygen", func(strict bool) bare { return bareKeygen(0, strict) },
	func(_ testing.TB, in [][]session.Inbound) error { return judgeAll(keygenJudge(), in) },
}

var signStage = stage{
	"sign", func(bool) bare { return bareSign(0) },
	func(_ testing.TB, in [][]session.Inbound) error { return judgeAll(signJudge(), in) },
}

var reshareStage = stage{
	"reshare", bareReshare,
	func(t testing.TB, in [][]session.Inbound) error {
		g, err := reshareCommittees().facts(1).Guard()
		require.NoError(t, err)
		for i, round := range in {
			if err := g.Judge(uint32(i+1), round); err != nil {
				return err
			}
		}
		return nil
	},
}

func keygenVictim(t testing.TB) session.Party {
	p, err := protocol(t, types.KindKeygen).NewParty(keygenConfig(fixtures.Shares(2, 1), 0))
	require.NoError(t, err)
	return p
}

func signVictim(t testing.TB) session.Party {
	k := fixtures.Shares(2, 1)
	return signParties(t, k, digestOf("transcript"), k.Operators)[k.Operators[0]]
}

// Judges are parties that are never started. They can judge a session again and
// again: what they remember of a round, judging it anew replaces.
var (
	keygenJudge = sync.OnceValue(func() session.Party { return keygenVictim(&quiet{}) })
	signJudge   = sync.OnceValue(func() session.Party { return signVictim(&quiet{}) })
)

// quiet lets fixtures be loaded once for all tests; that does not fail.
type quiet struct{ testing.TB }

func (*quiet) Helper()               {}
func (*quiet) Errorf(string, ...any) {}
func (*quiet) FailNow()              { panic("a fixture cannot be loaded") }

// judgeAll asks what a party would before and after it asked the library.
func judgeAll(p session.Party, rounds [][]session.Inbound) error {
	for i, in := range rounds {
		if err := tss.Judge(p, uint32(i+1), in); err != nil {
			return err
		}
		if err := tss.JudgeAccepted(p, uint32(i+1)); err != nil {
			return err
		}
	}
	return nil
}

// struck is the stage's session with the attack in it, and who sent it: the
// first sender of the last type that is changed.
func (a *attack) struck(t testing.TB) ([][]session.Inbound, types.Operator) {
	t.Helper()
	rounds := slices.Clone(a.stage.transcript())
	var culprit types.Operator
	for _, e := range a.forge(t) {
		r := roundOf(e.typ) - 1
		i := slices.IndexFunc(rounds[r], func(m session.Inbound) bool { return m.Type == e.typ })
		require.GreaterOrEqual(t, i, 0, "no message %s", e.typ)
		rounds[r] = slices.Clone(rounds[r])
		rounds[r][i] = edited(t, rounds[r][i], e.apply)
		culprit = rounds[r][i].From
	}
	return rounds, culprit
}

// library makes the attack on a fresh victim that believes everything.
func (a *attack) library(rounds [][]session.Inbound, culprit types.Operator) (alone, string) {
	if a.through != 0 {
		rounds = rounds[:a.through]
	}
	return a.stage.victim(a.strict).outcome(rounds, culprit)
}

// allAttacks are those of every stage.
func allAttacks() []attack {
	return slices.Concat(keygenAttacks(), signAttacks(), reshareAttacks())
}

// on puts attacks on a stage.
func (s *stage) on(all []attack) []attack {
	for i := range all {
		all[i].stage = s
	}
	return all
}

func (a *attack) title() string { return a.rule + ": " + a.name }

// Whatever the guard has a rule for is tried on it, and on the library alone:
// the library does what is written beside the attack, the guard refuses it and
// names its sender. What ends the process is tried in a process of its own.
func TestAttacks(t *testing.T) {
	for _, a := range allAttacks() {
		t.Run(a.title(), func(t *testing.T) {
			rounds, culprit := a.struck(t)
			if err := a.stage.guard(t, rounds); a.want != "" {
				requireBlame(t, err, culprit, a.want)
			} else {
				require.NoError(t, err)
			}
			if testing.Short() || raceEnabled {
				t.Skip("heavy: up to 2 seconds of CPU")
			}
			t.Parallel()
			if a.alone == dies {
				requireDeath(t, &a)
				return
			}
			outcome, text := a.library(rounds, culprit)
			require.Equal(t, a.alone.seen(), outcome, text)
			require.Contains(t, text, a.text)
		})
	}
}

// attackVariable names the attack that a child process makes on itself.
const attackVariable = "MPC_TSS_ATTACK"

// TestAttackChild runs in child processes only, which are not meant to survive.
func TestAttackChild(t *testing.T) {
	name := os.Getenv(attackVariable)
	if name == "" {
		t.Skip("runs in the children of TestAttacks")
	}
	all := allAttacks()
	i := slices.IndexFunc(all, func(a attack) bool { return a.title() == name })
	require.GreaterOrEqual(t, i, 0)
	rounds, culprit := all[i].struck(t)
	outcome, text := all[i].library(rounds, culprit)
	t.Fatal("survived: ", outcome, text)
}

// requireDeath wants an attack to end the process that makes it on itself, with
// this panic in this function of the library.
func requireDeath(t *testing.T, a *attack) {
	t.Helper()
	stdout, stderr := childOf(t, "TestAttackChild", attackVariable+"="+a.title())
	require.NotContains(t, stdout, "survived")
	for _, part := range strings.Split(a.text, "; ") {
		require.Contains(t, stderr, part)
	}
}

// childOf runs one test in a process that must end by a panic.
func childOf(t *testing.T, test, env string) (stdout, stderr string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	child.Env = append(os.Environ(), env)
	var out, errs bytes.Buffer
	child.Stdout, child.Stderr = &out, &errs
	var exit *exec.ExitError
	require.ErrorAs(t, child.Run(), &exit, "%s", &out)
	require.Equal(t, 2, exit.ExitCode(), "%s", &out)
	return out.String(), errs.String()
}

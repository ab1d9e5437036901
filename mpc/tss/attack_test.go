package tss_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// attack is what a peer can send that the library does not survive. Each is
// first made on the library without a guard, with valid messages of a stored
// session before it, and then on the guard.
type attack struct {
	name  string
	stage stage
	edits []edit
	// panics is part of the library's panic, in a function of it.
	panics, in string
	// want is part of what the guard says.
	want string
}

// alone is what the library alone does with what a rule refuses. The tables of
// the guard's rules say it of every case; the tests named here show it.
type alone string

const (
	// TestLibraryDies.
	dies alone = "the process ends"
	// TestLibraryPanics, TestSigningPanics.
	panics alone = "Update panics and the party is lost"
	// TestForgedModulus, TestUnstructuredNTilde, TestRangeProofWithoutRandomness,
	// TestLongPolynomial, TestPointsInManyEncodings.
	accepts alone = "the message is accepted"
	// TestUnboundedWork.
	works alone = "the work is done, however much it is"
	// TestCopiedParameters, TestReshareOfAnotherSecret, TestReshareSessionID,
	// TestPointsOffTheCurve.
	misnames alone = "an honest party is named, or the victim"
	// The library refuses it too, and names the sender: defence in depth.
	refuses alone = "refused too"
	// Nothing is seen to come of it: defence in depth.
	unharmed alone = "no harm is known"
)

// edit changes the peer's message of one type.
type edit struct {
	typ   string
	apply func(tsslib.MessageContent)
}

// stage is a kind of session.
type stage struct {
	// transcript is what the victim receives.
	transcript func(testing.TB) [][]session.Inbound
	// library runs a victim that believes everything.
	library func(*testing.T, [][]session.Inbound) error
	// guard judges the rounds one after the other.
	guard func(*testing.T, [][]session.Inbound) error
}

var keygenStage = stage{
	transcript: func(testing.TB) [][]session.Inbound { return fixtures.KeygenTranscript() },
	library:    func(t *testing.T, in [][]session.Inbound) error { return runUnguarded(t, keygenVictim(t), in) },
	guard:      func(_ *testing.T, in [][]session.Inbound) error { return judgeAll(keygenJudge(), in) },
}

var signStage = stage{
	transcript: func(t testing.TB) [][]session.Inbound {
		rounds, err := signTranscript()
		require.NoError(t, err)
		return rounds
	},
	library: func(t *testing.T, in [][]session.Inbound) error { return runUnguarded(t, signVictim(t), in) },
	guard:   func(_ *testing.T, in [][]session.Inbound) error { return judgeAll(signJudge(), in) },
}

var reshareStage = stage{
	transcript: reshareTranscript,
	library: func(t *testing.T, in [][]session.Inbound) (err error) {
		c := reshareCommittees()
		victim := c.newMember(t, 1)
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("the library panicked: %v", v)
			}
		}()
		require.Nil(t, victim.Start())
		for _, m := range slices.Concat(in...) {
			if terr := c.deliver(t, victim, m); terr != nil {
				return errors.New(terr.Error())
			}
		}
		return nil
	},
	guard: func(t *testing.T, in [][]session.Inbound) error {
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

func runUnguarded(t *testing.T, p session.Party, rounds [][]session.Inbound) error {
	t.Helper()
	tss.RemoveGuard(p)
	_, err := p.Start()
	require.NoError(t, err)
	for i, in := range rounds {
		if _, err := p.Deliver(uint32(i+1), in); err != nil {
			return err
		}
	}
	return nil
}

func judgeAll(p session.Party, rounds [][]session.Inbound) error {
	for i, in := range rounds {
		if err := tss.Judge(p, uint32(i+1), in); err != nil {
			return err
		}
	}
	return nil
}

// struck is the stage's transcript with the attack in it, and who sent it: the
// first sender of the last type that is changed.
func (a *attack) struck(t testing.TB) ([][]session.Inbound, types.Operator) {
	t.Helper()
	rounds := slices.Clone(a.stage.transcript(t))
	var culprit types.Operator
	for _, e := range a.edits {
		found := false
		for r, in := range rounds {
			i := slices.IndexFunc(in, func(m session.Inbound) bool { return m.Type == e.typ })
			if i < 0 {
				continue
			}
			rounds[r] = slices.Clone(in)
			rounds[r][i] = edited(t, in[i], e.apply)
			found, culprit = true, in[i].From
		}
		require.True(t, found, "no message %s", e.typ)
	}
	return rounds, culprit
}

// attackVariable names the attack that a child process makes on itself.
const attackVariable = "MPC_TSS_ATTACK"

// TestAttackChild runs in child processes only, which are not meant to survive.
func TestAttackChild(t *testing.T) {
	name := os.Getenv(attackVariable)
	if name == "" {
		t.Skip("runs in the children of TestLibraryDies")
	}
	all := deadlyAttacks()
	i := slices.IndexFunc(all, func(a attack) bool { return a.name == name })
	require.GreaterOrEqual(t, i, 0)
	rounds, _ := all[i].struck(t)
	t.Fatal("survived: ", all[i].stage.library(t, rounds))
}

// What panics in a goroutine of the library ends the process, whatever its
// caller recovers. Each of these messages kills a child process; the guard
// refuses it and names its sender.
func TestLibraryDies(t *testing.T) {
	for _, a := range deadlyAttacks() {
		t.Run(a.name, func(t *testing.T) {
			requireGuarded(t, &a)
			if testing.Short() || raceEnabled {
				t.Skip("heavy: a process of 1 to 6 seconds of CPU")
			}
			t.Parallel()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAttackChild$")
			child.Env = append(os.Environ(), attackVariable+"="+a.name)
			var stdout, stderr bytes.Buffer
			child.Stdout, child.Stderr = &stdout, &stderr
			var exit *exec.ExitError
			require.ErrorAs(t, child.Run(), &exit, "%s", &stdout)
			require.Equal(t, 2, exit.ExitCode(), "%s", &stdout)
			require.Contains(t, stderr.String(), a.panics)
			require.Contains(t, stderr.String(), a.in)
			require.NotContains(t, stdout.String(), "survived")
		})
	}
}

// What panics in Update can be recovered from, but the party is lost: its lock
// stays taken.
func TestLibraryPanics(t *testing.T) {
	for _, a := range panicAttacks() {
		t.Run(a.name, func(t *testing.T) {
			requireGuarded(t, &a)
			if testing.Short() || raceEnabled {
				t.Skip("heavy: 4 seconds of CPU")
			}
			t.Parallel()
			rounds, _ := a.struck(t)
			err := a.stage.library(t, rounds)
			require.ErrorContains(t, err, "the library panicked")
			require.ErrorContains(t, err, a.panics)
		})
	}
}

// requireGuarded wants the guard to refuse an attack, and all of the same
// session without it to pass.
func requireGuarded(t *testing.T, a *attack) {
	t.Helper()
	rounds, culprit := a.struck(t)
	requireBlame(t, a.stage.guard(t, rounds), culprit, a.want)
	require.NoError(t, a.stage.guard(t, a.stage.transcript(t)))
}

package tss_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/cluster"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

const (
	// leastLibrary is the part of the CPU that ordinary signing must spend in the
	// library, in percent: what is left is ours and the runtime's.
	leastLibrary = 90
	// shownOthers is how many of the others the test lists.
	shownOthers = 8
	// module and library begin the names of functions in a profile.
	module  = "github.com/sequencer-mpc/sequencer/"
	library = "github.com/bnb-chain/tss-lib/"
)

// TestBenchProfile signs with engines, databases, envelopes and echo under the profiler
// and says how much of the CPU is the library's arithmetic, and lists the functions that
// have most of the rest. It runs with MPC_BENCH=1.
func TestBenchProfile(t *testing.T) {
	onlyWhenAsked(t)
	digests := make(map[string][]byte)
	for i := range ordinary {
		digests[fmt.Sprint("sig-", i)] = digestOf(fmt.Sprint(i))
	}
	plain := cluster.New(t, fixtures.Shares(4, 2), fixtureProtocols, runtime.GOMAXPROCS(0), 0)
	name := filepath.Join(t.TempDir(), "cpu.pprof")
	file, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, pprof.StartCPUProfile(file))
	plain.Sign(digests, patience)
	pprof.StopCPUProfile()
	require.NoError(t, file.Close())

	traces, err := exec.CommandContext(t.Context(), "go", "tool", "pprof", "-traces", name).Output()
	require.NoError(t, err)
	spent, others, err := attribute(traces)
	require.NoError(t, err)
	var all time.Duration
	for _, d := range spent {
		all += d
	}
	part := func(of time.Duration) float64 { return 100 * float64(of) / float64(all) }
	fmt.Printf("bench profile-sign library=%.1f%% guard=%.1f%% ours=%.1f%% runtime=%.1f%% least-library=%d%%\n",
		part(spent[ofLibrary]), part(spent[ofGuard]), part(spent[ofOurs]), part(spent[ofRuntime]), leastLibrary)
	names := slices.SortedFunc(maps.Keys(others), func(a, b string) int { return cmp.Compare(others[b], others[a]) })
	for _, n := range names[:min(shownOthers, len(names))] {
		fmt.Printf("bench profile-sign-other cpu=%.2f%% in=%s\n", part(others[n]), shortName(n))
	}
	require.GreaterOrEqual(t, part(spent[ofLibrary]), float64(leastLibrary))
}

// shortName is a function without what its module or an inlined call adds, and without
// blanks.
func shortName(function string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(function, module), " ")
	return name
}

// whose CPU a sample is.
type whose int

const (
	ofLibrary whose = iota // below a party of the library, or in a goroutine of its own
	ofGuard                // guards of package tss, the library's functions that they call included
	ofOurs                 // anything else of this module, that too: checks of shares, sessions, envelopes, database
	ofRuntime              // no function of either: collector, scheduler, system calls
)

// sampleStart is the first line of a trace: what it weighs and its innermost function.
var sampleStart = regexp.MustCompile(`^ *([0-9.]+(?:us|ms|s|mins)) +(\S.*)$`)

// attribute reads what "go tool pprof -traces" prints: samples, innermost function first,
// between lines of dashes. Others are the innermost functions of ours, or the outermost ones
// of the runtime, of what is not the library's.
func attribute(traces []byte) (map[whose]time.Duration, map[string]time.Duration, error) {
	spent, others := make(map[whose]time.Duration), make(map[string]time.Duration)
	var weight time.Duration
	var frames []string
	flush := func() {
		if len(frames) == 0 {
			return
		}
		who, name := judge(frames)
		spent[who] += weight
		if who != ofLibrary {
			others[name] += weight
		}
		frames = nil
	}
	scanner := bufio.NewScanner(bytes.NewReader(traces))
	for scanner.Scan() {
		line := scanner.Text()
		switch m := sampleStart.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "-----"):
			flush()
		case m != nil && len(frames) == 0:
			var err error
			if weight, err = time.ParseDuration(strings.Replace(m[1], "mins", "m", 1)); err != nil {
				return nil, nil, err
			}
			frames = append(frames, m[2])
		case len(frames) > 0:
			frames = append(frames, strings.TrimSpace(line))
		}
	}
	flush()
	if len(spent) == 0 {
		return nil, nil, fmt.Errorf("no samples in the profile")
	}
	return spent, others, scanner.Err()
}

// ofParty is a function of the library through which a party is run.
var ofParty = regexp.MustCompile(`^` + regexp.QuoteMeta(library) + `.*Party\)?\.(Start|Update)\b`)

// judge says whose a sample is: the library's where the outermost of its functions is a
// party's, or was called by none of ours; else that of the innermost of our functions.
func judge(frames []string) (whose, string) {
	lib := -1
	for i, f := range frames {
		if strings.HasPrefix(f, library) {
			lib = i
		}
	}
	isOurs := func(f string) bool { return strings.HasPrefix(f, module) }
	ours := slices.IndexFunc(frames, isOurs)
	guards := slices.IndexFunc(frames, func(f string) bool {
		return strings.HasPrefix(f, module+"mpc/tss.") && strings.Contains(f, "uard)")
	})
	switch {
	case lib >= 0 && (ofParty.MatchString(frames[lib]) || !slices.ContainsFunc(frames[lib:], isOurs)):
		return ofLibrary, ""
	case guards >= 0:
		return ofGuard, frames[guards]
	case ours >= 0:
		return ofOurs, frames[ours]
	}
	return ofRuntime, frames[len(frames)-1]
}

func TestAttributeSamples(t *testing.T) {
	spent, others, err := attribute([]byte(`File: tss.test
Type: cpu
-----------+-------------------------------------------------------
      20ms   math/big.addMulVVW
             github.com/bnb-chain/tss-lib/v2/crypto/paillier.(*PublicKey).Encrypt
             github.com/bnb-chain/tss-lib/v2/tss.BaseUpdate
             github.com/bnb-chain/tss-lib/v2/ecdsa/signing.(*LocalParty).Update
             github.com/sequencer-mpc/sequencer/mpc/tss.(*party).Deliver.func1
             github.com/sequencer-mpc/sequencer/mpc/tss.(*party).call
-----------+-------------------------------------------------------
       2ms   math/big.addMulVVW
             github.com/bnb-chain/tss-lib/v2/ecdsa/signing.(*base).Start
             github.com/bnb-chain/tss-lib/v2/tss.Party.Start-fm
             github.com/sequencer-mpc/sequencer/mpc/tss.(*party).call
-----------+-------------------------------------------------------
       1ms   math/big.addMulVVW
             github.com/bnb-chain/tss-lib/v2/crypto/mta.BobMidWC
             github.com/bnb-chain/tss-lib/v2/ecdsa/signing.(*round2).Start.func2
-----------+-------------------------------------------------------
       7ms   math/big.addMulVVW
             github.com/bnb-chain/tss-lib/v2/crypto.ScalarBaseMult
             github.com/sequencer-mpc/sequencer/mpc/tss.checkOwn
             github.com/sequencer-mpc/sequencer/mpc/tss.(*protocol).NewParty
-----------+-------------------------------------------------------
     1.50s   math/big.addMulVVW
             github.com/bnb-chain/tss-lib/v2/crypto/paillier.(*PrivateKey).Decrypt
             github.com/sequencer-mpc/sequencer/mpc/tss.(*signGuard).check
-----------+-------------------------------------------------------
      10ms   crypto/internal/fips140/edwards25519.(*Point).Add
             github.com/sequencer-mpc/sequencer/mpc/wire.Verify
-----------+-------------------------------------------------------
      30ms   runtime.scanobject
             runtime.gcBgMarkWorker
`))
	require.NoError(t, err)
	require.Equal(t, map[whose]time.Duration{
		ofLibrary: 23 * time.Millisecond, ofGuard: 1500 * time.Millisecond, ofOurs: 17 * time.Millisecond, ofRuntime: 30 * time.Millisecond,
	}, spent)
	require.Equal(t, 7*time.Millisecond, others[module+"mpc/tss.checkOwn"])
	require.Equal(t, 30*time.Millisecond, others["runtime.gcBgMarkWorker"])
	require.Equal(t, 10*time.Millisecond, others[module+"mpc/wire.Verify"])
	_, _, err = attribute([]byte("Type: cpu\n"))
	require.Error(t, err)
}

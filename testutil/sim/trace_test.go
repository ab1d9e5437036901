package sim_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// tracedSeeds is how many seeds of each kind run twice, shortTraced with -short.
const (
	tracedSeeds = 6
	shortTraced = 1
)

// TestOneSeedOneTrace: a seed decides everything that happens in a network, with all
// weather, restarts and a liar: a failing seed replays exactly.
func TestOneSeedOneTrace(t *testing.T) {
	seeds := uint64(tracedSeeds)
	if testing.Short() {
		seeds = shortTraced
	}
	for name, run := range map[string]func(*testing.T, uint64, func(string)){
		"seeds":  runSeedTraced,
		"storms": func(t *testing.T, seed uint64, trace func(string)) { runStorm(t, seed, trace) },
		"lies":   func(t *testing.T, seed uint64, trace func(string)) { runLies(t, seed, trace) },
	} {
		for seed := uint64(1); seed <= seeds; seed++ {
			t.Run(fmt.Sprintf("%s-%d", name, seed), func(t *testing.T) {
				t.Parallel()
				var first []string
				run(t, seed, func(event string) { first = append(first, event) })
				require.Greater(t, len(first), 1000)
				at := 0
				run(t, seed, func(event string) {
					if at < len(first) && event == first[at] {
						at++
						return
					}
					before := first[max(0, at-5):min(len(first), at+1)]
					require.FailNow(t, "a second run differs", "event %d is %q; the first run ended with %q", at, event, before)
				})
				require.Len(t, first, at, "a second run is shorter")
			})
		}
	}
}

package sim_test

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// someTogether is which of the writes are tried with others that crash at the same moment,
// with -short shortTogether. CRASH_ALL asks for all, with either time that nodes are away.
const (
	someTogether  = 5 // no write has as many moments, so that it is not always the same one
	shortTogether = 13
)

// TestCrashTogether kills a node before, half way in and after a write, and at the same
// moment the next one or all others, wherever these are then: in every phase of a keygen, a
// signature, be it by a presignature, a reshare and a deletion, and of the rare operations where
// CRASH_ALL asks for all. They come back one after the other, after less time than anybody
// notices, or after longer than a session waits.
func TestCrashTogether(t *testing.T) {
	names, all := []string{"keygen", "sign", "presigned sign", "reshare", "delete"}, os.Getenv(crashAll) != ""
	if all {
		names = append(names, "repair", "auto reshare")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			op := operations[name]
			calm := &killer{}
			op.run(t, calm)
			op.audited.report(t, name+" without a crash")
			chosen := calm.momentsTogether()
			for _, with := range []int{1, len(calm.world.Nodes) - 1} {
				report(t, name, chosen, len(calm.met))
				var together atomic.Int64
				t.Run(strconv.Itoa(with)+"-others", func(t *testing.T) { op.killTogether(t, chosen, with, all, &together) })
				t.Logf("%s: %d crashes of others at these moments, %d each time", name, together.Load(), with)
				require.Positive(t, together.Load())
			}
			op.audited.report(t, name)
		})
	}
}

// momentsTogether are the writes that are tried so.
func (k *killer) momentsTogether() (list []moment) {
	every := someTogether
	switch {
	case os.Getenv(crashAll) != "":
		every = 1
	case testing.Short():
		every = shortTogether
	}
	writes := slices.DeleteFunc(slices.Clone(k.met), func(m moment) bool { return m.IsMessage() })
	for i := 0; i < len(writes); i += every {
		list = append(list, writes[i])
	}
	return list
}

// killTogether runs the operation once for each moment, a share of them on each core.
func (op operation) killTogether(t *testing.T, moments []moment, with int, both bool, together *atomic.Int64) {
	shares := runtime.GOMAXPROCS(0)
	for share := range shares {
		t.Run("share-"+strconv.Itoa(share), func(t *testing.T) {
			t.Parallel()
			verified := make(sim.Verified)
			for i := share; i < len(moments); i += shares {
				times := []time.Duration{blink, long}
				if !both {
					times = times[i/shares%2:][:1]
				}
				for j, away := range times {
					k := &killer{target: moments[i], away: away, verified: verified, with: with, power: (i/shares/2+j)%2 == 0}
					op.crash(t, k)
					require.Equal(t, with, k.together)
					together.Add(int64(k.together))
				}
			}
		})
	}
}

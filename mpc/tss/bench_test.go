package tss_test

import (
	"fmt"
	"math/big"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// TestBench compares our parties with the bare library: same shares, same
// pre-parameters, one process, in seconds of CPU. It runs with MPC_BENCH=1 and
// prints one line for each protocol.
func TestBench(t *testing.T) {
	onlyWhenAsked(t)
	k := fixtures.Shares(4, 2)
	signers := k.Operators[:3]
	digest := digestOf("bench")
	compare(t, bar{name: "sign-3-of-4", most: maxRatio, runs: 7, unit: cpu, ours: func() {
		l := fixtures.Lockstep{Parties: signParties(t, k, digest, signers)}
		require.NoError(t, l.Run().Err())
	}, base: func() { rawSign(t, k, digest, signers) }})
	compare(t, bar{name: "keygen-4-2", most: maxRatio, runs: 3, unit: cpu, ours: func() {
		l := fixtures.Lockstep{Parties: make(map[types.Operator]session.Party)}
		for i, op := range k.Operators {
			p, err := protocol(t, types.KindKeygen).NewParty(keygenConfig(k, i))
			require.NoError(t, err)
			l.Parties[op] = p
		}
		require.NoError(t, l.Run().Err())
	}, base: func() { rawKeygen(t, k) }})
}

// maxRatio is how much CPU ours may take of the bare library's.
const maxRatio = 1.15

// unit is what a comparison counts.
type unit string

const (
	cpu  unit = "cpu"
	wall unit = "wall"
)

// bar compares two ways of doing the same.
type bar struct {
	name string
	most float64 // what ours may take of base
	runs int     // of each
	unit unit
	ours, base,
	rest func() // waits until nothing else runs; nil if nothing does
}

// compare runs both sides in turn, so that neither has the quieter machine, and compares
// the medians.
func compare(t *testing.T, b bar) {
	t.Helper()
	sides := [2]func(){b.base, b.ours}
	var took [2][]float64
	for i := range b.runs {
		for j := range sides {
			side := (i + j) % 2 // each goes first in turn: neither always has the warmer machine
			if b.rest != nil {
				b.rest()
			}
			took[side] = append(took[side], b.unit.seconds(t, sides[side]))
		}
	}
	report(t, b.name, median(took[1]), median(took[0]), b.most, b.unit, fmt.Sprintf("median-of-%d", b.runs))
}

func (u unit) seconds(t *testing.T, f func()) float64 {
	t.Helper()
	if u == cpu {
		return cpuSeconds(t, f)
	}
	begun := time.Now()
	f()
	return time.Since(begun).Seconds()
}

// median is the middle one, or the lower of two.
func median(list []float64) float64 {
	slices.Sort(list)
	return list[(len(list)-1)/2]
}

// report prints one bar and fails if it is too high.
func report(t *testing.T, name string, ours, base, most float64, u unit, of string) {
	t.Helper()
	fmt.Printf("bench %s ours=%.4fs base=%.4fs ratio=%.4f most=%.2f seconds=%s of=%s\n", name, ours, base, ours/base, most, u, of)
	require.LessOrEqual(t, ours/base, most, name)
}

// cpuSeconds is the CPU time of this process and of its ended children, user and
// system, during f.
func cpuSeconds(t testing.TB, f func()) float64 {
	t.Helper()
	used := func() (sum time.Duration) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			require.NoError(t, syscall.Getrusage(who, &u))
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
		return sum
	}
	before := used()
	f()
	return (used() - before).Seconds()
}

// onlyWhenAsked skips what takes minutes and a quiet machine.
func onlyWhenAsked(t *testing.T) {
	t.Helper()
	if os.Getenv("MPC_BENCH") == "" {
		t.Skip("set MPC_BENCH=1 to measure")
	}
}

// rawParties routes the messages of bare library parties until all have ended.
// The library's messages are encoded once and decoded by each recipient, which
// a network cannot do without.
func rawParties[T any](t *testing.T, parties []tsslib.Party, out <-chan tsslib.Message, end <-chan T) []T {
	t.Helper()
	failed := make(chan error, 1)
	fail := func(terr *tsslib.Error) {
		select {
		case failed <- terr.Cause():
		default:
		}
	}
	for _, p := range parties {
		go func() {
			if terr := p.Start(); terr != nil {
				fail(terr)
			}
		}()
	}
	var results []T
	for len(results) < len(parties) {
		select {
		case err := <-failed:
			require.NoError(t, err)
		case r := <-end:
			results = append(results, r)
		case m := <-out:
			wire, routing, err := m.WireBytes()
			require.NoError(t, err)
			for _, p := range parties {
				to := routing.To
				if p.PartyID() == routing.From || len(to) > 0 && to[0].Index != p.PartyID().Index {
					continue
				}
				go func() {
					if _, terr := p.UpdateFromBytes(wire, routing.From, routing.IsBroadcast); terr != nil {
						fail(terr)
					}
				}()
			}
		}
	}
	return results
}

func rawIDs(k fixtures.KeySet, operators []types.Operator) tsslib.SortedPartyIDs {
	var ids tsslib.UnSortedPartyIDs
	for _, op := range operators {
		seed := types.PartyKeySeed(k.Session, op)
		key := new(big.Int).SetBytes(seed[:])
		ids = append(ids, tsslib.NewPartyID(string(op), string(op), key.Mod(key, order)))
	}
	return tsslib.SortPartyIDs(ids)
}

// rawCapacity holds all messages of a session.
const rawCapacity = 1000

func rawSign(t *testing.T, k fixtures.KeySet, digest []byte, signers []types.Operator) {
	ids := rawIDs(k, signers)
	out, end := make(chan tsslib.Message, rawCapacity), make(chan *common.SignatureData, len(ids))
	var parties []tsslib.Party
	for _, id := range ids {
		data, err := tss.ShareData(k.Share(types.Operator(id.Id)))
		require.NoError(t, err)
		params := tsslib.NewParameters(tsslib.S256(), tsslib.NewPeerContext(ids), id, len(ids), k.Threshold)
		parties = append(parties, signing.NewLocalParty(new(big.Int).SetBytes(digest), params, data, out, end, 32))
	}
	require.Len(t, rawParties(t, parties, out, end), len(ids))
}

func rawKeygen(t *testing.T, k fixtures.KeySet) {
	ids := rawIDs(k, k.Operators)
	out, end := make(chan tsslib.Message, rawCapacity), make(chan *keygen.LocalPartySaveData, len(ids))
	var parties []tsslib.Party
	for i, id := range ids {
		pre, err := tss.PreparamsData(fixtures.Preparams(i))
		require.NoError(t, err)
		params := tsslib.NewParameters(tsslib.S256(), tsslib.NewPeerContext(ids), id, len(ids), k.Threshold)
		parties = append(parties, keygen.NewLocalParty(params, out, end, pre))
	}
	require.Len(t, rawParties(t, parties, out, end), len(ids))
}

package mpcnode

import (
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRoomForConsensus(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	log := slog.New(slog.DiscardHandler)

	t.Setenv(gomaxprocs, "1")
	makeRoom(log, 3)
	require.Equal(t, before, runtime.GOMAXPROCS(0), "the operator chose")

	t.Setenv(gomaxprocs, "")
	makeRoom(log, 3)
	require.Equal(t, cores+3*2*15, runtime.GOMAXPROCS(0))
}

// handOverPause lets those who compute come back to where they were.
const handOverPause = 20 * time.Millisecond

// BenchmarkHandOver measures how long a byte takes over a loopback connection to
// another goroutine and back, while this many goroutines compute. A signing with
// two peers has 4, one with 15 has 30.
//
//	go test -run '^$' -bench HandOver -benchtime 40x ./app/mpcnode
func BenchmarkHandOver(b *testing.B) {
	for _, computing := range []int{4, 30} {
		for _, procs := range []int{cores, room(cores, 1)} {
			b.Run(fmt.Sprintf("%d computing, GOMAXPROCS=%d", computing, procs), func(b *testing.B) {
				before := runtime.GOMAXPROCS(procs)
				defer runtime.GOMAXPROCS(before)
				stop := compute(computing)
				defer stop()
				handOver(b)
			})
		}
	}
}

// compute has goroutines do the arithmetic of tss-lib until stop is called. All
// have begun when it returns.
func compute(goroutines int) (stop func()) {
	modulus := new(big.Int).Lsh(big.NewInt(1), 2048)
	modulus.Sub(modulus, big.NewInt(1))
	base, exponent := big.NewInt(3), new(big.Int).Rsh(modulus, 1)
	ended := make(chan struct{})
	var begun, wait sync.WaitGroup
	begun.Add(goroutines)
	for range goroutines {
		wait.Go(func() {
			begun.Done()
			for {
				select {
				case <-ended:
					return
				default:
					new(big.Int).Exp(base, exponent, modulus)
				}
			}
		})
	}
	begun.Wait()
	return func() { close(ended); wait.Wait() }
}

func handOver(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	require.NoError(b, err)
	defer near.Close()
	far, err := l.Accept()
	require.NoError(b, err)
	defer far.Close()
	go func() {
		buf := make([]byte, 1)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
			if _, err := far.Write(buf); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1)
	var took []time.Duration
	for b.Loop() {
		time.Sleep(handOverPause)
		began := time.Now()
		_, err := near.Write(buf)
		require.NoError(b, err)
		_, err = near.Read(buf)
		require.NoError(b, err)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms-median")
	b.ReportMetric(took[len(took)*95/100].Seconds()*1000, "ms-p95")
}

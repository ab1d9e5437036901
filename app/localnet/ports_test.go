package localnet

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return port
}

func lookFrom(port int) {
	nextPort.Lock()
	defer nextPort.Unlock()
	nextPort.port = port
}

// No two nodes get the same port, whoever asks at the same time, and none gets one
// that somebody listens on, or that an outgoing connection could take.
func TestPortsDiffer(t *testing.T) {
	lookFrom(lastPort - 20) // so it goes on from the first
	taken, err := freePorts(1)
	require.NoError(t, err)
	l, err := net.Listen("tcp", taken[0])
	require.NoError(t, err)
	defer l.Close()
	lookFrom(portOf(t, taken[0]))

	const askers = 10
	found, errs := make([][]string, askers), make([]error, askers)
	var wait sync.WaitGroup
	for i := range askers {
		wait.Go(func() { found[i], errs[i] = freePorts(portsPerNode) })
	}
	wait.Wait()
	seen := map[string]bool{taken[0]: true}
	for i := range askers {
		require.NoError(t, errs[i])
		require.Len(t, found[i], portsPerNode)
		for _, address := range found[i] {
			require.False(t, seen[address], address)
			seen[address] = true
			port := portOf(t, address)
			require.True(t, port >= firstPort && port <= lastPort, address)
		}
	}
}

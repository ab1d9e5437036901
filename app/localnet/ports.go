package localnet

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

const (
	loopback = "127.0.0.1"

	// portsPerNode: p2p, RPC, gRPC, REST, Prometheus.
	portsPerNode = 5

	// Ports are looked for from firstPort up to lastPort: below those that a system
	// gives to outgoing connections (Linux from 32768, others from 49152). Any
	// connection could take one of these before the node listens on it.
	firstPort = 10000
	lastPort  = 32767
)

// nextPort finds each port once, in order from a random one, so that what this process
// writes at the same time differs, and what others do most likely.
var nextPort = struct {
	sync.Mutex
	port int
}{port: firstPort + rand.IntN(lastPort-firstPort+1)}

// freePorts finds addresses on loopback that nobody listens on. Afterwards somebody
// else could take one, which a node would report when it starts.
func freePorts(n int) (addresses []string, err error) {
	for range n {
		address, err := freePort(func(address string) (io.Closer, error) { return net.Listen("tcp", address) })
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// freeUDPPort finds an address on loopback like freePorts, for datagrams.
func freeUDPPort() (string, error) {
	address, err := freePort(func(address string) (io.Closer, error) { return net.ListenPacket("udp", address) })
	if err != nil {
		return "", fmt.Errorf("find a free UDP port: %w", err)
	}
	return address, nil
}

// freePort finds an address on which listening works.
func freePort(listen func(address string) (io.Closer, error)) (string, error) {
	nextPort.Lock()
	defer nextPort.Unlock()
	var failed error
	for range lastPort - firstPort + 1 {
		address := net.JoinHostPort(loopback, strconv.Itoa(nextPort.port))
		if nextPort.port++; nextPort.port > lastPort {
			nextPort.port = firstPort
		}
		c, err := listen(address)
		if err != nil {
			failed = err
			continue
		}
		return address, c.Close()
	}
	return "", fmt.Errorf("none from %d to %d; the last one: %w", firstPort, lastPort, failed)
}

package localnet

import (
	"errors"
	"fmt"
	"net"
)

const loopback = "127.0.0.1"

// portsPerNode: p2p, RPC, gRPC, REST, Prometheus.
const portsPerNode = 5

// freeUDPPort finds an address on loopback like freePorts, for datagrams.
func freeUDPPort() (string, error) {
	c, err := net.ListenPacket("udp", loopback+":0")
	if err != nil {
		return "", fmt.Errorf("find a free UDP port: %w", err)
	}
	if err := c.Close(); err != nil {
		return "", fmt.Errorf("find a free UDP port: %w", err)
	}
	return c.LocalAddr().String(), nil
}

// freePorts finds addresses on loopback that nobody listens on. All are held
// until the last is found, so that they differ; afterwards somebody else could
// take one, which a node would report when it starts.
func freePorts(n int) (addresses []string, err error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			err = errors.Join(err, l.Close())
		}
	}()
	for range n {
		l, err := net.Listen("tcp", loopback+":0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		held = append(held, l)
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

package localnet

import (
	"fmt"
	"strings"
)

// linked says whether two nodes keep a connection: a node behind a sentry with
// that sentry only, all others with each other.
func linked(a, b Info) bool {
	if a.Behind == "" && b.Behind == "" {
		return a.Name != b.Name
	}
	return a.Behind == b.Name || b.Behind == a.Name
}

// peersOf lists the nodes that a node keeps connections to, as CometBFT wants
// persistent peers.
func peersOf(nodes []Info, of Info) string {
	var peers []string
	for _, n := range nodes {
		if linked(n, of) {
			peers = append(peers, n.NodeID+"@"+n.P2P)
		}
	}
	return strings.Join(peers, ",")
}

// libp2pPeersOf lists the same nodes for the libp2p switch, if there is one.
func libp2pPeersOf(nodes []Info, of Info) string {
	var peers []string
	for _, n := range nodes {
		if linked(n, of) && n.LibP2P != "" {
			peers = append(peers, n.LibP2PID+"@"+n.LibP2P)
		}
	}
	return strings.Join(peers, ",")
}

// sentryOf names the sentry that a validator is behind; both are counted from 0.
func sentryOf(validator, sentries int) string {
	if sentries == 0 {
		return ""
	}
	return sentryName(validator % sentries)
}

func sentryName(i int) string { return fmt.Sprintf("sentry%d", i) }

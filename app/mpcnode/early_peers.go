package mpcnode

import (
	"errors"

	cmtp2p "github.com/cometbft/cometbft/p2p"

	"cosmossdk.io/log/v2"
)

// errEarlyPeer is why a peer is left that came before the reactors.
var errEarlyPeer = errors.New("connected before all reactors had started; it is dialed again")

// dropEarlyPeers leaves the peers that are there when the node has just started.
// They may have been dialed too early: CometBFT starts its reactors one after the
// other, in random order, and the one that exchanges addresses dials those that it
// remembers at once. A reactor that does not run yet ignores a new peer for good,
// so that consensus would never tell it anything: with a validator or two like
// that, a chain of four stands still. All of them are dialed again.
func dropEarlyPeers(sw cmtp2p.Switcher, log log.Logger) {
	for _, peer := range sw.Peers().Copy() {
		log.Info("a peer came before all reactors had started; connecting again", "peer", peer.ID())
		sw.StopPeerForError(peer, &cmtp2p.ErrorTransient{Err: errEarlyPeer})
	}
}

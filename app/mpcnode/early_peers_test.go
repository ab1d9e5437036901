package mpcnode

import (
	"testing"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
)

// leavings notes why the first peer left.
type leavings struct {
	cmtp2p.BaseReactor
	reasons chan any
}

func (l *leavings) RemovePeer(_ cmtp2p.Peer, reason any) {
	select {
	case l.reasons <- reason:
	default: // the switches may have found each other again, and stop
	}
}

// Peers that are there when the node has just started are left, for a reason after
// which the switch dials them again.
func TestEarlyPeersAreDialedAgain(t *testing.T) {
	var all []*leavings
	init := func(_ int, sw *cmtp2p.Switch) *cmtp2p.Switch {
		l := &leavings{reasons: make(chan any, 1)}
		l.BaseReactor = *cmtp2p.NewBaseReactor("leavings", l)
		all = append(all, l)
		sw.AddReactor("leavings", l)
		return sw
	}
	switches := cmtp2p.MakeConnectedSwitches(cmtcfg.DefaultP2PConfig(), 2, init, cmtp2p.Connect2Switches)
	t.Cleanup(func() {
		for _, sw := range switches {
			require.NoError(t, sw.Stop())
		}
	})
	require.Equal(t, 1, switches[0].Peers().Size())
	dropEarlyPeers(switches[0], log.NewNopLogger())
	require.Zero(t, switches[0].Peers().Size())
	reason, transient := cmtp2p.TransientErrorFromAny(<-all[0].reasons)
	require.True(t, transient)
	require.ErrorIs(t, reason, errEarlyPeer)
}

package localnet

import (
	"context"
	"fmt"
	"time"
)

// statusTimeout bounds one look at a node.
const statusTimeout = 2 * time.Second

// Status is where a node's chain stands.
type Status struct {
	Height     int64
	BlockTime  time.Time
	CatchingUp bool
	Peers      int
	AppHash    string
}

// Status asks the node's RPC.
func (n *Node) Status(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	c, err := n.RPC()
	if err != nil {
		return Status{}, err
	}
	s, err := c.Status(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("ask %s for its status: %w", n.info.Name, err)
	}
	net, err := c.NetInfo(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("ask %s for its peers: %w", n.info.Name, err)
	}
	return Status{
		Height: s.SyncInfo.LatestBlockHeight, BlockTime: s.SyncInfo.LatestBlockTime,
		CatchingUp: s.SyncInfo.CatchingUp, Peers: net.NPeers, AppHash: s.SyncInfo.LatestAppHash.String(),
	}, nil
}

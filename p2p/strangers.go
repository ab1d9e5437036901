package p2p

import (
	"cmp"
	"slices"

	cmtp2p "github.com/cometbft/cometbft/p2p"
)

// Stranger is a peer without the MPC channel: no message of MPC passes it.
type Stranger struct {
	ID string `json:"id"`
	// Moniker is what its operator calls it; empty if that is not known. It is anybody's
	// word.
	Moniker string `json:"moniker,omitempty"`
	// Address is empty where the connection has none.
	Address string `json:"address,omitempty"`
}

// maxMonikerBytes of a moniker are shown: CometBFT takes any text of ASCII.
const maxMonikerBytes = 64

// Strangers lists the peers that do not have the channel, by id. Before the reactor is
// part of a switch there are none.
func (r *Reactor) Strangers() []Stranger {
	if r.Switch == nil {
		return nil
	}
	var all []Stranger
	for _, p := range r.Switch.Peers().Copy() {
		if hasChannel(p) {
			continue
		}
		s := Stranger{ID: string(p.ID())}
		if addr := p.SocketAddr(); addr != nil {
			s.Address = addr.DialString()
		}
		if info, ok := p.NodeInfo().(cmtp2p.DefaultNodeInfo); ok {
			s.Moniker = info.Moniker[:min(len(info.Moniker), maxMonikerBytes)]
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Stranger) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

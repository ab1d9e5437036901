package mpcnode

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/client"

	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestShowsPage(t *testing.T) {
	for address, local := range map[string]bool{
		"tcp://localhost:1317": true, "tcp://127.0.0.1:1317": true, "tcp://[::1]:1317": true, "127.0.0.9:1": true,
		"tcp://0.0.0.0:1317": false, "tcp://:1317": false, "tcp://10.0.0.1:1317": false, "tcp://[::]:1317": false,
		"tcp://localhost.example.com:1317": false, "": false,
	} {
		c := DefaultConfig()
		require.Equal(t, local, c.showsPage(address), address)
		c.Page = PageOn
		require.True(t, c.showsPage(address))
		c.Page = PageOff
		require.False(t, c.showsPage(address))
		c.Page, c.Enabled = PageOn, false
		require.False(t, c.showsPage(address))
	}
}

func TestPageKey(t *testing.T) {
	k := mpcmodule.Key{Id: "k", Status: mpcmodule.KEY_STATUS_READY, Threshold: 2, Participants: []string{"a", "b", "c", "d"}, Epoch: 3, ReshareId: "r"}
	require.Equal(t, PageKey{ID: "k", Status: "READY", Epoch: 3, Threshold: 2, Participants: 4, Missing: []string{}, Losses: 1, Reshare: "r"}, pageKey(k))
	k.MissingShares = []string{"a", "d"}
	require.Equal(t, -1, pageKey(k).Losses)
}

func TestPageFaultsAreTheLatest(t *testing.T) {
	var faults []mpcmodule.Fault
	for h := range int64(2 * maxPageFaults) {
		faults = append(faults, mpcmodule.Fault{Height: (h * 7) % (2 * maxPageFaults), Kind: mpcmodule.FAULT_KIND_EQUIVOCATION})
	}
	shown := latest(faults)
	require.Len(t, shown, maxPageFaults)
	for i, f := range shown {
		require.Equal(t, int64(2*maxPageFaults-1-i), f.Height)
		require.True(t, f.Proof)
	}
}

func TestPageWhileTheNodeStarts(t *testing.T) {
	_, err := (&pageSource{}).asker("seq-1", client.Context{})(t.Context())
	require.ErrorIs(t, err, errStarting)
}

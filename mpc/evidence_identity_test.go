package mpc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestHearsEvidenceOfReplacedIdentities: of presignatures it is by an identity that was
// current since the key has its shares, and was replaced or revoked not long ago, as the
// chain has it.
func TestHearsEvidenceOfReplacedIdentities(t *testing.T) {
	const faultBlocks = 600
	for name, tt := range map[string]struct {
		until   int64
		revoked bool
		height  int64
		taken   bool
	}{
		"replaced":                       {30, false, 40, true},
		"revoked":                        {30, true, 40, true},
		"replaced as the key got shares": {20, false, 40, true},
		"replaced before":                {19, false, 40, false},
		"revoked before":                 {19, true, 40, false},
		"replaced fault_blocks ago":      {30, false, 30 + faultBlocks, true},
		"replaced long ago":              {30, false, 31 + faultBlocks, false},
		"revoked long ago":               {30, true, 31 + faultBlocks, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			key := types.Key{ID: "key", Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops, DecidedHeight: 20}
			d.view.Keys["key"] = key
			presign, ok := types.PresignRequest(&key, d.view.Roster)
			require.True(t, ok)
			e := d.prove(&presign, "op-02")
			e.KeyID = "key"
			roster := make(map[types.Operator][]types.Identity)
			for _, op := range d.ops {
				roster[op] = []types.Identity{{Version: 1, Key: d.public(op)}}
			}
			roster["op-02"][0].Until, roster["op-02"][0].Revoked = tt.until, tt.revoked
			if !tt.revoked {
				roster["op-02"] = append(roster["op-02"], types.Identity{Version: 2, Key: make([]byte, 32)})
			}
			d.view.Roster, d.view.Height, d.view.FaultBlocks = types.NewRoster(roster), tt.height, faultBlocks
			d.start()
			d.hear(e)
			require.Equal(t, tt.taken, len(d.core.Results().Evidence) == 1)
		})
	}
}

package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// validateRefuses: what would end every validator in the first block is said by "genesis
// validate" before. The genesis of the home, for seq-1, has a participant.
func validateRefuses(t *testing.T, home string) {
	t.Helper()
	path := filepath.Join(home, "config", "genesis.json")
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, c := range []struct {
		old, replacement string
		want             error
	}{
		{`"requesters": []`, `"requesters": ["cosmos1xyz"]`, mpctypes.ErrBadParams},
		{`"chain_id": "seq-1"`, `"chain_id": "seq-2"`, mpctypes.ErrBadProof},
	} {
		nodehome.Edit(t, home, "genesis.json", c.old, c.replacement)
		_, err = run(t, home, "genesis", "validate")
		require.ErrorContains(t, err, c.want.Error(), c.replacement)
		require.NoError(t, os.WriteFile(path, good, 0o600))
	}
}

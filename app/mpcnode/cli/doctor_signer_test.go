package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
)

// Of a home that was made anew, and whose MPC folder was restored, the doctor says that its
// consensus key is not that of the validator, or that there is none.
func TestDoctorOnTheConsensusKey(t *testing.T) {
	t.Parallel()
	home := validator(t)
	key, state := filepath.Join(home, "config", "priv_validator_key.json"), filepath.Join(home, "data", "priv_validator_state.json")
	finds := func() doctor.Finding {
		found, err := diagnose(t, home)
		require.Equal(t, found["consensus key"].Level == doctor.Problem, err != nil)
		return found["consensus key"]
	}
	require.Equal(t, doctor.OK, finds().Level, "a validator begins so")
	withDatabase(t, home, func(db *storage.DB) { require.NoError(t, db.PutRecord(fixtureShare("a", 0))) })
	require.Contains(t, finds().Detail, "never signed a block")
	require.Equal(t, doctor.OK, finds().Level, "the chain began again, perhaps")
	require.NoError(t, os.WriteFile(state, []byte(`{"height": "17", "round": 0, "step": 3}`), 0o600))
	require.Contains(t, finds().Detail, "signed last at height 17")
	require.NoError(t, os.Remove(state))
	require.Equal(t, doctor.Problem, finds().Level)
	require.Contains(t, finds().Detail, state)
	require.NoError(t, os.Remove(key))
	require.Equal(t, doctor.Warning, finds().Level)
	require.Contains(t, finds().Detail, key)
	nodehome.Edit(t, home, "config.toml", `priv_validator_laddr = ""`, `priv_validator_laddr = "tcp://127.0.0.1:1234"`)
	require.Empty(t, finds(), "another process signs")
}

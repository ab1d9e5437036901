package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/testutil/nodehome"
)

// diagnose runs the doctor on a home whose node does not run. The disk is the machine's.
func diagnose(t *testing.T, home string, args ...string) (map[string]doctor.Finding, error) {
	t.Helper()
	out, err := run(t, home, append([]string{"mpc", "doctor", "--output", "json"}, args...)...)
	var r doctor.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r), out)
	found := make(map[string]doctor.Finding)
	for _, f := range r.Findings {
		found[f.Check] = f
	}
	delete(found, "disk")
	return found, err
}

// Of a node that does not run, the doctor looks at the files, and changes nothing.
func TestDoctorOnFiles(t *testing.T) {
	t.Parallel()
	home := validator(t)
	paths := mpcnode.DefaultConfig().PathsOf(home)
	found, err := diagnose(t, home)
	require.NoError(t, err, "warnings are no problem")
	require.Equal(t, doctor.Warning, found["node"].Level)
	require.Equal(t, doctor.OK, found["identity"].Level)
	require.Equal(t, doctor.OK, found["consensus key"].Level)
	require.Equal(t, doctor.OK, found["passphrase"].Level)
	require.Equal(t, doctor.OK, found["database"].Level)
	require.Equal(t, doctor.Warning, found["pre-parameters"].Level)
	require.Equal(t, types.ErrNoPreparams, found["pre-parameters"].Reason)
	require.Empty(t, found["leftovers"])
	_, err = diagnose(t, home, "--strict")
	require.ErrorContains(t, err, "warning")
	left := filepath.Join(paths.Folder, ".db.incomplete-7")
	require.NoError(t, os.Mkdir(left, 0o700))
	found, err = diagnose(t, home)
	require.NoError(t, err)
	require.Contains(t, found["leftovers"].Detail, left)
	require.NoError(t, os.Remove(left))
	found, err = diagnose(t, home, "--for", "keygen")
	require.ErrorContains(t, err, "the doctor found")
	require.Equal(t, doctor.Problem, found["pre-parameters"].Level)

	withDatabase(t, home, func(db *storage.DB) {
		_, err := db.AddPreparams([]byte("a set"))
		require.NoError(t, err)
		require.NoError(t, db.PutRecord(fixtureShare("a", 0)))
	})
	before := nodehome.Files(t, paths.Folder)
	out, err := run(t, home, "mpc", "doctor")
	require.NoError(t, err)
	_, err = run(t, home, "mpc", "keys")
	require.NoError(t, err)
	require.Equal(t, before, nodehome.Files(t, paths.Folder), "nothing is changed by who looks")
	require.Regexp(t, `(?m)^ok +database +whole: 1 records, 1 shares$`, out)
	require.Regexp(t, `(?m)^warning +node +it does not run`, out)
	require.Regexp(t, `(?m)^ +-> start it: sequencerd start`, out)

	nodehome.WritePassphrase(t, home, "pass", "donkey")
	found, err = diagnose(t, home)
	require.ErrorContains(t, err, "1 problem")
	require.Equal(t, doctor.Problem, found["passphrase"].Level)
	require.Contains(t, found["passphrase"].Detail, "that of file:config/pass is wrong")
	require.Equal(t, doctor.Warning, found["database"].Level, "nothing is said of what was not opened")
	require.Equal(t, before, nodehome.Files(t, paths.Folder))
	nodehome.WritePassphrase(t, home, "right", nodehome.Passphrase)
	found, err = diagnose(t, home, "--mpc-passphrase", "file:config/right")
	require.NoError(t, err)
	require.Equal(t, doctor.OK, found["passphrase"].Level)
	found, err = diagnose(t, home, "--mpc-passphrase", "file:config/nowhere")
	require.Error(t, err)
	require.Contains(t, found["passphrase"].Detail, "cannot be had")

	nodehome.Edit(t, home, "app.toml", `passphrase = "file:config/pass"`, `passphrase = "credential:mpc"`)
	found, err = diagnose(t, home)
	require.NoError(t, err)
	require.Equal(t, doctor.Warning, found["passphrase"].Level, "it may be there for the node alone")
	nodehome.Edit(t, home, "app.toml", `passphrase = "credential:mpc"`, `passphrase = "file:config/right"`)

	require.NoError(t, os.RemoveAll(paths.Database))
	found, err = diagnose(t, home)
	require.Error(t, err)
	require.Equal(t, types.ErrDatabaseLost, found["database"].Reason)
}

func TestDoctorOnAFullNode(t *testing.T) {
	t.Parallel()
	home := fullNode(t)
	found, err := diagnose(t, home)
	require.NoError(t, err)
	require.Equal(t, doctor.OK, found["identity"].Level)
	found, err = diagnose(t, home, "--for", "sign")
	require.Error(t, err)
	require.Equal(t, doctor.Problem, found["identity"].Level)
	require.Contains(t, found["identity"].Remedy, "sequencerd mpc identity create")
	_, err = run(t, home, "mpc", "doctor", "--for", "breakfast")
	require.ErrorContains(t, err, "--for")
	for _, args := range [][]string{
		{"--for", "sign", "--participants", "a,b"}, {"--for", "sign", "--threshold", "1"}, {"--for", "keygen", "--key", "a", "--participants", "a,b"},
	} {
		_, err = run(t, home, append([]string{"mpc", "doctor"}, args...)...)
		require.ErrorContains(t, err, "--participants and --threshold are of")
	}
	_, err = diagnose(t, home, "--for", "keygen", "--participants", "a,b", "--threshold", "1")
	require.ErrorContains(t, err, "the doctor found", "that it does not run")
}

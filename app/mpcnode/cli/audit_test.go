package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/storage/audit"
)

func TestAuditVerify(t *testing.T) {
	home := fullNode(t)
	verify := []string{"mpc", "audit", "verify"}
	_, err := run(t, home, verify...)
	require.ErrorIs(t, err, audit.ErrNone)
	folder := filepath.Join(home, "mpc")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	log, err := audit.Open(folder)
	require.NoError(t, err)
	for _, event := range []string{audit.Begin, audit.End, audit.Begin} {
		require.NoError(t, log.Append(audit.Entry{Event: event, Kind: "sign", Request: "payment-1", Session: strings.Repeat("a", 64)}))
	}
	_, hash := log.Last()
	require.NoError(t, log.Close())
	out, err := run(t, home, verify...)
	require.NoError(t, err)
	require.Contains(t, out, hash)
	require.Contains(t, out, "2 began, 1 ended")
	require.Contains(t, out, "sign/payment-1")

	noted := "3:" + hash
	require.Contains(t, out, noted)
	_, err = run(t, home, append(verify, "--contains", noted, "--contains", "3:"+strings.ToUpper(hash))...)
	require.NoError(t, err)
	for line, want := range map[string]string{
		"2:" + hash: "line 2 is not the one", "4:" + hash: "were cut off", "x:" + hash: "no NUMBER:HASH", "3:": "no NUMBER:HASH", hash: "no NUMBER:HASH",
	} {
		_, err = run(t, home, append(verify, "--contains", noted, "--contains", line)...)
		require.ErrorContains(t, err, want)
	}

	path := filepath.Join(folder, "audit.log")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text[:len(text)-5], 0o600))
	out, err = run(t, home, verify...)
	require.NoError(t, err)
	require.Contains(t, out, "torn")

	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), "payment-1", "payment-2", 1)), 0o600))
	_, err = run(t, home, verify...)
	require.ErrorIs(t, err, audit.ErrBroken)
	require.ErrorContains(t, err, "line 1")
}

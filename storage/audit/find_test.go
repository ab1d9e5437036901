package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Uses for a request are found over all files, whatever else stands there; lines that were
// changed are not believed.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	found, err := Find(dir, "b", "")
	require.NoError(t, err)
	require.Empty(t, found)
	l, err := open(dir, 8<<10, time.Now)
	require.NoError(t, err)
	for range 10 {
		for _, request := range []string{"a", "b", "bb"} {
			require.NoError(t, l.Append(Entry{Event: Begin, Kind: "sign", Request: request, Key: "b", Session: "abcdef0123" + request}))
			require.NoError(t, l.Append(Entry{Event: End, Kind: "sign", Request: request, Key: "b", Session: "abcdef0123" + request, Outcome: OutcomeOK}))
		}
	}
	require.NoError(t, l.Append(Entry{Event: Restored, Note: "b"}))
	require.NoError(t, l.Close())
	files, err := rotatedFiles(dir)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	found, err = Find(dir, "b", "")
	require.NoError(t, err)
	require.Len(t, found, 20)
	for i, e := range found {
		require.Equal(t, "b", e.Request)
		require.True(t, i == 0 || e.Number > found[i-1].Number)
	}
	found, err = Find(dir, "", "abcdef0123a")
	require.NoError(t, err)
	require.Len(t, found, 20)

	path := filepath.Join(dir, current)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	before, err := Find(dir, "", "abcdef")
	require.NoError(t, err)
	require.Len(t, before, 60)
	changed := bytes.ReplaceAll(text, []byte(`"key":"b"`), []byte(`"key":"c"`))
	require.NotEqual(t, text, changed)
	require.NoError(t, os.WriteFile(path, append(changed, []byte(`{"event":"begin","request":"b"}`+"\n")...), 0o600))
	found, err = Find(dir, "b", "")
	require.NoError(t, err)
	require.Less(t, len(found), 20)
	for _, e := range found {
		require.NotEmpty(t, e.Session)
	}
}

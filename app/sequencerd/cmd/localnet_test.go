package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
)

// scripted is the configuration of a network of two nodes that are shell scripts;
// "$3" is the home of a node.
func scripted(t *testing.T, script string) localnet.Config {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	m := localnet.Manifest{ChainID: "seq-9", BlockTime: "1s", Transport: "comet", RetireBlocks: 100, KeyringDir: dir}
	for i := range 2 {
		home := filepath.Join(dir, fmt.Sprintf("node%d", i))
		m.Nodes = append(m.Nodes, localnet.Info{Name: filepath.Base(home), Operator: operator, Home: home, Log: home + ".log"})
	}
	text, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, localnet.ManifestName), text, 0o600))
	cfg := localnet.DefaultConfig(dir, binary)
	cfg.Progress = func(string) {}
	return cfg
}

// onWord calls a function when a word was written.
type onWord struct {
	bytes.Buffer
	word string
	then func()
}

// Write implements io.Writer.
func (w *onWord) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.then != nil && bytes.Contains(w.Bytes(), []byte(w.word)) {
		w.then()
		w.then = nil
	}
	return n, err
}

// A network whose nodes have all ended is over, with an error, however they ended;
// one that still runs keeps it going.
func TestLocalnetEndsWithItsLastNode(t *testing.T) {
	const first, second = "node0 ended: exit status 3", "node1 ended: exit status 3"
	for name, c := range map[string]struct {
		script string
		dead   []string
	}{
		"they fail":     {"exit 3", []string{first, second}},
		"one fails":     {`case "$3" in *0) exit 3;; esac`, []string{first}},
		"they end well": {"exit 0", nil},
		"one after the other": {
			`case "$3" in *1) until [ -e "$3.go" ]; do sleep 0.1; done;; esac; exit 3`, []string{first, second},
		},
	} {
		// Written while nothing else runs: a process that is forked meanwhile would have the
		// script open for writing, and nobody could execute it (golang/go#22315).
		cfg := scripted(t, c.script)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := &onWord{word: "node0.log · node1 starting", then: func() {
				require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, "node1.go"), nil, 0o600))
			}}
			cmd := localnetCmd()
			cmd.SetErr(said)
			err := runLocalnet(t.Context(), cmd, cfg)
			require.ErrorIs(t, err, errNoNodeRuns)
			for _, dead := range c.dead {
				require.ErrorContains(t, err, dead)
			}
			require.Contains(t, said.String(), "node1 stopped, see ")
		})
	}
}

package cli

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

type foreignText string

func (f foreignText) text() string { return string(f) }

// What others say moves no cursor of whoever reads it.
func TestShowIsPlain(t *testing.T) {
	cmd, out := &cobra.Command{}, &bytes.Buffer{}
	cmd.SetOut(out)
	addOutputFlag(cmd)
	require.NoError(t, show(cmd, foreignText("one\x1b[2J\r\u009b1m\u202e\n  two é\n")))
	require.Equal(t, "one[2J1m\n  two é\n", out.String())
}

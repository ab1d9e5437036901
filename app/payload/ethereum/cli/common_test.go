package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	mpcnodecli "github.com/sequencer-mpc/sequencer/app/mpcnode/cli"
	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

var kinds = mpctypes.NewPayloadKinds(ethereum.Kinds()...)

// run calls "payload" with arguments, one of which may be in several words, and gives what
// it wrote to standard output.
func run(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := mpcnodecli.PayloadCommand(kinds, Builders()...)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

// built is the payload that a builder wrote, which is one line.
func built(t *testing.T, stdin string, args ...string) []byte {
	t.Helper()
	out, err := run(t, stdin, args...)
	require.NoError(t, err, args)
	line, isLine := strings.CutSuffix(out, "\n")
	require.True(t, isLine)
	require.Regexp(t, "^0x([0-9a-f]{2})+$", line)
	return common.FromHex(line)
}

// report is what --output json says.
type report struct {
	Payload, Digest         string
	Refused, Remedy, Detail string
}

func decodeReport(t *testing.T, out string) (r report) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(out), &r), out)
	return r
}

// digestOf is what every participant would sign of a payload.
func digestOf(t *testing.T, kind string, data []byte) string {
	t.Helper()
	decoded, err := kinds.Decode(mpctypes.Payload{Kind: kind, Data: data})
	require.NoError(t, err)
	return "0x" + decoded.Digest().String()
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

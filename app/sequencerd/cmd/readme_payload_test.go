package cmd

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// What the module's README names as the writer of typed data writes the form that is
// signed, also where other programs that sort names do not.
func TestReadmeNamesTheWriterOfTypedData(t *testing.T) {
	named := regexp.MustCompile("canonical \\(RFC 8785\\), as `mpc payload ([a-z-]+)`").FindStringSubmatch(readText(t, "x/mpc/README.md"))
	require.Len(t, named, 2)
	path := filepath.Join(t.TempDir(), "vote.json")
	require.NoError(t, os.WriteFile(path, []byte(`{
		"types": {"Vote": [{"name": "on", "type": "string"}], "EIP712Domain": [{"name": "name", "type": "string"}]},
		"primaryType": "Vote", "message": {"on": "\u007f\u00e9\u001f"}, "domain": {"name": "Council"}
	}`), 0o600))
	out, err := run(t, t.TempDir(), "mpc", "payload", named[1], path)
	require.NoError(t, err)
	data, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(out), "0x"))
	require.NoError(t, err)
	require.Equal(t, `{"domain":{"name":"Council"},"message":{"on":"`+"\x7fé"+`\u001f"},"primaryType":"Vote",`+
		`"types":{"EIP712Domain":[{"name":"name","type":"string"}],"Vote":[{"name":"on","type":"string"}]}}`, string(data))
	_, err = types.NewPayloadKinds(ethereum.Kinds()...).Decode(types.Payload{Kind: named[1], Data: data})
	require.NoError(t, err)
}

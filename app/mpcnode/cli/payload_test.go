package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakekind"
)

// noteBuilder makes notes of what stands behind their chain.
func noteBuilder() PayloadBuilder {
	return PayloadBuilder{
		Kind:    fakekind.Name,
		Command: &cobra.Command{Use: fakekind.Name + " REST", Args: cobra.ExactArgs(1)},
		Build:   func(_ *cobra.Command, args []string) ([]byte, error) { return []byte("chain/" + args[0]), nil },
	}
}

// runPayload calls "payload" of a chain that has notes.
func runPayload(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := PayloadCommand(types.NewPayloadKinds(fakekind.Kind{}), noteBuilder())
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

// A kind that explains nothing is shown by what it claims, and nothing of that looks like
// another line.
func TestPayloadShow(t *testing.T) {
	note := fakekind.Note{Chain: "chain", Nonce: 7, Fee: 2, To: "a\nkind", Value: 3, Call: "b"}
	digest, claims := note.Digest(), note.Claims()
	out, err := runPayload(t, "show", "note", string(note.Data()))
	require.NoError(t, err)
	require.Equal(t, `kind    note, 20 bytes
digest  0x`+digest.String()+`
chain   chain
to      "a\nkind"
value   3 of the smallest unit
fee     2 of them at most
calls   b
place   chain/7: a key signs one effect there, for ever
effect  0x`+claims.Effect.String()+"\n", out)
	out, err = runPayload(t, "show", "note", string(note.Data()), "--output", "json")
	require.NoError(t, err)
	require.JSONEq(t, `{"kind": "note", "payload": "0x636861696e2f372f322f610a6b696e642f332f62", "bytes": 20, "digest": "0x`+digest.String()+`",
		"claims": {"chain_id": "chain", "to": "a\nkind", "value": "3", "fee": "2", "calls": ["b"], "place": "chain/7", "effect": "0x`+claims.Effect.String()+`"},
		"details": null}`, out)

	note = fakekind.Note{Chain: "chain", To: strings.Repeat("a", 16<<10)}
	out, err = runPayload(t, "show", "note", string(note.Data()))
	require.NoError(t, err)
	require.Contains(t, out, "too large  on a chain that leaves max_payload_bytes at 16384\n")
}

func TestPayloadShowRefuses(t *testing.T) {
	for payload, want := range map[string]types.Reason{
		fakekind.Unreadable: types.ErrBadPayload, fakekind.NotCanonical: types.ErrNotCanonical, fakekind.Panics: types.ErrBadPayload,
		strings.Repeat("a", types.MaxSignPayloadBytes+1): types.ErrPayloadTooLarge,
	} {
		out, err := runPayload(t, "show", "note", payload, "--output", "json")
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, "no participant would sign it: ")
		require.ErrorContains(t, err, want.Remedy())
		var refused refusedPayload
		require.NoError(t, json.Unmarshal([]byte(out), &refused))
		require.Equal(t, want, refused.Refused)
		out, err = runPayload(t, "show", "note", payload)
		require.ErrorIs(t, err, want)
		require.Empty(t, out)
	}
	_, err := runPayload(t, "show", "letter", "a")
	require.ErrorIs(t, err, types.ErrUnknownKind)
	require.ErrorContains(t, err, "this program knows note")
	_, err = runPayload(t, "show", "note", "0xz")
	require.ErrorContains(t, err, "is no hex")
	_, err = runPayload(t, "show", "note")
	require.ErrorContains(t, err, "accepts 2 arg(s)")
}

// A builder's payload is written as the transaction takes it, and nothing that participants
// would refuse.
func TestPayloadBuilder(t *testing.T) {
	out, err := runPayload(t, "note", "7/2/a/3/b")
	require.NoError(t, err)
	require.Equal(t, "0x636861696e2f372f322f612f332f62\n", out)
	path := filepath.Join(t.TempDir(), "payload")
	out, err = runPayload(t, "note", "7/2/a/3/b", "--output-document", path)
	require.NoError(t, err)
	require.Equal(t, "@"+path+"\n", out)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "chain/7/2/a/3/b", string(data))
	_, err = runPayload(t, "note", "7", "--output-document", filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, types.ErrBadPayload)
	require.Panics(t, func() { PayloadCommand(types.NewPayloadKinds(), noteBuilder()) }, "the chain has no such kind")
}

func TestPayloadDigest(t *testing.T) {
	const digest = "9c185769425f985f6e2e625f095067a174e7dcd4d0e53cdcba1d6f9734d39701"
	for _, arg := range []string{digest, "0x" + digest, strings.ToUpper(digest)} {
		out, err := runPayload(t, "digest", arg)
		require.NoError(t, err)
		require.Equal(t, digest+"\n", out)
	}
	out, err := runPayload(t, "digest", digest, "--output", "json")
	require.NoError(t, err)
	require.JSONEq(t, `{"digest": "`+digest+`"}`, out)
	for _, arg := range []string{digest[2:], strings.Repeat("0", 64), strings.Repeat("f", 64), "hello"} {
		_, err := runPayload(t, "digest", arg)
		require.ErrorIs(t, err, types.ErrBadDigest, arg)
		require.ErrorContains(t, err, "give 32 bytes")
	}
}

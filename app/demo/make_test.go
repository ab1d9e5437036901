package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// printer is a compiler whose programs print the arguments they are called with,
// one a line.
const printer = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$2"
chmod +x "$2"
`

// The message is the signer's own: make and the shell take nothing in it for theirs.
func TestMakeHandsTheMessageOn(t *testing.T) {
	tool, build := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(tool, "go"), []byte(printer), 0o700))
	trace := filepath.Join(build, "trace")
	for name, message := range map[string]string{
		"plain":     "Hello, world!",
		"quotes":    `say "it's mine"`,
		"commands":  "`touch " + trace + "` $(touch " + trace + ") ; touch " + trace,
		"variables": "I owe you $5, $$5 and ${HOME} \\ # not $@",
		"functions": "$(shell touch " + trace + ")",
		"lines":     "one\ntwo",
		"empty":     "",
	} {
		for _, way := range []string{"command line", "environment"} {
			t.Run(name+" by "+way, func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-s", "demo", "BUILD="+build)
				cmd.Dir = "../.."
				cmd.Env = append(os.Environ(), "PATH="+tool+string(os.PathListSeparator)+os.Getenv("PATH"))
				if way == "environment" {
					cmd.Env = append(cmd.Env, "MESSAGE="+message)
				} else {
					cmd.Args = append(cmd.Args, "MESSAGE="+message)
				}
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, string(out))
				require.Equal(t, "-binary\n"+build+"/sequencerd\n-message\n"+message+"\n", string(out))
				require.NoFileExists(t, trace)
			})
		}
	}
}

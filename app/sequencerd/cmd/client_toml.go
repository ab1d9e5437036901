package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// chainIDLine is where client.toml says which chain transactions are for.
var chainIDLine = regexp.MustCompile(`(?m)^chain-id[ \t]*=.*$`)

// setClientChain lets a home's client.toml name the chain. The SDK writes that file with the
// first command that is called on a home, whichever it is, and names a chain in it only if
// that command was given one: after others, transactions would need --chain-id for ever.
func setClientChain(home, chainID string) error {
	path := filepath.Join(home, "config", "client.toml")
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read client.toml: %w", err)
	}
	text, line := string(before), fmt.Sprintf("chain-id = %q", chainID)
	switch found := chainIDLine.FindString(text); {
	case found == line:
		return nil
	case found != "":
		text = strings.Replace(text, found, line, 1)
	default:
		text = line + "\n" + text
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write client.toml, which is to have %s: %w", line, err)
	}
	return nil
}

package mpcnode

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/viper"

	"github.com/sequencer-mpc/sequencer/storage"
)

// Where app.toml keeps the source of the passphrase.
const (
	mpcSection    = "[mpc]"
	passphraseKey = "passphrase"
)

// StoredPassphraseSource is the source that an app.toml names, whatever flags and
// environment say.
func StoredPassphraseSource(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read app.toml: %w", err)
	}
	return passphraseIn(string(text))
}

// StorePassphraseSource writes the source into an app.toml and leaves everything
// else in it as it is, comments too.
func StorePassphraseSource(path, source string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read app.toml: %w", err)
	}
	if there, err := passphraseIn(string(before)); err != nil || there == source {
		return err
	}
	after := withPassphrase(string(before), source)
	if there, err := passphraseIn(after); err != nil || there != source {
		return errors.Join(fmt.Errorf("passphrase cannot be set in %s, which is written in a way of its own; set it yourself, in section %s", path, mpcSection), err)
	}
	return replaceFile(path, []byte(after))
}

// passphraseIn reads the text of an app.toml.
func passphraseIn(text string) (string, error) {
	v := viper.New()
	v.SetConfigType("toml")
	if err := v.ReadConfig(strings.NewReader(text)); err != nil {
		return "", fmt.Errorf("read app.toml: %w", err)
	}
	cfg, err := decodeConfig(v)
	return cfg.Passphrase, err
}

// withPassphrase replaces the line with the key. Without one it goes below the
// head of the section, and without that both go to the end.
func withPassphrase(text, source string) string {
	line := fmt.Sprintf("%s = %q", passphraseKey, source)
	lines := strings.Split(text, "\n")
	head := -1
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") {
			if head >= 0 {
				break // the section is over
			}
			if strings.HasPrefix(l, mpcSection) {
				head = i
			}
			continue
		}
		key, _, found := strings.Cut(l, "=")
		if head >= 0 && found && strings.TrimSpace(key) == passphraseKey {
			lines[i] = line
			return strings.Join(lines, "\n")
		}
	}
	if head < 0 {
		return strings.TrimRight(text, "\n") + "\n\n" + mpcSection + "\n" + line + "\n"
	}
	lines[head] += "\n" + line
	return strings.Join(lines, "\n")
}

// replaceFile gives a file other content, all at once and on disk, and leaves its mode:
// a power failure must not leave a passphrase changed and its source forgotten.
func replaceFile(path string, data []byte) error {
	info, err := os.Stat(path)
	if err == nil {
		err = storage.ReplaceFile(path, data, info.Mode().Perm())
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

package mpcnode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// MaxPassphraseBytes bounds what is read from a source: a key file of another
// kind, or a device, is noticed instead of read for ever.
const MaxPassphraseBytes = 1024

// ErrNoTerminal is what a daemon sees that should ask.
var ErrNoTerminal = errors.New("there is no terminal to ask on; set passphrase in section [mpc] of app.toml to file:PATH, env:NAME or credential:NAME")

// PassphraseSource is where a passphrase comes from.
type PassphraseSource struct {
	kind passphraseKind
	// name of the file, variable or credential.
	name string
}

type passphraseKind string

const (
	fromPrompt     passphraseKind = "prompt"
	fromFile       passphraseKind = "file"
	fromEnv        passphraseKind = "env"
	fromCredential passphraseKind = "credential"
)

// ParsePassphraseSource understands "prompt", "file:PATH", "env:NAME" and
// "credential:NAME".
func ParsePassphraseSource(text string) (PassphraseSource, error) {
	kind, name, colon := strings.Cut(text, ":")
	s := PassphraseSource{passphraseKind(kind), name}
	known := true
	switch s.kind {
	case fromPrompt:
		if text == string(fromPrompt) {
			return s, nil
		}
	case fromCredential:
		if name != "" && filepath.Base(name) == name {
			return s, nil
		}
	case fromFile, fromEnv:
		if name != "" {
			return s, nil
		}
	default:
		known = false
	}
	// The text is not shown: some people write the passphrase itself there, and
	// errors end up in logs.
	begins := ""
	if known && colon {
		begins = fmt.Sprintf(" (it begins with %q)", kind+":")
	}
	return PassphraseSource{}, fmt.Errorf("the passphrase source%s is none of: prompt, file:PATH, env:NAME, credential:NAME; name where the passphrase comes from, not the passphrase", begins)
}

// String is what ParsePassphraseSource was given.
func (s PassphraseSource) String() string {
	if s.kind == fromPrompt {
		return string(s.kind)
	}
	return string(s.kind) + ":" + s.name
}

// Read gets the passphrase, without the line end. The caller wipes it. Relative
// file names are below home. what names the secret in the prompt.
func (s PassphraseSource) Read(home, what string) ([]byte, error) {
	pass, err := s.read(home, what)
	if err != nil {
		return nil, fmt.Errorf("read the MPC passphrase from %s: %w", s, err)
	}
	if len(pass) == 0 {
		return nil, fmt.Errorf("the MPC passphrase from %s is empty; set it, or name another source in section [mpc] of app.toml", s)
	}
	return pass, nil
}

// ReadNew gets a passphrase for something new: whoever types it types it twice.
func (s PassphraseSource) ReadNew(home, what string) ([]byte, error) {
	pass, err := s.Read(home, what)
	if err != nil || s.kind != fromPrompt {
		return pass, err
	}
	again, err := prompt(what + ", once more")
	defer types.Wipe(again)
	if err != nil || !bytes.Equal(pass, again) {
		types.Wipe(pass)
		return nil, errors.Join(err, errors.New("the two passphrases differ; try again"))
	}
	return pass, nil
}

func (s PassphraseSource) read(home, what string) ([]byte, error) {
	switch s.kind {
	case fromFile:
		path := s.path(home)
		if err := checkPrivateFile(path); err != nil {
			return nil, err
		}
		return readFirstLine(path)
	case fromCredential:
		path, err := s.credential()
		if err != nil {
			return nil, err
		}
		return readFirstLine(path)
	case fromEnv:
		value := os.Getenv(s.name)
		// Children do not inherit it. The kernel goes on showing what the process was
		// started with, which nothing here can wipe.
		if err := os.Unsetenv(s.name); err != nil {
			return nil, err
		}
		return []byte(value), nil
	}
	return prompt(what)
}

// path of the file.
func (s PassphraseSource) path(home string) string {
	if filepath.IsAbs(s.name) {
		return s.name
	}
	return filepath.Join(home, s.name)
}

// credential is the file of the systemd credential.
func (s PassphraseSource) credential() (string, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return "", errors.New("CREDENTIALS_DIRECTORY is not set; start the node by a systemd unit with LoadCredential=" + s.name)
	}
	return filepath.Join(dir, s.name), nil
}

// checkPrivateFile refuses a file that others can read: the passphrase would
// protect nothing from them. For a missing one it says how to make it.
func checkPrivateFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w; make it, readable for its owner only: mkdir -p %s && (umask 077; head -c 32 /dev/urandom | base64 > %s), and keep a copy elsewhere",
			err, filepath.Dir(path), path)
	}
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others can read it (mode %#o); run: chmod 600 %s", mode, path)
	}
	return nil
}

func readFirstLine(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return firstLine(f)
}

// firstLine reads into one buffer and wipes it: a buffer that grows leaves copies of
// what it held.
func firstLine(r io.Reader) ([]byte, error) {
	data := make([]byte, MaxPassphraseBytes+1)
	defer types.Wipe(data)
	n, err := io.ReadFull(r, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	line, _, _ := bytes.Cut(data[:n], []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) > MaxPassphraseBytes {
		return nil, fmt.Errorf("the first line has more than %d bytes", MaxPassphraseBytes)
	}
	return bytes.Clone(line), nil
}

// prompt asks on the terminal. Without one, which is how daemons run, it says
// what to configure.
func prompt(what string) ([]byte, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return nil, ErrNoTerminal
	}
	fmt.Fprintf(os.Stderr, "Passphrase of %s: ", what)
	pass, err := term.ReadPassword(fd)
	fmt.Fprintln(os.Stderr)
	return pass, err
}

// PassphraseForAll says whether whoever has the node's files can read the passphrase from
// where the configuration says: a file, which is read as often as somebody wants.
func (c Config) PassphraseForAll() bool {
	source, err := ParsePassphraseSource(c.Passphrase)
	return err == nil && source.kind == fromFile
}

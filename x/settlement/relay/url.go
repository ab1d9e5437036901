package relay

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The URL of the other chain's node may have a key in it. A command line can be read by everybody on
// the machine, and stands in its logs, so the URL may be elsewhere.
const (
	fromEnv  = "env:"
	fromFile = "file:"
)

// variable is the name of one: a URL that is written there by mistake is none, and not shown.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readURL is the URL that --rpc is, or names. Relative file names are below home. No error has the
// URL in it.
func readURL(text, home string) (string, error) {
	from, found := "", text
	if name, is := strings.CutPrefix(text, fromEnv); is {
		if !variable.MatchString(name) {
			return "", errors.New("env: is followed by the name of a variable, which has the URL")
		}
		from, found = text, os.Getenv(name)
	} else if path, is := strings.CutPrefix(text, fromFile); is {
		if path == "" || strings.Contains(path, "://") {
			return "", errors.New("file: is followed by the path of a file, which has the URL")
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(home, path)
		}
		line, err := firstLine(path)
		if err != nil {
			return "", fmt.Errorf("read the URL from %s: %w", path, err)
		}
		from, found = text, line
	}
	found = strings.TrimSpace(found)
	if found == "" {
		if from == "" {
			return "", errors.New("give the URL of a node of the other chain, or env:NAME or file:PATH, where it stands")
		}
		return "", fmt.Errorf("%s is empty: write the URL of a node of the other chain there", from)
	}
	if _, err := url.Parse(found); err != nil { // which may quote any part of it
		return "", errors.New("it is no URL; write it as https://HOST/PATH, wss://HOST/PATH or the path of a socket")
	}
	return found, nil
}

// firstLine of a file that its owner alone can read.
func firstLine(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", bare(err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("others can read it (mode %#o), and the URL may have a key in it; run: chmod 600 %s", mode, path)
	}
	data, err := os.ReadFile(path)
	line, _, _ := strings.Cut(string(data), "\n")
	return line, bare(err)
}

// bare is an error without the path of its file, which is said already.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// private is an error without the node's URL, which may have a key in it.
func private(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	// What has no scheme is taken for the path of a socket, whatever was meant.
	var socket *net.OpError
	if errors.As(err, &socket) && socket.Net == "unix" {
		return fmt.Errorf("open it as a socket: %w", socket.Err)
	}
	return err
}

package rooms

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module   = "github.com/sequencer-mpc/sequencer/"
	sdk      = "github.com/cosmos/cosmos-sdk"
	comet    = "github.com/cometbft/cometbft"
	tssLib   = "github.com/bnb-chain/tss-lib"
	levelDB  = "github.com/syndtr/goleveldb"
	sdkSmall = "cosmossdk.io"
	// goEthereum is large, and has much that no importer wants.
	goEthereum = "github.com/ethereum/go-ethereum"
)

// room is a folder with everything below it that is no room of its own.
type room struct {
	path string
	// ours are the rooms of the project that it may import.
	ours []string
	// not are other modules that it must not import.
	not []string
}

var leaves = []string{"mpc/types", "mpc/wire"}

func and(more ...string) []string { return append(slices.Clone(leaves), more...) }

// rooms says who may import whom. The first whose path fits a file counts, so
// inner rooms stand before outer ones. "*": everything.
var rooms = []room{
	{"mpc/types", []string{"mpc/wire"}, []string{sdk, sdkSmall, comet, tssLib, levelDB}},
	{"mpc/wire", nil, []string{sdk, sdkSmall, comet, tssLib, levelDB}},
	{"mpc/session", leaves, []string{sdk, sdkSmall, comet, tssLib, levelDB}},
	{"mpc/tss", and("mpc/session"), []string{sdk, sdkSmall, comet, levelDB}},
	{"mpc", and("mpc/session"), []string{sdk, sdkSmall, comet, tssLib, levelDB}},
	{"storage", leaves, []string{sdk, sdkSmall, comet, tssLib}},
	{"p2p", leaves, []string{sdk, sdkSmall, tssLib, levelDB}},
	{"x/mpc", and("x/mpc"), []string{tssLib, levelDB}},
	// A module of our chain that uses x/mpc, as any other chain's would.
	{"x/settlement", and("x/mpc", "app/payload/ethereum"), []string{tssLib, levelDB}},
	{"app/payload/ethereum/cli", and("app/payload/ethereum", "app/mpcnode/cli", "x/mpc"), []string{tssLib, levelDB}},
	{"app/payload/ethereum", leaves, []string{sdk, sdkSmall, comet, tssLib, levelDB}},
	{"app/mpcnode/cli", and("storage", "p2p", "x/mpc", "app/mpcnode"), []string{tssLib, levelDB}},
	{"app/mpcnode", and("mpc", "mpc/session", "mpc/tss", "storage", "p2p", "x/mpc", "app/mpcnode"), []string{tssLib, levelDB}},
	{"app", []string{"*"}, []string{tssLib, levelDB}},
	{"testutil", []string{"*"}, []string{tssLib}},
}

// ethereumRooms are those whose nodes carry go-ethereum. Tests may use it everywhere, to
// compare with.
var ethereumRooms = []string{"app/payload/ethereum/cli", "app/payload/ethereum", "x/settlement", "app", "testutil"}

// examples are programs and modules that use what their package must not.
var examples = map[string][]string{
	"mpc/example_test.go":       {"mpc/tss"},
	"x/mpc/example_test.go":     {"app/payload/ethereum"},
	"x/mpc/example_run_test.go": {"app/payload/ethereum"},
}

func roomOf(path string) *room {
	for i := range rooms {
		if path == rooms[i].path || strings.HasPrefix(path, rooms[i].path+"/") {
			return &rooms[i]
		}
	}
	return nil
}

// TestRooms reads the imports of every file. Tests may import testutil, and
// those of mpc/tss measure against the bare library; otherwise they keep to the
// rules too, because a test that needs a neighbour shows that the rooms leak.
func TestRooms(t *testing.T) { eachFile(t, checkFile) }

// eachFile calls check with every Go file of the module: its path from the root,
// and its own.
func eachFile(t *testing.T, check func(t *testing.T, rel, path string)) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	files := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || path == filepath.Join(root, "build") || nested(root, path)) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		check(t, filepath.ToSlash(rel), path)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, files, 100, "the walk missed the tree")
}

// nested reports whether a folder is a Go module of its own.
func nested(root, path string) bool {
	if path == root {
		return false
	}
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}

func checkFile(t *testing.T, rel, path string) {
	t.Helper()
	r := roomOf(filepath.ToSlash(filepath.Dir(rel)))
	require.NotNil(t, r, "%s is in no room", rel)
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	require.NoError(t, err)
	isTest := strings.HasSuffix(rel, "_test.go")
	for _, imp := range file.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		require.NoError(t, err)
		if ours, ok := strings.CutPrefix(name, module); ok {
			if slices.Contains(examples[rel], ours) {
				continue
			}
			if !mayImport(r, ours, isTest) {
				t.Errorf("%s imports %s: room %s must not", rel, ours, r.path)
			}
			continue
		}
		if (name == goEthereum || strings.HasPrefix(name, goEthereum+"/")) && !isTest && !slices.Contains(ethereumRooms, r.path) {
			t.Errorf("%s imports %s: chains that sign nothing for Ethereum would carry it", rel, name)
		}
		for _, banned := range r.not {
			if name == banned || strings.HasPrefix(name, banned+"/") {
				t.Errorf("%s imports %s: room %s must not", rel, name, r.path)
			}
		}
	}
}

func mayImport(r *room, ours string, isTest bool) bool {
	target := roomOf(ours)
	if target == nil {
		return false
	}
	if target.path == "testutil" {
		return isTest || r.path == "testutil"
	}
	if target.path == r.path || slices.Contains(r.ours, "*") {
		return true
	}
	if slices.Contains(r.ours, target.path) {
		return true
	}
	// storage proves in a test that it is what mpc declares.
	return isTest && r.path == "storage" && target.path == "mpc"
}

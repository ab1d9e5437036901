package rooms

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What only tests need has these names, and imports these packages.
var (
	fakeFolder  = regexp.MustCompile(`^(test(util|ing|helpers?)|(fake|mock|stub)\w*)$`)
	fakeName    = regexp.MustCompile(`(?i)^(new)?(fake|mock|stub)`)
	testImports = []string{"testing", "github.com/stretchr/testify", sdk + "/testutil", comet + "/abci/tests"}
)

// TestFakesLiveInTestutil: what stands in for something real is below the top
// level testutil and nowhere else, so that no node can be built with it by
// mistake and everybody finds it. Outside of it only _test.go files may know of
// tests.
func TestFakesLiveInTestutil(t *testing.T) {
	eachFile(t, func(t *testing.T, rel, path string) {
		for _, fault := range fakesIn(t, rel, path, nil) {
			t.Errorf("%s %s: fakes and helpers of tests belong below testutil/", rel, fault)
		}
	})
}

// fakesIn says what in a file outside of testutil belongs into it. The source is
// read from path if it is nil.
func fakesIn(t *testing.T, rel, path string, source any) (faults []string) {
	t.Helper()
	if strings.HasPrefix(rel, "testutil/") || strings.HasSuffix(rel, "_test.go") {
		return nil
	}
	folders := strings.Split(rel, "/")
	for _, folder := range folders[:len(folders)-1] {
		if fakeFolder.MatchString(folder) {
			faults = append(faults, "lies in a folder "+folder)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, imp := range file.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		require.NoError(t, err)
		if slices.ContainsFunc(testImports, func(of string) bool { return name == of || strings.HasPrefix(name, of+"/") }) {
			faults = append(faults, "imports "+name)
		}
	}
	for _, name := range declared(file) {
		if fakeName.MatchString(name) {
			faults = append(faults, "declares "+name)
		}
	}
	return faults
}

// declared lists the functions and types of a file.
func declared(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if named, ok := spec.(*ast.TypeSpec); ok {
					names = append(names, named.Name.Name)
				}
			}
		}
	}
	return names
}

func TestFakesAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		rel, source string
		faults      int
	}{
		"a module's own testutil": {"x/mpc/testutil/staking.go", "package testutil", 1},
		"a folder of fakes":       {"mpc/fakestore/store.go", "package fakestore", 1},
		"helper of tests":         {"mpc/help.go", "package mpc\nimport \"testing\"", 1},
		"assertions":              {"mpc/help.go", "package mpc\nimport \"github.com/stretchr/testify/require\"", 1},
		"fake type":               {"mpc/store.go", "package mpc\ntype FakeStore struct{}", 1},
		"maker of a mock":         {"mpc/store.go", "package mpc\nfunc newMockStore() {}", 1},
		"all at once":             {"p2p/mocks/m.go", "package mocks\nimport \"testing\"\ntype stubPeer int", 3},
		"test file":               {"mpc/store_test.go", "package mpc\ntype fakeStore struct{}", 0},
		"testutil":                {"testutil/chain/staking.go", "package chain\nimport \"testing\"", 0},
		"nothing of the kind":     {"mpc/latest.go", "package mpc\nimport \"errors\"\ntype latest struct{}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Len(t, fakesIn(t, c.rel, c.rel, c.source), c.faults)
		})
	}
}

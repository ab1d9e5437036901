package types

import (
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// LocalFailureAdvice goes to the log before a node stops executing a block.
const LocalFailureAdvice = "the chain's state cannot be read here, so this node stops at this block: mend the disk or the database and start it again, then it executes the block again"

// storePackages are where a panic with an error means that this node's database could
// not be read. Wrappers in between (gas, cache) panic with other things.
var storePackages = []string{
	"github.com/cosmos/cosmos-sdk/store/v2/iavl.",
	"github.com/cosmos/cosmos-sdk/store/v2/dbadapter.",
	"github.com/cosmos/iavl.",
	"github.com/cosmos/cosmos-db.",
}

// LocalFailure tells a panic over this node's disk or database from one that every node
// has, such as a mistake of a module or the end of its gas. What executes a block may
// catch the latter and go on. After the former it must not: this node alone would skip
// something and commit another state than the others, while a node that stops before the
// commit executes the block again when it starts.
//
// The deferred function that recovers calls it, for it looks at who panicked.
func LocalFailure(recovered any) bool {
	err, ok := recovered.(error)
	if !ok {
		return false
	}
	if LocalError(err) {
		return true
	}
	var mistake runtime.Error
	if errors.As(err, &mistake) {
		return false
	}
	return slices.ContainsFunc(panickers(), func(function string) bool {
		return slices.ContainsFunc(storePackages, func(p string) bool { return strings.HasPrefix(function, p) })
	})
}

// LocalError tells an error of this node's operating system, such as one over its disk, from
// those that every node has.
func LocalError(err error) bool {
	var path *fs.PathError
	var errno syscall.Errno
	return errors.As(err, &path) || errors.As(err, &errno)
}

// panickers are the functions that panic right now, with their packages: one that
// recovered, looked and panicked again comes before the one that was first.
func panickers() (functions []string) {
	const enough = 128 // frames: from here through the deferred functions to the first
	pcs := make([]uintptr, enough)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for more, panicking := true, false; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if panicking {
			functions = append(functions, f.Function)
		}
		panicking = f.Function == "runtime.gopanic"
	}
	return functions
}

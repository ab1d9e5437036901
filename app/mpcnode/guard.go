package mpcnode

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// safely makes an error of a panic of f, which would end the whole node. It logs
// the stack. The value of the panic is not shown: it may hold what was in
// memory.
func safely(log *slog.Logger, what string, f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			log.Error("a panic was caught; please report this",
				"in", what, "panic", fmt.Sprintf("%T", value), "stack", string(debug.Stack()))
			err = fmt.Errorf("%s panicked with a %T; the log has the stack", what, value)
		}
	}()
	return f()
}

package chain

import (
	"fmt"
	"testing"
)

// Example lets a testable example use a Fixture, which wants a test: what would fail one
// panics.
func Example() testing.TB { return exampleTB{} }

type exampleTB struct{ testing.TB }

// Helper implements testing.TB.
func (exampleTB) Helper() {}

// Errorf implements testing.TB.
func (exampleTB) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// FailNow implements testing.TB.
func (exampleTB) FailNow() { panic("failed") }

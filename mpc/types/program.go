package types

import "strings"

// defaultProgram is the name that the texts are written with.
const defaultProgram = "sequencerd"

// Program is the name of the binary that errors and logs tell people to call. Another
// chain sets it with the linker, because errors of x/mpc are registered before any code
// of the application runs:
//
//	go build -ldflags '-X github.com/sequencer-mpc/sequencer/mpc/types.Program=chaind'
var Program = defaultProgram

// ForProgram makes a text that is written for sequencerd one for Program.
func ForProgram(text string) string { return strings.ReplaceAll(text, defaultProgram, Program) }

package doctor

import (
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Problem Level = "problem"
)

// Finding is what one check found.
type Finding struct {
	// Check is a word for what was looked at; several findings may have the same.
	Check string `json:"check"`
	Level Level  `json:"level"`
	// Detail is what is so.
	Detail string `json:"detail"`
	// Reason is the typed one; empty if none fits.
	Reason types.Reason `json:"reason,omitempty"`
	// Remedy is what to do; empty where all is well.
	Remedy string `json:"remedy,omitempty"`
}

// Report is the findings, in the order in which a person reads them.
type Report struct {
	Findings []Finding `json:"findings"`
	Warnings int       `json:"warnings"`
	Problems int       `json:"problems"`
}

func (r *Report) add(f Finding) {
	r.Findings = append(r.Findings, f)
	switch f.Level {
	case Warning:
		r.Warnings++
	case Problem:
		r.Problems++
	}
}

// ok notes that all is well.
func (r *Report) ok(check, format string, args ...any) {
	r.add(Finding{Check: check, Level: OK, Detail: fmt.Sprintf(format, args...)})
}

// found notes what has a typed reason, and its remedy.
func (r *Report) found(check string, level Level, reason types.Reason, format string, args ...any) {
	r.add(Finding{Check: check, Level: level, Detail: fmt.Sprintf(format, args...), Reason: reason, Remedy: reason.Remedy()})
}

// advise notes what has a remedy of its own. Reason may be empty.
func (r *Report) advise(check string, level Level, reason types.Reason, remedy, format string, args ...any) {
	r.add(Finding{
		Check: check, Level: level, Detail: fmt.Sprintf(format, args...), Reason: reason, Remedy: types.ForProgram(remedy),
	})
}

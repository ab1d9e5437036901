package mpcnode

import (
	"slices"
	"sync/atomic"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// engineState is a running engine, or one that ended with an error.
type engineState struct {
	engine  *mpc.Engine
	failure atomic.Pointer[string]
	// identity: the engine has one to work with.
	identity bool
	// lost is why the engine has nothing to work with, though the node should.
	lost error
	// found is what was found to be lost while the node ran.
	found atomic.Pointer[error]
	// audit is the node's log of uses of shares; nil if it has none.
	audit *audit.Log
	// refill makes pre-parameters; nil on a node that has no use for any.
	refill *refiller
	// warnings were found at the start.
	warnings []Warning
	// late is one that was found since.
	late atomic.Pointer[Warning]
}

// warned lists all that was found to be wrong.
func (s *engineState) warned() []Warning {
	if late := s.late.Load(); late != nil {
		return append(slices.Clone(s.warnings), *late)
	}
	return s.warnings
}

// problem is why this node takes no part though it should; nil if it does, or need not.
func (s *engineState) problem() error {
	if err := s.found.Load(); err != nil {
		return *err
	}
	return s.lost
}

// auditProblem is why uses of shares are not written down, or not on disk; empty if
// they are.
func (s *engineState) auditProblem() string {
	if s.audit == nil {
		return ""
	}
	if err := s.audit.Failing(); err != nil {
		return err.Error()
	}
	return ""
}

func (s *engineState) fail(err error) {
	text := err.Error()
	s.failure.Store(&text)
}

// failed is why the engine ended; empty while it runs.
func (s *engineState) failed() string {
	if text := s.failure.Load(); text != nil {
		return *text
	}
	return ""
}

package sim

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// note tells Trace.
func (w *World) note(format string, args ...any) {
	if w.Trace != nil {
		w.Trace(fmt.Sprintf("%s %s", w.now.Format("15:04:05.000000"), fmt.Sprintf(format, args...)))
	}
}

// noteBlock tells Trace of what a block made of the state.
func (w *World) noteBlock(s *snapshot) {
	if w.Trace == nil {
		return
	}
	state, err := json.Marshal([]any{s.requests, s.keys, s.signatures, s.faults})
	must(err)
	w.note("block %d: %x", s.height, sha256.Sum256(state))
}

package session

import (
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// A session of exactly t+1 signers, or of all participants, cannot do without
// anybody. Whoever leaves one early says so: the others would wait for it until
// they take it for the one that stalled, and refuse the next attempt meanwhile.

// abort tells the others that this node leaves. It is sent once here; Aborted
// gives it to the engine for those who still talk to the session.
func (s *Session) abort(reason types.Reason) {
	context, others := s.context, s.others()
	switch {
	case reason == "" || reason == types.ErrAborted || reason == types.ErrAlreadyDecided || reason == types.ErrExpired:
		return // they know, or hear it from the chain
	case s.phase == Preparing:
		context, others = s.id, s.order
	case s.phase != Running:
		return
	}
	body := wire.Abort{Reason: string(reason)}
	bz, err := body.Marshal()
	if err != nil {
		return // a string always encodes
	}
	s.aborted = s.envelope(wire.Header{Context: context[:], Kind: wire.KIND_ABORT}, bz)
	for _, op := range others {
		s.cfg.Host.Send(op, s.aborted)
	}
}

// Aborted is what this node said when it left early; nil if it did not.
func (s *Session) Aborted() *wire.Envelope { return s.aborted }

// onAbort ends the session. Nobody is blamed for it here: whoever left accuses
// whom it left for, and a member that leaves for nothing makes itself no friends
// (see Config.Suspicion).
func (s *Session) onAbort(v types.Verified) {
	var a wire.Abort
	if err := a.Unmarshal(v.Body()); err != nil || types.Reason(a.Reason).Remedy() == "" {
		a.Reason = string(types.ErrProtocolFault)
	}
	switch {
	case s.phase == Waiting && v.From() == s.initiator && string(v.Header().Context) == string(s.id[:]):
	case s.phase == Running:
		if _, ok := s.signer(v); !ok {
			return
		}
	default:
		return
	}
	s.end(End{Reason: types.ErrAborted, Left: v.From(), LeftFor: types.Reason(a.Reason), Err: fmt.Errorf("%s left the session: %s", v.From(), a.Reason)})
}

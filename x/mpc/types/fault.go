package types

import (
	"encoding/hex"
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// EquivocationFault is what evidence comes to.
func EquivocationFault(e mpctypes.Evidence, height int64, lapse int64) Fault {
	r, context := e.Request(), e.Context()
	return Fault{
		Kind: FAULT_KIND_EQUIVOCATION, Participant: string(e.Culprit()), Reason: string(mpctypes.ErrBroadcastDiffer),
		RequestKind: RequestKind(r.Kind), RequestId: r.ID, Session: context[:], Height: height, LapseHeight: lapse,
	}
}

// AccusationFault is what an accusation comes to.
func AccusationFault(a *mpctypes.Accusation, height int64, lapse int64) Fault {
	return Fault{
		Kind: FAULT_KIND_ACCUSATION, Participant: string(a.Accused), Accuser: string(a.Operator), Reason: string(a.Reason),
		RequestKind: RequestKind(a.Request.Kind), RequestId: a.Request.ID, Attempt: a.Attempt, Session: slices.Clone(a.Session[:]),
		Height: height, LapseHeight: lapse,
	}
}

// Place is the fault's place among those of its participant: one accusation of
// each accuser, one proof for each session.
func (f Fault) Place() string {
	if f.Kind == FAULT_KIND_ACCUSATION {
		return "accusation/" + f.Accuser
	}
	return "equivocation/" + hex.EncodeToString(f.Session)
}

// ToEngine converts for the node.
func (f Fault) ToEngine() mpctypes.Fault {
	session, _ := mpctypes.HashFromBytes(f.Session)
	return mpctypes.Fault{
		Participant: mpctypes.Operator(f.Participant), Accuser: mpctypes.Operator(f.Accuser), Reason: mpctypes.Reason(f.Reason),
		Request: mpctypes.RequestID{Kind: mpctypes.RequestKind(f.RequestKind), ID: f.RequestId}, Session: session,
	}
}

// Validate checks a fault of a genesis file.
func (f Fault) Validate() error {
	if err := mpctypes.ValidateID(f.RequestId); err != nil {
		return fmt.Errorf("fault of %s: %w", f.Participant, err)
	}
	if err := mpctypes.Reason(f.Reason).Validate(); err != nil {
		return fmt.Errorf("fault of %s: %w", f.Participant, err)
	}
	switch {
	case f.Participant == "":
		return fmt.Errorf("a fault of %s names nobody", f.RequestId)
	case f.Kind != FAULT_KIND_EQUIVOCATION && f.Kind != FAULT_KIND_ACCUSATION:
		return fmt.Errorf("fault of %s: unknown kind %d", f.Participant, f.Kind)
	case (f.Kind == FAULT_KIND_ACCUSATION) != (f.Accuser != "") || f.Accuser == f.Participant:
		return fmt.Errorf("fault of %s: exactly accusations have an accuser, and nobody accuses itself", f.Participant)
	case len(f.Session) != len(mpctypes.Context{}):
		return fmt.Errorf("fault of %s: session has %d bytes", f.Participant, len(f.Session))
	}
	return nil
}

// Shift moves the fault and its lapse in time, for a chain that starts anew: it stays
// as long ago as it was, if need be before the first block.
func (f *Fault) Shift(blocks int64) {
	f.Height += blocks
	f.LapseHeight += blocks
}

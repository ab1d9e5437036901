package types

import "slices"

// keyTransitions is the only place that says which status of a key may follow
// which. A PENDING key that is deleted fails first, so that whoever asked for it
// hears of it. Only a key that was READY comes back from DELETING.
var keyTransitions = map[KeyStatus][]KeyStatus{
	KEY_STATUS_UNSPECIFIED: {KEY_STATUS_PENDING},
	KEY_STATUS_PENDING:     {KEY_STATUS_READY, KEY_STATUS_ERROR},
	KEY_STATUS_READY:       {KEY_STATUS_DELETING},
	KEY_STATUS_ERROR:       {KEY_STATUS_DELETING},
	KEY_STATUS_DELETING:    {KEY_STATUS_DELETED, KEY_STATUS_READY},
}

// CanMoveTo reports whether a key may go from s to next.
func (s KeyStatus) CanMoveTo(next KeyStatus) bool { return slices.Contains(keyTransitions[s], next) }

// signatureTransitions is the only place that says which status of a signature may
// follow which.
var signatureTransitions = map[SignatureStatus][]SignatureStatus{
	SIGNATURE_STATUS_UNSPECIFIED: {SIGNATURE_STATUS_PENDING},
	SIGNATURE_STATUS_PENDING:     {SIGNATURE_STATUS_READY, SIGNATURE_STATUS_ERROR},
}

// CanMoveTo reports whether a signature may go from s to next.
func (s SignatureStatus) CanMoveTo(next SignatureStatus) bool {
	return slices.Contains(signatureTransitions[s], next)
}

// reshareTransitions is the only place that says which status of a reshare may
// follow which.
var reshareTransitions = map[ReshareStatus][]ReshareStatus{
	RESHARE_STATUS_UNSPECIFIED: {RESHARE_STATUS_PENDING},
	RESHARE_STATUS_PENDING:     {RESHARE_STATUS_TESTING, RESHARE_STATUS_ERROR},
	RESHARE_STATUS_TESTING:     {RESHARE_STATUS_READY, RESHARE_STATUS_ERROR},
}

// CanMoveTo reports whether a reshare may go from s to next.
func (s ReshareStatus) CanMoveTo(next ReshareStatus) bool {
	return slices.Contains(reshareTransitions[s], next)
}

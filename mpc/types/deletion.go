package types

// foundNothing is the payload of a deletion's attestation whose signer had no share of
// the key to destroy. That of one who destroyed shares is empty.
const foundNothing = 1

// DeletionPayload is what a deletion's attestation says beyond that nothing is held any
// more: whether a share was there to be destroyed.
func DeletionPayload(hadShare bool) []byte {
	if hadShare {
		return nil
	}
	return []byte{foundNothing}
}

// FoundNothing reports whether a deletion's attestation says that there was no share to
// destroy: it went before, with an earlier epoch, or it was lost.
func (a *Attestation) FoundNothing() bool {
	return a.Request.Kind == KindDelete && len(a.Payload) == 1 && a.Payload[0] == foundNothing
}

package types

// Transcript is what all members of a session signed before its first round.
type Transcript struct {
	// Prepare names the initiator's signed Prepare.
	Prepare Hash
	// Readys name the signed Readys, ascending by operator, all of them: those
	// of members that were not chosen too.
	Readys []Hash
	// Signers ascend; they run the rounds.
	Signers []Operator
	// Dealers ascend; those signers of a reshare that deal their shares anew.
	// Empty otherwise.
	Dealers []Operator
}

// Context is the session's real name.
func (t Transcript) Context() Context {
	s := newSignBytes("context").hash(t.Prepare).u64(uint64(len(t.Readys)))
	for _, r := range t.Readys {
		s.hash(r)
	}
	s.u64(uint64(len(t.Signers)))
	for _, op := range t.Signers {
		s.str(string(op))
	}
	if len(t.Dealers) > 0 {
		s.u64(uint64(len(t.Dealers)))
		for _, op := range t.Dealers {
			s.str(string(op))
		}
	}
	return s.sum()
}

// Broadcast is one broadcast of a round as its Confirm names it.
type Broadcast struct {
	From Operator
	Type string
	// BodyHash is that of the signed header.
	BodyHash Hash
}

// ConfirmDigest chains the digest of a round's broadcasts to the one before.
// The caller sorts the broadcasts by sender, then type.
func ConfirmDigest(prev Hash, context Context, round uint32, broadcasts []Broadcast) Hash {
	s := newSignBytes("confirm").hash(prev).hash(context).u64(uint64(round)).u64(uint64(len(broadcasts)))
	for _, b := range broadcasts {
		s.str(string(b.From)).str(b.Type).hash(b.BodyHash)
	}
	return s.sum()
}

// PartyKeySeed is the hash that the tss party key of a participant is made
// from: unique to the session that made the key, so that tss-lib's own session
// id is unique there.
func PartyKeySeed(session Context, operator Operator) Hash {
	return newSignBytes("party").hash(session).str(string(operator)).sum()
}

// SealInfo is the context string of the key that seals point-to-point messages
// of one direction within a session.
func SealInfo(session Context, from, to Operator) []byte {
	return newSignBytes("seal").hash(session).str(string(from)).str(string(to)).buf
}

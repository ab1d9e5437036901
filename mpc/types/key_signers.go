package types

import "slices"

// CountSigners is how many participants of a key there are to sign with it: those with an
// identity that counts, who did not say that their share is missing. It is the one rule for
// it, of the chain and of nodes.
func CountSigners[S ~string](participants, missing []S, identified func(S) bool) (n int) {
	for _, op := range participants {
		if identified(op) && !slices.Contains(missing, op) {
			n++
		}
	}
	return n
}

// CanSign says whether enough of the key's participants are there to sign, with the identities of a roster.
func (k *Key) CanSign(roster *Roster) bool { return k.Signers(roster) > k.Threshold }

// LacksShares reports that t or fewer participants have a share of the epoch, as far as is
// known, whoever has an identity. Shares of another epoch may be all that is left of the key.
func (k *Key) LacksShares() bool { return len(k.Participants)-len(k.MissingShares) <= k.Threshold }

// Signers is how many of the key's participants there are to sign, with the identities of a
// roster.
func (k *Key) Signers(roster *Roster) int {
	return CountSigners(k.Participants, k.MissingShares, func(op Operator) bool {
		_, ok := roster.Current(op)
		return ok
	})
}

package types

import mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"

// EndangeredReasons are the typed reasons that EventKeyEndangered gives, and no others: who
// counts events by their reasons begins with all of them.
func EndangeredReasons() []mpctypes.Reason {
	return []mpctypes.Reason{
		mpctypes.ErrTooFewParticipants,  // nobody to add, or participants that are jailed are waited for
		mpctypes.ErrTooFewSigners,       // too few have a share to deal
		mpctypes.ErrTooManyParticipants, // more must deal than one reshare has room for
		mpctypes.ErrTooManyPending,      // there was no room for it for a while
		mpctypes.ErrExpired,             // reshares failed again
		mpctypes.ErrIdentityRevoked,     // somebody ended one by revoking its identity
	}
}

package sim

import (
	"crypto/ed25519"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Rotate gives a node another identity beside those that it has, which it restarts for, and
// registers it in the next block. A node does so once.
func (w *World) Rotate(n *Node) {
	n.former = []ed25519.PrivateKey{n.Identity}
	n.Identity = chain.IdentityKey("second of " + string(n.Operator))
	n.Crash()
	n.Start()
	w.Chain.Do(func(ctx sdk.Context) error {
		_, err := w.Chain.Fixture.Msg.RegisterParticipant(ctx, &xtypes.MsgRegisterParticipant{
			Operator: string(n.Operator), IdentityKey: chain.Public(n.Identity),
			ProofOfPossession: chain.Proof(w.Chain.ID(), string(n.Operator), n.Identity),
		})
		return err
	})
}

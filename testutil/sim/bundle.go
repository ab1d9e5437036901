package sim

import (
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// FalseBundle is what a dishonest proposer makes up: a bundle of the right form with
// a few rumours in it.
func (n *Node) FalseBundle() []byte {
	const maxRumours = 4
	builder := xtypes.NewBundleBuilder(xtypes.MaxBundle)
	for range 1 + n.world.Rand.IntN(maxRumours) {
		for _, g := range n.world.rumour(n, n.world.told.gossip(n.world.Rand)) {
			addRumour(builder, g)
		}
	}
	bundle, err := builder.Encode()
	must(err)
	return bundle
}

// addRumour adds what has the shape of a result.
func addRumour(b *xtypes.BundleBuilder, g *wire.Gossip) {
	switch sum := g.Sum.(type) {
	case *wire.Gossip_Attestation:
		if a, err := types.AttestationFromWire(sum.Attestation); err == nil {
			b.AddAttestation(&a)
		}
	case *wire.Gossip_Signature:
		if s, err := types.SignatureResultFromWire(sum.Signature); err == nil {
			b.AddSignature(&s)
		}
	case *wire.Gossip_Evidence:
		if e, err := types.EvidenceFromWire(sum.Evidence, ChainID); err == nil {
			b.AddEvidence(e)
		}
	case *wire.Gossip_Accusation:
		if a, err := types.AccusationFromWire(sum.Accusation); err == nil {
			b.AddAccusation(&a)
		}
	}
}

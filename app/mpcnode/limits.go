package mpcnode

import (
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// roundLimits bounds the body of each type of round message for the reactor: the
// largest that any threshold and number of members allow, and what sealing adds.
func roundLimits(protocols session.Protocols) (map[string]int, error) {
	limits := make(map[string]int)
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindReshare, types.KindPresign} {
		p, err := protocols.Protocol(kind, types.ECDSASecp256k1)
		if err != nil {
			return nil, fmt.Errorf("bound the messages of %s: %w", kind, err)
		}
		for _, round := range session.Rounds(p, types.MaxMembers-1, types.MaxMembers) {
			for _, m := range round {
				limits[m.Type] = max(limits[m.Type], m.MaxBytes+chacha20poly1305.Overhead)
			}
		}
	}
	return limits, nil
}

package mpcnode

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"

	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// AddGenesisParticipant adds a participant with one identity and its proof of
// possession, made for the chain id of the genesis file, to an app_state.
func AddGenesisParticipant(cdc codec.JSONCodec, appState json.RawMessage, operator types.Operator,
	identity ed25519.PublicKey, proof []byte,
) (json.RawMessage, error) {
	return EditMPCGenesis(cdc, appState, func(g *mpctypes.GenesisState) {
		g.Participants = append(g.Participants, mpctypes.GenesisParticipant{
			Participant: mpctypes.Participant{
				Operator:   string(operator),
				Identities: []mpctypes.Identity{{Version: 1, PublicKey: identity}},
			},
			ProofOfPossession: proof,
		})
	})
}

// EditMPCGenesis changes x/mpc's part of an app_state and checks the result.
func EditMPCGenesis(cdc codec.JSONCodec, appState json.RawMessage, edit func(*mpctypes.GenesisState)) (json.RawMessage, error) {
	var modules map[string]json.RawMessage
	if err := json.Unmarshal(appState, &modules); err != nil {
		return nil, fmt.Errorf("decode app_state of the genesis file: %w", err)
	}
	var state mpctypes.GenesisState
	if err := cdc.UnmarshalJSON(modules[mpctypes.ModuleName], &state); err != nil {
		return nil, fmt.Errorf("decode the state of x/mpc in the genesis file: %w", err)
	}
	edit(&state)
	if err := state.Validate(); err != nil {
		return nil, err
	}
	encoded, err := cdc.MarshalJSON(&state)
	if err != nil {
		return nil, fmt.Errorf("encode the state of x/mpc: %w", err)
	}
	modules[mpctypes.ModuleName] = encoded
	out, err := json.MarshalIndent(modules, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode app_state: %w", err)
	}
	return out, nil
}

package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// queryPage is how much is asked for at a time: as much as the chain answers.
const queryPage = 1000

// askChain asks for the keys of a backup, and for all other keys of which the participant
// whose it is needs its shares: one that was made since has no share in it. self is that participant, or
// empty, which it stays if the chain does not know the identity in the backup.
func askChain(ctx context.Context, chain mpctypes.QueryClient, saved *backup.Saved, self types.Operator) (map[string]mpctypes.Key, types.Operator, error) {
	keys, err := keysOfBackup(ctx, chain, saved)
	if err != nil {
		return nil, "", err
	}
	if self == "" {
		if self, err = ownerOfBackup(ctx, chain, saved); err != nil || self == "" {
			return keys, self, err
		}
	}
	for _, status := range []mpctypes.KeyStatus{mpctypes.KEY_STATUS_READY, mpctypes.KEY_STATUS_DELETING} {
		if err := keysOfParticipant(ctx, chain, status, self, keys); err != nil {
			return nil, "", err
		}
	}
	return keys, self, nil
}

// keysOfParticipant adds the keys with a status of which a participant needs its share.
func keysOfParticipant(ctx context.Context, chain mpctypes.QueryClient, status mpctypes.KeyStatus, self types.Operator, keys map[string]mpctypes.Key) error {
	for page := new(query.PageRequest); page != nil; {
		page.Limit = queryPage
		answer, err := chain.Keys(ctx, &mpctypes.QueryKeysRequest{Status: status, Pagination: page})
		if err != nil {
			return fmt.Errorf("ask the chain for its keys: %w", err)
		}
		for _, key := range answer.Keys {
			if mpcnode.NeedsShares(&key) && slices.Contains(key.Participants, string(self)) {
				keys[key.Id] = key
			}
		}
		page = nextPage(answer.Pagination)
	}
	return nil
}

func keysOfBackup(ctx context.Context, chain mpctypes.QueryClient, saved *backup.Saved) (map[string]mpctypes.Key, error) {
	keys := make(map[string]mpctypes.Key)
	asked := make(map[types.KeyID]bool)
	for _, r := range saved.Records {
		if asked[r.KeyID] {
			continue
		}
		asked[r.KeyID] = true
		answer, err := chain.Key(ctx, &mpctypes.QueryKeyRequest{KeyId: string(r.KeyID)})
		switch {
		case err == nil:
			keys[answer.Key.Id] = answer.Key
		case strings.Contains(err.Error(), string(types.ErrPruned)+": "+types.ErrPruned.Remedy()): // its keygen failed
			keys[string(r.KeyID)] = mpctypes.Key{Id: string(r.KeyID), Status: mpctypes.KEY_STATUS_ERROR}
		case !strings.Contains(err.Error(), string(types.ErrUnknownKey)):
			return nil, fmt.Errorf("ask the chain for key %s (--%s gives its answer in a file): %w", r.KeyID, flagKeyState, err)
		}
	}
	return keys, nil
}

// ownerOfBackup finds who registered an identity key that is in a backup.
func ownerOfBackup(ctx context.Context, chain mpctypes.QueryClient, saved *backup.Saved) (types.Operator, error) {
	for page := new(query.PageRequest); page != nil; {
		page.Limit = queryPage
		answer, err := chain.Participants(ctx, &mpctypes.QueryParticipantsRequest{Pagination: page})
		if err != nil {
			return "", fmt.Errorf("ask the chain for its participants (--%s gives its answer in a file): %w", flagKeyState, err)
		}
		for _, p := range answer.Participants {
			for _, id := range p.Identities {
				if hasSeedOf(saved.Seeds, id.PublicKey) {
					return types.Operator(p.Operator), nil
				}
			}
		}
		page = nextPage(answer.Pagination)
	}
	return "", nil
}

func hasSeedOf(seeds [][]byte, public []byte) bool {
	return slices.ContainsFunc(seeds, func(seed []byte) bool {
		k := ed25519.NewKeyFromSeed(seed)
		defer types.Wipe(k)
		return bytes.Equal(k[ed25519.SeedSize:], public)
	})
}

func nextPage(p *query.PageResponse) *query.PageRequest {
	if p == nil || len(p.NextKey) == 0 {
		return nil
	}
	return &query.PageRequest{Key: p.NextKey}
}

package mpcnode

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"
)

// consensusKeyOf is that of a participant's validator.
func (s *stage) consensusKeyOf(i int) crypto.PubKey {
	public, err := s.app.f.Participants[i].Staked.ConsPubKey()
	require.NoError(s.t, err)
	return ed25519.PubKey(public.Bytes())
}

// A node signs blocks with the key of its operator's validator, or with another one, as it does
// where it was made anew and its MPC folder was restored.
func TestCheckupOfTheConsensusKey(t *testing.T) {
	s := newStage(t, 3, func(*stage) {})
	require.Nil(t, s.examine("", "").Signer, "nobody knows who signs")
	signs := func(i int) *SignerReport {
		s.consensus = s.consensusKeyOf(i)
		found := s.examine("", "").Signer
		require.Equal(t, fmt.Sprintf("%X", s.consensus.Address()), found.Address)
		return found
	}
	require.True(t, signs(0).Own)
	require.False(t, signs(1).Own, "another participant's")
	s.voted = [][]byte{s.consensusKeyOf(1).Address()}
	require.False(t, signs(1).Elsewhere, "it voted for its own validator")
	s.voted = append(s.voted, s.consensusKeyOf(0).Address())
	require.True(t, signs(1).Elsewhere, "another node signs for it")
	require.False(t, signs(0).Elsewhere)
	own := s.app.f.Participants[0].Staked
	s.app.f.Participants[1].Staked.ConsensusPubkey, own.ConsensusPubkey = own.ConsensusPubkey, s.app.f.Participants[1].Staked.ConsensusPubkey
	require.False(t, signs(1).Own, "what was its own, before the chain took another key")

	address := []byte(s.consensusKeyOf(0).Address())
	for why, c := range map[string]struct {
		spoil   func(*Checkup)
		address []byte
	}{
		"who revoked has no part":                            {func(c *Checkup) { c.Identity.Revoked = true }, address},
		"the chain has no validator":                         {func(*Checkup) {}, nil},
		"a key that was rotated is not here yet as it syncs": {func(c *Checkup) { c.Status.CatchingUp = true }, address},
	} {
		about := Checkup{Identity: IdentityReport{Operator: string(s.operator(0))}, Validator: ValidatorBonded}
		x := &examiner{consensus: s.signer(), votedLately: s.votedLately}
		require.NotNil(t, x.signer(t.Context(), &about, address))
		c.spoil(&about)
		require.Nil(t, x.signer(t.Context(), &about, c.address), why)
	}
}

// A remote signer may get another key while the node runs, and be away.
func TestConsensusKeyIsAskedForAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var public crypto.PubKey
		answers := make(chan struct{}, 4)
		asked := 0
		k := &consensusKey{ask: func() (crypto.PubKey, error) {
			asked++
			<-answers
			if public == nil {
				return nil, errors.New("it is away")
			}
			return public, nil
		}}
		answers <- struct{}{}
		require.Nil(t, k.address(t.Context()))
		for range 2 {
			public = ed25519.GenPrivKey().PubKey()
			answers <- struct{}{}
			require.Equal(t, []byte(public.Address()), k.address(t.Context()))
		}
		hangs, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Nil(t, k.address(hangs))
		require.Nil(t, k.address(hangs), "one call at a time")
		require.Equal(t, 4, asked)
		answers <- struct{}{}
		synctest.Wait()
	})
	require.Nil(t, (*consensusKey)(nil).address(t.Context()))
}

// storedCommits are those of blocks by their heights, of which the last one has none yet.
type storedCommits map[int64]*cmttypes.Commit

func (s storedCommits) Height() int64                                 { return 50 }
func (s storedCommits) LoadBlockCommit(height int64) *cmttypes.Commit { return s[height] }

// A validator that missed all of the last blocks is told from one that missed some.
func TestVotedLately(t *testing.T) {
	blocks := storedCommits{}
	vote := func(flag cmttypes.BlockIDFlag, voter string) cmttypes.CommitSig {
		return cmttypes.CommitSig{BlockIDFlag: flag, ValidatorAddress: crypto.Address(voter)}
	}
	for height := int64(25); height < 50; height++ {
		blocks[height] = &cmttypes.Commit{Signatures: []cmttypes.CommitSig{vote(cmttypes.BlockIDFlagCommit, "always"), vote(cmttypes.BlockIDFlagAbsent, "never")}}
	}
	add := func(height int64, s cmttypes.CommitSig) {
		blocks[height].Signatures = append(blocks[height].Signatures, s)
	}
	add(49-SignerBlocks+1, vote(cmttypes.BlockIDFlagNil, "once"))
	add(49-SignerBlocks, vote(cmttypes.BlockIDFlagCommit, "before"))
	for voter, want := range map[string]bool{"always": true, "once": true, "never": false, "before": false, "nobody": false} {
		require.Equal(t, want, votedLately(blocks, []byte(voter)), voter)
	}
	delete(blocks, 45)
	require.False(t, votedLately(blocks, []byte("once")), "pruned")
}

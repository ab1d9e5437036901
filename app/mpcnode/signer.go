package mpcnode

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cometbft/cometbft/crypto"
	cmttypes "github.com/cometbft/cometbft/types"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// signer compares the key that the node signs blocks with with that of its operator's
// validator; nil where there is none of both, or nobody knows one. A node that was made anew
// takes part in MPC with the identity that was restored, and signs no blocks. What the chain
// had before it took a key, as a node that catches up still has it, says nothing.
func (x *examiner) signer(ctx context.Context, c *Checkup, validator []byte) *SignerReport {
	if c.Identity.Revoked || c.Status.CatchingUp || len(validator) == 0 {
		return nil
	}
	asked, cancel := context.WithTimeout(ctx, signerAnswer)
	defer cancel()
	address := x.consensus.address(asked)
	if len(address) == 0 {
		return nil
	}
	r := &SignerReport{Address: fmt.Sprintf("%X", address), Own: bytes.Equal(address, validator)}
	r.Elsewhere = !r.Own && x.votedLately(validator)
	return r
}

// addressOf is the consensus address of a validator; nil if it has a key that nobody knows.
func addressOf(v stakingtypes.Validator) []byte {
	known := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(known)
	if v.UnpackInterfaces(known) != nil {
		return nil
	}
	address, err := v.GetConsAddr()
	if err != nil {
		return nil
	}
	return address
}

// signerAnswer is how long a checkup waits for who signs blocks, which may be another process:
// with participantsAnswer it is less than who asks for the checkup waits.
const signerAnswer = 500 * time.Millisecond

// consensusKey asks who signs blocks which key that is, each time anew: a remote signer may get
// another one while the node runs. It asks once at a time, and a call that hangs ends when
// CometBFT, which it goes through, gives up or stops.
type consensusKey struct {
	ask func() (crypto.PubKey, error)

	mu sync.Mutex
	// call is the one in progress.
	call *consensusKeyCall
}

// consensusKeyCall has its answer when it is done; none if who signs is away.
type consensusKeyCall struct {
	done    chan struct{}
	address []byte
}

// address is nil if there is no answer in time.
func (k *consensusKey) address(ctx context.Context) []byte {
	if k == nil {
		return nil
	}
	call := k.begin()
	select {
	case <-call.done:
		return call.address
	case <-ctx.Done():
		return nil
	}
}

// begin joins the call in progress, or makes one.
func (k *consensusKey) begin() *consensusKeyCall {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.call != nil {
		return k.call
	}
	call := &consensusKeyCall{done: make(chan struct{})}
	k.call = call
	go func() {
		if public, err := k.ask(); err == nil {
			call.address = public.Address()
		}
		k.mu.Lock()
		k.call = nil
		k.mu.Unlock()
		close(call.done)
	}()
	return call
}

// SignerBlocks is how many of the last blocks say whether anybody signs for a validator: one
// that misses all of them is not there, one that misses some is slow.
const SignerBlocks = 10

// commits are those of a CometBFT node's blocks.
type commits interface {
	Height() int64
	LoadBlockCommit(height int64) *cmttypes.Commit
}

// votedLately reports whether a validator voted in one of the last blocks that are there.
func votedLately(blocks commits, validator []byte) bool {
	// The commit of a block is in the next one.
	last := blocks.Height() - 1
	for height := last; height > max(0, last-SignerBlocks); height-- {
		commit := blocks.LoadBlockCommit(height)
		if commit == nil { // pruned, or from before a state sync
			break
		}
		for i := range commit.Signatures {
			s := &commit.Signatures[i]
			if s.BlockIDFlag != cmttypes.BlockIDFlagAbsent && bytes.Equal(s.ValidatorAddress, validator) {
				return true
			}
		}
	}
	return false
}

package types

import (
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Hard limits of the parameters: no authority can set the chain beyond them.
const (
	// MaxRequesters bounds the list that every request by message is looked up in.
	MaxRequesters = 256
	// MaxLengthBlocks bounds every length in blocks: more than a year of blocks of
	// three seconds, and small enough that no sum of heights overflows.
	MaxLengthBlocks = 10_000_000
	// MinAttempts is how many attempts a request has at least.
	MinAttempts = 2
	// MaxAttempts bounds lifetime / attempt length. A participant may store one
	// attestation for each attempt, so it bounds what a request can write: 256
	// attempts of 64 participants of 2.6 KB are 43 MB at the very worst, all of it
	// removed when the request is decided.
	MaxAttempts = 256
	// MinStartTimeout leaves members the time to answer: two ways through the network,
	// and a durable write or two on a slow disk. With less nothing would ever start.
	MinStartTimeout = time.Second
	// MaxStartTimeout bounds how long a participant may wait for a Start.
	MaxStartTimeout = 10 * time.Minute
	// MaxPendingLimit bounds max_pending. The engine reads all open requests at
	// each block: 10,000 of 64 members of 100 bytes are 64 MB.
	MaxPendingLimit = 10_000
	// MaxPendingPayloads bounds max_pending times max_payload_bytes: what all open requests
	// are to sign is in the memory of each node, and is read at each block.
	MaxPendingPayloads = 256 << 20
	// MaxPresignTarget bounds presign_target: a key of 16 participants of whom 11 sign
	// has 11 times as many in each of their nodes.
	MaxPresignTarget = 64
	// MaxBundleEntries bounds bundle_max_entries. An entry costs every node at most
	// one ed25519 verification and 65 points to decompress, about half a
	// millisecond: half a second for a full bundle.
	MaxBundleEntries = 1024
	// MaxBundleBytes bounds bundle_max_bytes to a quarter of CometBFT's default
	// block (4 MiB).
	MaxBundleBytes = 1 << 20
	// MinBundleBytes is the least bundle_max_bytes: the largest attestation
	// (MaxPayloadBytes is below 2.5 KB, everything else below 0.5 KB) fits.
	MinBundleBytes = 4096
)

// DefaultParams are those of a new chain with blocks of one to a few seconds.
func DefaultParams() Params {
	return Params{
		MaxParticipants:        16,
		KeygenAttemptBlocks:    60,
		KeygenLifetimeBlocks:   600,
		SignAttemptBlocks:      10,
		SignLifetimeBlocks:     300,
		StartTimeout:           10 * time.Second,
		RetireBlocks:           3600,
		MaxPending:             1000,
		MaxPendingPerRequester: 200,
		BundleMaxEntries:       256,
		BundleMaxBytes:         256 << 10,
		FaultBlocks:            600,
		ReshareAttemptBlocks:   60,
		ReshareLifetimeBlocks:  600,
		AutoReshareMargin:      1,
		AutoResharePauseBlocks: 600,
		MaxPayloadBytes:        16 << 10,
	}
}

// HasFees reports whether anything costs a fee.
func (p Params) HasFees() bool {
	return len(p.KeygenFee)+len(p.SignFee)+len(p.ReshareFee) > 0
}

// Validate checks every field but the form of the requesters' addresses, which
// the keeper knows.
func (p Params) Validate() error {
	if err := p.validateRequesters(); err != nil {
		return err
	}
	for _, f := range []struct {
		name           string
		value, lo, top uint32
	}{
		{"max_participants", p.MaxParticipants, 2, mpctypes.MaxMembers},
		{"keygen_attempt_blocks", p.KeygenAttemptBlocks, 1, MaxLengthBlocks},
		{"keygen_lifetime_blocks", p.KeygenLifetimeBlocks, 2, MaxLengthBlocks},
		{"sign_attempt_blocks", p.SignAttemptBlocks, 1, MaxLengthBlocks},
		{"sign_lifetime_blocks", p.SignLifetimeBlocks, 2, MaxLengthBlocks},
		{"reshare_attempt_blocks", p.ReshareAttemptBlocks, 1, MaxLengthBlocks},
		{"reshare_lifetime_blocks", p.ReshareLifetimeBlocks, 2, MaxLengthBlocks},
		{"retire_blocks", p.RetireBlocks, 1, MaxLengthBlocks},
		{"max_pending", p.MaxPending, 1, MaxPendingLimit},
		{"max_pending_per_requester", p.MaxPendingPerRequester, 1, MaxPendingLimit},
		{"bundle_max_entries", p.BundleMaxEntries, 1, MaxBundleEntries},
		{"bundle_max_bytes", p.BundleMaxBytes, MinBundleBytes, MaxBundleBytes},
		{"fault_blocks", p.FaultBlocks, 1, MaxLengthBlocks},
		{"retention_blocks", p.RetentionBlocks, 0, MaxLengthBlocks},
		{"auto_reshare_margin", p.AutoReshareMargin, 0, mpctypes.MaxMembers},
		{"presign_target", p.PresignTarget, 0, MaxPresignTarget},
		{"auto_reshare_pause_blocks", p.AutoResharePauseBlocks, 1, MaxLengthBlocks},
		{"max_payload_bytes", p.MaxPayloadBytes, 1, mpctypes.MaxSignPayloadBytes},
	} {
		if f.value < f.lo || f.value > f.top {
			return ErrBadParams.Wrapf("%s is %d, not %d to %d", f.name, f.value, f.lo, f.top)
		}
	}
	if p.StartTimeout < MinStartTimeout || p.StartTimeout > MaxStartTimeout {
		return ErrBadParams.Wrapf("start_timeout is %s, not %s to %s", p.StartTimeout, MinStartTimeout, MaxStartTimeout)
	}
	for _, fee := range []struct {
		name  string
		coins sdk.Coins
	}{{"keygen_fee", p.KeygenFee}, {"sign_fee", p.SignFee}, {"reshare_fee", p.ReshareFee}} {
		if err := fee.coins.Validate(); err != nil {
			return ErrBadParams.Wrapf("%s: %s", fee.name, err)
		}
	}
	if uint64(p.MaxPending)*uint64(p.MaxPayloadBytes) > MaxPendingPayloads {
		return ErrBadParams.Wrapf("max_payload_bytes %d for each of max_pending %d open requests are more than %d bytes", p.MaxPayloadBytes, p.MaxPending, MaxPendingPayloads)
	}
	if err := p.validatePolicies(); err != nil {
		return err
	}
	if p.MaxPendingPerRequester > p.MaxPending {
		return ErrBadParams.Wrapf("max_pending_per_requester %d is above max_pending %d", p.MaxPendingPerRequester, p.MaxPending)
	}
	if err := validateAttempts("keygen", p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks); err != nil {
		return err
	}
	if err := validateAttempts("sign", p.SignAttemptBlocks, p.SignLifetimeBlocks); err != nil {
		return err
	}
	return validateAttempts("reshare", p.ReshareAttemptBlocks, p.ReshareLifetimeBlocks)
}

func (p Params) validateRequesters() error {
	if len(p.Requesters) > MaxRequesters {
		return ErrBadParams.Wrapf("requesters has %d entries, at most %d are allowed", len(p.Requesters), MaxRequesters)
	}
	for i, r := range p.Requesters {
		if r == "" || len(r) > mpctypes.MaxOperatorBytes {
			return ErrBadParams.Wrapf("requesters: entry %d is no address", i)
		}
		for _, earlier := range p.Requesters[:i] {
			if earlier == r {
				return ErrBadParams.Wrapf("requesters: %s is there twice", r)
			}
		}
	}
	return nil
}

func validateAttempts(kind string, attempt, lifetime uint32) error {
	switch {
	case attempt > lifetime/MinAttempts:
		return ErrBadParams.Wrapf("%s_attempt_blocks is %d, but %s_lifetime_blocks %d must have room for %d attempts: one may be led by a participant that is down", kind, attempt, kind, lifetime, MinAttempts)
	case lifetime/attempt > MaxAttempts:
		return ErrBadParams.Wrapf("%s_lifetime_blocks %d holds more than %d attempts of %d blocks", kind, lifetime, MaxAttempts, attempt)
	}
	return nil
}

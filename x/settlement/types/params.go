package types

import (
	"fmt"
	"regexp"
)

// Bounds of the parameters: no authority can set the chain beyond them.
const (
	// MinBumpPercent is what Ethereum's nodes ask of a transaction that takes the place of
	// another: a tenth more, of fee and tip.
	MinBumpPercent = 10
	// MaxBumpPercent bounds how much one bonded validator can raise a fee at once.
	MaxBumpPercent = 100
	// MaxOpenLimit bounds max_open. Nodes of Ethereum keep 64 transactions of an account
	// that wait for others.
	MaxOpenLimit = 64
	// MaxAttempts of a transaction are kept. Each hook of x/mpc reads and writes all of them
	// within its gas (keeper.HookGasLimit), of which 32 take a third. One that is forgotten
	// offers less than a tenth of the newest; if it is included all the same, relays find it by
	// its nonce.
	MaxAttempts = 32
	// MaxBumpBlocks is a day of blocks of a second.
	MaxBumpBlocks = 86_400
	// MinRetentionBlocks is an hour of blocks of a second, where things are kept for a while
	// only. Ethereum takes no block back after a quarter of an hour, as long as all is well with
	// it, and somebody must have the time to see that it was not.
	MinRetentionBlocks = 3600
	// MaxRetentionBlocks is as long as x/mpc can be told to keep signatures: four months of
	// blocks of a second.
	MaxRetentionBlocks = 10_000_000
	// MaxFee bounds max_fee_per_gas: five ether for each gas, and twice as much is a uint64.
	MaxFee = 1 << 62
	// MaxGasLimit is 2^24 = 16,777,216, what Ethereum includes of one transaction (EIP-7825). A
	// nonce that was signed for with more is never used up, as x/mpc signs nothing with less there.
	MaxGasLimit = 1 << 24
	// MaxFunctionBytes bounds the text of a destination's function.
	MaxFunctionBytes = 128
	// maxChainID is the largest id that the payload kind takes.
	maxChainID = 1<<62 - 1
)

// Forms of texts.
var (
	addressForm  = regexp.MustCompile(`^0x[0-9a-f]{40}$`)
	hashForm     = regexp.MustCompile(`^0x[0-9a-f]{64}$`)
	functionForm = regexp.MustCompile(`^[a-zA-Z_$][a-zA-Z0-9_$]*\(bytes32,uint256,uint256\)$`)
)

const gwei = 1_000_000_000

// DefaultParams settle nothing. The fees are for Ethereum as it is most of the time; the
// first attempts may be cheap, as the next one offers more.
func DefaultParams() Params {
	return Params{
		GasLimit: 200_000, StartFeePerGas: 20 * gwei, StartTipPerGas: gwei, MaxFeePerGas: 500 * gwei,
		BumpPercent: 25, BumpBlocks: 30, MaxOpen: 16,
	}
}

// Validate checks every field.
func (p Params) Validate() error {
	for i, d := range p.Destinations {
		if err := d.Validate(); err != nil {
			return err
		}
		if i > 0 && p.Destinations[i-1].Purpose >= d.Purpose {
			return ErrBadParams.Wrap("destinations: they are sorted by purpose, each once")
		}
	}
	for _, f := range []struct {
		name           string
		value, lo, top uint64
	}{
		{"chain_id", p.ChainId, 0, maxChainID},
		{"gas_limit", p.GasLimit, 21_000, MaxGasLimit},
		{"start_tip_per_gas", p.StartTipPerGas, 1, p.StartFeePerGas},
		{"start_fee_per_gas", p.StartFeePerGas, 1, p.MaxFeePerGas},
		{"max_fee_per_gas", p.MaxFeePerGas, 1, MaxFee},
		{"bump_percent", uint64(p.BumpPercent), MinBumpPercent, MaxBumpPercent},
		{"bump_blocks", uint64(p.BumpBlocks), 1, MaxBumpBlocks},
		{"max_open", uint64(p.MaxOpen), 1, MaxOpenLimit},
	} {
		if f.name == "gas_limit" && f.value > MaxGasLimit {
			return ErrBadParams.Wrapf("gas_limit is %d, above %d: Ethereum includes no transaction with more (EIP-7825), and none with less is signed in its place", f.value, MaxGasLimit)
		}
		if f.value < f.lo || f.value > f.top {
			return ErrBadParams.Wrapf("%s is %d, not %d to %d", f.name, f.value, f.lo, f.top)
		}
	}
	return p.validateRetention()
}

// validateRetention refuses to forget what the other chain may still take back: a transaction
// that is gone cannot be sent again, and those with later nonces wait for it for ever.
func (p Params) validateRetention() error {
	if n := p.RetentionBlocks; n != 0 && (n < MinRetentionBlocks || n > MaxRetentionBlocks) {
		return ErrBadParams.Wrapf("retention_blocks is %d, not 0 (for ever) or %d to %d: what is gone cannot be sent again, so keep it for as long as the other chain may take blocks back, and some days more",
			n, MinRetentionBlocks, MaxRetentionBlocks)
	}
	return nil
}

// Validate checks a destination.
func (d Destination) Validate() error {
	switch {
	case d.Purpose.Validate() != nil:
		return ErrBadParams.Wrapf("destinations: %s", d.Purpose.Validate())
	case !addressForm.MatchString(d.Contract):
		return ErrBadParams.Wrapf("destinations: contract %.64q is not 0x and 40 small hex digits", d.Contract)
	case len(d.Function) > MaxFunctionBytes || !functionForm.MatchString(d.Function):
		return ErrBadParams.Wrapf("destinations: function %.64q is not name(bytes32,uint256,uint256)", d.Function)
	}
	return nil
}

// Destination is what a purpose may call; false if it may call nothing.
func (p Params) Destination(purpose Purpose) (Destination, bool) {
	for _, d := range p.Destinations {
		if d.Purpose == purpose && p.ChainId != 0 {
			return d, true
		}
	}
	return Destination{}, false
}

// Validate checks that there is such a purpose.
func (x Purpose) Validate() error {
	if _, known := Purpose_name[int32(x)]; !known || x == PURPOSE_UNSPECIFIED {
		return fmt.Errorf("there is no purpose %d", int32(x))
	}
	return nil
}

// Purposes lists all of them.
func Purposes() []Purpose {
	return []Purpose{PURPOSE_COMMON, PURPOSE_STATE, PURPOSE_REWARD, PURPOSE_BLOB}
}

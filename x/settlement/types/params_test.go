package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

func TestParams(t *testing.T) {
	destination := types.Destination{
		Purpose: types.PURPOSE_STATE, Contract: "0x00000000000000000000000000000000000000aa", Function: "f(bytes32,uint256,uint256)",
	}
	require.NoError(t, types.DefaultParams().Validate())
	for name, change := range map[string]func(*types.Params){
		"chain id":       func(p *types.Params) { p.ChainId = 1 << 62 },
		"little gas":     func(p *types.Params) { p.GasLimit = 20_999 },
		"much gas":       func(p *types.Params) { p.GasLimit = types.MaxGasLimit + 1 },
		"tip above fee":  func(p *types.Params) { p.StartTipPerGas = p.StartFeePerGas + 1 },
		"no tip":         func(p *types.Params) { p.StartTipPerGas = 0 },
		"fee above max":  func(p *types.Params) { p.StartFeePerGas = p.MaxFeePerGas + 1 },
		"fee too large":  func(p *types.Params) { p.MaxFeePerGas = types.MaxFee + 1 },
		"small bump":     func(p *types.Params) { p.BumpPercent = types.MinBumpPercent - 1 },
		"large bump":     func(p *types.Params) { p.BumpPercent = types.MaxBumpPercent + 1 },
		"no bump blocks": func(p *types.Params) { p.BumpBlocks = 0 },
		"none open":      func(p *types.Params) { p.MaxOpen = 0 },
		"kept too short": func(p *types.Params) { p.RetentionBlocks = types.MinRetentionBlocks - 1 },
		"kept one block": func(p *types.Params) { p.RetentionBlocks = 1 },
		"kept too long":  func(p *types.Params) { p.RetentionBlocks = types.MaxRetentionBlocks + 1 },
		"many open":      func(p *types.Params) { p.MaxOpen = types.MaxOpenLimit + 1 },
		"purpose twice":  func(p *types.Params) { p.Destinations = append(p.Destinations, destination) },
		"no purpose":     func(p *types.Params) { p.Destinations[0].Purpose = 0 },
		"capitals":       func(p *types.Params) { p.Destinations[0].Contract = "0x00000000000000000000000000000000000000AA" },
		"short address":  func(p *types.Params) { p.Destinations[0].Contract = "0xaa" },
		"other types":    func(p *types.Params) { p.Destinations[0].Function = "f(bytes32,uint256)" },
		"names":          func(p *types.Params) { p.Destinations[0].Function = "f(bytes32 root,uint256,uint256)" },
	} {
		p := types.DefaultParams()
		p.ChainId, p.Destinations = 1, []types.Destination{destination}
		require.NoError(t, p.Validate())
		change(&p)
		require.ErrorIs(t, p.Validate(), types.ErrBadParams, name)
	}
	p := types.DefaultParams()
	for _, blocks := range []uint32{0, types.MinRetentionBlocks, types.MaxRetentionBlocks} {
		p.RetentionBlocks = blocks
		require.NoError(t, p.Validate(), "%d; 0 is for ever", blocks)
	}
	p.RetentionBlocks = 1
	require.ErrorContains(t, p.Validate(), "retention_blocks is 1, not 0 (for ever) or 3600 to 10000000: what is gone cannot be sent again, so keep it for")
	p = types.DefaultParams()
	p.GasLimit = types.MaxGasLimit
	require.NoError(t, p.Validate())
	p.GasLimit++
	require.ErrorContains(t, p.Validate(), "gas_limit is 16777217, above 16777216: Ethereum includes no transaction with more (EIP-7825)")
	p.Destinations = []types.Destination{destination}
	_, ok := p.Destination(types.PURPOSE_STATE)
	require.False(t, ok, "without a chain nothing is settled")
}

// Nodes of Ethereum take a replacement for a tenth more of both fee and tip, rounded up.
func TestOffersRise(t *testing.T) {
	p := types.DefaultParams()
	p.MaxFeePerGas = types.MaxFee
	for _, percent := range []uint32{types.MinBumpPercent, 25, types.MaxBumpPercent} {
		p.BumpPercent, p.BumpBlocks, p.StartFeePerGas, p.StartTipPerGas = percent, 1, 1_000_001, 1
		tx := types.Transaction{Id: 1, Status: types.TRANSACTION_STATUS_OPEN}
		tx.Begin(p, types.Offer{})
		steps := 0
		for ; ; steps++ {
			last := *tx.Current()
			tx.Current().Status = types.ATTEMPT_STATUS_SIGNED
			if err := tx.Retry(p, 1, true, types.Offer{}); err != nil {
				require.ErrorIs(t, err, types.ErrFeeLimit)
				break
			}
			next := *tx.Current()
			require.GreaterOrEqual(t, next.FeePerGas/11, last.FeePerGas/10, "%d after %d", next.FeePerGas, last.FeePerGas)
			require.Greater(t, next.TipPerGas, last.TipPerGas)
			require.Equal(t, types.SignatureID(1, next.Number), next.SignatureId)
		}
		require.Less(t, steps, 350)
		require.Greater(t, steps, 40)
	}
}

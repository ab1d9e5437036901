package abci_test

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
)

// gasTx is a transaction that asks for gas.
type gasTx struct {
	plainTx
	gas uint64
}

func (t gasTx) GetGas() uint64 { return t.gas }

func txOfGas(gas uint64) []byte { return binary.BigEndian.AppendUint64([]byte{0x0a}, gas) }

func decodeGas(tx []byte) (sdk.Tx, error) {
	if _, err := decodePlain(tx); err != nil {
		return nil, err
	}
	return gasTx{gas: binary.BigEndian.Uint64(tx[1:])}, nil
}

func withMaxGas(ctx sdk.Context, max int64) sdk.Context {
	return ctx.WithConsensusParams(cmtproto.ConsensusParams{Block: &cmtproto.BlockParams{MaxBytes: roomy, MaxGas: max}})
}

// Whatever inner proposes, a proposal that is made passes, and one of more gas than a
// block has does not.
func TestBlockGas(t *testing.T) {
	c := newScene(t)
	good, junk := bundle(t, c.results), []byte("no transaction")
	failing := func(sdk.Context, *cmtabci.RequestPrepareProposal) (*cmtabci.ResponsePrepareProposal, error) {
		return nil, errors.New("broken")
	}
	for name, p := range map[string]struct {
		max  int64
		txs  [][]byte
		fits int
	}{
		"all that there is":         {100, [][]byte{txOfGas(60), txOfGas(40), txOfGas(0)}, 3},
		"one too many":              {100, [][]byte{txOfGas(60), txOfGas(40), txOfGas(1)}, 2},
		"the first alone":           {100, [][]byte{txOfGas(101)}, 0},
		"a sum that overflows":      {100, [][]byte{txOfGas(60), txOfGas(math.MaxUint64 - 10)}, 1},
		"what is not executed":      {100, [][]byte{junk, txOfGas(100), junk}, 3},
		"no limit":                  {-1, [][]byte{txOfGas(math.MaxUint64), txOfGas(math.MaxUint64)}, 2},
		"no limit either":           {0, [][]byte{txOfGas(math.MaxUint64)}, 1},
		"a limit that nobody needs": {math.MaxInt64, [][]byte{txOfGas(math.MaxInt64 - 1), txOfGas(1), txOfGas(1)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			h, ctx := c.handlers(source(c.results), abci.WithTxDecoder(decodeGas)), withMaxGas(c.Ctx, p.max)
			passes := func(txs [][]byte) bool {
				resp, err := h.ProcessProposal(accept)(ctx, &cmtabci.RequestProcessProposal{Height: 2, Txs: txs})
				require.NoError(t, err)
				return resp.IsAccepted()
			}
			require.Equal(t, p.fits == len(p.txs), passes(p.txs))
			require.Equal(t, p.fits == len(p.txs), passes(append([][]byte{good}, p.txs...)), "a bundle takes none of it")
			for _, inner := range []sdk.PrepareProposalHandler{all, failing} {
				resp, err := h.PrepareProposal(inner)(ctx, &cmtabci.RequestPrepareProposal{Height: 2, MaxTxBytes: roomy, Txs: p.txs})
				require.NoError(t, err)
				require.Equal(t, append([][]byte{good}, p.txs[:p.fits]...), resp.Txs)
				require.True(t, passes(resp.Txs))
			}
		})
	}
}

// A decoder that panics costs the proposer its transactions, and a proposal its chance.
func TestBlockGasSurvivesTheDecoder(t *testing.T) {
	c := newScene(t)
	h := c.handlers(source(c.results), abci.WithTxDecoder(func([]byte) (sdk.Tx, error) { panic("broken") }))
	ctx := withMaxGas(c.Ctx, 100)
	made, err := h.PrepareProposal(all)(ctx, &cmtabci.RequestPrepareProposal{Height: 2, MaxTxBytes: roomy, Txs: txsOf(3, 50)})
	require.NoError(t, err)
	require.Equal(t, [][]byte{bundle(t, c.results)}, made.Txs)
	resp, err := h.ProcessProposal(accept)(ctx, &cmtabci.RequestProcessProposal{Height: 2, Txs: txsOf(3, 50)})
	require.NoError(t, err)
	require.False(t, resp.IsAccepted())
}

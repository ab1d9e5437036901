package cmd

import (
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/payload"
)

// The README's line makes the transaction that it speaks of, and the next one shows it.
// Neither reads a home, or makes one.
func TestReadmeMakesATransaction(t *testing.T) {
	home := filepath.Join(t.TempDir(), "none")
	line := regexp.MustCompile(`(?m)^TX=\$\(seqd (.*)\)$`).FindStringSubmatch(readText(t, "README.md"))
	require.Len(t, line, 2)
	out, err := run(t, home, strings.Fields(line[1])...)
	require.NoError(t, err)
	to := common.HexToAddress("0x000000000000000000000000000000000000dEaD")
	digest := types.LatestSignerForChainID(big.NewInt(11155111)).Hash(types.NewTx(&types.DynamicFeeTx{
		ChainID: big.NewInt(11155111), GasTipCap: big.NewInt(1e9), GasFeeCap: big.NewInt(20e9), Gas: 21000, To: &to, Value: big.NewInt(1e9),
	}))
	shown, err := run(t, home, "mpc", "payload", "show", "ethereum-tx", strings.TrimSpace(out))
	require.NoError(t, err)
	require.Contains(t, shown, "digest  "+digest.Hex()+"\n")
	_, err = os.Stat(home)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// It shows all kinds of the chain, those that nobody builds by hand too.
func TestPayloadKindsAreShown(t *testing.T) {
	_, err := run(t, t.TempDir(), "mpc", "payload", "show", "none", "0x00")
	require.ErrorContains(t, err, "this program knows "+payload.SignDirectKind+", ethereum-message, ethereum-tx, ethereum-typed-data")
}

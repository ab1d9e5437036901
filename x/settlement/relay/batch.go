package relay

import (
	"fmt"
	"strings"

	"github.com/cosmos/cosmos-sdk/version"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// purposeOf is the word for a transaction's purpose, as commands take it.
func purposeOf(t types.Transaction) string {
	return strings.ToLower(strings.TrimPrefix(t.Purpose.String(), "PURPOSE_"))
}

// resubmit is what somebody types to have the authority submit a transaction's batch again.
func resubmit(t types.Transaction) string {
	return fmt.Sprintf("%s tx settlement resubmit-proposal %s %d", version.AppName, purposeOf(t), t.Batch)
}

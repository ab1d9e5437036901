package relay

import (
	"fmt"
	"strconv"
)

// finalized is the word for no number of confirmations.
const finalized = "finalized"

// confirmations are Options.Confirmations as a flag.
type confirmations uint64

// String implements pflag.Value.
func (c *confirmations) String() string {
	if *c == 0 {
		return finalized
	}
	return strconv.FormatUint(uint64(*c), 10)
}

// Set implements pflag.Value.
func (c *confirmations) Set(text string) error {
	if text == finalized {
		*c = 0
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return fmt.Errorf("it is a number of blocks above 0, or %s", finalized)
	}
	*c = confirmations(n)
	return nil
}

// Type implements pflag.Value.
func (c *confirmations) Type() string { return "blocks" }

package cli

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
)

var (
	amountForm = regexp.MustCompile(`^([0-9]+)(?:\.([0-9]+))?(wei|gwei|ether)?$`)
	// unitDecimals: without a unit it is wei.
	unitDecimals = map[string]int{"": 0, "wei": 0, "gwei": ethereum.GweiDecimals, "ether": ethereum.EtherDecimals}
)

// maxAmountBits is what a transaction has for a value or a fee.
const maxAmountBits = 256

// parseAmount reads an amount of wei: 20gwei, 1.5ether, 1000.
func parseAmount(text string) (*big.Int, error) {
	m := amountForm.FindStringSubmatch(text)
	if m == nil || len(text) > maxAmountBits {
		return nil, errors.New("write an amount as 1.5ether, 20gwei, or a whole number of wei")
	}
	whole, fraction, decimals := m[1], strings.TrimRight(m[2], "0"), unitDecimals[m[3]]
	if len(fraction) > decimals {
		return nil, fmt.Errorf("there is nothing smaller than 1 wei: %s has more than %d decimals", text, decimals)
	}
	n, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10) // digits
	if n.BitLen() > maxAmountBits {
		return nil, fmt.Errorf("%s is more than %d bits of wei", text, maxAmountBits)
	}
	return n, nil
}

package doctor

import (
	"fmt"
	"math"
	"strconv"
)

// size is how people say bytes.
func size(bytes uint64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}

// milliseconds of a round trip.
func milliseconds(seconds float64) string {
	return strconv.FormatFloat(seconds*1000, 'f', 0, 64) + " ms"
}

// off is how far a clock is from another one: "61 s ahead", "5 s behind".
func off(seconds float64) string {
	way := "ahead of"
	if seconds < 0 {
		way = "behind"
	}
	return fmt.Sprintf("%.0f s %s", math.Abs(seconds), way)
}

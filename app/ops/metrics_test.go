package ops

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// catalog is what can be asked of Prometheus: series by their names, with the labels that
// they have. A test of app/mpcnode holds the table that it comes from against the program.
type catalog map[string][]string

// common are the labels of all our series.
var common = []string{"chain_id", "instance", "job"}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func newCatalog(t *testing.T) catalog {
	t.Helper()
	c := catalog{"up": {"instance", "job"}}
	rows := regexp.MustCompile("(?m)^\\| `(sequencer_\\w+)` \\| (\\w+) \\|([^|]*)\\|").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	require.Greater(t, len(rows), 30)
	for _, row := range rows {
		labels := slices.Clone(common)
		for _, label := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, label[1])
		}
		if row[2] != "histogram" {
			c[row[1]] = labels
			continue
		}
		c[row[1]+"_bucket"] = append(slices.Clone(labels), "le")
		c[row[1]+"_sum"], c[row[1]+"_count"] = labels, labels
	}
	return c
}

// words of PromQL that our expressions are made of.
var words = []string{
	"sum", "max", "by", "on", "and", "unless", "offset", "rate", "increase", "changes", "max_over_time", "min_over_time",
	"histogram_quantile", "label_values",
}

var (
	quoted   = regexp.MustCompile(`"[^"]*"`)
	duration = regexp.MustCompile(`\[[^\]]*\]|\boffset \w+|\b[0-9.]+\b`)
	name     = regexp.MustCompile(`[a-zA-Z_]\w*`)
	selector = regexp.MustCompile(`([a-zA-Z_]\w*)\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)`)
	grouping = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
)

// fault says what in an expression is neither PromQL nor a series or label that there is;
// empty if nothing.
func (c catalog) fault(expr string) string {
	expr = duration.ReplaceAllString(quoted.ReplaceAllString(expr, `""`), "")
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		for _, label := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(c[m[1]], label[1]) {
				return m[1] + " has no label " + label[1]
			}
		}
	}
	rest := selector.ReplaceAllString(expr, "$1")
	var labels, groups []string
	for _, m := range grouping.FindAllStringSubmatch(rest, -1) {
		groups = append(groups, name.FindAllString(m[1], -1)...)
	}
	series := 0
	for _, word := range name.FindAllString(grouping.ReplaceAllString(rest, ""), -1) {
		switch of, there := c[word]; {
		case there:
			labels = append(labels, of...)
			series++
		case !slices.Contains(words, word):
			return "there is no series " + word
		}
	}
	for _, label := range groups {
		if !slices.Contains(labels, label) {
			return "nothing has a label " + label
		}
	}
	if series == 0 {
		return "it asks for nothing"
	}
	return ""
}

func TestFaultsOfExpressionsAreFound(t *testing.T) {
	c := newCatalog(t)
	for expr, want := range map[string]string{
		`sequencer_mpc_engine_up == 0`:                                      "",
		`up{job="sequencer"} == 0`:                                          "",
		`up{chain_id="x"} == 0`:                                             "up has no label chain_id",
		`sequencer_mpc_engine_down == 0`:                                    "there is no series sequencer_mpc_engine_down",
		`sequencer_mpc_request_blocks > 1`:                                  "there is no series sequencer_mpc_request_blocks",
		`rate(sequencer_mpc_request_blocks_count{kind="sign"}[5m])`:         "",
		`rate(sequencer_mpc_request_blocks_count{kinds="sign"}[5m])`:        "sequencer_mpc_request_blocks_count has no label kinds",
		`sum by (kind, le) (rate(sequencer_mpc_request_blocks_bucket[5m]))`: "",
		`sum by (le) (rate(sequencer_mpc_request_blocks_count[5m]))`:        "nothing has a label le",
		`sequencer_mpc_height offset 1h < go_goroutines`:                    "there is no series go_goroutines",
		`rate(sequencer_mpc_dropped_total{reason=~"a|b_c"}[$__interval])`:   "",
		`1 > 0`: "it asks for nothing",
	} {
		require.Equal(t, want, c.fault(expr), expr)
	}
}

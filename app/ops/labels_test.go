package ops

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// labelValues are the values that labels can have, as the program names them. An expression
// asks for no other value, and for no label that is not here: it would never find anything,
// and nobody would notice, once the program calls the same by another word.
func labelValues(t *testing.T) map[string][]string {
	t.Helper()
	reasons := append(reasonsIn(t, "../../mpc/types/reason.go"), reasonsIn(t, "../../p2p/drop.go")...)
	kinds := []string{}
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindReshare, types.KindDelete, types.KindPresign} {
		kinds = append(kinds, kind.String())
	}
	return map[string][]string{
		"job":       {"sequencer"}, // as README.md has it in scrape_configs
		"kind":      kinds,
		"outcome":   append([]string{"ok"}, reasons...),
		"reason":    reasons,
		"state":     {"ready", "wanted"},
		"direction": {string(p2p.In), string(p2p.Out)},
	}
}

var matched = regexp.MustCompile(`([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"([^"]*)"`)

// strangeValue says which value of a label an expression asks for that there cannot be;
// empty if there is none. What the dashboard lets people choose begins with $.
func strangeValue(expr string, values map[string][]string) string {
	for _, m := range matched.FindAllStringSubmatch(expr, -1) {
		for _, value := range strings.Split(m[2], "|") {
			if !strings.HasPrefix(value, "$") && !slices.Contains(values[m[1]], value) {
				return m[1] + " is never " + value
			}
		}
	}
	return ""
}

// Alerts and dashboard ask for values that the program gives.
func TestValuesOfLabelsAreThere(t *testing.T) {
	values := labelValues(t)
	asked := 0
	ask := func(name, expr string) {
		require.Empty(t, strangeValue(expr, values), name)
		asked += len(matched.FindAllString(expr, -1))
	}
	for _, a := range alerts(t) {
		ask(a.Alert, a.Expr)
	}
	for _, expr := range panelExpressions(t) {
		ask("dashboard.json", expr)
	}
	require.Greater(t, asked, 50)
}

func TestStrangeValuesAreFound(t *testing.T) {
	values := labelValues(t)
	for expr, want := range map[string]string{
		`up{job="sequencer"} == 0`:                                           "",
		`up{job="node"} == 0`:                                                "job is never node",
		`rate(x{reason=~"queue_full|busy"}[5m])`:                             "",
		`rate(x{reason=~"queue_full|lazy"}[5m])`:                             "reason is never lazy",
		`rate(x{reason="ok"}[5m])`:                                           "reason is never ok",
		`rate(x{chain_id="$chain", kind="sign", outcome!~"ok|expired"}[5m])`: "",
		`rate(x{chain_id="$chain", kind="signature"}[5m])`:                   "kind is never signature",
		`x{state="found"}`:                                                   "state is never found",
	} {
		require.Equal(t, want, strangeValue(expr, values), expr)
	}
}

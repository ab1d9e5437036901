package ops

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// panel is one of dashboard.json, a row too.
type panel struct {
	ID          int
	Type, Title string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct{ Expr, LegendFormat string }
}

type dashboard struct {
	Title, UID string
	Templating struct {
		List []struct {
			Name  string
			Query any
		}
	}
	Panels []panel
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(readFile(t, "dashboard.json")), &d))
	require.Greater(t, len(d.Panels), 20)
	return d
}

// panelExpressions are all that the panels ask for.
func panelExpressions(t *testing.T) (all []string) {
	t.Helper()
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

// Each panel asks for what there is, of the chain and the nodes that were chosen, and its
// legend names labels that its lines have.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	c := newCatalog(t)
	ids := map[int]bool{}
	for _, p := range readDashboard(t).Panels {
		require.False(t, ids[p.ID], p.Title)
		ids[p.ID] = true
		require.NotEmpty(t, p.Title)
		require.Equal(t, p.Type == "row", len(p.Targets) == 0, p.Title)
		for _, target := range p.Targets {
			require.Empty(t, c.fault(target.Expr), p.Title)
			for _, m := range regexp.MustCompile(`sequencer_mpc_\w+(\{[^}]*\})?`).FindAllStringSubmatch(target.Expr, -1) {
				require.Contains(t, m[1], `{chain_id="$chain", instance=~"$instance"`, p.Title)
			}
			for _, label := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				by := regexp.MustCompile(`by \(([^)]*)\)`).FindStringSubmatch(target.Expr)
				if by == nil {
					require.Contains(t, common, label[1], p.Title)
					continue
				}
				require.Regexp(t, `\b`+label[1]+`\b`, by[1], p.Title)
			}
		}
	}
}

// What it lets people choose comes from series that there are.
func TestDashboardVariables(t *testing.T) {
	c := newCatalog(t)
	names := map[string]bool{}
	for _, v := range readDashboard(t).Templating.List {
		names[v.Name] = true
		if query, ok := v.Query.(map[string]any); ok {
			m := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(query["query"].(string))
			require.NotNil(t, m, v.Name)
			require.Empty(t, c.fault(m[1]), v.Name)
			require.Contains(t, common, m[2])
		}
	}
	require.Equal(t, map[string]bool{"datasource": true, "chain": true, "instance": true}, names)
}

// Panels do not lie on each other, and none is outside of the 24 columns.
func TestDashboardHasRoom(t *testing.T) {
	taken := map[[2]int]string{}
	for _, p := range readDashboard(t).Panels {
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				require.Empty(t, taken[at], p.Title)
				taken[at] = p.Title
			}
		}
	}
}

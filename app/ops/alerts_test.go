package ops

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// alert is one of alerts.yml.
type alert struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, path)), into))
}

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	readYAML(t, "alerts.yml", &file)
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	require.Greater(t, len(all), 20)
	return all
}

// Each alert asks for what there is, says how bad it is, and where to read on.
func TestAlertsAskForWhatThereIs(t *testing.T) {
	c := newCatalog(t)
	seen := map[string]bool{}
	for _, a := range alerts(t) {
		require.False(t, seen[a.Alert], a.Alert)
		seen[a.Alert] = true
		require.Empty(t, c.fault(a.Expr), a.Alert)
		require.Contains(t, []string{"critical", "warning"}, a.Labels["severity"], a.Alert)
		require.NotEmpty(t, a.Annotations["summary"], a.Alert)
		require.True(t, strings.HasSuffix(a.Annotations["runbook_url"], "/app/ops/RUNBOOK.md#"+strings.ToLower(a.Alert)), a.Alert)
	}
}

// alertTest is an entry of alerts_test.yml.
type alertTest struct {
	InputSeries []struct{ Series string } `yaml:"input_series"`
	Rules       []struct {
		Alert  string `yaml:"alertname"`
		Expect []struct {
			Labels map[string]string `yaml:"exp_labels"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
}

// Each alert has a test of two nodes, of which it fires for one.
func TestAlertsAreTested(t *testing.T) {
	var file struct{ Tests []alertTest }
	readYAML(t, "alerts_test.yml", &file)
	tested := map[string]bool{}
	for _, test := range file.Tests {
		var series []string
		for _, s := range test.InputSeries {
			series = append(series, s.Series)
		}
		for _, r := range test.Rules {
			require.Len(t, r.Expect, 1, r.Alert)
			require.Equal(t, "a", r.Expect[0].Labels["instance"], r.Alert)
			for _, node := range []string{"a", "b"} {
				require.Contains(t, strings.Join(series, "\n"), `instance="`+node+`"`, r.Alert)
			}
			tested[r.Alert] = true
		}
	}
	for _, a := range alerts(t) {
		require.True(t, tested[a.Alert], a.Alert)
	}
	require.Len(t, tested, len(alerts(t)))
}

// promtool runs it, or leaves the test out where it is not installed. CI must have it,
// unless NO_PROMTOOL says that it could not be fetched.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		require.False(t, os.Getenv("CI") != "" && os.Getenv("NO_PROMTOOL") == "", "promtool is not installed, and CI must check with it: it is in Debian's package prometheus")
		t.Skip("promtool is not installed: it is in Debian's package prometheus")
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestAlertsWithPromtool(t *testing.T) {
	promtool(t, "check", "rules", "alerts.yml")
	promtool(t, "test", "rules", "alerts_test.yml")
}

// Prometheus can read what the dashboard asks for.
func TestDashboardWithPromtool(t *testing.T) {
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	type group struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	g := group{Name: "dashboard"}
	for _, expr := range panelExpressions(t) {
		g.Rules = append(g.Rules, rule{"panel", strings.ReplaceAll(expr, "$__rate_interval", "5m")})
	}
	text, err := yaml.Marshal(map[string][]group{"groups": {g}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "panels.yml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	promtool(t, "check", "rules", "--lint=none", path)
}

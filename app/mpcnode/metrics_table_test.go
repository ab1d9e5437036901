package mpcnode

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// documentedMetric is a row of the table that operators have.
type documentedMetric struct {
	kind   string
	labels []string
}

// metricsTable reads that table.
func metricsTable(t *testing.T) map[string]documentedMetric {
	t.Helper()
	text, err := os.ReadFile("../ops/README.md")
	require.NoError(t, err)
	table := make(map[string]documentedMetric)
	for _, row := range regexp.MustCompile("(?m)^\\| `(sequencer_\\w+)` \\| (\\w+) \\|([^|]*)\\| ([^|]+) \\|$").FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, table, row[1], "it is there twice")
		m := documentedMetric{kind: row[2], labels: []string{}}
		for _, label := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[3], -1) {
			m.labels = append(m.labels, label[1])
		}
		table[row[1]] = m
	}
	require.Len(t, table, strings.Count(string(text), "| `sequencer_"), "a row has another form")
	return table
}

// kindOf is the type of a metric; those that the status gives are gauges and counters.
func kindOf(c prometheus.Collector, name string) string {
	switch c.(type) {
	case *prometheus.HistogramVec, prometheus.Histogram:
		return "histogram"
	case *prometheus.CounterVec:
		return "counter"
	case *statusCollector:
		if strings.HasSuffix(name, "_total") {
			return "counter"
		}
	}
	return "gauge"
}

// Every metric stands in the operators' table, with its type and its labels, and nothing
// that there is not.
func TestEveryMetricIsDocumented(t *testing.T) {
	m := newMetrics("seq-1")
	form := regexp.MustCompile(`^Desc\{fqName: "(\w+)", help: ".+", constLabels: \{chain_id="seq-1"\}, variableLabels: \{([\w,]*)\}\}$`)
	there := make(map[string]documentedMetric)
	for _, c := range m.collectors {
		descs := make(chan *prometheus.Desc, 100)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			found := form.FindStringSubmatch(d.String())
			require.NotNil(t, found, d)
			labels := slices.DeleteFunc(strings.Split(found[2], ","), func(l string) bool { return l == "" })
			there[found[1]] = documentedMetric{kindOf(c, found[1]), labels}
		}
	}
	require.Greater(t, len(there), 30)
	table := metricsTable(t)
	for name, want := range there {
		require.Contains(t, table, name, "it is not documented")
		require.Equal(t, want, table[name], name)
	}
	for name := range table {
		require.Contains(t, there, name, "there is no such metric")
	}
}

// What is served has the types that the table says.
func TestMetricsAreOfTheirTypes(t *testing.T) {
	m := newMetrics("seq-1")
	m.watch(idleEngine(t), nil)
	table := metricsTable(t)
	types := map[dto.MetricType]string{dto.MetricType_COUNTER: "counter", dto.MetricType_GAUGE: "gauge", dto.MetricType_HISTOGRAM: "histogram"}
	served := gather(t, m)
	require.Greater(t, len(served), 15)
	for name, family := range served {
		require.Equal(t, table[name].kind, types[family.GetType()], fmt.Sprint(name, family))
	}
}

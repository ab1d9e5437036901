package mpcnode

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	gometrics "github.com/hashicorp/go-metrics"
	"go.opentelemetry.io/contrib/bridges/otelslog"

	"cosmossdk.io/log/v2"
	logslog "cosmossdk.io/log/v2/slog"

	"github.com/cosmos/cosmos-sdk/server"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	"github.com/cosmos/cosmos-sdk/telemetry"
	"github.com/cosmos/cosmos-sdk/version"
)

// telemetryGrace is how long the last telemetry may take to leave.
const telemetryGrace = 5 * time.Second

// startTelemetry does what the SDK's own start does, for logs, metrics and traces.
// It returns what ends it.
func startTelemetry(svrCtx *server.Context, cfg serverconfig.Config, home string) (*telemetry.Metrics, func() error, error) { //nolint:staticcheck // the SDK's API server takes this type
	if err := telemetry.InitializeOpenTelemetry(filepath.Join(home, "config", telemetry.OtelFileName)); err != nil {
		return nil, nil, fmt.Errorf("start OpenTelemetry: %w", err)
	}
	svrCtx.Logger = withOpenTelemetry(svrCtx.Logger)
	metrics, err := telemetry.New(cfg.Telemetry) //nolint:staticcheck // see above
	if err != nil {
		return nil, nil, fmt.Errorf("start telemetry: %w", err)
	}
	tellVersions()
	return metrics, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), telemetryGrace)
		defer cancel()
		return telemetry.Shutdown(ctx)
	}, nil
}

// withOpenTelemetry lets logs go to OpenTelemetry as well, if otel.yaml sends them
// anywhere.
func withOpenTelemetry(logger log.Logger) log.Logger {
	if !telemetry.IsOtelLoggerEnabled() {
		return logger
	}
	return log.NewMultiLogger(logger, logslog.NewCustomLogger(otelslog.NewLogger("")))
}

// tellVersions sets the metric server_info of the SDK.
func tellVersions() {
	info := version.NewInfo()
	var labels []gometrics.Label
	for name, value := range map[string]string{"go": info.GoVersion, "version": info.CosmosSdkVersion} {
		if value != "" {
			labels = append(labels, telemetry.NewLabel(name, value)) //nolint:staticcheck // as the SDK has it
		}
	}
	if len(labels) > 0 {
		telemetry.SetGaugeWithLabels([]string{"server", "info"}, 1, labels) //nolint:staticcheck // as above
	}
}

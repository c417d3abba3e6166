package simulator

import (
	"context"
	"log/slog"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
)

// currentLog writes to the log of whichever configuration is active, since a
// simulator outlives the one that it was made by.
type currentLog struct{}

func (currentLog) handler() slog.Handler {
	return zapslog.NewHandler(logger().Core(), zapslog.WithName(logger().Name()))
}

func logger() *zap.Logger { return caddy.Log().Named("http.handlers.qfpay_simulator") }

// Enabled implements slog.Handler.
func (l currentLog) Enabled(ctx context.Context, level slog.Level) bool {
	return l.handler().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l currentLog) Handle(ctx context.Context, record slog.Record) error {
	return l.handler().Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (l currentLog) WithAttrs(attrs []slog.Attr) slog.Handler { return l.handler().WithAttrs(attrs) }

// WithGroup implements slog.Handler.
func (l currentLog) WithGroup(name string) slog.Handler { return l.handler().WithGroup(name) }

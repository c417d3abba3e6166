package doctor

import (
	"context"
	"errors"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

// checkWebhooks opens a connection to each, as deliveries do, and sends nothing.
func (s Shop) checkWebhooks(ctx context.Context) Finding {
	if len(s.Webhooks) == 0 {
		return good("not configured: no program but Caddy's event handlers hears about payments")
	}
	for _, hook := range s.Webhooks {
		switch err := hook.Dial(ctx); {
		case errors.Is(err, webhook.ErrNotPublic):
			return bad("Write its IP address into the URL, which allows exactly that one. Where the address changes, as with containers, "+
				"write http://localhost with a port, and let a Caddy site there forward to it with reverse_proxy.", "%v", err)
		case err != nil:
			return bad("Start it, or correct its URL: events are retried for three days.", "%v", err)
		}
	}
	return good("reachable: %d", len(s.Webhooks))
}

package doctor

import (
	"context"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// checkCredentials asks about an order that cannot exist: only the signature
// decides what comes back.
func (s Shop) checkCredentials(ctx context.Context) Finding {
	trades, err := s.Enquire(ctx, qfpay.Query{OutTradeNo: ledger.NewID(s.Now())})
	switch {
	case err == nil && len(trades) == 0:
		return good("the gateway accepted a signed request")
	case err == nil:
		return bad("Check that environment is the real gateway.", "the gateway knows an order that cannot exist")
	default:
		return failing(err, "the gateway", "Ask QFPay about this code.",
			"Compare app_code, client_key, mchid, sign_type and environment with what QFPay gave you: testing and production have different keys.")
	}
}

// How far the clock may be off before payments are looked for at the wrong time.
const (
	clockWarning = 30 * time.Second
	clockBad     = 10 * time.Minute
)

// checkClock compares this machine's clock with the Date that the gateway's server
// sends.
func (s Shop) checkClock(ctx context.Context) Finding {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, s.Gateway, nil)
	if err != nil {
		return bad("", "%v", err)
	}
	before := s.Now()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return warning("See the check of the credentials.", "unknown, because the gateway does not answer")
	}
	_ = response.Body.Close()
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return warning("Make sure that this machine's clock is set by NTP.", "unknown, because the gateway does not send its time")
	}
	return judgeClock(before.Add(s.Now().Sub(before) / 2).Sub(theirs))
}

func judgeClock(off time.Duration) Finding {
	const advice = "Set this machine's clock, and keep it set by NTP: orders are searched for around the time they were made."
	switch off = off.Abs().Round(time.Second); {
	case off >= clockBad:
		return bad(advice, "this machine's clock is %v off the gateway's", off)
	case off >= clockWarning:
		return warning(advice, "this machine's clock is %v off the gateway's", off)
	default:
		return good("within %v of the gateway's", max(off, time.Second))
	}
}

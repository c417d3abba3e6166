package webhook

import (
	"fmt"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// maxRetryAfter bounds what an endpoint may ask for.
const maxRetryAfter = 24 * time.Hour

// Result is what came of one attempt.
type Result struct {
	Delivered  bool          // the endpoint answered 2xx
	Disabled   bool          // the endpoint answered 410: it wants nothing more, ever
	Status     int           // HTTP status, 0 if none came
	RetryAfter time.Duration // what a failing endpoint asked to wait from now on, at most 24 h; 0 if it did not ask
	Err        error         // why the message was not delivered, without the URL's query; nil when delivered
}

func (e *Endpoint) judge(status int, retryAfter string, now time.Time) Result {
	result := Result{Status: status}
	switch {
	case status >= 200 && status <= 299:
		result.Delivered = true
		return result
	case status == http.StatusGone:
		result.Disabled = true
	default:
		result.RetryAfter = remote.RetryAfter(retryAfter, now, maxRetryAfter)
	}
	result.Err = e.refusal(status)
	return result
}

func (e *Endpoint) refusal(status int) error {
	switch {
	case status == http.StatusGone:
		return fmt.Errorf("%s answered 410: it wants no more messages", e)
	case status >= 300 && status <= 399:
		return fmt.Errorf("%s answered %d: redirects are not followed: configure the final URL", e, status)
	default:
		return fmt.Errorf("%s answered %d", e, status)
	}
}

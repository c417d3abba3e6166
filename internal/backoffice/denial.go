package backoffice

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// Denial is why the owner does not get what was asked for.
type Denial struct {
	Status int // HTTP
	Text   string
}

func (d Denial) Error() string { return d.Text }

// Deny returns a [Denial].
func Deny(status int, format string, args ...any) error {
	return Denial{status, fmt.Sprintf(format, args...)}
}

var refusals = map[orders.RefusalKind]int{
	orders.Invalid:  http.StatusBadRequest,
	orders.Conflict: http.StatusConflict,
	orders.Busy:     http.StatusServiceUnavailable,
	orders.Gateway:  http.StatusBadGateway,
}

// DenialOf says any error to the owner. What is neither a denial nor a refusal of
// the order service is an error of the ledger.
func DenialOf(err error) Denial {
	var denied Denial
	var refusal *orders.Refusal
	switch {
	case errors.As(err, &denied):
		return denied
	case errors.As(err, &refusal):
		return Denial{refusals[refusal.Kind], refusal.Text}
	case errors.Is(err, ledger.ErrUnknown):
		return Denial{http.StatusNotFound, ledger.ErrUnknown.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return Denial{http.StatusServiceUnavailable, "the ledger did not answer in time, try again"}
	default:
		return Denial{http.StatusServiceUnavailable, fmt.Sprintf("the ledger cannot be used: %v", err)}
	}
}

package pages

import "net/http"

// Kind is why the owner does not get a page.
type Kind string

// The kinds, which are also keys of texts.
const (
	Unguarded     Kind = "unguarded"
	UnknownOrder  Kind = "unknown_order"
	BadRequest    Kind = "bad_request"
	Forged        Kind = "forged"
	Denied        Kind = "denied"
	GatewayFailed Kind = "gateway_failed"
	LedgerDown    Kind = "ledger_down"
	WrongMethod   Kind = "wrong_method"
	WrongForm     Kind = "wrong_form"
)

var statuses = map[Kind]int{
	Unguarded:     http.StatusForbidden,
	UnknownOrder:  http.StatusNotFound,
	BadRequest:    http.StatusBadRequest,
	Forged:        http.StatusForbidden,
	Denied:        http.StatusConflict,
	GatewayFailed: http.StatusBadGateway,
	LedgerDown:    http.StatusServiceUnavailable,
	WrongMethod:   http.StatusMethodNotAllowed,
	WrongForm:     http.StatusUnsupportedMediaType,
}

// Status returns the HTTP status of the problem.
func (k Kind) Status() int { return statuses[k] }

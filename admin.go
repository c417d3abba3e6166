package qfpayjsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func init() {
	caddy.RegisterModule(new(Admin))
}

// Admin is the part of Caddy's admin API in which the shop's owner works with
// orders: lists, refunds, enquiries, exports and invoices, below `/qfpay_jsapi/`.
// It needs no configuration. Whoever reaches the admin API can move money: keep
// it on the machine, as Caddy does.
type Admin struct{}

// CaddyModule returns the Caddy module information.
func (Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.qfpay_jsapi",
		New: func() caddy.Module { return new(Admin) },
	}
}

// Provision makes the admin API's /metrics show the module's, whatever becomes
// of a configuration: the admin API goes over to a new one before its blocks
// are provisioned, and stays with it if it is rejected then.
func (Admin) Provision(ctx caddy.Context) error { return registerMetrics(ctx) }

// Routes implements caddy.AdminRouter.
func (Admin) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		route("/qfpay_jsapi/orders", http.MethodGet, listOrders, slices.Concat(searchParameters, []string{"limit", "before"})...),
		route("/qfpay_jsapi/orders/{order}", http.MethodGet, showOrder),
		route("/qfpay_jsapi/orders/{order}/refund", http.MethodPost, refundOrder),
		route("/qfpay_jsapi/orders/{order}/query", http.MethodPost, queryOrder),
		route("/qfpay_jsapi/orders/{order}/close", http.MethodPost, closeOrder),
		route("/qfpay_jsapi/export", http.MethodGet, exportOrders, searchParameters...),
		route("/qfpay_jsapi/orphans", http.MethodGet, listOrphans),
		route("/qfpay_jsapi/invoices", http.MethodPost, makeInvoice),
		route("/qfpay_jsapi/shops", http.MethodGet, listShops),
		route("/qfpay_jsapi/doctor", http.MethodPost, examineAll),
	}
}

// route is one address of the API, with the parameters that its query may have.
// The app is that of the configuration which is active when the request comes:
// routes outlive configurations, those that were rejected too.
func route(pattern, method string, answer func(*App, http.ResponseWriter, *http.Request) error, parameters ...string) caddy.AdminRoute {
	return caddy.AdminRoute{Pattern: pattern, Handler: caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != method {
			w.Header().Set("Allow", method)
			return adminError(deny(http.StatusMethodNotAllowed, "method not allowed: use %s", method))
		}
		if err := refuseUnknown(r, parameters); err != nil {
			return adminError(err)
		}
		app, err := activeApp()
		if err != nil {
			return adminError(err)
		}
		w.Header().Set("Cache-Control", "no-store")
		return adminError(answer(app, w, r))
	})}
}

// refuseUnknown refuses parameters that would change nothing: whoever writes the
// amount of a refund into the address does not mean all that is left.
func refuseUnknown(r *http.Request, known []string) error {
	for name := range r.URL.Query() {
		if !slices.Contains(known, name) {
			return deny(http.StatusBadRequest, "unknown parameter %q in the address; there may be %s", name, cmp.Or(strings.Join(known, ", "), "none"))
		}
	}
	return nil
}

func activeApp() (*App, error) {
	app, err := caddy.ActiveContext().AppIfConfigured("qfpay_jsapi")
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, deny(http.StatusNotFound, "the running configuration has no qfpay_jsapi directive")
	}
	if err != nil {
		return nil, err
	}
	return app.(*App), nil
}

// adminError gives an error the form of Caddy's admin API.
func adminError(err error) error {
	var denied denial
	switch {
	case err == nil:
		return nil
	case errors.As(err, &denied):
		return caddy.APIError{HTTPStatus: denied.status, Err: denied}
	case errors.Is(err, ledger.ErrUnknown):
		return caddy.APIError{HTTPStatus: http.StatusNotFound, Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: fmt.Errorf("storage did not answer in time, try again: %w", err)}
	default:
		return caddy.APIError{HTTPStatus: http.StatusInternalServerError, Err: err}
	}
}

// maxAdminBody bounds the body of a request in bytes.
const maxAdminBody = 16 << 10

// readJSON reads the body of a request. That it must be declared as JSON keeps
// pages in the owner's browser from posting here: browsers ask first.
func readJSON(r *http.Request, into any) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return deny(http.StatusUnsupportedMediaType, "the body must be JSON with Content-Type: application/json")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxAdminBody))
	decoder.DisallowUnknownFields()
	var mistaken *json.UnmarshalTypeError
	switch err := decoder.Decode(into); {
	case errors.As(err, &mistaken) && mistaken.Field == "amount":
		return deny(http.StatusBadRequest, "amount must be a whole number of minor units, such as 2800 for 28.00 of a currency with cents")
	case err != nil:
		return deny(http.StatusBadRequest, "the body cannot be read: %v", err)
	}
	if decoder.More() {
		return deny(http.StatusBadRequest, "the body is more than one JSON object")
	}
	return nil
}

// readNothing takes the body of a request that says all by its address: an empty
// object, or none. One that is declared as something else is none of those, as
// that of a form.
func readNothing(r *http.Request) error {
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		return nil
	}
	return readJSON(r, &struct{}{})
}

// Interface guards
var (
	_ caddy.AdminRouter = (*Admin)(nil)
	_ caddy.Provisioner = (*Admin)(nil)
)

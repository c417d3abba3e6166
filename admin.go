package qfpayjsapi

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func init() {
	caddy.RegisterModule(new(Admin))
}

// Admin is the part of Caddy's admin API in which the shop's owner works with
// orders: lists, refunds, enquiries, comparisons with the gateway's list, exports,
// invoices and backups, below `/qfpay_jsapi/`. It needs no configuration. Whoever
// reaches the admin API can move money: keep it on the machine, as Caddy does.
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
		route("/qfpay_jsapi/orders", http.MethodGet, office((*backoffice.Office).ListOrders), slices.Concat(backoffice.SearchParameters, []string{"limit", "before"})...),
		route("/qfpay_jsapi/orders/{order}", http.MethodGet, office((*backoffice.Office).ShowOrder)),
		route("/qfpay_jsapi/orders/{order}/refund", http.MethodPost, office((*backoffice.Office).RefundOrder)),
		route("/qfpay_jsapi/orders/{order}/query", http.MethodPost, office((*backoffice.Office).QueryOrder)),
		route("/qfpay_jsapi/orders/{order}/close", http.MethodPost, office((*backoffice.Office).CloseOrder)),
		route("/qfpay_jsapi/orders/{order}/fulfil", "POST, DELETE", office((*backoffice.Office).FulfilOrder)),
		route("/qfpay_jsapi/stock", http.MethodGet, office((*backoffice.Office).ListStock), "name"),
		route("/qfpay_jsapi/stock/{item}", http.MethodPut, office((*backoffice.Office).SetStock)),
		route("/qfpay_jsapi/export", http.MethodGet, office((*backoffice.Office).ExportOrders), slices.Concat(backoffice.SearchParameters, backoffice.ExportParameters)...),
		route("/qfpay_jsapi/orphans", http.MethodGet, office((*backoffice.Office).ListOrphans)),
		route("/qfpay_jsapi/compare", http.MethodPost, office((*backoffice.Office).CompareTrades)),
		route("/qfpay_jsapi/backup", http.MethodPost, office((*backoffice.Office).Backup)),
		route("/qfpay_jsapi/invoices", http.MethodPost, makeInvoice),
		route("/qfpay_jsapi/shops", http.MethodGet, listShops),
		route("/qfpay_jsapi/doctor", http.MethodPost, examineShops),
	}
}

// answer is what a request of the API does.
type answer func(*App, http.ResponseWriter, *http.Request) error

// office has the back office of all shops answer.
func office(do func(*backoffice.Office, http.ResponseWriter, *http.Request) error) answer {
	return func(app *App, w http.ResponseWriter, r *http.Request) error { return do(app.office(""), w, r) }
}

// route is one address of the API, with the methods that it takes, as the header
// Allow names them, and the parameters that its query may have.
// The app is that of the configuration which is active when the request comes:
// routes outlive configurations, those that were rejected too.
func route(pattern, methods string, do answer, parameters ...string) caddy.AdminRoute {
	return caddy.AdminRoute{Pattern: pattern, Handler: caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		if !slices.Contains(strings.Split(methods, ", "), r.Method) {
			w.Header().Set("Allow", methods)
			return adminError(backoffice.Deny(http.StatusMethodNotAllowed, "method not allowed: use %s", methods))
		}
		if err := refuseUnknown(r, parameters); err != nil {
			return adminError(err)
		}
		app, err := activeApp()
		if err != nil {
			return adminError(err)
		}
		w.Header().Set("Cache-Control", "no-store")
		return adminError(do(app, w, r))
	})}
}

// repeatable are the parameters that may be given more than once.
var repeatable = []string{"status", "method"}

// refuseUnknown refuses parameters that would change nothing: whoever writes the
// amount of a refund into the address does not mean all that is left. Those that
// cannot be read would change nothing either, and two of one not both.
func refuseUnknown(r *http.Request, known []string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return backoffice.Deny(http.StatusBadRequest, "the parameters in the address cannot be read: a %% or ; in them is written %%25 or %%3B")
	}
	for name, values := range query {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return backoffice.Deny(http.StatusBadRequest, "the address has the parameter %s twice", name)
		}
		if !slices.Contains(known, name) {
			return backoffice.Deny(http.StatusBadRequest, "unknown parameter %q in the address, which takes %s", name, cmp.Or(strings.Join(known, ", "), "none"))
		}
	}
	return nil
}

func activeApp() (*App, error) {
	app, err := caddy.ActiveContext().AppIfConfigured("qfpay_jsapi")
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, backoffice.Deny(http.StatusNotFound, "the running configuration has no qfpay_jsapi directive")
	}
	if err != nil {
		return nil, caddy.APIError{HTTPStatus: http.StatusInternalServerError, Err: err}
	}
	return app.(*App), nil
}

// adminError gives an error the form of Caddy's admin API.
func adminError(err error) error {
	var formed caddy.APIError
	if err == nil || errors.As(err, &formed) {
		return err
	}
	denied := backoffice.DenialOf(err)
	return caddy.APIError{HTTPStatus: denied.Status, Err: denied}
}

// Interface guards
var (
	_ caddy.AdminRouter = (*Admin)(nil)
	_ caddy.Provisioner = (*Admin)(nil)
)

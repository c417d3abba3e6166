package qfpayjsapi

import (
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/officepages"
)

func init() {
	caddy.RegisterModule(new(Orders))
}

// Orders is a page on which the shop's owner works with the orders that the
// `qfpay_jsapi` handlers of the same configuration take: lists of any period
// with their sums, all that is known of one order, what its payer told the shop
// included, and refunds.
//
// It answers every request that reaches it, at whatever address: what is
// wanted is in the query alone. Put `basic_auth` or `forward_auth` in front of
// it. Without either the configuration is refused, and so is any request for
// which neither has vouched.
//
// In a Caddyfile, which needs no `order` option:
//
//	handle /orders {
//		basic_auth {
//			owner <what caddy hash-password prints>
//		}
//		qfpay_orders
//	}
type Orders struct {
	// The name of the ledger whose orders are shown, where the configuration has
	// several and they are not all this owner's. Default: all.
	Name string `json:"name,omitempty"`

	// Shows the orders, payers' details included, to whoever sends a request,
	// and lets them refund. Set it only where something that Caddy's handlers do
	// not see keeps strangers out, such as client certificates or a network of
	// one's own. Default: false.
	InsecureWithoutAuth bool `json:"insecure_without_auth,omitempty"`

	app    *App
	logger *zap.Logger
	told   sync.Once // that a request came which nobody vouched for
}

// CaddyModule returns the Caddy module information.
func (*Orders) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.qfpay_orders",
		New: func() caddy.Module { return new(Orders) },
	}
}

// Provision refuses a page that anybody could open.
func (o *Orders) Provision(ctx caddy.Context) (err error) {
	o.logger = ctx.Logger()
	if o.Name, err = caddy.NewReplacer().ReplaceOrErr(o.Name, true, true); err != nil {
		return fmt.Errorf("qfpay_orders: name: %w", err)
	}
	if o.InsecureWithoutAuth {
		o.logger.Warn("the orders page asks nobody who they are (insecure_without_auth)")
	} else if err := checkGuard(ctx); err != nil {
		return err
	}
	app, err := ctx.App("qfpay_jsapi")
	if err != nil {
		return err
	}
	o.app = app.(*App)
	o.app.desks = append(o.app.desks, o)
	return nil
}

// checkLedgers finds pages that would have nothing to show. It waits until all
// handlers are there.
func (a *App) checkLedgers() error {
	for _, desk := range a.desks {
		switch {
		case len(a.clerks) == 0:
			return errors.New("qfpay_orders: there is no qfpay_jsapi directive in this configuration whose orders it could show")
		case len(a.books(desk.Name)) == 0:
			return fmt.Errorf("qfpay_orders: name: there is no ledger called %q: use the name of a qfpay_jsapi block", desk.Name)
		}
	}
	return nil
}

// sealOf seals for the shops of a ledger.
func (a *App) sealOf(ledger string) *checkout.Seal {
	for _, shop := range a.shops {
		if shop.Name == ledger {
			return shop.seal
		}
	}
	return nil
}

// ServeHTTP shows pages, and does what their forms ask for.
func (o *Orders) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	err := o.serve(w, r)
	if err == nil {
		return nil
	}
	problem := problemOf(err)
	if problem.Kind == officepages.StorageDown {
		o.logger.Error("the orders page cannot be shown", zap.Error(err))
	}
	if order := r.URL.Query().Get("order"); order != "" && problem.Kind != officepages.UnknownOrder {
		problem.BackURL = orderURL(order)
	}
	return officepages.Write(w, r, problem.Kind.Status(), problem)
}

func (o *Orders) serve(w http.ResponseWriter, r *http.Request) error {
	if !o.InsecureWithoutAuth && !isGuarded(r) {
		o.told.Do(func() {
			o.logger.Error("a request came to the orders page for which neither basic_auth nor forward_auth has vouched; check the matchers of both")
		})
		return problem{kind: officepages.Unguarded}
	}
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodPost:
		return o.act(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return problem{kind: officepages.WrongMethod}
	case query.Has("order") && query.Has("refund"):
		return o.confirmRefund(w, r)
	case query.Has("order") && query.Has("close"):
		return o.confirmClose(w, r)
	case query.Has("order"):
		return o.show(w, r)
	case query.Get("format") == "csv":
		return o.download(w, r)
	default:
		return o.list(w, r)
	}
}

// problem is why the owner does not get a page.
type problem struct {
	kind   officepages.Kind
	detail string
}

func (p problem) Error() string { return string(p.kind) + ": " + p.detail }

func problemOf(err error) officepages.Problem {
	var known problem
	var denied denial
	switch {
	case errors.As(err, &known):
		return officepages.Problem{Kind: known.kind, Detail: known.detail}
	case errors.Is(err, ledger.ErrUnknown):
		return officepages.Problem{Kind: officepages.UnknownOrder}
	case errors.As(err, &denied) && denied.status == http.StatusBadGateway:
		return officepages.Problem{Kind: officepages.GatewayFailed, Detail: denied.text}
	case errors.As(err, &denied) && denied.status == http.StatusBadRequest:
		return officepages.Problem{Kind: officepages.BadRequest, Detail: denied.text}
	case errors.As(err, &denied):
		return officepages.Problem{Kind: officepages.Denied, Detail: denied.text}
	default:
		return officepages.Problem{Kind: officepages.StorageDown}
	}
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Orders)(nil)
	_ caddyhttp.MiddlewareHandler = (*Orders)(nil)
)

package qfpayjsapi

import (
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
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
	// The name of the shop whose orders are shown, where the configuration has
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
func (o *Orders) Provision(ctx caddy.Context) error {
	o.logger = ctx.Logger()
	return setOff(o.provision(ctx), "", o.logger)
}

func (o *Orders) provision(ctx caddy.Context) (err error) {
	if o.Name, err = caddy.NewReplacer().ReplaceOrErr(o.Name, true, true); err != nil {
		return fmt.Errorf("qfpay_orders: name: %w", err)
	}
	if o.InsecureWithoutAuth {
		o.logger.Warn("the orders page is open to everybody who reaches it (insecure_without_auth)")
	} else if err := checkGuard(ctx); err != nil {
		return err
	}
	app, err := ctx.App("qfpay_jsapi")
	if err != nil {
		return err
	}
	o.app = app.(*App)
	o.app.pages = append(o.app.pages, o)
	return nil
}

// checkPages finds pages that would have nothing to show. It waits until all
// handlers are there.
func (a *App) checkPages() error {
	for _, page := range a.pages {
		switch {
		case len(a.blocks) == 0:
			return errors.New("qfpay_orders: this configuration has no qfpay_jsapi directive, so there are no orders to show")
		case len(a.shopNames(page.Name)) == 0:
			return fmt.Errorf("qfpay_orders: name: there is no shop called %q: use the name of a qfpay_jsapi block", page.Name)
		}
	}
	return nil
}

// ServeHTTP shows pages, and does what their forms ask for.
func (o *Orders) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	if !o.InsecureWithoutAuth && !isGuarded(r) {
		o.told.Do(func() {
			o.logger.Error("a request reached the orders page without passing basic_auth or forward_auth: check their matchers")
		})
		return backoffice.WriteUnguarded(w, r)
	}
	pages := backoffice.Pages{
		Office: o.app.office(o.Name), Bound: o.Name != "", Seal: o.seal, Log: o.logger,
		ParseAmount: shop.ParseAmount, User: user, Cookie: sessionCookie,
	}
	return pages.ServeHTTP(w, r)
}

// isGuarded reports whether somebody vouched for who sent a request: an
// authentication module, of which basic_auth is one, by naming the user; or an
// upstream that was asked first, which forward_auth is, by its answer.
func isGuarded(r *http.Request) bool {
	replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return false
	}
	if _, named := replacer.Get("http.auth.user.id"); named {
		return true
	}
	status, _ := replacer.Get("http.reverse_proxy.status_code")
	code, asked := status.(int)
	return asked && code >= 200 && code < 300
}

// user is who sent a request, if an authentication module said so.
func user(r *http.Request) string {
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		name, _ := replacer.GetString("http.auth.user.id")
		return name
	}
	return ""
}

// seal makes the marks of a shop's forms; nil for a shop that there is not.
func (o *Orders) seal(shop string) backoffice.Seal {
	if seal := o.app.sealOf(shop); seal != nil {
		return seal
	}
	return nil
}

// sessionCookie is that which ties the forms of the pages to a browser.
func sessionCookie(r *http.Request) (name string, secure bool) {
	secure = caddyServer{}.Origin(r).Secure()
	return checkout.CookiePrefix(secure) + "orders", secure
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Orders)(nil)
	_ caddyhttp.MiddlewareHandler = (*Orders)(nil)
)

package qfpayjsapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// ServeHTTP answers the requests below the configured path, and the gateway's
// notifications. All others go to the next handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if asked, isProbe := r.Context().Value(probeKey{}).(*probe); isProbe {
		return h.answerProbe(asked, w, r, next)
	}
	h.noteStripped(r)
	if !h.checkout.Serves(r) {
		return next.ServeHTTP(w, r)
	}
	defer h.ledger.Acquire()() // a request in flight outlives its configuration
	return handlerError(h.checkout.ServeHTTP(w, r))
}

// handlerError gives an error the status that the site's error routes answer with:
// one without would be a 200 there.
func handlerError(err error) error {
	if err == nil {
		return nil
	}
	if kind, ok := errors.AsType[pages.Kind](err); ok {
		return caddyhttp.Error(kind.Status(), kind)
	}
	return caddyhttp.Error(http.StatusInternalServerError, err)
}

// caddyServer tells the checkout what Caddy knows of a request.
type caddyServer struct{}

// Origin implements checkout.Server. Forwarded headers count only from proxies
// that the server is told to trust. Several proxies make a list, whose first
// element is what the payer's browser said.
func (caddyServer) Origin(r *http.Request) checkout.Origin {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); trusted {
		if proto := forwarded(r, "X-Forwarded-Proto"); proto == "http" || proto == "https" {
			scheme = proto
		}
		if named := forwarded(r, "X-Forwarded-Host"); named != "" {
			host = named
		}
	}
	return checkout.Origin(scheme + "://" + strings.ToLower(host))
}

// forwarded is the first element of a header, in small letters.
func forwarded(r *http.Request, header string) string {
	first, _, _ := strings.Cut(r.Header.Get(header), ",")
	return strings.ToLower(strings.TrimSpace(first))
}

// ClientAddress implements checkout.Server: it is the address as Caddy determined
// it.
func (caddyServer) ClientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}

// Note implements checkout.Server by the placeholders {http.qfpay_jsapi.*}, for
// access logs.
func (caddyServer) Note(r *http.Request, name, value string) {
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Set("http.qfpay_jsapi."+name, value)
	}
}

// Interface guards
var (
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
	_ checkout.Server             = caddyServer{}
)

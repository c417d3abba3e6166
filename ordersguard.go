package qfpayjsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// The orders page knows in two ways that somebody is asked who they are before
// they get to it. What counts is the request: it is let through only with the
// marks that basic_auth or forward_auth leave in it, and no client can make
// those up. That holds whatever the configuration looks like. So that a
// forgotten basic_auth shows when Caddy starts and not when the owner first
// looks, the routes in front are examined as well, as far as they can be seen.

// errUnguarded says what to do about a page that anybody could open.
var errUnguarded = errors.New("qfpay_orders: nobody is asked who they are before they see the orders: " +
	"put basic_auth or forward_auth in front of it, in the same block or around it; " +
	"or write insecure_without_auth in its own block if something else keeps strangers out, such as client certificates")

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

// checkGuard examines the routes that lead to the module that ctx provisions:
// an error means that all of them can be seen, and none asks who is there.
func checkGuard(ctx caddy.Context) error {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return nil
	}
	lists := []caddyhttp.RouteList{server.Routes}
	for _, module := range ctx.Modules() {
		if subroute, ok := module.(*caddyhttp.Subroute); ok {
			lists = append(lists, subroute.Routes)
		}
	}
	for i, routes := range lists {
		at := slices.IndexFunc(routes, isBeingProvisioned)
		if at < 0 && i == 0 {
			return nil // a named route: who invokes it cannot be seen
		}
		if guardsBefore(routes, at) {
			return nil
		}
	}
	return errUnguarded
}

// isBeingProvisioned tells the route that leads here from those before it, whose
// JSON is gone when they are done.
func isBeingProvisioned(route caddyhttp.Route) bool { return len(route.HandlersRaw) > 0 }

// guardsBefore reports whether a handler on the way to the route that is being
// provisioned asks who is there. Whether it asks of every request, its
// matchers tell only then.
func guardsBefore(routes caddyhttp.RouteList, at int) bool {
	if at < 0 {
		return false
	}
	here := routes[at]
	for _, route := range routes[:at] {
		isAlternative := route.Group != "" && route.Group == here.Group
		if !isAlternative && slices.ContainsFunc(route.Handlers, isGuard) {
			return true
		}
	}
	for _, handler := range here.HandlersRaw {
		if bytes.Contains(handler, []byte(`"qfpay_orders"`)) {
			return false
		}
		if isRawGuard(handler) {
			return true
		}
	}
	return false
}

func isGuard(handler caddyhttp.MiddlewareHandler) bool {
	switch handler := handler.(type) {
	case *caddyauth.Authentication:
		return true
	case *reverseproxy.Handler: // as forward_auth is one
		return len(handler.HandleResponse) > 0
	case *caddyhttp.Subroute:
		return slices.ContainsFunc(handler.Routes, func(route caddyhttp.Route) bool {
			return slices.ContainsFunc(route.Handlers, isGuard)
		})
	default:
		return false
	}
}

// isRawGuard is isGuard for a handler that is not provisioned yet.
func isRawGuard(raw json.RawMessage) bool {
	var handler struct {
		Handler        string            `json:"handler"`
		HandleResponse []json.RawMessage `json:"handle_response"`
		Routes         []struct {
			Handle []json.RawMessage `json:"handle"`
		} `json:"routes"`
	}
	if json.Unmarshal(raw, &handler) != nil {
		return false
	}
	switch handler.Handler {
	case "authentication":
		return true
	case "reverse_proxy":
		return len(handler.HandleResponse) > 0
	}
	for _, route := range handler.Routes {
		if slices.ContainsFunc(route.Handle, isRawGuard) {
			return true
		}
	}
	return false
}

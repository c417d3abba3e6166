package qfpayjsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// What can be seen, while a handler is provisioned, of the routes that lead to it:
// the names of its site, and whether anybody is asked who they are.

// Without public_url, payers are sent back to the host that their request named,
// by addresses that the merchant's key signs. Anybody can write anything into a
// Host. So it counts only if it is one of the site's own names, which the routes
// that lead to the handler tell, as far as they can be seen.

// errNoSite says what to do about a site that answers to every name.
var errNoSite = errors.New("required, because this site answers to any host name, and payers would be sent back to whatever name a request made up: " +
	"set public_url https://…, or give the site its names")

// learnHosts finds out which hosts requests may name. Without public_url, a site
// that is known to have no names of its own is an error, and one whose names
// cannot be seen a warning.
func (h *Handler) learnHosts(ctx caddy.Context) error {
	hosts, known := siteHosts(ctx)
	switch {
	case h.PublicURL != "":
	case !known:
		h.logger.Warn("public_url is not set, and the site's own host names cannot be determined: " +
			"payers are sent back to whatever Host their request names; set public_url")
	case len(hosts) == 0:
		return fieldError{"public_url", errNoSite}
	}
	h.hosts = hosts
	return nil
}

// siteHosts returns the host names of the requests that get to the handler which
// ctx provisions, in lower case and without ports. Known is false if that cannot
// be seen, and there are none if every name gets there, or all of a wildcard.
func siteHosts(ctx caddy.Context) (hosts []string, known bool) {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return nil, false
	}
	lists := []caddyhttp.RouteList{server.Routes}
	known = true
	for _, module := range ctx.Modules() {
		switch module := module.(type) {
		case *caddyhttp.Subroute:
			lists = append(lists, module.Routes)
		case *Handler, *caddyhttp.App:
		default:
			known = false // it may lead here by routes that cannot be seen
		}
	}
	for i, routes := range lists {
		at := slices.IndexFunc(routes, isBeingProvisioned)
		if at < 0 && i == 0 {
			return nil, false // a named route, or one for errors: who gets there cannot be seen
		}
		if at < 0 {
			known = false
			continue
		}
		names, seen := hostsOf(routes[at].MatcherSets)
		if len(names) > 0 {
			return names, true // other routes on the way let no more through
		}
		known = known && seen
	}
	return nil, known
}

// hostsOf returns the only names that a route lets through; none if it lets
// others through as well. Seen is false if that cannot be said. Any of the sets of
// matchers may let a request through.
func hostsOf(sets caddyhttp.MatcherSets) (names []string, seen bool) {
	seen = true
	open := len(sets) == 0
	for _, set := range sets {
		some, seenSome := hostsOfSet(set)
		names, seen = append(names, some...), seen && seenSome
		open = open || len(some) == 0
	}
	if open {
		return nil, seen
	}
	return names, true
}

// hostsOfSet is hostsOf for matchers that have to match all.
func hostsOfSet(set caddyhttp.MatcherSet) (names []string, seen bool) {
	seen = true
	for _, matcher := range set {
		switch matcher := matcher.(type) {
		case *caddyhttp.MatchHost:
			if !slices.ContainsFunc(*matcher, isNoName) {
				return *matcher, true
			}
			seen = seen && !slices.ContainsFunc(*matcher, hasPlaceholder)
		case *caddyhttp.MatchPath, *caddyhttp.MatchPathRE, *caddyhttp.MatchMethod, *caddyhttp.MatchQuery, *caddyhttp.MatchProtocol:
		default:
			seen = false // it may look at the host
		}
	}
	return nil, seen
}

func isNoName(host string) bool { return host == "" || strings.ContainsAny(host, "*{") }

func hasPlaceholder(host string) bool { return strings.Contains(host, "{") }

// The orders page knows in two ways that somebody is asked who they are before
// they get to it. What counts is the request: it is let through only with the
// marks that basic_auth or forward_auth leave in it, and no client can make
// those up. That holds whatever the configuration looks like. So that a
// forgotten basic_auth shows when Caddy starts and not when the owner first
// looks, the routes in front are examined as well, as far as they can be seen.

// errUnguarded says what to do about a page that anybody could open.
var errUnguarded = errors.New("qfpay_orders: anybody can see the orders, because nothing in front of this directive asks who they are: " +
	"put basic_auth or forward_auth in front of it, in the same block or around it; " +
	"or write insecure_without_auth in its own block if something else keeps strangers out, such as client certificates")

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

package qfpayjsapi

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/doctor"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// A handler sees only the requests that the routes in front of it let through, and
// as they left them. Behind a matcher that lets only some of its paths through, or
// inside handle_path, everything loads, and payers get a 404. That is said three
// times: when the configuration is loaded, as far as routes can be seen then; when
// the first such request comes; and by the doctor, who has the site answer one.

// owns reports whether the handler answers requests for a path, which may have one
// slash more at its end.
func (h *Handler) owns(path string) bool {
	path = checkout.WithoutSlash(path)
	return path == h.NotifyPath || path == h.Path || strings.HasPrefix(path, h.Path+"/")
}

// What the log says when the configuration is loaded, and when a request comes.
const (
	keptAway = "requests for this path will not reach qfpay_jsapi, and something else answers them, usually with 404: " +
		"let the matcher in front of it match the pay path and everything below it, as in: @pay path /pay /pay/*"
	stripped = "requests for this path will reach qfpay_jsapi under a different path, and will not be answered: " +
		"use handle instead of handle_path in front of it, and no uri strip_prefix"

	strippedNow = "a request for a pay path reached qfpay_jsapi under a different path, so it is not answered: " +
		"use handle instead of handle_path in front of it, and no uri strip_prefix; this is logged once"
	shortened = "a request reached qfpay_jsapi without the beginning of its path, which the addresses that payers return to do not have: " +
		"use handle instead of handle_path in front of it, and set path to the whole path; this is logged once"
)

// warnOfPaths looks whether the routes that lead to the handler let all of its
// paths through.
func (h *Handler) warnOfPaths(ctx caddy.Context) error {
	h.server, _ = ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if h.server == nil {
		return nil
	}
	lists := []caddyhttp.RouteList{h.server.Routes}
	for _, module := range ctx.Modules() {
		if subroute, ok := module.(*caddyhttp.Subroute); ok {
			lists = append(lists, subroute.Routes)
		}
	}
	for _, path := range []string{h.Path + "/callback/", h.Path, h.NotifyPath} {
		switch as := pathAt(lists, path); {
		case as == "":
			h.logger.Warn(keptAway, zap.String("path", path))
			return nil
		case !h.owns(as):
			h.logger.Warn(stripped, zap.String("path", path), zap.String("as", as))
			return nil
		}
	}
	return nil
}

// pathAt is the path with which a request gets to the route that is being
// provisioned, as far as can be seen; "" if matchers keep it away.
func pathAt(lists []caddyhttp.RouteList, path string) string {
	for _, routes := range lists {
		at := slices.IndexFunc(routes, isBeingProvisioned)
		if at < 0 { // who gets there cannot be seen
			return path
		}
		for _, before := range routes[:at] {
			path = stripPath(before, path)
		}
		if !letsThrough(routes[at].MatcherSets, path) {
			return ""
		}
	}
	return path
}

// stripPath is what a route makes of the path of every request.
func stripPath(route caddyhttp.Route, path string) string {
	if len(route.MatcherSets) > 0 {
		return path
	}
	for _, handler := range route.Handlers {
		if rewrites, ok := handler.(*rewrite.Rewrite); ok && rewrites.StripPathPrefix != "" {
			if rest, had := strings.CutPrefix(path, rewrites.StripPathPrefix); had {
				path = "/" + strings.TrimPrefix(rest, "/")
			}
		}
	}
	return path
}

// letsThrough reports whether matchers may match a request for a path. Only those of
// paths are judged: what else a request will have is not known.
func letsThrough(sets caddyhttp.MatcherSets, path string) bool {
	request, err := http.NewRequest(http.MethodGet, path, http.NoBody)
	if err != nil || len(sets) == 0 {
		return true
	}
	request = request.WithContext(context.WithValue(context.Background(), caddy.ReplacerCtxKey, caddy.NewReplacer()))
	return slices.ContainsFunc(sets, func(set caddyhttp.MatcherSet) bool {
		return !slices.ContainsFunc(set, func(matcher any) bool {
			var matches bool
			switch matcher := matcher.(type) {
			case *caddyhttp.MatchPath:
				matches, err = matcher.MatchWithError(request)
			case *caddyhttp.MatchPathRE:
				matches, err = matcher.MatchWithError(request)
			default:
				return false
			}
			return err == nil && !matches
		})
	})
}

// noteStripped says once in the log why a request that was for the handler is not
// answered, or where its payer will not come back.
func (h *Handler) noteStripped(r *http.Request) {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || original.URL == nil || original.URL.Path == r.URL.Path {
		return
	}
	was, is := original.URL.Path, r.URL.Path
	message := ""
	switch {
	case h.owns(was) && !h.owns(is):
		message = strippedNow
	case h.owns(is) && !h.owns(was) && strings.HasSuffix(was, is):
		message = shortened
	default:
		return
	}
	h.strippedNoted.Do(func() {
		h.logger.Warn(message, zap.String("path", redact.Line(was)), zap.String("as", redact.Line(is)))
	})
}

// probe is a question of the doctor that a request carries through the site.
type probe struct {
	as string // the path with which it came to the handler; "" if it has not
}

type probeKey struct{}

// inside is the site's address as its requests name it: its public URL, unless that is
// none of its own hosts, because a proxy puts another name in its place. It is "" if
// no name is known.
func (h *Handler) inside() string {
	public, err := url.Parse(h.PublicURL)
	if len(h.hosts) > 0 && (err != nil || !slices.Contains(h.hosts, strings.ToLower(public.Hostname()))) {
		return "https://" + h.hosts[0]
	}
	return strings.TrimSuffix(h.PublicURL, "/")
}

// arrive asks the running site, without the network, for a path of the block.
func (h *Handler) arrive(ctx context.Context, path string) doctor.Arrival {
	asked := new(probe)
	request, err := http.NewRequestWithContext(context.WithValue(ctx, probeKey{}, asked), http.MethodGet, h.inside()+path, http.NoBody)
	if err != nil {
		return doctor.Arrival{}
	}
	request.RequestURI, request.RemoteAddr = path, "127.0.0.1:0"
	if request.URL.Scheme == "https" {
		request.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: request.URL.Hostname()}
	}
	request.URL.Scheme, request.URL.Host = "", "" // as in requests that a server reads
	answer := &unread{header: make(http.Header)}
	serveProbe(h.server, answer, request)
	return doctor.Arrival{As: asked.as, Status: answer.status}
}

// serveProbe has a site answer a probe. Something in front may hang up, as abort does.
func serveProbe(site http.Handler, answer *unread, request *http.Request) {
	defer func() {
		if cause := recover(); cause != nil && cause != any(http.ErrAbortHandler) {
			panic(cause)
		}
	}()
	site.ServeHTTP(answer, request)
	answer.WriteHeader(http.StatusOK) // as servers do where nobody has written anything
}

// answerProbe notes the path with which a probe comes to the handler, and hands it on
// if that path is none of the handler's own, as a request would be.
func (h *Handler) answerProbe(asked *probe, w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if !h.owns(r.URL.Path) {
		if asked.as == "" {
			asked.as = r.URL.Path
		}
		return next.ServeHTTP(w, r)
	}
	asked.as = checkout.WithoutSlash(r.URL.Path)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// unread is an answer of which only the status counts.
type unread struct {
	header http.Header
	status int
}

func (u *unread) Header() http.Header { return u.header }

func (u *unread) WriteHeader(status int) {
	if u.status == 0 && status >= http.StatusOK {
		u.status = status
	}
}

func (u *unread) Write(text []byte) (int, error) {
	u.WriteHeader(http.StatusOK)
	return len(text), nil
}

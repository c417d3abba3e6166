package qfpayjsapi

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
)

// ServeHTTP answers the requests below the configured path, and the gateway's
// notifications: each belongs to one of the stations of a payment. All others
// go to the next handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	rest, ours := strings.CutPrefix(r.URL.Path, h.Path)
	switch {
	case r.URL.Path == h.NotifyPath:
		setCommonHeaders(w.Header())
		noteStation(r, "notify")
		return h.notify(w, r)
	case !ours || rest != "" && rest[0] != '/':
		return next.ServeHTTP(w, r)
	}
	station, order, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	if h.passes(r, station, order) {
		return next.ServeHTTP(w, r)
	}
	setCommonHeaders(w.Header())
	if site := h.origin(r); h.PublicURL == "" && !site.isPlausible() {
		h.once("host").Warn("a request names the site in a way that no address can; if payers come through a proxy, look at what it forwards, or set public_url",
			zap.String("site", quote.Line(string(site))))
		return h.problem(w, r, pages.Problem{Kind: pages.BadHost})
	}
	if !isPayLink(station) {
		noteStation(r, station)
		return h.aboutOrder(w, r, station, order)
	}
	if order != "" {
		return h.problem(w, r, pages.Problem{Kind: pages.UnknownItem})
	}
	noteStation(r, "start")
	return h.start(w, r, station)
}

// passes reports whether a pay link is left to the next handler, untouched.
func (h *Handler) passes(r *http.Request, station, order string) bool {
	return h.OutsideWeChat == "pass" && isPayLink(station) && order == "" && !inWeChat(r)
}

// isPayLink tells what begins a payment from the module's other stations.
func isPayLink(station string) bool {
	switch station {
	case "callback", "return", "status":
		return false
	default:
		return true
	}
}

// aboutOrder lets a browser that follows a link through to a station of an
// order. HEAD and prefetching cause nothing.
func (h *Handler) aboutOrder(w http.ResponseWriter, r *http.Request, station, order string) error {
	switch {
	case !checkout.IsOrder(order) && station == "status":
		return unknownStatus(w)
	case !checkout.IsOrder(order):
		return h.problem(w, r, pages.Problem{Kind: pages.UnknownOrder})
	case r.Method == http.MethodPost && station == "callback" && h.Hosted:
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return h.wrongMethod(w, r, "GET, HEAD")
	case causesNothing(w, r):
		return nil
	}
	switch station {
	case "callback":
		return h.callback(w, r, order)
	case "return":
		return h.comeBack(w, r, order)
	default:
		return h.status(w, r, order)
	}
}

// causesNothing answers requests that must not lead to a payment: HEAD, and
// those that announce themselves as prefetch.
func causesNothing(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
	case isPrefetch(r.Header):
		w.WriteHeader(http.StatusNoContent)
	default:
		return false
	}
	return true
}

func isPrefetch(header http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := strings.ToLower(header.Get(name))
		if strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "preview") {
			return true
		}
	}
	return false
}

// inWeChat reports whether the browser is WeChat's own, which alone can pay.
// WeCom (wxwork) names WeChat's token too, but cannot.
func inWeChat(r *http.Request) bool {
	agent := r.UserAgent()
	return strings.Contains(agent, "MicroMessenger") && !strings.Contains(agent, "wxwork")
}

// onPhone reports whether the browser runs on the device that also runs
// WeChat, so that scanning its screen is no way to get there.
func onPhone(r *http.Request) bool {
	agent := r.UserAgent()
	return strings.Contains(agent, "Mobile") || strings.Contains(agent, "Android") || strings.Contains(agent, "iPhone")
}

// Package checkout is the payer's way through a payment, in HTTP: start, hand-off,
// callback, pay sheet, return and status, and what the gateway notifies. It carries
// an order in a sealed cookie until WeChat vouches for the payer, has the order
// service claim and pay it, and shows each payer what became of it. It knows
// nothing of Caddy, of the owner's pages and of how orders are settled: what it
// needs of the server comes in by [Server], and everything about orders from the
// package orders.
package checkout

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// Config is what a checkout works with. All members are required, but for those
// that say what their zero value means.
type Config struct {
	Name       string // the shop's, in the ledger
	Shop       *shop.Shop
	Path       string // all below it is the checkout's
	NotifyPath string
	PublicURL  string   // scheme and host of the site; "" for those of each request
	Hosts      []string // the site's own, in small letters, to which requests come; nil if they are not known
	NotifyURL  string   // "off" for none; "" for the site's, where the gateway can reach it

	SuccessURL    string // "" for a page of our own
	FailureURL    string // likewise
	OutsideWeChat string // "handoff", "allow", "pass", or where such browsers are sent
	PassErrors    bool   // they are returned, for the site's error routes

	OrderTTL time.Duration
	Zone     *time.Location // of the times that payers read
	Timeout  time.Duration  // of one call to the gateway
	BodyTime time.Duration  // how long a client may take to send a body

	Hosted   bool           // nobody vouches for the payer, and the gateway has a page of its own
	Wallets  []qfpay.Method // for phones outside WeChat, with OutsideWeChat "handoff" and without RealName alone; nil for none
	RealName string         // "optional" or "required"; "" and "off" ask for none
	PayPage  string
	LimitPay string            // "" for none
	Params   map[string]string // more parameters of the payment

	Seal   *Seal
	Pages  *pages.Set
	Orders *orders.Service
	WeChat *wechat.Account // the shop's own official account; nil for the gateway's
	Shared *Shared

	// Verify reports whether a notification is signed by the gateway.
	Verify func(body []byte, sign string) bool

	Server   Server
	Observer Observer
	Log      *zap.Logger
	Now      func() time.Time
}

// Server is what the checkout needs of the server that a request came in by.
type Server interface {
	// Origin is scheme and host under which the payer reached the site, as far as
	// the request and trusted proxies tell.
	Origin(*http.Request) Origin

	// ClientAddress is the payer's IP address.
	ClientAddress(*http.Request) string

	// Note sets what the access log can say of a request.
	Note(r *http.Request, name, value string)
}

// Observer learns what is counted.
type Observer interface {
	// Called is told how a call of a shop to WeChat ended.
	Called(shop, call string, took time.Duration, err error)

	// Notified is told what became of a notification of the gateway to a shop:
	// "stored", "ignored", "forged", "malformed" or "not_stored".
	Notified(shop, outcome string)
}

// Checkout answers the requests of payers at one block of a shop. It is safe for
// concurrent use.
type Checkout struct{ Config }

// New returns a checkout, which calls nobody yet.
func New(config Config) *Checkout { return &Checkout{config} }

// Serves reports whether a request is the checkout's. It allocates nothing.
func (c *Checkout) Serves(r *http.Request) bool {
	path := WithoutSlash(r.URL.Path)
	if path == c.NotifyPath {
		return true
	}
	step, order, ours := c.cutPath(path)
	return ours && !(c.OutsideWeChat == "pass" && isPayLink(step) && order == "" && !inWeChat(r))
}

// WithoutSlash leaves out one slash at the end of a path: a rule of the site may add
// it to every address.
func WithoutSlash(path string) string { return strings.TrimSuffix(path, "/") }

// cutPath parts what stands behind the checkout's own path.
func (c *Checkout) cutPath(path string) (step, order string, ours bool) {
	rest, ours := strings.CutPrefix(path, c.Path)
	if !ours || rest != "" && rest[0] != '/' {
		return "", "", false
	}
	step, order, _ = strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	return step, order, true
}

// ServeHTTP answers a request that the checkout [Checkout.Serves]. An error that is
// a [pages.Kind] is for the site's error routes to answer: nothing has been written.
func (c *Checkout) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	c.setCommonHeaders(w.Header())
	path := WithoutSlash(r.URL.Path)
	if path == c.NotifyPath {
		c.noteStep(r, "notify")
		return c.notify(w, r)
	}
	step, order, _ := c.cutPath(path)
	if site := c.Origin(r); !c.Accepts(site) {
		c.Shared.hostNoted.Do(func() { // anybody can send such a request, and not fill the log with it
			c.Log.Warn("a request names a host that is not one of the site's: if payers come through a proxy, check what it forwards, or set public_url",
				zap.String("site", redact.Line(string(site))))
		})
		return c.problem(w, r, pages.Problem{Kind: pages.BadHost})
	}
	switch {
	case step == "items":
		c.noteStep(r, step)
		return c.item(w, r, order)
	case !isPayLink(step):
		c.noteStep(r, step)
		return c.aboutOrder(w, r, step, order)
	case order != "":
		return c.problem(w, r, pages.Problem{Kind: pages.UnknownItem})
	default:
		c.noteStep(r, "start")
		return c.start(w, r, step)
	}
}

// Steps are the names below the checkout's path that are no pay links.
var Steps = []string{"callback", "return", "status", "items"}

// isPayLink tells what begins a payment from the other steps.
func isPayLink(step string) bool { return !slices.Contains(Steps, step) }

// aboutOrder lets a browser that follows a link through to a step of an
// order. HEAD and prefetching cause nothing.
func (c *Checkout) aboutOrder(w http.ResponseWriter, r *http.Request, step, order string) error {
	order = strings.ToUpper(order) // ids are found in either case
	switch {
	case !ledger.ValidID(order) && step == "status":
		return unknownStatus(w)
	case !ledger.ValidID(order):
		return c.problem(w, r, pages.Problem{Kind: pages.UnknownOrder})
	case r.Method == http.MethodPost && step == "callback" && (c.Hosted || len(c.Wallets) > 0):
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return c.wrongMethod(w, r, "GET, HEAD")
	case causesNothing(w, r):
		return nil
	}
	switch step {
	case "callback":
		return c.callback(w, r, order)
	case "return":
		return c.returnPage(w, r, order)
	default:
		return c.status(w, r, order)
	}
}

func (c *Checkout) returnPath(order string) string   { return c.Path + "/return/" + order }
func (c *Checkout) callbackPath(order string) string { return c.Path + "/callback/" + order }

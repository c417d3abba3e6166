package qfpayjsapi

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// finding is what the doctor found of one thing that goes wrong in practice.
type finding struct {
	Shop   string `json:"shop"`
	Check  string `json:"check"`
	Status string `json:"status"` // good, warning or bad
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
}

func good(found string, args ...any) finding {
	return finding{Status: "good", Found: fmt.Sprintf(found, args...)}
}

func warning(advice, found string, args ...any) finding {
	return finding{Status: "warning", Found: fmt.Sprintf(found, args...), Advice: advice}
}

func bad(advice, found string, args ...any) finding {
	return finding{Status: "bad", Found: fmt.Sprintf(found, args...), Advice: advice}
}

// examineLimit bounds one check.
const examineLimit = 20 * time.Second

// examination is one of the doctor's checks of a shop.
type examination struct {
	name string
	look func(*Handler, context.Context) finding
}

var examinations = []examination{
	{"credentials", (*Handler).examineCredentials},
	{"official account", (*Handler).examineOfficialAccount},
	{"clock", (*Handler).examineClock},
	{"public URL", (*Handler).examinePublicURL},
	{"notifications", (*Handler).examineNotifications},
	{"storage", (*Handler).examineStorage},
	{"catalogue", (*Handler).examineCatalogue},
	{"webhooks", (*Handler).examineWebhooks},
	{"open orders", (*Handler).examineOpenOrders},
	{"orphans", (*Handler).examineOrphans},
}

// examine makes all checks of all shops.
func (a *App) examine(ctx context.Context) []finding {
	findings := make([]finding, len(a.shops)*len(examinations))
	var all errgroup.Group
	all.SetLimit(8)
	for i, shop := range a.shops {
		for j, examination := range examinations {
			all.Go(func() error {
				defer a.recover("the doctor's work")
				ctx, cancel := context.WithTimeout(ctx, examineLimit)
				defer cancel()
				found := examination.look(shop, ctx)
				found.Shop, found.Check = cmp.Or(shop.MerchantName, shop.Name)+" "+shop.Path, examination.name
				findings[i*len(examinations)+j] = found
				return nil
			})
		}
	}
	_ = all.Wait()
	return findings
}

func examineAll(app *App, w http.ResponseWriter, r *http.Request) error {
	if err := readNothing(r); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"findings": app.examine(r.Context())})
}

// examineCredentials asks about an order that cannot exist: only the signature
// decides what comes back.
func (h *Handler) examineCredentials(ctx context.Context) finding {
	trades, err := h.gateway.Query(ctx, qfpay.Query{OutTradeNo: checkout.NewOrder(h.now())})
	switch {
	case err == nil && len(trades) == 0:
		return good("the gateway answered a signed enquiry")
	case err == nil:
		return bad("Look whether environment names the real gateway.", "the gateway knows an order that cannot exist")
	default:
		return failing(err, "the gateway", "Ask QFPay about this code.",
			"Compare app_code, client_key, mchid, sign_type and environment with what QFPay gave you: keys of testing and production differ.")
	}
}

// impossibleCode is none that WeChat gives.
const impossibleCode = "doctor"

// examineOfficialAccount offers WeChat a code that cannot exist. An account that
// it does not take, it refuses for another reason, if it looks at the account
// first; its documentation does not say that it does.
func (h *Handler) examineOfficialAccount(ctx context.Context) finding {
	if h.wechat == nil {
		return good("none of the shop's own")
	}
	_, err := h.openID(ctx, impossibleCode)
	switch {
	case err == nil:
		return bad("Look whether token_url names WeChat.", "WeChat took a code that cannot exist")
	case faultOf(err) == wechat.FaultPayer.String():
		return good("WeChat knows %s, and refused nothing but the code", h.wechat.AppID())
	default:
		return failing(err, "WeChat", "Look this code up in WeChat's documentation.",
			"Compare app id and secret with the official account's settings, and see there which addresses may use them.")
	}
}

// failing is what is found of a call to somebody that failed, with what to do
// about their code and about the shop's configuration.
func failing(err error, somebody, code, configuration string) finding {
	switch faultOf(err) {
	case "":
		return bad("", "%v", err)
	case qfpay.FaultShop.String():
		return bad(configuration, "%v", err)
	case qfpay.FaultSilent.String():
		return bad("Look whether this machine reaches "+somebody+": name resolution, firewall, proxy.", "%v", err)
	case qfpay.FaultBusy.String():
		return warning("Try again in a minute.", "%v", err)
	default:
		return bad(code, "%v", err)
	}
}

// How far the clock may be off before payments are looked for at the wrong time.
const (
	clockWarning = 30 * time.Second
	clockBad     = 10 * time.Minute
)

// examineClock compares this machine's clock with the Date that the gateway's
// server sends.
func (h *Handler) examineClock(ctx context.Context) finding {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, h.gatewayURL(), nil)
	if err != nil {
		return bad("", "%v", err)
	}
	before := time.Now()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return warning("See what is said of the credentials.", "the gateway's clock cannot be seen: it does not answer")
	}
	_ = response.Body.Close()
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return warning("Make sure that this machine keeps its time by NTP.", "the gateway's server does not say what time it is")
	}
	ours := before.Add(time.Since(before) / 2)
	const advice = "Set this machine's clock, and let NTP keep it: orders are looked for around the time at which they were made."
	switch off := ours.Sub(theirs).Abs().Round(time.Second); {
	case off >= clockBad:
		return bad(advice, "this machine's clock is %v off the gateway's", off)
	case off >= clockWarning:
		return warning(advice, "this machine's clock is %v off the gateway's", off)
	default:
		return good("within %v of the gateway's", max(off, time.Second))
	}
}

func (h *Handler) examinePublicURL(context.Context) finding {
	switch {
	case h.PublicURL == "":
		return warning("Set public_url, so that what payers and the gateway are told does not depend on the Host that a request came with.",
			"public_url is not set: it follows each request")
	case !origin(h.PublicURL).secure():
		return warning("Serve the site over https: WeChat warns of pages over http, and cookies can be read on the way.", "%s is not https", h.PublicURL)
	default:
		return good("%s", h.PublicURL)
	}
}

// examineNotifications looks, as far as it can be seen from here, whether the
// gateway can reach the notify address.
func (h *Handler) examineNotifications(ctx context.Context) finding {
	const without = "Without notifications, payments are found by asking: later by some seconds to minutes."
	address := h.notifyURL(origin(strings.TrimSuffix(h.PublicURL, "/")))
	switch {
	case h.NotifyURL == "off":
		return warning(without, "notify_url is off")
	case address == "" && h.PublicURL == "":
		return warning("Set public_url.", "the notify address depends on the request, as public_url is not set")
	case address == "":
		return warning(without+" Set notify_url to an address on port 80 or 443.", "the gateway reaches only ports 80 and 443, so it is not told of %s%s", h.PublicURL, h.NotifyPath)
	}
	target, err := url.Parse(address)
	if err != nil {
		return bad("Correct notify_url.", "notify_url cannot be read")
	}
	if found, private := examineHost(ctx, target.Hostname()); private {
		return found
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return bad("Correct notify_url.", "notify_url cannot be read")
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return bad("Open the way to it: name, firewall, certificate.", "%s does not answer, seen from this machine: %v", address, err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != http.MethodPost {
		return bad("Look what stands before the site: a login, a redirect or another server keeps the gateway out.",
			"%s answers a GET with status %d instead of 405", address, response.StatusCode)
	}
	return good("%s answers, seen from this machine", address)
}

// examineHost reports a name that nobody outside can follow.
func examineHost(ctx context.Context, host string) (found finding, private bool) {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return bad("Create a DNS record for it.", "%s is not known: %v", host, err), true
	}
	for _, address := range addresses {
		if webhook.Public(address) {
			return finding{}, false
		}
	}
	return bad("Use an address of the open Internet, or notify_url off.", "%s leads to %v, which the gateway cannot reach", host, firstOf(addresses)), true
}

func firstOf(addresses []netip.Addr) netip.Addr {
	if len(addresses) == 0 {
		return netip.Addr{}
	}
	return addresses[0]
}

// examineStorage writes, reads, lists and deletes, as orders do.
func (h *Handler) examineStorage(ctx context.Context) finding {
	begun := time.Now()
	if err := h.ledger.Try(ctx); err != nil {
		return bad("Orders cannot be kept, and nobody can pay: look at the storage's rights, space and connection.", "%v", err)
	}
	took := time.Since(begun).Round(time.Millisecond)
	if took > time.Second {
		return warning("Every payer waits for the storage: use a faster one.", "%v: a key was written, read, listed and deleted in %v", h.storage, took)
	}
	return good("%v: a key was written, read, listed and deleted in %v; that it outlives this machine is up to you", h.storage, took)
}

func (h *Handler) examineCatalogue(context.Context) finding {
	if _, err := checkout.OpenCatalog(h.Catalog, h.Currency, h.Items); err != nil {
		return bad("Correct the file: until then, what was sold before is sold still.", "%v", err)
	}
	catalogue := h.offer().Catalogue
	id, price := catalogue.Cheapest()
	switch {
	case id == "" && h.OpenAmount == nil && h.InvoiceKey == "":
		return bad("Add an item.", "nothing is sold")
	case id != "" && price < riskControlAmount:
		return warning("Ask QFPay about small amounts: its risk control may refuse them.", "%s costs %s", id, checkout.Display(price, h.Currency))
	default:
		return good("%d items", catalogue.Len())
	}
}

// examineWebhooks opens a connection to each, and sends nothing.
func (h *Handler) examineWebhooks(ctx context.Context) finding {
	if len(h.Webhooks) == 0 {
		return good("none: nobody but Caddy's events and this ledger is told of payments")
	}
	for _, hook := range h.Webhooks {
		target, err := url.Parse(hook.URL)
		if err != nil {
			return bad("Correct the webhook's URL.", "a webhook's URL cannot be read")
		}
		port := cmp.Or(target.Port(), map[string]string{"http": "80", "https": "443"}[target.Scheme])
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(target.Hostname(), port))
		if err != nil {
			return bad("Start it, or correct its URL: what it is to be told waits for three days.", "%s is not to be reached: %v", target.Host, err)
		}
		_ = connection.Close()
	}
	return good("%d can be reached", len(h.Webhooks))
}

// examineOpenOrders looks for orders that should have come to their end.
func (h *Handler) examineOpenOrders(ctx context.Context) finding {
	open, err := h.ledger.Open(ctx)
	if err != nil {
		return bad("See what is said of the storage.", "%v", err)
	}
	old := 0
	for _, subject := range open {
		if started, err := checkout.Started(subject); err == nil && h.now().Sub(started) > h.orderTTL+giveUp {
			old++
		}
	}
	if old > 0 {
		return warning("Look at them, and at the log, for what keeps them: a webhook that does not answer, a refund without an outcome, a gateway that says nothing.",
			"%d open, %d of them for more than %v", len(open), old, h.orderTTL+giveUp)
	}
	return good("%d", len(open))
}

func (h *Handler) examineOrphans(ctx context.Context) finding {
	orphans, err := h.ledger.Orphans(ctx)
	if err != nil {
		return bad("See what is said of the storage.", "%v", err)
	}
	if len(orphans) > 0 {
		return warning("Find out where they come from: another system with this account, or a ledger that was lost.",
			"%d payments belong to no order, the last %s", len(orphans), localTime(orphans[0].At))
	}
	return good("none")
}

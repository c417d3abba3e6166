package checkout

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// returnPage is where the pay page sends the payer. Coming back proves nothing:
// the gateway is asked, and the page says what the gateway said.
func (c *Checkout) returnPage(w http.ResponseWriter, r *http.Request, id string) error {
	began := c.Now()
	order, heard, err := c.look(r, id)
	if errors.Is(err, ledger.ErrUnknown) {
		return c.problem(w, r, pages.Problem{Kind: pages.UnknownOrder})
	}
	if err != nil {
		return c.ledgerDown(w, r, id, err, c.returnPath(id))
	}
	c.noteOrder(r, order)
	c.logReturn(order, began)
	switch order.Status {
	case ledger.StatusPending:
		return c.pending(w, r, order, heard)
	case ledger.StatusFailed, ledger.StatusClosed:
		return c.failed(w, r, order)
	default:
		return c.paid(w, r, order)
	}
}

// look finds an order, and has the gateway asked about one that is pending. Heard
// says that the gateway answered.
func (c *Checkout) look(r *http.Request, id string) (order ledger.Order, heard bool, err error) {
	order, err = c.find(r, id)
	if err == nil && order.Status == ledger.StatusPending {
		order, heard = c.Orders.Refresh(context.WithoutCancel(r.Context()), order)
	}
	return order, heard, err
}

func (c *Checkout) paid(w http.ResponseWriter, r *http.Request, order ledger.Order) error {
	if c.SuccessURL != "" {
		return redirect(w, r, withOrder(c.SuccessURL, order.ID))
	}
	page := pages.Receipt{
		Order:   c.shown(order.ID, order.Intent),
		PaidAt:  order.PaidAt.In(c.Zone),
		SentAt:  order.FulfilledAt.In(c.Zone),
		Note:    order.Note,
		ShopURL: shopURL,
	}
	if order.Refunded > 0 {
		page.Refunded = shownAmount(order.Refunded, order.Intent.Currency)
	}
	return c.page(w, r, page)
}

// failed shows that the order was not paid. The page refreshes for a while: the
// desktop may show it while the phone pays at the last moment. The gateway is not
// asked for that.
func (c *Checkout) failed(w http.ResponseWriter, r *http.Request, order ledger.Order) error {
	if c.FailureURL != "" {
		return redirect(w, r, withOrder(c.FailureURL, order.ID))
	}
	check := checkNumber(r)
	return c.page(w, r, pages.Failed{
		Order:    c.shown(order.ID, order.Intent),
		StartURL: c.newOrderLink(order.ID, order.Intent),
		ShopURL:  shopURL,
		Refresh:  refreshAfter(check + quickChecks),
		CheckURL: c.nextCheck(order.ID, check),
	})
}

// nextCheck is the return page, to be looked at once more.
func (c *Checkout) nextCheck(order string, check int) string {
	return c.returnPath(order) + "?check=" + strconv.Itoa(min(check+1, lastCheck+1))
}

// pending shows that no payment is known yet. The page refreshes automatically for a
// while.
func (c *Checkout) pending(w http.ResponseWriter, r *http.Request, order ledger.Order, heard bool) error {
	check := checkNumber(r)
	shown := c.shown(order.ID, order.Intent)
	refresh := refreshAfter(check)
	again := c.nextCheck(order.ID, check)
	payURL := c.payAgain(r, order)
	saysPaid := r.URL.Query().Get("sheet") == "ok" && check <= quickChecks
	if saysPaid {
		again += "&sheet=ok"
		payURL = ""
	}
	switch {
	case !order.IsPrepared():
		return c.page(w, r, pages.Checking{Order: shown, CheckURL: again, Refresh: refresh, StartURL: c.newOrderLink(order.ID, order.Intent), ShopURL: shopURL})
	case saysPaid, !heard, order.Disputed: // it may be paid: WeChat says so, the gateway says nothing, or something else was paid
		return c.page(w, r, pages.Confirming{Order: shown, CheckURL: again, Refresh: refresh, ContinueURL: payURL, ShopURL: shopURL})
	default:
		return c.page(w, r, pages.Unpaid{Order: shown, CheckURL: again, Refresh: refresh, PayURL: payURL, ShopURL: shopURL})
	}
}

// payAgain is where a browser goes on that came back without having paid: back to the
// payment, which nobody can pay twice, and later to the choice of wallets, if it has
// one. It is "" for browsers that did not start the order, and where nothing is to be
// paid any more.
func (c *Checkout) payAgain(r *http.Request, order ledger.Order) string {
	_, ours := c.ticket(r, order.ID)
	switch {
	case !ours, order.Disputed, !c.Now().Before(order.Expires):
		return ""
	case len(c.walletsIn(r)) > 1 && checkNumber(r) > sameWallet:
		return c.callbackPath(order.ID)
	default:
		return order.PayURL
	}
}

// The return page refreshes often at first, when most payments are
// confirmed, then less often, and stops by itself after about five minutes.
const (
	firstRefresh = 3 * time.Second
	laterRefresh = 10 * time.Second
	quickChecks  = 20
	lastCheck    = 44

	// sameWallet is how many of them offer no other wallet: by another one, a payer
	// pays twice whose payment the gateway has not confirmed yet.
	sameWallet = 5
)

func refreshAfter(check int) time.Duration {
	switch {
	case check < quickChecks:
		return firstRefresh
	case check < lastCheck:
		return laterRefresh
	default:
		return 0
	}
}

// checkNumber is how often the payer's browser has looked, from 1.
func checkNumber(r *http.Request) int {
	check, err := strconv.Atoi(r.URL.Query().Get("check"))
	if err != nil || check < 1 {
		return 1
	}
	return min(check, lastCheck+1)
}

// withOrder adds order=<id> to the query of a destination, and leaves the rest as the
// owner wrote it: a page of the shop's may read its query in its own way.
func withOrder(destination, order string) string {
	address, fragment, hasFragment := strings.Cut(destination, "#")
	switch {
	case !strings.Contains(address, "?"):
		address += "?"
	case !strings.HasSuffix(address, "?") && !strings.HasSuffix(address, "&"):
		address += "&"
	}
	address += "order=" + order
	if hasFragment {
		address += "#" + fragment
	}
	return address
}

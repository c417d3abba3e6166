package checkout

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// setCommonHeaders sets what every answer carries, pages, JSON, redirects and
// errors alike. WeChat Pay compares the site that a browser comes from with those
// on file, and refuses one that names none.
func (c *Checkout) setCommonHeaders(header http.Header) {
	referrer := "no-referrer"
	if slices.Contains(c.Wallets, qfpay.MethodWeChat) {
		referrer = "strict-origin"
	}
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", referrer)
	header.Set("X-Content-Type-Options", "nosniff")
}

// redirect sends a browser on with GET. The answer has no body, so that
// addresses do not end up in one.
func redirect(w http.ResponseWriter, r *http.Request, location string) error {
	status := http.StatusFound
	if r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	return sendTo(w, status, location)
}

// move sends a browser elsewhere with what it posted.
func move(w http.ResponseWriter, r *http.Request, location string) error {
	if r.Method != http.MethodPost {
		return redirect(w, r, location)
	}
	return sendTo(w, http.StatusTemporaryRedirect, location)
}

func sendTo(w http.ResponseWriter, status int, location string) error {
	w.Header().Set("Location", asciiOnly(location))
	w.WriteHeader(status)
	return nil
}

// asciiOnly writes what stands in no header as an address escapes it, and leaves the
// rest as it is.
func asciiOnly(address string) string {
	var escaped strings.Builder
	for i := range len(address) {
		if b := address[i]; b <= ' ' || b > '~' {
			fmt.Fprintf(&escaped, "%%%02X", b)
		} else {
			escaped.WriteByte(b)
		}
	}
	return escaped.String()
}

// shopURL is where the shop's own pages begin: the site's front page.
const shopURL = "/"

func (c *Checkout) page(w http.ResponseWriter, r *http.Request, page pages.Page) error {
	return c.Pages.Write(w, r, http.StatusOK, page)
}

// problem answers with an error: a page that says what to do next, JSON where
// the client prefers it, or an error for the site's own error routes.
func (c *Checkout) problem(w http.ResponseWriter, r *http.Request, problem pages.Problem) error {
	if c.PassErrors {
		return problem.Kind
	}
	if prefersJSON(r) {
		return writeJSON(w, problem.Kind.Status(), map[string]string{"error": problem.Kind.Error()})
	}
	problem.Order.Merchant = c.Shop.Merchant
	problem.ShopURL = shopURL
	return c.Pages.Write(w, r, problem.Kind.Status(), problem)
}

// ledgerDown asks whoever waits for the ledger to try again at an address.
func (c *Checkout) ledgerDown(w http.ResponseWriter, r *http.Request, order string, err error, again string) error {
	c.logUnreadable(r, order, err)
	retryAfter(w, ledgerWait)
	return c.problem(w, r, pages.Problem{Order: pages.Order{ID: order}, Kind: pages.LedgerDown, RetryURL: again})
}

func (c *Checkout) wrongMethod(w http.ResponseWriter, r *http.Request, allowed string) error {
	w.Header().Set("Allow", allowed)
	return c.problem(w, r, pages.Problem{Kind: pages.WrongMethod})
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(text, '\n'))
	return err
}

// retryAfter sets Retry-After in whole seconds, at least one.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	seconds := max(int64((wait+time.Second-1)/time.Second), 1)
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
}

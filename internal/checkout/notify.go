package checkout

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// maxNotification bounds the body of a notification in bytes.
const maxNotification = 64 << 10

// notify takes the gateway's notifications, of whatever content type: it is the
// signature that counts. It answers SUCCESS only after what it was told is durable;
// after anything else the gateway tries again.
func (c *Checkout) notify(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return c.malformed(w, http.StatusMethodNotAllowed, "POST only")
	}
	c.limitBody(w, r, maxNotification)
	body, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return c.malformed(w, http.StatusRequestEntityTooLarge, "too large")
	}
	if err != nil {
		return c.malformed(w, http.StatusBadRequest, "the body did not arrive whole")
	}
	if !c.Verify(body, r.Header.Get("X-QF-SIGN")) {
		c.noteForged(r)
		return answerGateway(w, http.StatusUnauthorized, "wrong signature")
	}
	notification, err := qfpay.ParseNotification(body)
	if err != nil {
		c.Log.Error("a notification with a valid signature cannot be read", zap.Error(err))
		return c.malformed(w, http.StatusBadRequest, "not understood")
	}
	return c.notified(w, r, *notification)
}

// notified has a notification settled that the gateway signed.
func (c *Checkout) notified(w http.ResponseWriter, r *http.Request, notification qfpay.Notification) error {
	c.noteIntent(r, cmp.Or(notification.OrigOutTradeNo, notification.OutTradeNo),
		ledger.Intent{Amount: notification.Amount, Currency: notification.Currency})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeLimit)
	defer cancel()
	switch received, err := c.Orders.Receive(ctx, notification); {
	case err != nil:
		c.Observer.Notified(c.Name, "not_stored")
		c.Log.Error("a notification could not be stored: the gateway will send it again",
			append(orders.NotificationFields(notification), zap.Error(err))...)
		return answerGateway(w, http.StatusServiceUnavailable, "try again")
	case received == orders.Ignored:
		c.Observer.Notified(c.Name, "ignored")
	default:
		c.Observer.Notified(c.Name, "stored")
	}
	return answerGateway(w, http.StatusOK, "SUCCESS")
}

// noteForged counts a notification with a wrong signature. Anybody can send one, and
// not fill the log with it: a line tells of all since the last.
func (c *Checkout) noteForged(r *http.Request) {
	c.Observer.Notified(c.Name, "forged")
	c.Shared.forged.Add(1)
	if c.Shared.forgedLines.AllowN(c.Now(), 1) {
		c.Log.Warn("a notification with a wrong signature was refused",
			zap.String("client", c.Server.ClientAddress(r)), zap.Int64("count", c.Shared.forged.Swap(0)))
	}
}

func (c *Checkout) malformed(w http.ResponseWriter, status int, text string) error {
	c.Observer.Notified(c.Name, "malformed")
	return answerGateway(w, status, text)
}

func answerGateway(w http.ResponseWriter, status int, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, err := io.WriteString(w, text)
	return err
}

// NotificationURL is where the gateway is asked to report a payment; "" leaves that
// to what is registered with it. The gateway reaches ports 80 and 443 only.
func (c *Checkout) NotificationURL(site Origin) string {
	switch c.NotifyURL {
	case "off":
		return ""
	case "":
		u, err := url.Parse(string(site))
		if err != nil || !HasStandardPort(u) {
			return ""
		}
		return string(site) + c.NotifyPath
	default:
		return c.NotifyURL
	}
}

// HasStandardPort reports whether a URL is on the port of its scheme: 443 of https
// or 80 of http.
func HasStandardPort(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return u.Port() == "" || u.Port() == "443"
	case "http":
		return u.Port() == "" || u.Port() == "80"
	default:
		return false
	}
}

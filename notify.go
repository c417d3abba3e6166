package qfpayjsapi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// maxNotification bounds the body of a notification in bytes.
const maxNotification = 64 << 10

// notify takes the gateway's notifications. It answers SUCCESS only after what
// it was told is in storage; after anything else the gateway tries again.
func (h *Handler) notify(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.countNotification("malformed")
		return answerGateway(w, http.StatusMethodNotAllowed, "POST only")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		h.countNotification("malformed")
		return answerGateway(w, http.StatusUnsupportedMediaType, "application/json only")
	}
	limitBody(w, r, maxNotification)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		h.countNotification("malformed")
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return answerGateway(w, http.StatusRequestEntityTooLarge, "too large")
		}
		return answerGateway(w, http.StatusBadRequest, "the body did not arrive whole")
	}
	if !qfpay.VerifyNotification(body, r.Header.Get("X-QF-SIGN"), h.ClientKey, qfpay.SignType(h.SignType)) {
		h.countNotification("forged")
		h.logger.Warn("a notification with a wrong signature was refused", zap.String("client", clientAddress(r)))
		return answerGateway(w, http.StatusUnauthorized, "wrong signature")
	}
	notification, err := qfpay.ParseNotification(body)
	if err != nil {
		h.countNotification("malformed")
		h.logger.Error("a notification with a good signature cannot be read", zap.Error(err))
		return answerGateway(w, http.StatusBadRequest, "not understood")
	}
	noteIntent(r, cmp.Or(notification.OrigOutTradeNo, notification.OutTradeNo), ledger.Intent{Amount: notification.Amount, Currency: notification.Currency})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeLimit)
	defer cancel()
	if err := h.receive(ctx, *notification); err != nil {
		h.countNotification("not_stored")
		h.logger.Error("a notification could not be stored; the gateway will try again",
			append(notificationFields(*notification), zap.Error(err))...)
		return answerGateway(w, http.StatusServiceUnavailable, "try again")
	}
	return answerGateway(w, http.StatusOK, "SUCCESS")
}

func answerGateway(w http.ResponseWriter, status int, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, err := io.WriteString(w, text)
	return err
}

// receive stores what a notification says. An error means that it is not
// stored.
func (b *books) receive(ctx context.Context, n qfpay.Notification) error {
	began, number := b.now(), n.OutTradeNo
	if n.Refund() {
		number = cmp.Or(n.OrigOutTradeNo, refundedOrder(n.OutTradeNo))
	} else if !n.Paid() {
		b.countNotification("ignored")
		b.logger.Warn("a notification of neither a payment nor a refund was ignored", notificationFields(n)...)
		return nil
	}
	order, err := b.findOrAdopt(ctx, number)
	if errors.Is(err, ledger.ErrUnknown) {
		err = b.orphan(ctx, ledger.Orphan{
			At: b.now().UTC(), Syssn: n.Syssn, OutTradeNo: n.OutTradeNo, Amount: n.Amount, Currency: n.Currency, NotifyType: n.NotifyType,
		})
		return b.received(n, nil, began, err)
	}
	if err != nil {
		return err
	}
	if n.Refund() {
		err = b.recordRefund(ctx, order, ledger.Refund{
			At: b.now().UTC(), Syssn: n.Syssn, Number: n.OutTradeNo, Amount: n.Amount, Source: "notification",
		})
	} else {
		_, err = b.settle(ctx, order, news{
			number: number, syssn: n.Syssn, amount: n.Amount, currency: n.Currency,
			state: qfpay.TradePaid, paidAt: n.PaidAt, respcd: n.Respcd, source: "notification",
		})
	}
	return b.received(n, orderFields(order.ID, order.Intent), began, err)
}

// received says that a notification is stored, unless it is not.
func (b *books) received(n qfpay.Notification, order []zap.Field, began time.Time, err error) error {
	if err != nil {
		return err
	}
	b.countNotification("stored")
	b.logger.Info("notify", append(append(order, notificationFields(n)...), b.seconds(began))...)
	return nil
}

func notificationFields(n qfpay.Notification) []zap.Field {
	return []zap.Field{
		zap.String("out_trade_no", n.OutTradeNo), zap.String("syssn", n.Syssn),
		zap.String("notify_type", n.NotifyType), zap.String("respcd", n.Respcd),
	}
}

// notifyURL is where the gateway is asked to report a payment; "" leaves that
// to what is registered with it. The gateway reaches ports 80 and 443 only.
func (h *Handler) notifyURL(site origin) string {
	switch h.NotifyURL {
	case "off":
		return ""
	case "":
		u, err := url.Parse(string(site))
		if err != nil || !standardPort(u) {
			return ""
		}
		return string(site) + h.NotifyPath
	default:
		return h.NotifyURL
	}
}

func standardPort(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return u.Port() == "" || u.Port() == "443"
	case "http":
		return u.Port() == "" || u.Port() == "80"
	default:
		return false
	}
}

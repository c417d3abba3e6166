package qfpayjsapi

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func FuzzCallback(f *testing.F) {
	c := openTestShop(f, nil)
	callback := c.authorize(f, "/pay/cat-food")
	var cookie string
	for name, value := range c.jar {
		cookie = name + "=" + value
	}
	f.Add(callback, cookie)
	f.Add("/pay/callback/01M821FMT07W1N4ZJ6X0Q3V5YB?code=x", "qfpay_01M821FMT07W1N4ZJ6X0Q3V5YB=AAAA")
	f.Add("/pay/callback/?code=", "")
	f.Add("/pay/callback/%2e%2e/%2e%2e?code=%00", "qfpay_=")
	f.Add("/pay/return/01M821FMT07W1N4ZJ6X0Q3V5YB?check=-1", "a=b")
	f.Fuzz(func(t *testing.T, address, cookie string) {
		u, err := url.ParseRequestURI(address)
		if err != nil {
			return
		}
		r := &http.Request{Method: http.MethodGet, URL: u, Host: "shop.example", Header: http.Header{"Cookie": {cookie}, "User-Agent": {"MicroMessenger"}}}
		w := httptest.NewRecorder()
		if err := c.ServeHTTP(w, asCaddyWould(r), nobody); err != nil {
			t.Fatal(err)
		}
		if w.Code == http.StatusInternalServerError || w.Code == http.StatusServiceUnavailable {
			t.Fatalf("%s with %s: %d", address, cookie, w.Code)
		}
	})
}

// FuzzNotify posts anything at all, well signed: only a notification of this
// order's payment with its amount and currency makes it paid. Whatever its
// numbers are, the ledger takes it.
func FuzzNotify(f *testing.F) {
	c := openTestShop(f, nil)
	const order = "01M821FMT07W1N4ZJ6X0Q3V5YB"
	f.Add([]byte(`{"status": "1", "notify_type": "payment", "out_trade_no": "` + order + `", "syssn": "1", "txamt": "12800", "txcurrcd": "HKD", "respcd": "0000"}`))
	f.Add([]byte(`{"status": 1, "notify_type": "payment", "out_trade_no": "` + order + `", "syssn": "../1", "txamt": 128, "txcurrcd": "JPY"}`))
	f.Add([]byte(`{"notify_type": "refund", "orig_out_trade_no": "` + order + `", "out_trade_no": "R1", "syssn": "2", "txamt": "12800"}`))
	f.Add([]byte(`{"notify_type": "payment", "out_trade_no": "unknown", "syssn": "\u0000", "txamt": "-1"}`))
	f.Add([]byte(`{"status": "1", "notify_type": "payment", "out_trade_no": "unknown", "syssn": "\ud800", "txamt": "1", "txcurrcd": "` + "\xff" + `"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		id := ledger.NewID(c.now()) // in the place of the one in the text
		body = bytes.ReplaceAll(body, []byte(order), []byte(id))
		_, _, err := c.orders.Claim(t.Context(), ledger.Order{
			ID: id, Intent: ledger.Intent{At: c.now(), Amount: 12800, Currency: "HKD"}, Expires: c.now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		n, err := qfpay.ParseNotification(body)
		taken := err == nil && n.Syssn != "" && isTaken(t, c, n.Syssn)
		due := err == nil && n.Paid() && !n.Refund() && n.OutTradeNo == id && n.Amount == 12800 &&
			(n.Currency == "" || n.Currency == "HKD") && !taken
		r := httptest.NewRequest(http.MethodPost, "/pay/notify", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-QF-SIGN", fmt.Sprintf("%X", md5.Sum(append(slices.Clone(body), "TESTKEY"...))))
		w := httptest.NewRecorder()
		if err := c.ServeHTTP(w, asCaddyWould(r), nobody); err != nil {
			t.Fatal(err)
		}
		if success := w.Code == http.StatusOK; success != (w.Body.String() == "SUCCESS") || !success && w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		found, err := c.orders.Find(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if paid := found.Status.Paid(); paid != due && (w.Code == http.StatusOK || paid) {
			t.Fatalf("paid: %v, for %s", paid, body)
		}
	})
}

// isTaken reports whether a number of the gateway's is that of another order's
// payment, or of a refund.
func isTaken(t *testing.T, c *testShop, syssn string) bool {
	t.Helper()
	taken, err := ledger.View(t.Context(), c.store, func(tx *ledger.Tx) (bool, error) {
		order, err := tx.OrderOfSyssn(c.account(), syssn)
		if err != nil || order != "" {
			return true, err
		}
		refunds, err := tx.RefundsNamed(c.account(), "", syssn)
		return len(refunds) > 0, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

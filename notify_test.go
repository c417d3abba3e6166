package qfpayjsapi_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func withNotifications(s *shop, c *qfpaytest.Config) {
	c.NotifyURL, c.NotifyOff = s.url+"/pay/notify", false
}

// notification is what the gateway would post about a payment.
func notification(order string, changes map[string]string) string {
	fields := map[string]string{
		"status": "1", "notify_type": "payment", "pay_type": "800207", "out_trade_no": order,
		"syssn": "20261123000200020000000001", "txamt": "12800", "txcurrcd": "HKD", "respcd": "0000", "cancel": "0",
		"paydtm": "2026-11-23 12:00:00", "sysdtm": "2026-11-23 11:59:00", "txdtm": "2026-11-23 11:59:00",
		"one_more_field": "of a later version",
	}
	for name, value := range changes {
		fields[name] = value
	}
	text, _ := json.Marshal(fields)
	return strings.ReplaceAll(string(text), `","`, `", "`)
}

// notify posts a body as the gateway would.
func (s *shop) notify(body string) reply { return s.notifySigned(body, md5Of(body)) }

func (s *shop) notifySigned(body, sign string) reply {
	gateway := s.payer("Python-urllib/3.8")
	gateway.header.Set("X-QF-SIGN", sign)
	return gateway.do(http.MethodPost, "/pay/notify", "application/json", strings.NewReader(body))
}

func md5Of(body string) string { return fmt.Sprintf("%X", md5.Sum([]byte(body+clientKey))) }

func TestANotificationAloneSettlesAnOrder(t *testing.T) {
	shop := openShop(t, withNotifications)
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	shop.eventually("the order is paid", func() bool { return strings.Contains(strings.Join(shop.history(order), " "), "paid") })
	receipt := payer.get("/pay/return/" + order)
	assert.NotContains(t, receipt.body, `http-equiv="refresh"`)
	assert.Contains(t, receipt.body, order)
	assert.Zero(t, shop.gateway.Calls("query"), "nobody had to ask")
	shop.eventually("the gateway got SUCCESS", func() bool {
		told := shop.gateway.Notifications()
		return len(told) == 1 && told[0].Accepted
	})
}

func TestANotificationBeforeThePaymentsReplyCounts(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	shop.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropAfter})
	payer.get(callback)
	order := orderOf(t, callback)
	assert.Equal(t, "SUCCESS", shop.notify(notification(order, nil)).body)
	assert.Equal(t, []string{"claimed", "unconfirmed", "paid"}, shop.history(order))
	assert.Equal(t, "/pay/return/"+order, payer.get(callback).location)
}

func TestTheSameNotificationManyTimesIsOnePayment(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	body := notification(order, nil)
	for range 5 {
		reply := shop.notify(body)
		assert.Equal(t, http.StatusOK, reply.status)
		assert.Equal(t, "SUCCESS", reply.body)
		assertCommonHeaders(t, reply.header)
	}
	assert.Equal(t, []string{"claimed", "prepared", "paid"}, shop.history(order))
}

func TestOnlyTheGatewayCanNotify(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	body := notification(order, nil)
	for name, sign := range map[string]string{
		"without a signature":             "",
		"signed with another key":         fmt.Sprintf("%X", md5.Sum([]byte(body+"OTHER"))),
		"signed over another body":        md5Of(body + " "),
		"signed with SHA-256 unannounced": fmt.Sprintf("%X", sha256.Sum256([]byte(body+clientKey))),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusUnauthorized, shop.notifySigned(body, sign).status)
		})
	}
	gateway := shop.payer("gateway")
	gateway.header.Set("X-QF-SIGN", md5Of(body))
	wrongMethod := gateway.get("/pay/notify")
	assert.Equal(t, http.StatusMethodNotAllowed, wrongMethod.status)
	assert.Equal(t, "POST", wrongMethod.header.Get("Allow"))
	large := notification(order, map[string]string{"note": strings.Repeat("x", 64<<10)})
	assert.Equal(t, http.StatusRequestEntityTooLarge, shop.notify(large).status)
	assert.Equal(t, http.StatusBadRequest, shop.notify("no JSON").status)
	assert.Equal(t, []string{"claimed", "prepared"}, shop.history(order))
}

func TestANotificationIsTakenWhateverItsContentType(t *testing.T) {
	shop := openShop(t)
	for i, contentType := range []string{"", "application/json;charset=UTF-8", "text/plain", "application/x-www-form-urlencoded", "no type"} {
		_, order := shop.payer(wechat).prepare("/pay/cat-food")
		body := notification(order, map[string]string{"syssn": fmt.Sprint("20261123000200020000000", i)})
		gateway := shop.payer("gateway")
		gateway.header.Set("X-QF-SIGN", md5Of(body))
		assert.Equal(t, http.StatusOK, gateway.do("POST", "/pay/notify", contentType, strings.NewReader(body)).status, contentType)
		assert.Equal(t, []string{"claimed", "prepared", "paid"}, shop.history(order), contentType)
	}
}

func TestTheSignatureCoversEveryByte(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	body := notification(order, nil)
	sign := md5Of(body)
	for i := range body {
		altered := body[:i] + string(rune(body[i]^1)) + body[i+1:]
		require.Equal(t, http.StatusUnauthorized, shop.notifySigned(altered, sign).status, altered)
	}
	for _, altered := range []string{body + "\n", " " + body, body[:len(body)-1], body + body, strings.Replace(body, "{", `{"txamt": "1", `, 1), ""} {
		assert.Equal(t, http.StatusUnauthorized, shop.notifySigned(altered, sign).status, altered)
	}
	for i := range sign {
		assert.Equal(t, http.StatusUnauthorized, shop.notifySigned(body, sign[:i]).status, "the beginning of a signature")
	}
	assert.Equal(t, []string{"claimed", "prepared"}, shop.history(order))
	assert.Equal(t, http.StatusOK, shop.notifySigned(body, sign).status)
}

func TestWithSHA256BothSignaturesAreTaken(t *testing.T) {
	shop := openShop(t, withBlock("sign_type sha256"))
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	body := notification(order, nil)
	assert.Equal(t, "SUCCESS", shop.notifySigned(body, strings.ToLower(md5Of(body))).body)
	assert.Equal(t, "SUCCESS", shop.notifySigned(body, fmt.Sprintf("%X", sha256.Sum256([]byte(body+clientKey)))).body)
}

func TestAnotherAmountOrCurrencyIsADisputeAndNotAPayment(t *testing.T) {
	for name, changes := range map[string]map[string]string{
		"amount": {"txamt": "1"}, "currency": {"txcurrcd": "JPY"}, "no amount": {"txamt": ""},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t)
			payer := shop.payer(wechat)
			_, order := payer.prepare("/pay/cat-food")
			assert.Equal(t, "SUCCESS", shop.notify(notification(order, changes)).body)
			assert.Contains(t, shop.history(order), "disputed 20261123000200020000000001")
			assert.NotContains(t, shop.history(order), "paid")
			assert.Contains(t, payer.get("/pay/return/"+order).body, `http-equiv="refresh"`)
			assert.Contains(t, shop.log(), "does not count as paid")
			assert.Equal(t, "SUCCESS", shop.notify(notification(order, nil)).body)
			assert.Contains(t, shop.history(order), "paid", "what is right still counts")
		})
	}
}

func TestAPaymentOfAnUnknownOrderIsKept(t *testing.T) {
	shop := openShop(t)
	for _, number := range []string{someOrder, "T1", "../../etc/passwd"} {
		assert.Equal(t, "SUCCESS", shop.notify(notification(number, nil)).body)
	}
	assert.Len(t, shop.orphans(), 1, "by the gateway's number")
	shop.notify(notification("T2", map[string]string{"syssn": "../../x"}))
	assert.Len(t, shop.orphans(), 2)
}

func TestRefundsAddUp(t *testing.T) {
	for _, kind := range []string{"refund", "cancel"} {
		t.Run(kind, func(t *testing.T) {
			shop := openShop(t)
			payer := shop.payer(wechat)
			_, order := payer.prepare("/pay/cat-food")
			shop.notify(notification(order, nil))
			refund := func(number, amount string) {
				t.Helper()
				reply := shop.notify(notification("R"+number, map[string]string{
					"notify_type": kind, "syssn": number, "orig_out_trade_no": order, "txamt": amount,
				}))
				require.Equal(t, "SUCCESS", reply.body)
			}
			refund("1", "800")
			refund("1", "800")
			assert.Contains(t, payer.get("/pay/status/"+order).body, `"status":"partially_refunded"`)
			refund("2", "12000")
			assert.Contains(t, payer.get("/pay/status/"+order).body, `"status":"refunded"`)
			shop.notify(notification(order, nil))
			assert.Contains(t, payer.get("/pay/status/"+order).body, `"status":"refunded"`, "no state goes back")
		})
	}
}

func TestWhatCannotBeStoredIsNotAcknowledged(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	shop.execute(`CREATE TRIGGER in_the_way BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'in the way'); END`)
	assert.Equal(t, http.StatusServiceUnavailable, shop.notify(notification(order, nil)).status)
	assert.Equal(t, []string{"claimed", "prepared"}, shop.history(order), "nothing of it is there")
	shop.execute(`DROP TRIGGER in_the_way`)
	assert.Equal(t, "SUCCESS", shop.notify(notification(order, nil)).body)
}

func TestTheNotificationPathCanLieElsewhere(t *testing.T) {
	shop := openShop(t, withBlock("notify_path /hooks/qfpay"))
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	body := notification(order, nil)
	gateway := shop.payer("gateway")
	gateway.header.Set("X-QF-SIGN", md5Of(body))
	assert.Equal(t, "SUCCESS", gateway.do("POST", "/hooks/qfpay", "application/json", strings.NewReader(body)).body)
	assert.Equal(t, http.StatusNotFound, gateway.get("/pay/notify").status)
}

func TestTheNotificationAddressIsSentWhereTheGatewayCanReachIt(t *testing.T) {
	for _, test := range []struct{ block, sent string }{
		{"", ""}, // a port that the gateway does not call
		{"public_url https://shop.example", "https://shop.example/pay/notify"},
		{"public_url http://shop.example", "http://shop.example/pay/notify"},
		{"public_url https://shop.example:8443", ""},
		{"public_url https://shop.example\nnotify_url off", ""},
		{"notify_url https://shop.example/other", "https://shop.example/other"},
		{"public_url https://shop.example\nnotify_path /n", "https://shop.example/n"},
	} {
		t.Run(test.block, func(t *testing.T) {
			shop := openShop(t, withBlock(test.block))
			payer := shop.payer(wechat)
			start := payer.get("/pay/cat-food?moved=1") // as behind a proxy that shows another name
			order := orderOf(t, mustParse(t, start.location).Query().Get("redirect_uri"))
			payer.header.Set("Cookie", start.cookies[0].Name+"="+start.cookies[0].Value)
			code := mustParse(t, payer.oauth(start.location)).RawQuery
			reply := payer.get("/pay/callback/" + order + "?" + code)
			require.Equal(t, http.StatusFound, reply.status, reply.body)
			trade, ok := shop.gateway.Trade(order)
			require.True(t, ok)
			assert.Equal(t, test.sent, trade.NotifyURL)
		})
	}
}

func TestTheStatusIsForTheShopsOwnPages(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food?quantity=2&ref=INV-7")
	pending := payer.get("/pay/status/" + order)
	assert.Equal(t, http.StatusOK, pending.status)
	assert.Equal(t, "application/json", pending.header.Get("Content-Type"))
	assertCommonHeaders(t, pending.header)
	assert.JSONEq(t, `{"order":"`+order+`","status":"pending","amount":25600,"currency":"HKD","display_amount":"256.00",
		"description":"Cat food 猫粮 × 2","ref":"INV-7","paid_at":null,"fulfilled_at":null,"note":""}`, pending.body)
	require.NoError(t, shop.gateway.Pay(order))
	for range 10 {
		payer.get("/pay/status/" + order)
		payer.get("/pay/return/" + order)
	}
	assert.Equal(t, 1, shop.gateway.Calls("query"), "however often it is polled")
	shop.letEnquiriesBeDue()
	var status struct {
		Status string
		PaidAt string `json:"paid_at"`
	}
	require.NoError(t, json.Unmarshal([]byte(payer.get("/pay/status/"+order).body), &status))
	assert.Equal(t, "paid", status.Status)
	assert.NotEmpty(t, status.PaidAt)

	for _, unknown := range []string{someOrder, "x", ""} {
		reply := payer.get("/pay/status/" + unknown)
		assert.Equal(t, http.StatusNotFound, reply.status)
		assert.JSONEq(t, `{"error":"unknown order"}`, reply.body)
	}
	assert.Equal(t, http.StatusMethodNotAllowed, payer.do("POST", "/pay/status/"+order, "", nil).status)
}

func TestAccessLogsMayNameTheOrder(t *testing.T) {
	shop := openShop(t, withSite(`log_append order {http.qfpay_jsapi.order}
	log_append amount {http.qfpay_jsapi.amount}
	log_append currency {http.qfpay_jsapi.currency}
	log_append state {http.qfpay_jsapi.status}
	log_append step {http.qfpay_jsapi.step}`))
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	payer.get("/pay/return/" + order)
	shop.notify(notification(order, nil))
	shop.eventually("return and notification are logged", func() bool {
		logged := map[string][]string{}
		for line := range strings.Lines(shop.log()) {
			var entry struct{ Order, Amount, Currency, State, Step string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Step != "" {
				logged[entry.Step] = []string{entry.Order, entry.Amount, entry.Currency, entry.State}
			}
		}
		if logged["return"] == nil || logged["notify"] == nil {
			return false
		}
		assert.Equal(t, []string{order, "128.00", "HKD", "pending"}, logged["return"])
		assert.Equal(t, []string{order, "128.00", "HKD"}, logged["notify"][:3])
		return true
	})
}

package qfpayjsapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// line is what the module logged.
type line map[string]any

// lines returns what the module has logged since the configuration was loaded,
// as it stands in the file and as it reads.
func (s *shop) lines() (text string, lines []line) {
	s.t.Helper()
	for entry := range strings.Lines(s.log()) {
		var one line
		if json.Unmarshal([]byte(entry), &one) != nil {
			continue
		}
		if logger, _ := one["logger"].(string); logger == "http.handlers.qfpay_jsapi" || logger == "qfpay_jsapi" {
			text += entry
			lines = append(lines, one)
		}
	}
	return text, lines
}

// about returns the messages of the lines about an order, sorted, and the lines
// by them.
func (s *shop) about(order string) (messages []string, byMessage map[string]line) {
	s.t.Helper()
	byMessage = map[string]line{}
	_, lines := s.lines()
	for _, one := range lines {
		if one["order"] == order {
			messages = append(messages, one["msg"].(string))
			byMessage[one["msg"].(string)] = one
		}
	}
	slices.Sort(messages)
	return messages, byMessage
}

// A payment writes exactly one line for each of its steps, however often its
// requests are repeated. None of them holds what must not be there.
func TestAPaymentWritesOneLogLinePerStep(t *testing.T) {
	of := func(more ...string) []string {
		return append([]string{"level", "ts", "logger", "msg", "order", "item", "amount", "currency"}, more...)
	}
	always := map[string][]string{
		"start":    of(),
		"payment":  of("syssn", "respcd", "seconds"),
		"callback": of("payer", "leads_to", "seconds"),
		"paid":     of("syssn", "source"),
		"return":   of("status", "syssn", "seconds"),
		"webhook":  of("event", "endpoint", "attempt", "status", "seconds"),
	}
	notify := of("out_trade_no", "syssn", "notify_type", "respcd", "seconds")
	enquiry := of("out_trade_no", "trades", "syssn", "respcd", "seconds")
	for name, test := range map[string]struct {
		settings []set
		source   string
		more     map[string][]string
	}{
		"told by a notification":         {[]set{withNotifications}, "notification", map[string][]string{"notify": notify}},
		"found by an enquiry":            {nil, "enquiry", map[string][]string{"enquiry": enquiry}},
		"through the shop's own account": {[]set{withOfficialAccount}, "enquiry", map[string][]string{"enquiry": enquiry}},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, append(test.settings, withProgram(t, http.StatusOK), withBlock("field name required"))...)
			payer := shop.payer(wechat)
			start := payer.post("/pay/cat-food", url.Values{"quantity": {"2"}, "ref": {"INV-7"}, "name": {"sentinel-of-a-field"}})
			callback := payer.oauth(start.location)
			order := orderOf(t, callback)
			for range 3 {
				payer.get(callback)
			}
			require.NoError(t, shop.gateway.Pay(order))
			if test.source == "notification" {
				shop.eventually("the gateway has told", func() bool { return slices.Contains(shop.history(order), "paid") })
			}
			for range 3 {
				payer.get("/pay/return/" + order)
				payer.get("/pay/status/" + order)
				payer.get(callback)
			}
			expected := maps.Clone(always)
			maps.Copy(expected, test.more)
			shop.eventually("the webhook is told", func() bool {
				messages, _ := shop.about(order)
				return slices.Contains(messages, "webhook") && (test.source != "notification" || slices.Contains(messages, "notify"))
			})
			messages, lines := shop.about(order)
			require.Equal(t, slices.Sorted(maps.Keys(expected)), messages)
			trade, _ := shop.gateway.Trade(order)
			for message, fields := range expected {
				line := lines[message]
				assert.ElementsMatch(t, fields, slices.Collect(maps.Keys(line)), message)
				level := "info"
				if message == "start" { // nobody is vouched for yet
					level = "debug"
				}
				assert.Equal(t, level, line["level"], message)
				assert.Equal(t, []any{"cat-food", 25600.0, "HKD"}, []any{line["item"], line["amount"], line["currency"]}, message)
				if seconds, timed := line["seconds"].(float64); timed {
					assert.True(t, seconds >= 0 && seconds < 30, message)
				}
				if slices.Contains(fields, "syssn") {
					assert.Equal(t, trade.Syssn, line["syssn"], message)
				}
				if slices.Contains(fields, "respcd") {
					assert.Equal(t, "0000", line["respcd"], message)
				}
			}
			assert.Equal(t, "pay", lines["callback"]["leads_to"])
			assert.Equal(t, "paid", lines["return"]["status"])
			assert.Equal(t, test.source, lines["paid"]["source"])

			openID := trade.Params["sub_openid"]
			hash := sha256.Sum256([]byte(openID))
			assert.Regexp(t, `^[0-9a-f]{16}$`, lines["callback"]["payer"])
			assert.NotEqual(t, hex.EncodeToString(hash[:8]), lines["callback"]["payer"], "nobody finds the payer by hashing all openids")
			text, _ := shop.lines()
			for what, secret := range map[string]string{
				"client key": clientKey, "app secret": wechatSecret, "webhook secret": strings.TrimPrefix(webhookSecret, "whsec_"),
				"code": mustParse(t, callback).Query().Get("code"), "openid": openID, "field": "sentinel-of-a-field", "reference": "INV-7",
			} {
				require.NotEmpty(t, secret, what)
				assert.NotContains(t, text, secret, what)
			}
		})
	}
}

func TestTheLogNamesAPayerTheSameInEveryOrder(t *testing.T) {
	shop := openShop(t)
	payers := map[any]int{}
	for _, link := range []string{"/pay/cat-food", "/pay/dog-treats"} {
		_, order := shop.payer(wechat).prepare(link)
		_, lines := shop.about(order)
		payers[lines["callback"]["payer"]]++
	}
	openIDs := map[string]bool{}
	for _, trade := range shop.gateway.Trades() {
		openIDs[trade.Params["sub_openid"]] = true
	}
	assert.Len(t, payers, len(openIDs))
}

// ERROR means that a person is needed; what passes by itself is a WARN.
func TestOnlyWhatNeedsAPersonIsLoggedAsAnError(t *testing.T) {
	callback := func(s *shop) { s.get("/pay/cat-food") }
	with := func(fault qfpaytest.Fault, then func(*shop)) func(*shop) {
		return func(s *shop) {
			s.gateway.Inject(fault)
			then(s)
		}
	}
	for name, test := range map[string]struct {
		settings []set
		happens  func(*shop)
		level    string
		message  string
	}{
		"the gateway is busy": {
			happens: with(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "1205"}, callback),
			level:   "warn", message: "the gateway did not accept the payment",
		},
		"the gateway is silent": {
			happens: with(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropAfter}, callback),
			level:   "warn", message: "the outcome of the payment call is unknown: the order stays open",
		},
		"the gateway does not allow the shop to take payments": {
			happens: with(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "1203"}, callback),
			level:   "error", message: "the gateway refused the payment, and will refuse others too",
		},
		"the key is wrong": {
			happens: with(qfpaytest.Fault{Call: "openid", Kind: qfpaytest.Respcd, Respcd: "1108"}, callback),
			level:   "error", message: "there is no openid",
		},
		"a payer comes with a used code": {
			happens: func(s *shop) {
				payer := s.payer(wechat)
				payer.get(payer.authorize("/pay/cat-food") + "used")
			},
			level: "warn", message: "the code was refused; starting again once",
		},
		"an enquiry fails": {
			happens: func(s *shop) {
				payer := s.payer(wechat)
				_, order := payer.prepare("/pay/cat-food")
				s.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropBefore})
				payer.get("/pay/return/" + order)
			},
			level: "warn", message: "the enquiry failed; it is made again",
		},
		"a stranger notifies": {
			happens: func(s *shop) { s.notifySigned(notification(someOrder, nil), "forged") },
			level:   "warn", message: "a notification with a wrong signature was refused",
		},
		"a payment is no order of ours, and is told of five times": {
			happens: func(s *shop) {
				for range 5 {
					s.notify(notification(someOrder, map[string]string{"syssn": strings.TrimPrefix(s.url, "http://127.0.0.1:")}))
				}
			},
			level: "error", message: "the gateway reports a payment that is no order of ours",
		},
		"the gateway vouches for another amount, and says so five times": {
			happens: func(s *shop) {
				_, order := s.payer(wechat).prepare("/pay/cat-food")
				for range 5 {
					s.notify(notification(order, map[string]string{"txamt": "1"}))
				}
			},
			level: "error", message: "the gateway reports another payment than was ordered; the order does not count as paid by it",
		},
		"the ledger fails while a payer waits": {
			happens: func(s *shop) {
				payer := s.payer(wechat)
				callback := payer.authorize("/pay/cat-food")
				s.failLedger(func(_ context.Context, operation string) error {
					if operation == "Update" {
						return errors.New("the disk is full")
					}
					return nil
				})
				payer.get(callback)
			},
			level: "error", message: "the ledger is not available: the payer was asked to try again",
		},
		"a webhook answers with an error": {
			settings: []set{withProgram(t, http.StatusInternalServerError)},
			happens:  func(s *shop) { s.buy("/pay/cat-food") },
			level:    "warn", message: "webhook not delivered",
		},
		"a webhook wants nothing more": {
			settings: []set{withProgram(t, http.StatusGone)},
			happens:  func(s *shop) { s.buy("/pay/cat-food") },
			level:    "error", message: "a webhook answered 410 Gone: nothing more is sent to it until the configuration is reloaded, and its events wait until then",
		},
		"a payment goes well": {
			happens: func(s *shop) { s.buy("/pay/cat-food") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, test.settings...)
			test.happens(shop)
			var found []string
			look := func() {
				found = nil
				_, lines := shop.lines()
				for _, one := range lines {
					if one["level"] != "debug" && one["level"] != "info" && one["msg"] != "a secret is written out in the configuration, where the admin API and the autosave file show it: use a placeholder such as {env.QFPAY_CLIENT_KEY}" {
						found = append(found, fmt.Sprintf("%s: %s", one["level"], one["msg"]))
					}
				}
			}
			if test.level == "" {
				look()
				assert.Empty(t, found)
				return
			}
			shop.eventually("it is logged", func() bool {
				look()
				return len(found) > 0
			})
			assert.Equal(t, []string{test.level + ": " + test.message}, found)
		})
	}
}

// get opens a pay link and goes on to the callback.
func (s *shop) get(link string) {
	payer := s.payer(wechat)
	payer.get(payer.authorize(link))
}

func TestABrowserThatHangsUpIsNoErrorInTheLog(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	reading := make(chan struct{}, 1)
	shop.failLedger(func(ctx context.Context, operation string) error {
		if operation != "View" || ctx.Value(http.ServerContextKey) == nil { // the app reads, too
			return nil
		}
		select {
		case reading <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	})
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, shop.url+"/pay/status/"+order, nil)
	require.NoError(t, err)
	gone := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(r)
		gone <- err
	}()
	<-reading
	leave()
	require.True(t, errors.Is(<-gone, context.Canceled))
	shop.eventually("the request has ended", func() bool { return strings.Contains(shop.log(), `"uri":"/pay/status/`) })
	_, lines := shop.about(order)
	for message, line := range lines {
		assert.NotEqual(t, "error", line["level"], message)
	}
}

// A refund is sent, taken, told of by the gateway and told to the shop: one line
// and one count each, and its money is counted once.
func TestARefundWritesOneLogLinePerStepAndCountsOnce(t *testing.T) {
	shop := openShop(t, ownName, withProgram(t, http.StatusOK))
	order := shop.sold("")
	status, answer := shop.office("POST", "/qfpay_jsapi/orders/"+order+"/refund", `{"refund_id":"half","amount":10000}`)
	require.Less(t, status, 300, answer)
	shop.eventually("both webhooks are told", func() bool {
		messages, _ := shop.about(order)
		return strings.Count(strings.Join(messages, " "), "webhook") == 2
	})
	_, lines := shop.about(order)
	refund := lines["refund"]
	for range 2 {
		shop.notify(notification(order+"R", map[string]string{
			"notify_type": "refund", "syssn": refund["syssn"].(string), "orig_out_trade_no": order, "txamt": "10000",
		}))
	}
	messages, lines := shop.about(order)
	assert.Equal(t, []string{
		"callback", "enquiry", "notify", "notify", "paid", "payment", "refund", "refunded", "return", "start", "webhook", "webhook",
	}, messages)
	for field, value := range map[string]any{
		"level": "info", "refund_id": "half", "refund_amount": 10000.0, "item": "cat-food", "amount": 25600.0, "currency": "HKD", "respcd": "0000",
	} {
		assert.Equal(t, value, refund[field], field)
	}
	assert.Contains(t, refund, "seconds")
	assert.Equal(t, refund["syssn"], lines["refunded"]["syssn"])
	assert.Equal(t, "reply", lines["refunded"]["source"])
	counted := shop.counted()
	for what, count := range map[string]float64{
		"refunded_minor_units_total HKD": 10000, "paid_minor_units_total HKD": 25600,
		"orders_total partially_refunded": 1, "gateway_requests_total refund ok": 1, "webhook_deliveries_total delivered": 2,
	} {
		assert.Equal(t, count, counted[what], what)
	}
}

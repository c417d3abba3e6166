package qfpayjsapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// otherCalls are those of the simulator that the module never makes: two that
// payers' browsers make, and refunds.
var otherCalls = []string{"oauth", "paypage", "refund", "wechat_authorize", "wechat_token"}

// codesThatMatter are injected by the two kinds of faults that have one.
var codesThatMatter = []string{
	"1100", "1102", "1104", "1108", "1136", "1142", "1143", "1145", "1203", "1205", "1251", "1260", "1263", "1264", "1294", "1298", "9999",
}

// everyFault is every kind of fault of the simulator, with every code that
// matters.
func everyFault() (faults []qfpaytest.Fault) {
	for _, kind := range qfpaytest.FaultKinds() {
		switch kind {
		case qfpaytest.Respcd, qfpaytest.RespcdAfter:
			for _, code := range codesThatMatter {
				faults = append(faults, qfpaytest.Fault{Kind: kind, Respcd: code})
			}
		case qfpaytest.Delay:
			faults = append(faults, qfpaytest.Fault{Kind: kind, Delay: time.Millisecond})
		default:
			faults = append(faults, qfpaytest.Fault{Kind: kind})
		}
	}
	return faults
}

// endings are the stations through which an order comes to its end, once the
// payer has been sent to the pay page, or the gateway took the order without a
// clear no.
var endings = map[string]func(*office, *testing.T, string){
	"paid, and the payer returns": func(o *office, t *testing.T, order string) {
		o.pay(order)
		o.visit(t, "/pay/return/"+order)
	},
	"paid, and the gateway notifies": func(o *office, t *testing.T, order string) {
		o.pay(order)
		if o.isPaid(order) {
			require.Equal(t, http.StatusOK, o.receive(t, o.notification(order)))
		}
	},
	"paid, and the payer disappears": func(o *office, _ *testing.T, order string) { o.pay(order) },
	"never paid":                     func(*office, *testing.T, string) {},
	"failed in the wallet": func(o *office, t *testing.T, order string) {
		_ = o.simulator.Fail(order)
		o.visit(t, "/pay/return/"+order)
	},
	"paid in the last moment": func(o *office, t *testing.T, order string) {
		o.work(t, o.orderTTL-time.Second)
		found, err := o.ledger.Find(t.Context(), order)
		if err != nil || found.Status() != ledger.StatusPending {
			return
		}
		o.hands.set(o.now().Add(time.Second))
		found = o.enquire(t.Context(), found)
		o.pay(order)
		if found.Status() == ledger.StatusPending {
			o.expire(t.Context(), found)
		}
	},
}

// Every fault at every call, once, three times and for hours, and every way in
// which the order may end. When the fault is over, the ledger says what the
// gateway says.
func TestWhateverFailsTheLedgerComesToAgreeWithTheGateway(t *testing.T) {
	var cells atomic.Int32
	t.Run("fault", func(t *testing.T) {
		for _, call := range qfpaytest.CallNames() {
			if slices.Contains(otherCalls, call) {
				continue
			}
			for _, fault := range everyFault() {
				fault.Call = call
				t.Run(strings.TrimSpace(fmt.Sprint(fault.Kind, " ", fault.Respcd, " at ", call)), func(t *testing.T) {
					t.Parallel()
					for ending := range endings {
						for _, fault.Times = range []int{1, 3, -1} {
							cells.Add(1)
							meet(t, fault, ending)
						}
					}
				})
			}
		}
	})
	t.Logf("%d cells", cells.Load())
}

var ledgers atomic.Int32 // for names

// forgetMetrics removes the metrics of a ledger that no test looks at: there are
// thousands.
func forgetMetrics(name string) {
	for _, collector := range collectors {
		if vector, ok := collector.(interface{ DeletePartialMatch(prometheus.Labels) int }); ok {
			vector.DeletePartialMatch(prometheus.Labels{"name": name})
		}
	}
}

// meet has one payment meet one fault, and compares ledger and gateway.
func meet(t *testing.T, fault qfpaytest.Fault, ending string) {
	program := startShopProgram(t)
	config := withWebhook(program)
	config["name"] = fmt.Sprint("cell", ledgers.Add(1))
	o := openOffice(t, config)
	defer forgetMetrics(o.name)
	o.books.ledger = ledger.New(newMemory(), o.name)
	o.simulator.Inject(fault)

	order, mayPay := o.visitAsPayersDo(t)
	if _, taken := o.simulator.Trade(order); mayPay || taken && fault.Kind != qfpaytest.RespcdAfter {
		endings[ending](o, t, order)
	}
	o.work(t, 2*time.Hour)
	o.simulator.ClearFaults()
	o.work(t, giveUp+4*time.Hour)

	cell := fmt.Sprintf("%s, %d times: %s", ending, fault.Times, order)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open, cell)
	for _, trade := range o.simulator.Trades() {
		status := o.status(t, trade.OutTradeNo)
		assert.Equal(t, trade.State == qfpaytest.Paid, status == ledger.StatusPaid, "%s: %s in the ledger, %s at the gateway", cell, status, trade.State)
		if status == ledger.StatusClosed && !liesAboutClosing(fault) {
			assert.NotEqual(t, qfpaytest.Open, trade.State, "%s: what is closed cannot be paid any more", cell)
		}
		assert.Equal(t, trade.State == qfpaytest.Paid, slices.Contains(program.ids, "msg_"+trade.OutTradeNo+"_paid"), cell)
	}
	if found, err := o.ledger.Find(t.Context(), order); err == nil {
		assert.NotEqual(t, ledger.StatusPending, found.Status(), cell)
	}
	for _, message := range program.received {
		if message["type"] == "order.paid" {
			assert.True(t, o.isPaid(message["data"].(map[string]any)["order"].(string)), cell)
		}
	}
}

// liesAboutClosing reports whether a fault has the gateway say that a trade is
// unknown or closed which is neither.
func liesAboutClosing(fault qfpaytest.Fault) bool {
	lies := []string{"1136", "1142", "1263", "1264"}
	return fault.Call == "close" && fault.Kind == qfpaytest.Respcd && slices.Contains(lies, fault.Respcd)
}

// visitAsPayersDo opens a pay link, tries again where the page says so, and
// follows where it is led. It returns the last order, and whether the payer
// was led to pay it or nobody knows.
func (o *office) visitAsPayersDo(t *testing.T) (order string, mayPay bool) {
	t.Helper()
	callback := o.authorize(t, "/pay/cat-food")
	for range 5 {
		order = orderIn(callback)
		reply := o.visit(t, callback)
		location := reply.Header.Get("Location")
		switch {
		case reply.StatusCode == http.StatusOK, strings.Contains(location, "/q/direct"):
			return order, true
		case strings.Contains(location, "get_weixin_oauth_code"):
			callback = o.back(t, location)
		case reply.StatusCode == http.StatusFound: // to the return page: the order is over
			return order, false
		}
	}
	return order, false
}

func (o *office) pay(order string) { _ = o.simulator.Pay(order) } // where there is such a trade

func (o *office) isPaid(order string) bool {
	trade, found := o.simulator.Trade(order)
	return found && trade.State == qfpaytest.Paid
}

package qfpayjsapi

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// endings are the ways in which an order comes to its end, once the
// payer has been sent to the pay page, or the gateway took the order without a
// clear no.
var endings = map[string]func(*testShop, *testing.T, string){
	"paid, and the payer returns": func(c *testShop, t *testing.T, order string) {
		c.pay(order)
		c.visit(t, "/pay/return/"+order)
	},
	"paid, and the gateway notifies": func(c *testShop, t *testing.T, order string) {
		c.pay(order)
		if c.isPaid(order) {
			require.Equal(t, http.StatusOK, c.receive(t, c.notification(order)))
		}
	},
	"paid, and the payer disappears": func(c *testShop, _ *testing.T, order string) { c.pay(order) },
	"never paid":                     func(*testShop, *testing.T, string) {},
	"failed in the wallet": func(c *testShop, t *testing.T, order string) {
		_ = c.simulator.Fail(order)
		c.visit(t, "/pay/return/"+order)
	},
	"paid in the last moment": func(c *testShop, t *testing.T, order string) {
		c.work(t, time.Duration(c.OrderTTL)-time.Second)
		c.clock.pass(time.Second)
		c.wire(t, &payingAt{direct{c.simulator}, "/close", func() { c.pay(order) }}) // after the enquiry
		c.work(t, time.Minute)
		if found, err := c.orders.Find(t.Context(), order); err == nil && found.Status == ledger.StatusPending {
			c.pay(order)
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
			for i, fault := range everyFault() {
				if underRace && i%32 != 0 { // each takes ten times as long, and all are tried without
					continue
				}
				fault.Call = call
				t.Run(strings.TrimSpace(fmt.Sprint(fault.Kind, " ", fault.Respcd, " at ", call)), func(t *testing.T) {
					t.Parallel()
					file := filepath.Join(quickFolder(t), "ledger.db")
					newLedger(t, file)
					shared, program := openLedger(t, file), startShopProgram(t) // each cell has an account of its own
					for ending := range endings {
						for _, fault.Times = range []int{1, 3, -1} {
							meet(t, shared, program, fmt.Sprint("cell", cells.Add(1)), fault, ending)
						}
					}
				})
			}
		}
	})
	t.Logf("%d cells", cells.Load())
}

// meet has one payment meet one fault, and compares ledger and gateway.
func meet(t *testing.T, l ledger.Ledger, program *shopProgram, account string, fault qfpaytest.Fault, ending string) {
	before := len(program.received)
	c := openTestShopOn(t, l, account, withWebhook(program))
	c.simulator.Inject(fault)

	order, mayPay := c.visitAsPayersDo(t)
	if _, taken := c.simulator.Trade(order); mayPay || taken && fault.Kind != qfpaytest.RespcdAfter {
		endings[ending](c, t, order)
	}
	c.work(t, 2*time.Hour)
	c.simulator.ClearFaults()
	c.work(t, giveUp+4*time.Hour)

	cell := fmt.Sprintf("%s, %d times: %s", ending, fault.Times, order)
	assert.True(t, c.isSettled(t), cell)
	for _, trade := range c.simulator.Trades() {
		status := c.status(t, trade.OutTradeNo)
		assert.Equal(t, trade.State == qfpaytest.Paid, status == ledger.StatusPaid, "%s: %s in the ledger, %s at the gateway", cell, status, trade.State)
		if status == ledger.StatusClosed && !liesAboutClosing(fault) {
			assert.NotEqual(t, qfpaytest.Open, trade.State, "%s: what is closed cannot be paid any more", cell)
		}
		assert.Equal(t, trade.State == qfpaytest.Paid, slices.Contains(program.ids, "msg_"+trade.OutTradeNo+"_paid"), cell)
	}
	if found, err := c.orders.Find(t.Context(), order); err == nil {
		assert.NotEqual(t, ledger.StatusPending, found.Status, cell)
	}
	for _, message := range program.received[before:] {
		if message["type"] == "order.paid" {
			assert.True(t, c.isPaid(message["data"].(map[string]any)["order"].(string)), cell)
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
func (c *testShop) visitAsPayersDo(t *testing.T) (order string, mayPay bool) {
	t.Helper()
	callback := c.authorize(t, "/pay/cat-food")
	for range 5 {
		order = orderIn(callback)
		reply := c.visit(t, callback)
		location := reply.Header.Get("Location")
		switch {
		case reply.StatusCode == http.StatusOK, strings.Contains(location, "/q/direct"):
			return order, true
		case strings.Contains(location, "get_weixin_oauth_code"):
			callback = c.back(t, location)
		case reply.StatusCode == http.StatusFound: // to the return page: the order is over
			return order, false
		}
	}
	return order, false
}

func (c *testShop) pay(order string) { _ = c.simulator.Pay(order) } // where there is such a trade

func (c *testShop) isPaid(order string) bool {
	trade, found := c.simulator.Trade(order)
	return found && trade.State == qfpaytest.Paid
}

package orders_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestARefundThatIsStuckForADayRaisesOneAlarm(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.gateway.SetSlowRefunds(true)
	number := a.refund(s, o.ID, "r1", 0).Number
	a.reconcile(23 * time.Hour)
	assert.NotContains(t, a.history(o.ID), "refund_stuck")
	a.reconcile(50 * time.Hour)
	assert.Equal(t, 1, strings.Count(a.history(o.ID), "refund_stuck"))
	assert.Equal(t, []string{"order.paid peaks", "refund.stuck peaks"}, a.heard())
	assert.Equal(t, []string{"order.paid hook-of-peaks"}, a.outbox(o.ID), "webhooks have no such event")
	lines := a.log.FilterMessageSnippet("a refund has been pending for a day").All()
	require.Len(t, lines, 1)
	assert.Equal(t, zap.ErrorLevel, lines[0].Level)
	assert.Equal(t, number, lines[0].ContextMap()["out_trade_no"])
	stuck := a.known(o.ID, "r1")
	assert.Equal(t, ledger.RefundSent, stuck.Status)
	assert.Contains(t, []string{"1143", "1145"}, stuck.Respcd)
	assert.Contains(t, stuck.Message, "ask QFPay about it")

	require.NoError(t, a.gateway.Pay(number))
	a.reconcile(3 * time.Hour)
	done := a.known(o.ID, "r1")
	assert.Equal(t, ledger.RefundDone, done.Status)
	assert.Empty(t, done.Message)
}

func TestARefundThatIsNotFoundNorShownAsNotMadeIsStuckToo(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	refund := a.refundInVain(s, o.ID, 2800, qfpaytest.DropAfter)
	require.NoError(t, a.gateway.SetListed(refund.Number, false))
	a.reconcile(30 * time.Hour)
	assert.Contains(t, a.known(o.ID, "lost").Message, "check in QFPay's portal")
	assert.Equal(t, []string{"order.paid peaks", "refund.stuck peaks"}, a.heard())
}

package qfpaytest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestARefundInThePortalIsFoundAndNotNotified(t *testing.T) {
	box := newInbox(t, "SUCCESS")
	s := newShop(t, box.registered)
	syssn := s.paid("N1")
	s.opened("N2")
	number, err := s.gateway.RefundElsewhere("N1", 800)
	require.NoError(t, err)
	row := s.row(number)
	assert.Equal(t, "refund", row["order_type"])
	assert.Equal(t, "800", row["txamt"])
	assert.Equal(t, syssn, row["origssn"])
	assert.Equal(t, "5", s.row("N1")["cancel"])

	_, err = s.gateway.RefundElsewhere("N1", 12001)
	require.ErrorIs(t, err, qfpaytest.ErrNotRefundable, "more than is left")
	_, err = s.gateway.RefundElsewhere("N2", 1)
	require.ErrorIs(t, err, qfpaytest.ErrNotRefundable, "not paid")
	_, err = s.gateway.RefundElsewhere(number, 1)
	require.ErrorIs(t, err, qfpaytest.ErrUnknownTrade, "a refund")
	s.delivered(1)
}

func TestAPaymentMadeElsewhereIsListedAndNotified(t *testing.T) {
	box := newInbox(t, "SUCCESS")
	s := newShop(t, box.registered)
	require.NoError(t, s.gateway.PayElsewhere("TILL1", 500, "HKD"))
	assert.Contains(t, box.wait(1)[0].body, `"out_trade_no": "TILL1"`)
	row := s.row("TILL1")
	assert.Equal(t, "0000", row["respcd"])
	assert.Equal(t, "800201", row["pay_type"])

	require.ErrorContains(t, s.gateway.PayElsewhere("TILL1", 500, "HKD"), "used before")
	require.ErrorContains(t, s.gateway.PayElsewhere("TILL2", 0, "HKD"), "txamt")
	require.ErrorContains(t, s.gateway.PayElsewhere("TILL2", 1, "XXX"), "txcurrcd")
	require.ErrorContains(t, s.gateway.PayElsewhere("", 1, "HKD"), "out_trade_no")
}

func TestATradeCanBeMissingFromTheLists(t *testing.T) {
	s := newShop(t)
	syssn := s.paid("N1")
	rows := func() int {
		return len(s.post("/trade/v1/query", map[string]string{"syssn": syssn}).rows()) + len(s.post("/trade/v1/query", nil).rows())
	}
	assert.Equal(t, 2, rows())
	require.NoError(t, s.gateway.SetListed("N1", false))
	assert.Equal(t, 0, rows())
	require.NoError(t, s.gateway.SetListed("N1", true))
	assert.Equal(t, 2, rows())
	require.ErrorIs(t, s.gateway.SetListed("N2", true), qfpaytest.ErrUnknownTrade)
}

func TestRowsCanLackTheirCurrency(t *testing.T) {
	s := newShop(t, func(c *qfpaytest.Config) { c.EmptyCurrency = true })
	s.paid("N1")
	assert.Empty(t, s.row("N1")["txcurrcd"])
	assert.Contains(t, s.row("N1"), "txcurrcd")
}

func TestTheControlAddressPlaysThePortalAndTheTill(t *testing.T) {
	s := newShop(t)
	assert.Equal(t, http.StatusSeeOther, s.control(http.MethodPost, "payments", formType, "out_trade_no=T%2F1&amount=500&currency=HKD").status)
	assert.Equal(t, http.StatusConflict, s.control(http.MethodPost, "payments", formType, "out_trade_no=T%2F1&amount=500&currency=HKD").status)
	assert.Equal(t, http.StatusBadRequest, s.control(http.MethodPost, "payments", formType, "out_trade_no=T2&amount=5.00&currency=HKD").status)
	assert.Contains(t, s.control(http.MethodGet, "", "", "").body, "trades/T%2F1/refund")

	assert.Equal(t, http.StatusSeeOther, s.control(http.MethodPost, "trades/T%2F1/refund", formType, "amount=100").status)
	assert.Equal(t, http.StatusBadRequest, s.control(http.MethodPost, "trades/T%2F1/refund", formType, "amount=-1").status)
	assert.Equal(t, http.StatusSeeOther, s.control(http.MethodPost, "trades/T%2F1/refund", formType, "amount=").status, "all that is left")
	assert.Equal(t, http.StatusConflict, s.control(http.MethodPost, "trades/T%2F1/refund", formType, "amount=1").status)
	assert.Equal(t, http.StatusNotFound, s.control(http.MethodPost, "trades/NONE/refund", formType, "amount=1").status)
	trade, _ := s.gateway.Trade("T/1")
	assert.EqualValues(t, 500, trade.Refunded)
	assert.NotContains(t, s.control(http.MethodGet, "", "", "").body, "trades/T%2F1/refund")
}

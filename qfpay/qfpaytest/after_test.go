package qfpaytest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestTheEnquiryTellsHowFarATradeHasCome(t *testing.T) {
	s := newShop(t)
	for _, number := range []string{"OPEN", "CANCELLED", "PAID", "FAILED"} {
		s.opened(number)
	}
	require.NoError(t, s.gateway.Cancel("CANCELLED"))
	require.NoError(t, s.gateway.Pay("PAID"))
	require.NoError(t, s.gateway.Fail("FAILED"))

	open := []any{"1143", "1145"}
	assert.Contains(t, open, s.row("OPEN")["respcd"])
	assert.Contains(t, open, s.row("CANCELLED")["respcd"])
	assert.Equal(t, "1263", s.row("FAILED")["respcd"])

	paid := s.row("PAID")
	assert.Equal(t, "0000", paid["respcd"])
	assert.Equal(t, "payment", paid["order_type"])
	assert.Equal(t, "0", paid["cancel"])
	assert.Equal(t, noonText, paid["paydtm"])
	assert.NotContains(t, paid, "pay_params")

	none := s.post("/trade/v1/query", map[string]string{"out_trade_no": "NONE"})
	assert.Equal(t, "0000", none.respcd())
	assert.Empty(t, none.rows())
}

func TestTheEnquirySearchesOneMonth(t *testing.T) {
	s := newShop(t)
	syssn := s.opened("N1")["syssn"].(string)
	s.now = time.Date(2026, 11, 30, 15, 59, 59, 0, time.UTC)
	lastSecond := map[string]string{"out_trade_no": "N1"}
	assert.Len(t, s.post("/trade/v1/query", lastSecond).rows(), 1)

	s.now = s.now.Add(time.Second)
	window := func(from, to string) map[string]string {
		return map[string]string{"out_trade_no": "N1", "start_time": from, "end_time": to}
	}
	cases := map[string]struct {
		values map[string]string
		want   string
		rows   int
	}{
		"by number in the next month": {lastSecond, "0000", 0},
		"by syssn and its month":      {with(window("2026-11-01 00:00:00", "2026-11-30 23:59:59"), "syssn", syssn), "0000", 1},
		"window on the month":         {window("2026-11-01 00:00:00", "2026-11-30 23:59:59"), "0000", 1},
		"window on the second":        {window(noonText, noonText), "0000", 1},
		"window after it":             {window("2026-11-17 12:00:01", "2026-11-18 00:00:00"), "0000", 0},
		"window across a month end":   {window("2026-11-17 00:00:00", "2026-12-01 00:00:00"), "1104", 0},
		"window backwards":            {window("2026-11-18 00:00:00", "2026-11-17 00:00:00"), "1104", 0},
		"half a window":               {map[string]string{"start_time": noonText}, "1103", 0},
		"the other half":              {map[string]string{"end_time": noonText}, "1103", 0},
		"a day that does not exist":   {window("2026-11-31 00:00:00", "2026-11-31 00:00:00"), "1104", 0},
		"page of zero":                {map[string]string{"page": "0"}, "1104", 0},
		"page_size of 101":            {map[string]string{"page_size": "101"}, "1104", 0},
		"empty item":                  {map[string]string{"out_trade_no": "N1,"}, "1104", 0},
		"unknown parameter":           {map[string]string{"status": "1"}, "1103", 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := s.post("/trade/v1/query", c.values)
			require.Equal(t, c.want, got.respcd(), got.body)
			if c.want == "0000" {
				assert.Len(t, got.rows(), c.rows)
			}
		})
	}
}

func TestTheEnquiryListsSeveralAndPages(t *testing.T) {
	s := newShop(t)
	for _, number := range []string{"A", "B", "C"} {
		s.opened(number)
	}
	assert.Len(t, s.post("/trade/v1/query", map[string]string{"out_trade_no": "C,A,NONE"}).rows(), 2)
	second := s.post("/trade/v1/query", map[string]string{"page": "2", "page_size": "2"})
	require.Len(t, second.rows(), 1)
	assert.Equal(t, "C", second.rows()[0]["out_trade_no"])
	assert.InDelta(t, 2, second.reply["page"], 0, "a number here, unlike other scalars")
	assert.Empty(t, s.post("/trade/v1/query", map[string]string{"page": "9"}).rows())
}

func closing(number string) map[string]string {
	return map[string]string{"out_trade_no": number, "txamt": "12800", "txdtm": noonText}
}

func TestOnlyOpenTradesAreClosed(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			s := newShop(t)
			s.opened("OPEN")
			s.paid("PAID")
			s.opened("FAILED")
			require.NoError(t, s.gateway.Fail("FAILED"))
			cases := []struct {
				name   string
				values map[string]string
				want   string
			}{
				{"another amount", with(closing("OPEN"), "txamt", "1"), "1104"},
				{"another time", with(closing("OPEN"), "txdtm", "2026-11-17 04:00:00"), "1104"},
				{"no number", without(closing("OPEN"), "out_trade_no"), "1103"},
				{"no amount", without(closing("OPEN"), "txamt"), "1103"},
				{"unknown number", closing("NONE"), "1136"},
				{"numbers of two trades", with(closing("OPEN"), "syssn", "1"), "1136"},
				{"open", closing("OPEN"), "0000"},
				{"closed", closing("OPEN"), "1142"},
				{"paid", closing("PAID"), "1260"},
				{"failed", closing("FAILED"), "1263"},
			}
			for _, c := range cases {
				got := s.do(s.signed(method, "/trade/v1/close", c.values))
				assert.Equal(t, c.want, got.respcd(), c.name+": "+got.body)
			}
			assert.Equal(t, "1142", s.row("OPEN")["respcd"])
			assert.Equal(t, "2", s.row("OPEN")["cancel"])
			require.ErrorIs(t, s.gateway.Pay("OPEN"), qfpaytest.ErrNotOpen)
			require.ErrorIs(t, s.gateway.Pay("NONE"), qfpaytest.ErrUnknownTrade)
		})
	}
}

func TestRefundsNeverExceedWhatWasPaid(t *testing.T) {
	s := newShop(t)
	syssn := s.paid("N1")
	unpaid := s.opened("N2")["syssn"].(string)
	refund := func(number, amount string) map[string]string {
		return map[string]string{"syssn": syssn, "out_trade_no": number, "txamt": amount, "txdtm": noonText}
	}
	cases := []struct {
		name         string
		values       map[string]string
		want, cancel string
	}{
		{"no syssn", without(refund("R0", "1"), "syssn"), "1103", "0"},
		{"unknown payment", with(refund("R0", "1"), "syssn", "1"), "1136", "0"},
		{"unpaid payment", with(refund("R0", "1"), "syssn", unpaid), "1261", "0"},
		{"local time", with(refund("R0", "1"), "txdtm", "2026-11-17 04:00:00"), "1104", "0"},
		{"more than paid", refund("R0", "12801"), "1266", "0"},
		{"a part", refund("R1", "2800"), "0000", "5"},
		{"more than is left", refund("R2", "10001"), "1272", "5"},
		{"the rest", refund("R3", "10000"), "0000", "3"},
		{"nothing is left", refund("R4", "1"), "1264", "3"},
	}
	for _, c := range cases {
		got := s.post("/trade/v1/refund", c.values)
		assert.Equal(t, c.want, got.respcd(), c.name+": "+got.body)
		assert.Equal(t, c.cancel, s.row("N1")["cancel"], c.name)
	}
	duplicates := []any{"1102", "2011", "1251"}
	assert.Contains(t, duplicates, s.post("/trade/v1/refund", refund("R1", "1")).respcd(), "a refund's number")
	assert.Contains(t, duplicates, s.post("/trade/v1/refund", refund("N2", "1")).respcd(), "a payment's number")
	assert.Contains(t, duplicates, s.post("/trade/v1/payment", s.order("R1")).respcd(), "over payments and refunds")

	row := s.row("R1")
	assert.Equal(t, "refund", row["order_type"])
	assert.Equal(t, syssn, row["origssn"])
	assert.Equal(t, "0000", row["respcd"])
}

func TestSlowRefundsWaitToBeDoneOrRefused(t *testing.T) {
	s := newShop(t)
	syssn := s.paid("N1")
	s.gateway.SetSlowRefunds(true)
	refund := func(number, amount string) any {
		got := s.post("/trade/v1/refund", map[string]string{"syssn": syssn, "out_trade_no": number, "txamt": amount, "txdtm": noonText})
		return got.respcd()
	}
	open := []any{"1143", "1145"}
	require.Contains(t, open, refund("R1", "2800"))
	require.Contains(t, open, refund("R2", "10000"))
	assert.Contains(t, open, s.row("R1")["respcd"])
	assert.Equal(t, "1264", refund("R3", "1"), "what is on its way is not left")

	require.NoError(t, s.gateway.Pay("R1"))
	assert.Equal(t, "0000", s.row("R1")["respcd"])
	require.NoError(t, s.gateway.Fail("R2"))
	assert.Equal(t, "1155", s.row("R2")["respcd"])
	assert.Equal(t, "5", s.row("N1")["cancel"])

	s.gateway.SetSlowRefunds(false)
	assert.Equal(t, "0000", refund("R4", "10000"), "what was refused is left again")
	assert.Equal(t, "3", s.row("N1")["cancel"])
}

package qfpaytest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func tolerant(c *qfpaytest.Config) { c.Strict = false }

func TestWhatTheGatewayRefusesIsRefusedByDefaultToo(t *testing.T) {
	cases := map[string]struct{ name, value, want string }{
		"amount of zero":              {"txamt", "0", "1104"},
		"decimal amount":              {"txamt", "128.00", "1104"},
		"unknown currency":            {"txcurrcd", "ZZZ", "1104"},
		"number of 129 bytes":         {"out_trade_no", strings.Repeat("N", 129), "1104"},
		"empty number":                {"out_trade_no", "", "1103"},
		"12-hour clock":               {"txdtm", "2026-11-17 12:00:00 PM", "1104"},
		"zone without a sign":         {"txzone", "0800", "1104"},
		"zone in words":               {"txzone", "Asia/Tokyo", "1104"},
		"openid never issued":         {"sub_openid", "oUnknown", "1104"},
		"name of 65 characters":       {"goods_name", strings.Repeat("茶", 65), "1104"},
		"name with a line break":      {"goods_name", "a\nb", "1104"},
		"notify_url on 8080":          {"notify_url", "http://shop.example:8080/", "1104"},
		"return_url of 256":           {"return_url", "https://shop.example/" + strings.Repeat("x", 235), "1104"},
		"udid of 41 bytes":            {"udid", strings.Repeat("u", 41), "1104"},
		"an mchid that nobody issued": {"mchid", "M1", "1108"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, tolerant)
			got := s.post("/trade/v1/payment", with(s.order("N1"), c.name, c.value))
			assert.Equal(t, c.want, got.respcd(), got.body)
			assert.Contains(t, got.reply["respmsg"], c.name)
			assert.Empty(t, s.gateway.Trades())
		})
	}
}

func TestSyssnAloneSaysWhereToLookUnlessStrict(t *testing.T) {
	const october, november = "2026-10-01 00:00:00/2026-10-31 23:59:59", "2026-11-01 00:00:00/2026-11-30 23:59:59"
	december := noon.AddDate(0, 1, 0)
	for name, c := range map[string]struct {
		at                time.Time
		window            string
		byDefault, strict int
	}{
		"in its month":                      {noon, "", 1, 1},
		"a month later":                     {december, "", 1, 0},
		"a month later, with its month":     {december, november, 1, 1},
		"a month later, with another month": {december, october, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for strict, rows := range map[bool]int{false: c.byDefault, true: c.strict} {
				s := newShop(t, func(cfg *qfpaytest.Config) { cfg.Strict = strict })
				values := map[string]string{"syssn": s.paid("N1")}
				s.now = c.at
				if from, to, given := strings.Cut(c.window, "/"); given {
					values["start_time"], values["end_time"] = from, to
				}
				got := s.post("/trade/v1/query", values)
				assert.Len(t, got.rows(), rows, "strict: %t: %s", strict, got.body)
			}
		})
	}
}

func TestTheEnquiryCanBeNarrowedDown(t *testing.T) {
	s := newShop(t)
	syssn := s.paid("PAID")
	s.opened("OPEN")
	require.Equal(t, "0000", s.post("/trade/v1/refund", map[string]string{
		"syssn": syssn, "out_trade_no": "REFUND", "txamt": "1", "txdtm": noonText,
	}).respcd())
	for name, c := range map[string]struct {
		values map[string]string
		want   []any
	}{
		"by pay_type":        {map[string]string{"pay_type": "800212,800207"}, []any{"PAID", "OPEN", "REFUND"}},
		"by another":         {map[string]string{"pay_type": "800212"}, nil},
		"by respcd":          {map[string]string{"respcd": "0000"}, []any{"PAID", "REFUND"}},
		"by respcd, of more": {map[string]string{"respcd": "1143,1145"}, []any{"OPEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			var numbers []any
			for _, row := range s.post("/trade/v1/query", c.values).rows() {
				numbers = append(numbers, row["out_trade_no"])
			}
			assert.Equal(t, c.want, numbers)
		})
	}
}

func TestTxzoneIsTheZoneOfTheTimesBesideIt(t *testing.T) {
	s := newShop(t)
	tokyo := func(values map[string]string) map[string]string { return with(values, "txzone", "+0900") }
	late := s.post("/trade/v1/payment", tokyo(s.order("N1")))
	assert.Equal(t, "1104", late.respcd(), "noon in Hong Kong is one o'clock in Tokyo")
	assert.Contains(t, late.reply["respmsg"], "UTC+0900")
	assert.Equal(t, "0000", s.post("/trade/v1/payment", tokyo(with(s.order("N1"), "txdtm", "2026-11-17 13:00:00"))).respcd())

	window := map[string]string{"start_time": "2026-11-17 13:00:00", "end_time": "2026-11-17 13:00:00"}
	assert.Len(t, s.post("/trade/v1/query", tokyo(window)).rows(), 1)
	assert.Empty(t, s.post("/trade/v1/query", window).rows())
	endOfMonth := map[string]string{"start_time": "2026-12-01 00:00:00", "end_time": "2026-12-01 01:00:00"}
	assert.Equal(t, "1104", s.post("/trade/v1/query", tokyo(endOfMonth)).respcd(), "the month is that of UTC+8")
}

func TestParametersAreNotReadFromBodiesThatAreNoForm(t *testing.T) {
	for _, contentType := range []string{"application/json", "multipart/form-data; boundary=x"} {
		s := newShop(t, tolerant)
		r := s.signed(http.MethodPost, "/trade/v1/query", map[string]string{"out_trade_no": "N1"})
		r.Header.Set("Content-Type", contentType)
		got := s.do(r)
		assert.Equal(t, "1103", got.respcd(), contentType)
		assert.Contains(t, got.reply["respmsg"], "Content-Type")
	}
}

func TestOneParameterInQueryAndBodyIsRefused(t *testing.T) {
	s := newShop(t, tolerant)
	r := s.signed(http.MethodPost, "/trade/v1/query", map[string]string{"out_trade_no": "N1"})
	r.URL.RawQuery = "out_trade_no=N2"
	assert.Contains(t, s.do(r).reply["respmsg"], "out_trade_no: repeated")
}

func TestATimeHoursAwayIsRememberedAsItWasSent(t *testing.T) {
	s := newShop(t, tolerant)
	local := noon.Add(-7 * time.Hour).Format(time.DateTime)
	s.opened("N1", map[string]string{"txdtm": local})
	row := s.row("N1")
	assert.Equal(t, local, row["txdtm"])
	assert.Equal(t, noonText, row["sysdtm"])
}

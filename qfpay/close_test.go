package qfpay

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func someClose() Close {
	return Close{
		OutTradeNo: "01JDCX0000000000000000TEST",
		Amount:     12800,
		Time:       time.Date(2026, 11, 23, 16, 4, 5, 0, time.UTC),
	}
}

const (
	closedReply   = `{"respcd": "0000", "respmsg": "", "syssn": "2", "orig_syssn": "1", "sysdtm": "2026-11-24 00:04:06"}`
	closeTestTime = "2026-11-24 00:04:05"
)

func TestCloseSendsOneNumber(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Close)
		mchid  string
		want   map[string]string
	}{
		"the shop's": {
			change: func(*Close) {},
			want:   map[string]string{"out_trade_no": "01JDCX0000000000000000TEST", "txamt": "12800", "txdtm": closeTestTime},
		},
		"the gateway's": {
			change: func(q *Close) { q.Syssn, q.OutTradeNo = "1", "" },
			want:   map[string]string{"syssn": "1", "txamt": "12800", "txdtm": closeTestTime},
		},
		"the gateway's, of both": {
			change: func(q *Close) { q.Syssn = "1" },
			want:   map[string]string{"syssn": "1", "txamt": "12800", "txdtm": closeTestTime},
		},
		"beside a merchant's": {
			change: func(q *Close) { q.Syssn = "1" },
			mchid:  "MCH123",
			want:   map[string]string{"syssn": "1", "txamt": "12800", "txdtm": closeTestTime, "mchid": "MCH123"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, "/trade/v1/close", r.URL.Path)
				assert.Empty(t, r.URL.RawQuery)
				assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
				assert.Equal(t, test.want, signedParams(t, r, MD5))
				says(200, closedReply)(w, r)
			}), func(c *Config) { c.MchID = test.mchid })
			q := someClose()
			test.change(&q)
			assert.NoError(t, client.Close(t.Context(), q))
		})
	}
}

func TestWhatIsWrongWithACloseIsNotSent(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was asked") }))
	for name, test := range map[string]struct {
		change func(*Close)
		want   string
	}{
		"no number":               {func(q *Close) { q.OutTradeNo = "" }, "both syssn and out_trade_no are missing"},
		"two of the shop's":       {func(q *Close) { q.OutTradeNo = "A,B" }, "out_trade_no must"},
		"two of the gateway's":    {func(q *Close) { q.Syssn = "1,2" }, "syssn must"},
		"a number with a space":   {func(q *Close) { q.OutTradeNo = "A B" }, "out_trade_no must"},
		"a number that is longer": {func(q *Close) { q.Syssn = strings.Repeat("1", 129) }, "syssn must"},
		"no amount":               {func(q *Close) { q.Amount = 0 }, "txamt must"},
		"a negative amount":       {func(q *Close) { q.Amount = -1 }, "txamt must"},
		"an amount of 12 digits":  {func(q *Close) { q.Amount = 100_000_000_000 }, "txamt must"},
		"no time":                 {func(q *Close) { q.Time = time.Time{} }, "txdtm is missing"},
	} {
		q := someClose()
		test.change(&q)
		err := client.Close(t.Context(), q)
		assert.ErrorContains(t, err, "qfpay: close: refused (request): "+test.want, name)
		assert.Equal(t, Refused, asError(t, err).Outcome, name)
	}
}

func TestWhatIsOverNeedNotBeClosed(t *testing.T) {
	for _, respcd := range []string{"1142", "1264", "1181", "2005", "1263", "2007"} {
		client := newClient(t, says(200, `{"respcd":"`+respcd+`","respmsg":"over"}`))
		assert.NoError(t, client.Close(t.Context(), someClose()), respcd)
	}
}

func TestWhatIsNotClosedIsAnError(t *testing.T) {
	for respcd, want := range map[string]struct {
		outcome        Outcome
		fault          Fault
		paid, notFound bool
	}{
		"1260": {Unknown, FaultRequest, true, false},
		"1298": {Unknown, FaultGateway, false, false},
		"1297": {Unknown, FaultGateway, false, false},
		"1136": {Refused, FaultRequest, false, true},
		"1268": {Refused, FaultRequest, false, true},
		"1143": {Unknown, FaultGateway, false, false},
		"1145": {Unknown, FaultGateway, false, false},
		"1161": {Unknown, FaultGateway, false, false},
		"1125": {Refused, FaultRequest, false, false},
		"1104": {Refused, FaultRequest, false, false},
		"1108": {Refused, FaultShop, false, false},
		"1100": {Refused, FaultBusy, false, false},
		"9999": {Unknown, FaultGateway, false, false}, // listed nowhere
	} {
		client := newClient(t, says(200, `{"respcd":"`+respcd+`","respmsg":"m","resperr":"e"}`))
		e := asError(t, client.Close(t.Context(), someClose()))
		assert.Equal(t, &Error{
			Call: callClose, Respcd: respcd, Message: "m: e", Status: 200, Outcome: want.outcome, Fault: want.fault,
		}, e)
		assert.Equal(t, want.paid, e.Paid(), respcd)
		assert.Equal(t, want.notFound, e.NotFound(), respcd)
	}
}

func TestAYesWithoutANumberOfItsOwnClosesNothing(t *testing.T) {
	for name, body := range map[string]string{
		"no syssn":         `{"respcd": "0000", "respmsg": "", "resperr": "", "txamt": "12800", "sysdtm": "2026-11-24 00:04:06"}`,
		"an empty syssn":   `{"respcd": "0000", "respmsg": "", "syssn": "", "orig_syssn": "20261124000200020000000001"}`,
		"a syssn of null":  `{"respcd": "0000", "syssn": null}`,
		"a syssn no reply": `{"respcd": "0000", "syssn": {}}`,
	} {
		e := asError(t, newClient(t, says(200, body)).Close(t.Context(), someClose()))
		assert.Equal(t, Unknown, e.Outcome, name)
		assert.Equal(t, FaultGateway, e.Fault, name)
		assert.False(t, e.Paid(), name)
	}
	err := newClient(t, says(200, `{"respcd": "0000"}`)).Close(t.Context(), someClose())
	assert.ErrorContains(t, err, "not closed: the reply has no syssn")
}

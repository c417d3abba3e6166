package qfpaytest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func (s *shop) control(method, path, contentType, body string) response {
	s.Helper()
	r, err := http.NewRequest(method, s.url+"/control/"+path, strings.NewReader(body))
	require.NoError(s, err)
	r.Header.Set("Content-Type", contentType)
	if contentType == formType {
		r.Header.Set("Accept", "text/html")
	}
	return s.do(r)
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

func TestTheControlPageShowsEverythingAndNoSecret(t *testing.T) {
	s := newShop(t)
	s.opened("<N1>")
	s.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.Respcd, Respcd: "1298", Times: 3})
	got := s.control(http.MethodGet, "", "", "")
	assert.Equal(t, http.StatusOK, got.status)
	for _, shown := range []string{"&lt;N1&gt;", "HKD 128.00", "respcd 1298", "trades/%3CN1%3E/pay", appCode} {
		assert.Contains(t, got.body, shown)
	}
	assert.NotContains(t, got.body, key)
}

func TestTradesAreMovedByTheControlAddress(t *testing.T) {
	s := newShop(t)
	s.opened("N/1")
	assert.Equal(t, http.StatusNoContent, s.control(http.MethodPost, "trades/N%2F1/cancel", "", "").status)
	assert.Equal(t, http.StatusNoContent, s.control(http.MethodPost, "trades/N%2F1/pay", "", "").status)
	assert.Equal(t, http.StatusConflict, s.control(http.MethodPost, "trades/N%2F1/fail", "", "").status)
	assert.Equal(t, http.StatusNotFound, s.control(http.MethodPost, "trades/NONE/pay", "", "").status)
	assert.Equal(t, http.StatusNotFound, s.control(http.MethodPost, "trades/N%2F1/steal", "", "").status)
	assert.Contains(t, s.control(http.MethodGet, "trades", "", "").body, `"state":"paid"`)
	assert.Contains(t, s.control(http.MethodGet, "calls", "", "").body, `"payment":1`)
}

func TestFaultsAreChosenByTheControlAddress(t *testing.T) {
	cases := map[string]struct {
		contentType, body string
		status            int
	}{
		"JSON":            {jsonType, `{"call":"query","kind":"respcd","respcd":"1298","delay":"1ms","times":2,"probability":1}`, http.StatusNoContent},
		"form":            {formType, "call=&kind=drop_after&respcd=&delay=&times=&probability=", http.StatusSeeOther},
		"unknown kind":    {jsonType, `{"kind":"explode"}`, http.StatusBadRequest},
		"unknown member":  {jsonType, `{"kind":"delay","speed":1}`, http.StatusBadRequest},
		"bad delay":       {formType, "kind=delay&delay=soon", http.StatusBadRequest},
		"bad times":       {formType, "kind=delay&times=often", http.StatusBadRequest},
		"bad probability": {formType, "kind=delay&probability=NaN", http.StatusBadRequest},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			got := s.control(http.MethodPost, "faults", c.contentType, c.body)
			assert.Equal(t, c.status, got.status, got.body)
			assert.Equal(t, c.status < 400, len(s.gateway.Faults()) == 1)
			assert.Equal(t, http.StatusOK, s.control(http.MethodGet, "faults", "", "").status)
			assert.Equal(t, http.StatusNoContent, s.control(http.MethodDelete, "faults", "", "").status)
			assert.Empty(t, s.gateway.Faults())
		})
	}
}

func TestNotificationsAreSwitchedByTheControlAddress(t *testing.T) {
	box := newInbox(t, "SUCCESS")
	s := newShop(t, box.registered, func(c *qfpaytest.Config) { c.NotifyOff = true })
	s.paid("SILENT")
	assert.Equal(t, http.StatusNoContent, s.control(http.MethodPost, "notifications", "text/plain", "on").status)
	s.paid("LOUD")
	assert.Contains(t, box.wait(1)[0].body, `"out_trade_no": "LOUD"`)
	assert.Equal(t, http.StatusSeeOther, s.control(http.MethodPost, "notifications", formType, "notifications=off").status)
	assert.Equal(t, http.StatusBadRequest, s.control(http.MethodPost, "notifications", "text/plain", "perhaps").status)
	assert.Equal(t, http.StatusOK, s.control(http.MethodGet, "notifications", "", "").status)
}

func TestTheControlPageSpeaksPlainly(t *testing.T) {
	s := newShop(t)
	page := func() string { return s.control(http.MethodGet, "", "", "").body }
	assert.Contains(t, page(), "There are none yet.")
	syssn := s.paid("N1")
	assert.Contains(t, page(), "0: no<")
	s.post("/trade/v1/refund", map[string]string{"syssn": syssn, "out_trade_no": "R1", "txamt": "100", "txdtm": noonText})
	assert.Contains(t, page(), "5: partly refunded<")
	assert.Contains(t, page(), ">done<")
	assert.Contains(t, page(), "A new refund is done at once.")
	s.gateway.SetSlowRefunds(true)
	s.post("/trade/v1/refund", map[string]string{"syssn": syssn, "out_trade_no": "R2", "txamt": "12700", "txdtm": noonText})
	for _, shown := range []string{"3: refunded<", "A new refund waits until you press Done or Refuse above.", ">waiting<", ">Done<", ">Refuse<"} {
		assert.Contains(t, page(), shown)
	}
}

func TestTheSimulatorsAddressLeadsToItsControlPage(t *testing.T) {
	s := newShop(t)
	for _, address := range []string{"/", "/control"} {
		got := s.browse(address)
		assert.Equal(t, http.StatusFound, got.status, address)
		assert.Equal(t, "control/", got.header.Get("Location"), "relative, so that a prefix survives")
	}
}

func TestBadInputIsAPageThatLeadsBack(t *testing.T) {
	s := newShop(t)
	s.opened("OPEN")
	s.paid("PAID")
	for _, c := range []struct{ path, body, says, back string }{
		{"payments", "out_trade_no=T1&amount=much&currency=HKD", "amount: ", "./"},
		{"payments", "out_trade_no=PAID&amount=100&currency=HKD", "used before", "./"},
		{"payments", "out_trade_no=T1&amount=100&currency=Gold", "txcurrcd: ", "./"},
		{"trades/PAID/refund", "amount=12.80", "amount: ", "../../"},
		{"trades/PAID/refund", "amount=99999999", "has less than that left", "../../"},
		{"trades/NONE/pay", "", "no such payment", "../../"},
		{"trades/PAID/fail", "", "can no longer be paid", "../../"},
		{"trades/OPEN/steal", "", "none of pay, cancel and fail", "../../"},
		{"refunds", "refunds=soon", "neither slow nor prompt", "./"},
		{"notifications", "notifications=perhaps", "neither on nor off", "./"},
		{"faults", "kind=delay&delay=soon", "not a duration", "./"},
	} {
		got := s.control(http.MethodPost, c.path, formType, c.body)
		assert.GreaterOrEqual(t, got.status, 400, c.path)
		assert.Contains(t, got.header.Get("Content-Type"), "text/html", c.path)
		assert.Contains(t, got.body, c.says)
		assert.Contains(t, got.body, `href="`+c.back+`"`)
		assert.NotContains(t, got.body, "qfpaytest")
	}
}

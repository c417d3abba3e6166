package qfpay

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuerySendsOnlyWhatIsAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		query Query
		want  map[string]string
	}{
		"the gateway's number": {Query{Syssn: "1"}, map[string]string{"syssn": "1"}},
		"the shop's numbers":   {Query{OutTradeNo: "A,B"}, map[string]string{"out_trade_no": "A,B"}},
		"a page of a window, in Hong Kong's time": {
			Query{
				Start: time.Date(2026, 10, 31, 16, 0, 0, 0, time.UTC),
				End:   time.Date(2026, 11, 30, 15, 59, 59, 0, time.UTC),
				Page:  2, PageSize: 100,
			},
			map[string]string{
				"start_time": "2026-11-01 00:00:00", "end_time": "2026-11-30 23:59:59", "page": "2", "page_size": "100",
			},
		},
		"a number since": {
			Query{OutTradeNo: "A", Start: time.Date(2026, 11, 1, 0, 0, 0, 0, HongKong)},
			map[string]string{"out_trade_no": "A", "start_time": "2026-11-01 00:00:00"},
		},
		"the gateway's number over a month's end": {
			Query{Syssn: "1", Start: time.Date(2026, 10, 1, 0, 0, 0, 0, HongKong), End: time.Date(2026, 11, 1, 0, 0, 0, 0, HongKong)},
			map[string]string{"syssn": "1", "start_time": "2026-10-01 00:00:00", "end_time": "2026-11-01 00:00:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, "/trade/v1/query", r.URL.Path)
				assert.Equal(t, test.want, signedParams(t, r, MD5))
				says(200, `{"respcd":"0000","data":[]}`)(w, r)
			}))
			_, err := client.Query(t.Context(), test.query)
			assert.NoError(t, err)
		})
	}
}

func TestWhatIsWrongWithAQueryIsNotSent(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was asked") }))
	at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, HongKong) }
	for name, query := range map[string]Query{
		"nothing":                     {},
		"only a page":                 {Page: 1},
		"half a window":               {Start: at(11, 1)},
		"a window upside down":        {Start: at(11, 2), End: at(11, 1)},
		"a window over a month's end": {Start: at(10, 31), End: at(11, 1)},
		"a negative page":             {Syssn: "1", Page: -1},
		"a negative page size":        {Syssn: "1", PageSize: -1},
		"a page of 101":               {Syssn: "1", PageSize: 101},
	} {
		_, err := client.Query(t.Context(), query)
		e := asError(t, err)
		assert.Equal(t, "query", e.Call, name)
		assert.Equal(t, Refused, e.Outcome, name)
		assert.Equal(t, FaultRequest, e.Fault, name)
	}
}

func TestQueryReadsTrades(t *testing.T) {
	client := newClient(t, says(200, `{"respcd": 0000, "resperr": null, "page": 1, "page_size": "10", "data": [
		{"syssn": "1", "out_trade_no": "A", "order_type": "payment", "pay_type": "800207", "respcd": "0000",
		 "cancel": "0", "txcurrcd": "HKD", "txamt": "12800", "sysdtm": "2026-11-24 00:04:06",
		 "paydtm": "2026-11-24 00:05:00", "errmsg": "ok", "goods_name": "tea"},
		{"syssn": 2, "out_trade_no": "B", "orig_syssn": "1", "order_type": "refund", "pay_type": 800207,
		 "respcd": 0000, "cancel": 0, "txcurrcd": "HKD", "txamt": 100, "sysdtm": "", "paydtm": null}]}`))
	got, err := client.Query(t.Context(), Query{Syssn: "1,2"})
	require.NoError(t, err)
	assert.Equal(t, []Trade{
		{
			Syssn: "1", OutTradeNo: "A", OrderType: "payment", PayType: "800207", Respcd: "0000", Cancel: "0",
			Currency: "HKD", Amount: 12800, ErrMsg: "ok",
			PaidAt:  time.Date(2026, 11, 24, 0, 5, 0, 0, HongKong),
			SysTime: time.Date(2026, 11, 24, 0, 4, 6, 0, HongKong),
		},
		{
			Syssn: "2", OutTradeNo: "B", OrigSyssn: "1", OrderType: "refund", PayType: "800207", Respcd: "0000",
			Cancel: "0", Currency: "HKD", Amount: 100,
		},
	}, got)
}

func TestNoTradesAreNotAnError(t *testing.T) {
	for _, body := range []string{
		`{"respcd":"0000","data":[]}`, `{"respcd":"0000","data":null}`, `{"respcd":"0000"}`,
		`{"respcd":"1136","respmsg":"not found"}`, `{"respcd":"1268"}`,
	} {
		got, err := newClient(t, says(200, body)).Query(t.Context(), Query{OutTradeNo: "A"})
		assert.NoError(t, err, body)
		assert.Equal(t, []Trade{}, got, body)
	}
}

func TestTradesThatCannotBeReadAreUnknown(t *testing.T) {
	for _, body := range []string{
		`{"respcd":"0000","data":"none"}`, `{"respcd":"0000","data":[{"txamt":"1.5"}]}`, `{"respcd":"0000","data":[1]}`,
	} {
		got, err := newClient(t, says(200, body)).Query(t.Context(), Query{OutTradeNo: "A"})
		assert.Nil(t, got, body)
		assert.Equal(t, Unknown, asError(t, err).Outcome, body)
		assert.Equal(t, FaultGateway, asError(t, err).Fault, body)
	}
}

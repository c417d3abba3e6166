package qfpaytest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// struck makes a payment that a fault hits, and returns what the client sees.
func struck(s *shop, f qfpaytest.Fault) (status int, body []byte, err error) {
	s.Helper()
	r := s.signed(http.MethodPost, "/trade/v1/payment", s.order("N1"))
	f.Call = "payment"
	s.gateway.Inject(f)
	got, err := s.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = got.Body.Close() }()
	body, err = io.ReadAll(got.Body)
	return got.StatusCode, body, err
}

func TestFaultsCommitOrNotAndShowItOrNot(t *testing.T) {
	cases := map[qfpaytest.FaultKind]struct {
		committed bool
		broken    bool // the connection ends early
		respcd    any  // nil if the body is not JSON
	}{
		qfpaytest.Delay:            {committed: true, respcd: "0000"},
		qfpaytest.DropBefore:       {broken: true},
		qfpaytest.DropAfter:        {committed: true, broken: true},
		qfpaytest.Status5xx:        {},
		qfpaytest.TooMany:          {},
		qfpaytest.Garbage:          {},
		qfpaytest.HTML:             {},
		qfpaytest.Oversized:        {respcd: "0000"},
		qfpaytest.Respcd:           {respcd: "1298"},
		qfpaytest.RespcdAfter:      {committed: true, respcd: "1298"},
		qfpaytest.Truncated:        {committed: true, broken: true},
		qfpaytest.Numbers:          {committed: true, respcd: float64(0)},
		qfpaytest.BareRespcd:       {committed: true},
		qfpaytest.Nulls:            {committed: true, respcd: "0000"},
		qfpaytest.MissingPayParams: {committed: true, respcd: "0000"},
		qfpaytest.BadSign:          {committed: true, respcd: "0000"},
	}
	require.Len(t, cases, len(qfpaytest.FaultKinds()))
	for kind, c := range cases {
		t.Run(string(kind), func(t *testing.T) {
			s := newShop(t)
			_, body, err := struck(s, qfpaytest.Fault{Kind: kind, Respcd: "1298"})
			assert.Equal(t, c.broken, err != nil, err)
			_, committed := s.gateway.Trade("N1")
			assert.Equal(t, c.committed, committed)
			if c.broken {
				return
			}
			var reply map[string]any
			_ = json.Unmarshal(body, &reply)
			assert.Equal(t, c.respcd, reply["respcd"])
		})
	}
}

func TestWhatDistortedRepliesLookLike(t *testing.T) {
	cases := map[string]struct {
		fault qfpaytest.Fault
		check func(t *testing.T, status int, body string)
	}{
		"numbers": {qfpaytest.Fault{Kind: qfpaytest.Numbers}, func(t *testing.T, _ int, body string) {
			assert.Contains(t, body, `"txamt":12800,`)
			assert.Contains(t, body, `"timeStamp":`+"1794888000,")
		}},
		"bare respcd": {qfpaytest.Fault{Kind: qfpaytest.BareRespcd}, func(t *testing.T, _ int, body string) {
			assert.Contains(t, body, `"respcd":0000,`)
		}},
		"nulls": {qfpaytest.Fault{Kind: qfpaytest.Nulls}, func(t *testing.T, _ int, body string) {
			assert.Contains(t, body, `"chnlsn":null`)
			assert.Contains(t, body, `"paySign":"`)
		}},
		"no pay_params": {qfpaytest.Fault{Kind: qfpaytest.MissingPayParams}, func(t *testing.T, _ int, body string) {
			assert.NotContains(t, body, "pay_params")
		}},
		"5xx": {qfpaytest.Fault{Kind: qfpaytest.Status5xx}, func(t *testing.T, status int, _ string) {
			assert.Contains(t, []int{500, 502, 503, 504}, status)
		}},
		"429": {qfpaytest.Fault{Kind: qfpaytest.TooMany}, func(t *testing.T, status int, _ string) {
			assert.Equal(t, http.StatusTooManyRequests, status)
		}},
		"oversized": {qfpaytest.Fault{Kind: qfpaytest.Oversized}, func(t *testing.T, _ int, body string) {
			assert.Len(t, body, 8<<20)
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			status, body, err := struck(newShop(t), c.fault)
			require.NoError(t, err)
			c.check(t, status, string(body))
		})
	}
}

func TestFaultsAreConsumedInOrder(t *testing.T) {
	s := newShop(t)
	ask := func() any { return s.post("/trade/v1/query", map[string]string{"out_trade_no": "N1"}).respcd() }
	s.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "1111"})
	s.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.Respcd, Respcd: "1136", Times: 2})
	s.gateway.Inject(qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1297"})
	assert.Equal(t, []any{"1136", "1136", "1297", "0000"}, []any{ask(), ask(), ask(), ask()})
	assert.Len(t, s.gateway.Faults(), 1)
	s.gateway.ClearFaults()
	assert.Empty(t, s.gateway.Faults())

	s.gateway.Inject(qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1100", Times: -1})
	assert.Equal(t, []any{"1100", "1100", "1100"}, []any{ask(), ask(), ask()})
}

func TestTheDiceFollowTheSeed(t *testing.T) {
	sequence := func() (hits []any) {
		s := newShop(t)
		s.gateway.Inject(qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1297", Times: -1, Probability: 0.5})
		for range 32 {
			hits = append(hits, s.post("/trade/v1/query", map[string]string{"out_trade_no": "N1"}).respcd())
		}
		return hits
	}
	first := sequence()
	assert.Equal(t, first, sequence())
	assert.Contains(t, first, "0000")
	assert.Contains(t, first, "1297")
}

func TestDelaysAreScaled(t *testing.T) {
	s := newShop(t, func(c *qfpaytest.Config) { c.TimeScale = 1e6 })
	start := time.Now()
	_, _, err := struck(s, qfpaytest.Fault{Kind: qfpaytest.Delay, Delay: time.Hour})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(start), 3*time.Millisecond)
}

func TestInvalidFaultsPanic(t *testing.T) {
	s := newShop(t)
	for name, f := range map[string]qfpaytest.Fault{
		"kind":        {Kind: "explode"},
		"call":        {Kind: qfpaytest.Delay, Call: "explode"},
		"respcd":      {Kind: qfpaytest.Respcd},
		"an errcode":  {Kind: qfpaytest.Respcd, Call: "openid", Respcd: "40029"},
		"no errcode":  {Kind: qfpaytest.Respcd, Call: "wechat_token", Respcd: "busy"},
		"errcode 0":   {Kind: qfpaytest.RespcdAfter, Call: "wechat_token", Respcd: "0"},
		"times":       {Kind: qfpaytest.Delay, Times: -2},
		"delay":       {Kind: qfpaytest.Delay, Delay: -1},
		"probability": {Kind: qfpaytest.Delay, Probability: 2},
	} {
		assert.Panics(t, func() { s.gateway.Inject(f) }, name)
	}
}

func TestRepliesAreSignedAsTheyAreSent(t *testing.T) {
	for name, c := range map[string]struct {
		fault qfpaytest.Fault
		right bool
	}{
		"in order":              {qfpaytest.Fault{Kind: qfpaytest.Delay}, true},
		"with numbers":          {qfpaytest.Fault{Kind: qfpaytest.Numbers}, true},
		"refused":               {qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1297"}, true},
		"refused and committed": {qfpaytest.Fault{Kind: qfpaytest.RespcdAfter, Respcd: "1298"}, true},
		"wrongly signed":        {qfpaytest.Fault{Kind: qfpaytest.BadSign}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.gateway.Inject(c.fault)
			got := s.post("/trade/v1/query", map[string]string{"out_trade_no": "茶"})
			assert.Equal(t, c.right, md5Of(got.body+key) == got.header.Get("X-QF-SIGN"), got.header)
			assert.Len(t, got.header.Get("X-QF-SIGN"), 32)
		})
	}
	s := newShop(t)
	refused := s.post("/trade/v1/refund", nil)
	assert.Equal(t, md5Of(refused.body+key), refused.header.Get("X-QF-SIGN"), "a refusal")
	assert.Empty(t, s.browse("/q/hosted").header.Get("X-QF-SIGN"), "a page")
	assert.Empty(t, s.browse("/sns/oauth2/access_token").header.Get("X-QF-SIGN"), "a reply of WeChat's")
}

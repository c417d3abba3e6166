package qfpaytest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// sent is one request of a published client, and what it gets. The parameters are
// spelled as they are signed, in the client's order; {words} stand for what a
// client learns or makes up on its way: see [conversation.fill].
type sent struct {
	method, path string
	query, body  string
	contentType  string
	hash         string // of X-QF-SIGNTYPE
	lowerCase    bool   // the signature
	signsEmpty   bool   // the signature covers parameters that are empty
	asIs         bool   // the query is not URL-encoded
	want         string // what comes back by default; a success unless it is set
	strict       string // what the strict say instead, if they refuse it
}

const (
	form = "application/x-www-form-urlencoded"

	oauthCall   = "/tool/v1/get_weixin_oauth_code"
	openidCall  = "/tool/v1/get_weixin_openid"
	paymentCall = "/trade/v1/payment"
	queryCall   = "/trade/v1/query"
	refundCall  = "/trade/v1/refund"
	closeCall   = "/trade/v1/close"

	misplaced = "1103 query: parameters belong in the body"
)

// publishedClients send what public clients send, each in its own way. None is any
// one program but the first, which is the sample of QFPay's documentation of JSAPI
// payments. Of that, two faults are mended that let nobody pay: it looks for
// WeChat by a misspelled name, and has the payer sent back to a redirect_url
// without a scheme. It has neither query nor refund nor close: those are written
// as it writes the payment.
var publishedClients = map[string][]sent{
	"the documentation's sample, on a machine in UTC": {
		{
			method: "GET", path: oauthCall, query: "app_code={app}&sign={sign}&redirect_uri=http://shop.example/getcode", asIs: true,
			want: "http://shop.example/getcode?code=0", strict: "1103 redirect_uri: not URL-encoded",
		},
		{method: "GET", path: openidCall, query: "code={code}"},
		{
			method: "POST", path: paymentCall, strict: misplaced,
			query: "txamt=1&txcurrcd=THB&pay_type=800207&out_trade_no={number}&txdtm={utc}&sub_openid={openid}",
		},
		{
			method: "GET", path: "/q/direct", want: `name="prepay_id"`,
			query: "{pay_params}&mchntnm=Pet Shop&txamt=1&currency=THB&redirect_url=http://www.example.com",
		},
		{method: "POST", path: queryCall, query: "out_trade_no={number}", want: `"respcd":"11`, strict: misplaced},
		{method: "POST", path: refundCall, query: "syssn={syssn}&out_trade_no={refund}&txamt=1&txdtm={utc}", strict: misplaced},
		{
			method: "POST", path: paymentCall, strict: misplaced,
			query: "txamt=1&txcurrcd=THB&pay_type=800207&out_trade_no={number}&txdtm={utc}&sub_openid={openid}",
		},
		{method: "POST", path: closeCall, query: "syssn={syssn}&txamt=1&txdtm={utc}", strict: misplaced},
	},
	"a shop's module with more to say than is documented": {
		{method: "GET", path: openidCall, query: "code={code}&mchid=", strict: "1103 mchid: empty"},
		{
			method: "POST", path: paymentCall, contentType: form, lowerCase: true, strict: "1103 goods_info: unknown parameter",
			body: "txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={now}&sub_openid={openid}&goods_name=猫粮&trade_name=猫粮&goods_info=2 kg",
		},
		{method: "POST", path: queryCall, contentType: form, body: "out_trade_no={number}", lowerCase: true},
		{
			method: "POST", path: refundCall, contentType: form, lowerCase: true, strict: "1103 product_name: unknown parameter",
			body: "syssn={syssn}&out_trade_no={refund}&txamt=2800&txdtm={now}&product_name=猫粮",
		},
		{
			method: "POST", path: paymentCall, contentType: form, strict: "1103 mchid: empty",
			body: "mchid=&txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={now}&sub_openid={openid}",
		},
		{
			method: "POST", path: closeCall, contentType: form, strict: "1103 mchid: empty",
			body: "mchid=&syssn={syssn}&out_trade_no={number}&txamt=12800&txdtm={now}",
		},
	},
	"a client that posts everything and signs what is empty": {
		{
			method: "POST", path: openidCall, contentType: form + "; charset=UTF-8", body: "code={code}",
			strict: "405 GET",
		},
		{
			method: "POST", path: paymentCall, contentType: form, signsEmpty: true, strict: "1103 udid: empty",
			body: "txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={now}&sub_openid={openid}&udid=&limit_pay=",
		},
		{
			method: "POST", path: queryCall, contentType: form, signsEmpty: true, strict: "1103 start_time: empty",
			body: "syssn={syssn}&start_time=&end_time=",
		},
		{
			method: "POST", path: refundCall, contentType: form, strict: "1104 txdtm: more than 10m0s from now",
			body: "syssn={syssn}&out_trade_no={refund}&txamt=12800&txdtm={utc}",
		},
		{
			method: "POST", path: paymentCall, strict: "1103 Content-Type: not " + form,
			body: "txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={now}&sub_openid={openid}",
		},
		{
			method: "POST", path: closeCall, contentType: "text/plain", strict: "1103 Content-Type: not " + form,
			body: "out_trade_no={number}&txamt=12800&txdtm={now}",
		},
	},
	"a server abroad that signs with SHA-256 and closes by GET": {
		{method: "GET", path: openidCall, query: "code={code}", hash: "SHA256"},
		{
			method: "POST", path: paymentCall, contentType: form, hash: "SHA256", strict: "1104 txdtm: more than 10m0s from now",
			body: "txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={utc}&sub_openid={openid}",
		},
		{
			method: "POST", path: queryCall, contentType: form, hash: "SHA256", strict: "1104 end_time: in another month than start_time",
			body: "syssn={syssn}&start_time=2026-10-01 00:00:00&end_time=2026-12-31 23:59:59",
		},
		{
			method: "POST", path: refundCall, contentType: form, hash: "SHA256", strict: "1104 txdtm: more than 10m0s from now",
			body: "syssn={syssn}&out_trade_no={refund}&txamt=12800&txdtm={utc}",
		},
		{
			method: "POST", path: paymentCall, contentType: form, hash: "SHA256",
			body: "txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={now}&sub_openid={openid}",
		},
		{
			method: "GET", path: closeCall, hash: "SHA256", strict: "1104 txdtm: neither now in UTC+8 nor the payment's",
			query: "out_trade_no={number}&txamt=12800&txdtm={utc}",
		},
	},
	"a till with all that is documented": {
		{method: "GET", path: oauthCall, query: "app_code={app}&redirect_uri=https://shop.example/cb?s=1&sign={sign}", want: "https://shop.example/cb?s=1&code=0"},
		{method: "GET", path: openidCall, query: "code={code}", hash: "MD5"},
		{
			method: "POST", path: paymentCall, contentType: form, hash: "MD5",
			body: "txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={tokyo}&txzone=+0900&sub_openid={openid}&udid=till-1&return_url=https://shop.example/thanks&goods_name=Cat food",
		},
		{
			method: "POST", path: queryCall, contentType: form,
			body: "pay_type=800207,800212&respcd=1143,1145&txzone=+0900&start_time=2026-11-01 01:00:00&end_time=2026-12-01 00:59:59&page=1&page_size=100",
		},
		{
			method: "POST", path: refundCall, contentType: form,
			body: "syssn={syssn}&out_trade_no={refund}&txamt=12800&txdtm={tokyo}&txzone=+0900&udid=till-1",
		},
		{
			method: "POST", path: paymentCall, contentType: form, strict: "1104 goods_name: longer than 64 bytes",
			body: "txamt=12800&txcurrcd=HKD&pay_type=800207&out_trade_no={number}&txdtm={now}&sub_openid={openid}&goods_name=" + "一二三四五六七八九十一二三四五六七八九十一二",
		},
		{
			method: "POST", path: closeCall, contentType: form, strict: "1104 txamt: not the payment's",
			body: "out_trade_no={number}&txamt=1&txdtm={now}&udid=till-1",
		},
	},
}

func TestPublishedClientsReachTheGateway(t *testing.T) {
	for name, requests := range publishedClients {
		t.Run(name, func(t *testing.T) {
			c := converse(t, false)
			for i, r := range requests {
				assert.Contains(t, c.say(r), cmp.Or(r.want, "200 0000"), "request %d, to %s", i+1, r.path)
			}
		})
	}
}

func TestTheStrictSayWhatPublishedClientsGetWrong(t *testing.T) {
	for name, requests := range publishedClients {
		t.Run(name, func(t *testing.T) {
			c := converse(t, true)
			for i, r := range requests {
				assert.Contains(t, c.say(r), cmp.Or(r.strict, r.want, "200 0000"), "request %d, to %s", i+1, r.path)
			}
		})
	}
}

// conversation is a client's with a simulator. What a strict one refuses to tell,
// a careful client asks in its place, so that each request is heard.
type conversation struct {
	*shop
	orders        int
	code, openID  string
	syssn, params string
}

func converse(t *testing.T, strict bool) *conversation {
	return &conversation{shop: newShop(t, func(c *qfpaytest.Config) { c.Strict = strict })}
}

// say sends a request, and returns all that the answer says.
func (c *conversation) say(r sent) string {
	c.Helper()
	c.before(r)
	got := c.do(c.request(r))
	c.after(r, got)
	return fmt.Sprintln(got.status, got.header.Get("Allow")) + fmt.Sprintln(got.status, got.reply["respcd"], got.reply["respmsg"]) +
		fmt.Sprintln(got.header.Get("Location")) + got.body
}

// before is what has to have happened before a request.
func (c *conversation) before(r sent) {
	switch r.path {
	case openidCall:
		c.code = cmp.Or(c.code, c.gateway.Code())
	case paymentCall:
		c.orders++
		c.openID = cmp.Or(c.openID, c.shop.openid())
	case refundCall:
		require.NoError(c, c.gateway.Pay(c.number()))
	}
}

// after takes from an answer what later requests need.
func (c *conversation) after(r sent, got response) {
	switch r.path {
	case oauthCall:
		_, c.code, _ = strings.Cut(got.header.Get("Location"), "code=")
	case openidCall:
		c.openID, _ = got.reply["openid"].(string)
	case paymentCall:
		reply := got.reply
		if reply["respcd"] != "0000" {
			reply = c.opened(c.number(), r.values("txamt", "txcurrcd"))
		}
		c.openID, c.syssn, c.params = "", reply["syssn"].(string), payParams(reply)
	}
}

// values are those parameters of a request.
func (r sent) values(names ...string) map[string]string {
	values := map[string]string{}
	for _, pair := range pairs(r.query + "&" + r.body) {
		if slices.Contains(names, pair[0]) {
			values[pair[0]] = pair[1]
		}
	}
	return values
}

func payParams(reply map[string]any) string {
	var joined []string
	for name, value := range reply["pay_params"].(map[string]any) {
		joined = append(joined, name+"="+value.(string))
	}
	return strings.Join(joined, "&")
}

func (c *conversation) number() string { return fmt.Sprintf("2026111712000000%04d", c.orders) }

// fill puts what the client knows in the place of the {words}.
func (c *conversation) fill(text string) string {
	return strings.NewReplacer(
		"{app}", appCode, "{code}", c.code, "{openid}", c.openID, "{syssn}", c.syssn, "{pay_params}", c.params,
		"{number}", c.number(), "{refund}", "R"+c.number(),
		"{now}", noonText, "{utc}", "2026-11-17 04:00:00", "{tokyo}", "2026-11-17 13:00:00",
	).Replace(text)
}

// pairs are the parameters of a text, by name and value.
func pairs(text string) (pairs [][2]string) {
	for pair := range strings.SplitSeq(text, "&") {
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	return pairs
}

func (c *conversation) request(r sent) *http.Request {
	query, body := c.fill(r.query), c.fill(r.body)
	signature := r.signature(query + "&" + body)
	query = strings.ReplaceAll(query, "{sign}", signature)
	if !r.asIs {
		query = encodePairs(query)
	}
	if query != "" {
		query = "?" + query
	}
	made, err := http.NewRequest(r.method, c.url+r.path+query, strings.NewReader(encodePairs(body)))
	require.NoError(c, err)
	made.Header.Set("User-Agent", "python-requests/2.32.3")
	if r.path == oauthCall || r.path == "/q/direct" {
		made.Header.Set("User-Agent", wechat)
		return made
	}
	made.Header.Set("X-QF-APPCODE", appCode)
	made.Header.Set("X-QF-SIGN", signature)
	for name, value := range map[string]string{"Content-Type": r.contentType, "X-QF-SIGNTYPE": r.hash} {
		if value != "" {
			made.Header.Set(name, value)
		}
	}
	return made
}

// signature is that of the parameters of a text, in this client's way.
func (r sent) signature(text string) string {
	values := map[string]string{}
	for _, pair := range pairs(text) {
		if pair[0] != "sign" && (pair[1] != "" || r.signsEmpty) {
			values[pair[0]] = pair[1]
		}
	}
	switch {
	case r.hash == "SHA256":
		return sha256Of(unsigned(values))
	case r.lowerCase:
		return strings.ToLower(md5Of(unsigned(values)))
	}
	return md5Of(unsigned(values))
}

func encodePairs(text string) string {
	var encoded []string
	for _, pair := range pairs(text) {
		encoded = append(encoded, pair[0]+"="+url.QueryEscape(pair[1]))
	}
	return strings.Join(encoded, "&")
}

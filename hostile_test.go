package qfpayjsapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	qfpayjsapi "github.com/caddy-qfpay/qfpay-jsapi"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// dial opens a connection on which a test may say whatever it likes.
func (s *shop) dial() net.Conn {
	s.t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// raw sends a request as it is written and returns the answer as it came.
func (s *shop) raw(request string) string {
	s.t.Helper()
	connection := s.dial()
	require.NoError(s.t, connection.SetDeadline(time.Now().Add(10*time.Second)))
	_, err := io.WriteString(connection, request)
	require.NoError(s.t, err)
	answer, _ := io.ReadAll(connection)
	return string(answer)
}

func (s *shop) host() string { return strings.TrimPrefix(s.url, "http://") }

func TestABodyThatIsSentTooSlowlyIsCutOff(t *testing.T) {
	qfpayjsapi.GiveBodies(t, 300*time.Millisecond)
	shop := openShop(t)
	for path, contentType := range map[string]string{"/pay/notify": "application/json", "/pay/cat-food": "application/x-www-form-urlencoded"} {
		connection := shop.dial()
		_, err := fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: MicroMessenger\r\nContent-Type: %s\r\nContent-Length: 10000\r\n\r\n", path, shop.host(), contentType)
		require.NoError(t, err)
		began := time.Now()
		var answered atomic.Bool
		go func() {
			for !answered.Load() && time.Since(began) < 30*time.Second {
				_, _ = io.WriteString(connection, "a")
				time.Sleep(20 * time.Millisecond)
			}
		}()
		require.NoError(t, connection.SetReadDeadline(began.Add(15*time.Second)), "while more is sent")
		answer, err := bufio.NewReader(connection).ReadString('\n')
		answered.Store(true)
		require.NoError(t, err, path)
		assert.Regexp(t, `^HTTP/1.1 4\d\d `, answer, path)
	}
	posted := shop.payer(wechat)
	for range 2 {
		require.Equal(t, http.StatusSeeOther, posted.post("/pay/cat-food", url.Values{}).status)
		time.Sleep(400 * time.Millisecond) // longer than a body may take: a connection is not held to it afterwards
	}
}

func TestHundredsOfCookiesCostLittle(t *testing.T) {
	shop := openShop(t)
	var junk, tickets []string
	for range 250 {
		junk = append(junk, "qfpay_"+ledger.NewID(time.Now())+"=x")
	}
	for range 30 {
		payer := shop.payer(wechat)
		payer.authorize("/pay/cat-food")
		cookie := payer.browser.Jar.Cookies(mustParse(t, shop.url+"/pay/x"))[0]
		tickets = append(tickets, cookie.Name+"="+cookie.Value)
	}
	var touched atomic.Int32
	shop.failLedger(func(ctx context.Context, _ string) error {
		if ctx.Value(http.ServerContextKey) != nil { // not the reconciler, nor the outbox
			touched.Add(1)
		}
		return nil
	})
	for name, cookies := range map[string][]string{"spoilt": junk, "our own": tickets} {
		payer := shop.payer(wechat)
		payer.header.Set("Cookie", strings.Join(cookies, "; "))
		start := payer.get("/pay/dog-treats")
		assert.Equal(t, http.StatusFound, start.status, name)
		assert.Less(t, len(start.cookies), 20, name)
		assert.Equal(t, http.StatusFound, payer.get("/pay/cat-food").status, name)
	}
	assert.Positive(t, touched.Load())
	assert.Less(t, touched.Load(), int32(30), "the ledger is asked about few of the orders")
}

func TestHeadersThatAreTooLargeAreRefused(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	payer.header.Set("Cookie", "qfpay_"+someOrder+"="+strings.Repeat("x", 32<<10))
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, payer.get("/pay/cat-food").status)
	payer.header.Set("Cookie", "qfpay_"+someOrder+"="+strings.Repeat("x", 8<<10))
	assert.Equal(t, http.StatusForbidden, payer.get("/pay/callback/"+someOrder+"?code=c").status)
	assert.Zero(t, shop.gateway.Calls("openid"))
}

func TestManyParametersChangeNothing(t *testing.T) {
	shop := openShop(t, withBlock("field note"))
	payer := shop.payer(wechat)
	assert.Equal(t, http.StatusFound, payer.get("/pay/cat-food?"+strings.Repeat("quantity=1&", 1000)).status)
	assert.Equal(t, http.StatusFound, payer.get("/pay/cat-food?"+strings.Repeat("a&", 5000)).status)
	assert.Equal(t, http.StatusBadRequest, payer.get("/pay?"+strings.Repeat("item=cat-food&", 1000)).status)
	form := strings.NewReader(strings.Repeat("note=a&", 2000))
	posted := payer.do(http.MethodPost, "/pay/cat-food", "application/x-www-form-urlencoded", form)
	assert.Equal(t, http.StatusBadRequest, posted.status, "a field has at most 20 values")
	assert.Equal(t, http.StatusForbidden, payer.get("/pay/callback/"+someOrder+"?code=c&"+strings.Repeat("code=d&", 1500)).status)
	assert.Zero(t, shop.gateway.Calls("openid"))
}

// splits are texts that would begin a header of their own.
var splits = []string{"\r\nX-Injected: yes", "\nX-Injected: yes", "\rX-Injected: yes", "%0d%0aX-Injected: yes", "\u560d\u560aX-Injected: yes", "\r\n\r\n<script>"}

func TestNothingInARequestSplitsTheResponse(t *testing.T) {
	shop := openShop(t, withBlock("field note\nopen_amount 1 1000\ninvoice_key "+invoiceKey+"\nsuccess_url /thank-you.html?x=1"))
	_, paid := shop.payer(wechat).prepare("/pay?amount=5")
	require.NoError(t, shop.gateway.Pay(paid))
	for _, split := range splits {
		text := url.QueryEscape(split)
		for _, agent := range []string{wechat, desktop} {
			payer := shop.payer(agent)
			for _, address := range []string{
				"/pay/" + url.PathEscape(split), "/pay/cat-food?ref=" + text, "/pay/cat-food?again=" + text, "/pay/cat-food?quantity=" + text,
				"/pay?item=" + text, "/pay?amount=" + text, "/pay?amount=5&ref=" + text, "/pay?invoice=" + text, "/pay?handoff=" + text,
				"/pay/callback/" + url.PathEscape(split), "/pay/callback/" + paid + "?code=" + text, "/pay/return/" + paid + "?check=" + text,
				"/pay/return/" + url.PathEscape(split), "/pay/status/" + url.PathEscape(split),
			} {
				assertUnsplit(t, address, payer.get(address))
				assertUnsplit(t, address, payer.post(address, url.Values{"note": {split}, "ref": {split}, "again": {split}, "item": {split}}))
			}
		}
	}
	injected := shop.raw("GET /pay/cat-food HTTP/1.1\r\nHost: " + shop.host() + "\r\nConnection: close\r\nUser-Agent: MicroMessenger\r\nX-Forwarded-Host: a\rX-Injected: yes\r\n\r\n")
	assert.NotContains(t, injected, "X-Injected")
}

func assertUnsplit(t *testing.T, address string, answer reply) {
	t.Helper()
	for name, values := range answer.header {
		assert.NotEqual(t, "X-Injected", name, address)
		for _, value := range values {
			assert.NotContains(t, value, "Injected", "%s of %s", name, address)
		}
	}
}

func withTrustedProxy(s *shop, _ *qfpaytest.Config) {
	s.global = "servers {\ntrusted_proxies static 127.0.0.1/32\n}"
}

func TestAHostThatNoAddressHasIsTurnedAway(t *testing.T) {
	shop := openShop(t, withTrustedProxy, func(s *shop, _ *qfpaytest.Config) {
		s.names = ", http://shop-1.example" + s.url[strings.LastIndex(s.url, ":"):]
	})
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	for _, host := range []string{"evil.example", "shop-1.example.evil.example", "evil.example/x?", "a, b", "a@evil.example", "%zz", "[::1", "a:b", ":80", "a,b", "<script>", "a#b", `a\b`, "a\"b", strings.Repeat("a", 300)} {
		payer.header.Set("X-Forwarded-Host", host)
		for _, address := range []string{"/pay/cat-food", callback, "/pay/return/" + orderOf(t, callback)} {
			assert.Equal(t, http.StatusBadRequest, payer.get(address).status, "%s for %s", address, host)
		}
		assert.Equal(t, http.StatusBadRequest, shop.payer(desktop).with("X-Forwarded-Host", host).get("/pay/cat-food").status, host)
	}
	assert.Zero(t, shop.gateway.Calls("openid"))
	warned := 0
	_, lines := shop.lines()
	for _, one := range lines {
		assert.NotEqual(t, "error", one["level"], one["msg"])
		if one["level"] == "warn" {
			warned++
		}
	}
	assert.Equal(t, 1, warned, "anybody can send such a request, and not fill the log with it")
	payer.header.Set("X-Forwarded-Host", "shop-1.example:8443")
	assert.Contains(t, payer.get("/pay/dog-treats").location, url.QueryEscape("http://shop-1.example:8443/pay/callback/"))
}

// with adds a header to all that a browser sends.
func (p *payer) with(name, value string) *payer {
	p.header.Set(name, value)
	return p
}

func TestRedirectsLeadWhereTheOwnerSaid(t *testing.T) {
	shop := openShop(t, withBlock("success_url /thank-you.html?from=pay\nfailure_url https://shop.example/sorry"))
	paying, failing := shop.payer(wechat), shop.payer(wechat)
	_, paid := paying.prepare("/pay/cat-food?ref=https://evil.example/")
	_, failed := failing.prepare("/pay/dog-treats")
	require.NoError(t, shop.gateway.Pay(paid))
	require.NoError(t, shop.gateway.Fail(failed))
	const evil = "success_url=https://evil.example&failure_url=https://evil.example&redirect_url=https://evil.example&redirect_uri=https://evil.example&return=https://evil.example&next=//evil.example&url=https://evil.example&order=//evil.example"
	assert.Equal(t, "/thank-you.html?from=pay&order="+paid, paying.get("/pay/return/"+paid+"?"+evil).location)
	assert.Equal(t, "https://shop.example/sorry?order="+failed, failing.get("/pay/return/"+failed+"?"+evil).location)

	for _, address := range []string{
		"/pay/cat-food?" + evil, "/pay/cat-food?again=https://evil.example", "/pay/cat-food?again=//evil.example", "/pay/cat-food?ref=https://evil.example",
		"/pay?item=https://evil.example", "/pay?handoff=https://evil.example", "/pay?handoff=" + paid + ".https://evil.example", "/pay?invoice=https://evil.example",
		"/pay//evil.example", "/pay/%2f%2fevil.example", "/pay/https:%2f%2fevil.example", `/pay/\evil.example`, "/pay/@evil.example", "/pay/.evil.example",
		"/pay/callback//evil.example?code=c", "/pay/return//evil.example", "/pay/return/%2f%2fevil.example", "/pay/callback/" + paid + "?code=https://evil.example",
	} {
		for _, agent := range []string{wechat, desktop, phone} {
			payer := shop.payer(agent)
			payer.header.Set("X-Forwarded-Host", "evil.example")
			payer.header.Set("X-Forwarded-Proto", "https")
			payer.header.Set("Forwarded", "host=evil.example")
			payer.header.Set("Referer", "https://evil.example/")
			for _, answer := range []reply{payer.get(address), payer.post(address, mustParse(t, "/?"+evil).Query())} {
				if answer.location != "" {
					assert.True(t, strings.HasPrefix(answer.location, shop.line.URL+"/"), "%s leads to %s", address, answer.location)
					back := mustParse(t, answer.location).Query().Get("redirect_uri")
					assert.True(t, strings.HasPrefix(back, shop.url+"/pay/callback/"), "%s leads back to %s", address, back)
				}
				assert.NotRegexp(t, `(?i)(href|action|src|url)=["']?(https?:)?[/\\]{2}evil`, answer.body, address)
			}
		}
	}
}

func TestPlaceholdersInRequestsAreNotExpanded(t *testing.T) {
	const placeholder = "{env.TEST_QFPAY_CLIENT_KEY}"
	shop := openShop(t, withOrders, withBlock("field note\nopen_amount 1 1000"))
	payer := shop.payer(wechat)
	payer.header.Set("X-Test", placeholder)
	text := url.QueryEscape(placeholder)
	shown := []string{}
	show := func(answer reply) reply {
		shown = append(shown, answer.body, answer.location, fmt.Sprint(answer.header))
		return answer
	}
	callback := payer.oauth(show(payer.post("/pay/cat-food?ref="+text, url.Values{"note": {placeholder}})).location)
	show(payer.get(callback))
	order := orderOf(t, callback)
	require.NoError(t, shop.gateway.Pay(order))
	receipt := show(payer.get("/pay/return/" + order))
	assert.Contains(t, receipt.body, placeholder, "it is text like any other")
	for _, address := range []string{"/pay/status/" + order, "/pay/" + text, "/pay?amount=" + text, "/pay?handoff=" + text, "/pay?item=" + text} {
		show(payer.get(address))
		show(shop.payer(desktop).get(address))
	}
	show(shop.owner().get("/orders?order=" + order))
	show(shop.owner().get("/orders?q=" + text))
	shown = append(shown, shop.log())
	for _, text := range shown {
		assert.NotContains(t, text, clientKey)
	}
}

func TestAPageOfAnotherSiteThatPostsCausesNothing(t *testing.T) {
	shop := openShop(t, withHosted, withBlock("field note"))
	payer := shop.payer(wechat)
	foreign := func(address string, cookies bool) reply {
		browser := shop.payer(wechat)
		if cookies {
			browser = payer
		}
		browser.header.Set("Origin", "https://evil.example")
		browser.header.Set("Sec-Fetch-Site", "cross-site")
		return browser.post(address, url.Values{"note": {"words of another site"}})
	}
	start := foreign("/pay/cat-food", true)
	assert.Equal(t, http.StatusOK, start.status, "it shows what it costs, and who sells it")
	for _, cookie := range start.cookies {
		assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite, "browsers do not bring it along when another site posts")
		assert.True(t, cookie.HttpOnly)
		assert.Equal(t, "/pay", cookie.Path)
		assert.Empty(t, cookie.Domain)
		assert.Equal(t, http.StatusForbidden, foreign("/pay/callback/"+strings.TrimPrefix(cookie.Name, "qfpay_"), false).status, "as browsers post it, without the cookie")
	}
	require.Len(t, start.cookies, 1)
	assert.Empty(t, shop.stored())
	assert.Zero(t, shop.gateway.Calls("payment"))
}

func TestNoPageCanBeFramed(t *testing.T) {
	shop := openShop(t, withOrders, withBlock("open_amount 1 1000\nfield note"))
	payer, owner := shop.payer(wechat), shop.owner()
	_, pending := payer.prepare("/pay/cat-food")
	_, failed := payer.prepare("/pay/cat-food?quantity=2")
	require.NoError(t, shop.gateway.Fail(failed))
	paid, _ := shop.buy("/pay/dog-treats")
	pages := map[string]reply{
		"a form": payer.get("/pay"), "a wrong form": payer.post("/pay/cat-food", url.Values{"note": {strings.Repeat("x", 600)}}), "a hand-over": shop.payer(desktop).get("/pay/cat-food"),
		"a hand-over on a phone": shop.payer(phone).get("/pay/cat-food"), "waiting": payer.get("/pay/return/" + pending), "failed": payer.get("/pay/return/" + failed),
		"a receipt": payer.get("/pay/return/" + paid), "a problem": payer.get("/pay/nothing"), "another browser's": shop.payer(wechat).get("/pay/callback/" + pending + "?code=c"),
		"what is to be sent": owner.get("/orders"), "sheets": owner.get("/orders?print=1"), "orders": owner.get("/orders?status="), "an order": owner.get("/orders?order=" + paid), "a question": owner.question(paid, "refund", "1"),
		"a question about closing": owner.question(pending, "close", "1"), "the owner's problem": owner.get("/orders?order=x"), "a forged form": owner.post("/orders?order="+paid, nil),
	}
	for name, page := range pages {
		assert.Contains(t, page.header.Get("Content-Type"), "text/html", name)
		assertPagePolicy(t, page.header)
		assert.Contains(t, page.header.Get("Content-Security-Policy"), "base-uri 'none'", name)
	}
}

package qfpayjsapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const someOrder = "01M821FMT07W1N4ZJ6X0Q3V5YB"

func TestABadRequestIsAnsweredWithWhatIsWrong(t *testing.T) {
	shop := openShop(t)
	for _, test := range []struct {
		name, method, path string
		status             int
		problem            string
	}{
		{"nothing chosen", "GET", "/pay", 400, "nothing chosen"},
		{"nothing chosen, with a slash", "GET", "/pay/", 400, "nothing chosen"},
		{"unknown item", "GET", "/pay/dog-food", 404, "unknown item"},
		{"a path below an item", "GET", "/pay/cat-food/x", 404, "unknown item"},
		{"a path that climbs", "GET", "/pay/..%2f..%2fetc", 404, "unknown item"},
		{"too many", "GET", "/pay/cat-food?quantity=4", 400, "quantity"},
		{"a reference that is too long", "GET", "/pay/cat-food?ref=" + strings.Repeat("x", 65), 400, "reference"},
		{"another method on a pay link", "DELETE", "/pay/cat-food", 405, "method"},
		{"another method on the callback", "POST", "/pay/callback/" + someOrder, 405, "method"},
		{"another method on the return", "PUT", "/pay/return/" + someOrder, 405, "method"},
		{"the callback of no order", "GET", "/pay/callback/x?code=c", 404, "unknown order"},
		{"the callback without an order", "GET", "/pay/callback?code=c", 404, "unknown order"},
		{"the callback in a browser without the cookie", "GET", "/pay/callback/" + someOrder + "?code=c", 403, "browser"},
		{"the return of an unknown order", "GET", "/pay/return/" + someOrder, 404, "unknown order"},
		{"the return of no order", "GET", "/pay/return/..%2f..", 404, "unknown order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			payer := shop.payer(wechat)
			page := payer.do(test.method, test.path, "", nil)
			assert.Equal(t, test.status, page.status)
			assert.Contains(t, page.header.Get("Content-Type"), "text/html")
			assertCommonHeaders(t, page.header)
			assertPagePolicy(t, page.header)

			payer.header.Set("Accept", "application/json")
			answer := payer.do(test.method, test.path, "", nil)
			assert.Equal(t, test.status, answer.status)
			assert.Equal(t, "application/json", answer.header.Get("Content-Type"))
			assertCommonHeaders(t, answer.header)
			var problem struct{ Error string }
			require.NoError(t, json.Unmarshal([]byte(answer.body), &problem), answer.body)
			assert.Contains(t, problem.Error, test.problem)
			if test.status == http.StatusMethodNotAllowed {
				assert.Contains(t, answer.header.Get("Allow"), "GET")
			}
		})
	}
	assert.Empty(t, shop.stored())
	for _, call := range []string{"oauth", "openid", "payment", "query"} {
		assert.Zero(t, shop.gateway.Calls(call), call)
	}
}

func assertCommonHeaders(t *testing.T, header http.Header) {
	t.Helper()
	assert.Equal(t, "no-store", header.Get("Cache-Control"))
	assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
	assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
}

func assertPagePolicy(t *testing.T, header http.Header) {
	t.Helper()
	policy := header.Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'")
	assert.Contains(t, policy, "frame-ancestors 'none'")
	assert.NotContains(t, policy, "unsafe")
	assert.NotContains(t, policy, "http")
}

func TestRedirectsCarryTheCommonHeaders(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	start := payer.get("/pay/cat-food")
	assertCommonHeaders(t, start.header)
	assertCommonHeaders(t, payer.get(payer.oauth(start.location)).header)
}

func TestACallbackWithoutACodeIsRefused(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	bare, _, _ := strings.Cut(callback, "?")
	for _, address := range []string{bare, bare + "?code=", bare + "?code=" + strings.Repeat("c", 513), bare + "?state=x"} {
		reply := payer.get(address)
		assert.Equal(t, http.StatusBadRequest, reply.status, address)
		assert.Contains(t, reply.body, `"/pay/cat-food"`, "the page offers to start again")
	}
	assert.Zero(t, shop.gateway.Calls("openid"))
}

func TestACookieOfAnotherOrderOpensNothing(t *testing.T) {
	shop := openShop(t)
	alice, bob := shop.payer(wechat), shop.payer(wechat)
	callback := alice.authorize("/pay/cat-food")
	own := alice.browser.Jar.Cookies(mustParse(t, shop.url+"/pay/x"))[0]
	other := orderOf(t, bob.authorize("/pay/dog-treats"))
	bob.header.Set("Cookie", "qfpay_"+other+"="+own.Value)
	reply := bob.get(strings.Replace(callback, orderOf(t, callback), other, 1))
	assert.Equal(t, http.StatusForbidden, reply.status)
	assert.Zero(t, shop.gateway.Calls("openid"))
}

func TestHeadAndPrefetchCauseNothing(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	for _, address := range []string{"/pay/cat-food", callback} {
		head := payer.do(http.MethodHead, address, "", nil)
		assert.Equal(t, http.StatusOK, head.status)
		assert.Empty(t, head.cookies)
		for name, value := range map[string]string{"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch", "X-Purpose": "preview"} {
			curious := shop.payer(wechat)
			curious.header.Set(name, value)
			reply := curious.get(address)
			assert.Equal(t, http.StatusNoContent, reply.status, name)
			assert.Empty(t, reply.cookies)
		}
	}
	assert.Zero(t, shop.gateway.Calls("openid"))
}

func TestFormsAreBounded(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	tooLarge := payer.post("/pay/cat-food", url.Values{"note": {strings.Repeat("x", 17<<10)}})
	assert.Equal(t, http.StatusRequestEntityTooLarge, tooLarge.status)
	json := payer.do(http.MethodPost, "/pay/cat-food", "application/json", strings.NewReader(`{}`))
	assert.Equal(t, http.StatusUnsupportedMediaType, json.status)
	untyped := payer.do(http.MethodPost, "/pay/cat-food", "", strings.NewReader("quantity=1"))
	assert.Equal(t, http.StatusUnsupportedMediaType, untyped.status)
}

func TestPayLinksOutsideWeChat(t *testing.T) {
	t.Run("are handed over by a QR code", func(t *testing.T) {
		shop := openShop(t)
		for _, agent := range []string{desktop, wecomDesktop} {
			reply := shop.payer(agent).get("/pay/cat-food?quantity=2&ref=a%20b")
			assert.Equal(t, http.StatusOK, reply.status)
			assert.Contains(t, reply.body, "<svg")
			assert.Contains(t, reply.body, "HK$256.00")
			assert.Empty(t, reply.cookies)
			assertCommonHeaders(t, reply.header)
			assertPagePolicy(t, reply.header)
		}
	})
	t.Run("show on a phone the link to copy", func(t *testing.T) {
		shop := openShop(t)
		reply := shop.payer(phone).get("/pay/cat-food?quantity=2&ref=a%20b&utm=x")
		assert.Contains(t, reply.body, `value="`+shop.url+"/pay?handoff=")
		assert.Contains(t, reply.body, `src="data:image/png;base64,`)
	})
	t.Run("go on where it is allowed", func(t *testing.T) {
		shop := openShop(t, withBlock("outside_wechat allow"))
		assert.Equal(t, http.StatusFound, shop.payer(desktop).get("/pay/cat-food").status)
	})
	t.Run("go to the next handler where it is passed", func(t *testing.T) {
		shop := openShop(t, withBlock("outside_wechat pass"))
		passed := shop.payer(desktop).get("/pay/cat-food")
		assert.Equal(t, "the shop", passed.body)
		assert.Empty(t, passed.header.Get("Cache-Control"), "untouched")
		assert.Equal(t, http.StatusFound, shop.payer(wechat).get("/pay/cat-food").status)
	})
	t.Run("are redirected where a page is named", func(t *testing.T) {
		shop := openShop(t, withBlock("outside_wechat /use-wechat.html"))
		reply := shop.payer(desktop).get("/pay/cat-food")
		assert.Equal(t, "/use-wechat.html", reply.location, reply)
	})
	t.Run("ask for nothing before they lead away", func(t *testing.T) {
		shop := openShop(t, withBlock("outside_wechat /use-wechat.html\nopen_amount 5 100\nfield phone required"))
		for _, link := range []string{"/pay", "/pay?amount=1", "/pay/cat-food"} {
			assert.Equal(t, "/use-wechat.html", shop.payer(desktop).get(link).location, link)
		}
		assert.Contains(t, shop.payer(wechat).get("/pay/cat-food").body, `name="phone"`)
	})
	t.Run("name an unknown item as such", func(t *testing.T) {
		shop := openShop(t)
		assert.Equal(t, http.StatusNotFound, shop.payer(desktop).get("/pay/dog-food").status)
	})
}

func TestErrorsPassToTheSitesErrorRoutes(t *testing.T) {
	shop := openShop(t, withBlock("errors pass"), withSite(`handle_errors {
		respond "own page: {err.status_code} {err.message}" {err.status_code}
	}`))
	payer := shop.payer(wechat)
	reply := payer.get("/pay/dog-food")
	assert.Equal(t, http.StatusNotFound, reply.status)
	assert.Equal(t, "own page: 404 unknown item", reply.body)
	method := payer.do(http.MethodDelete, "/pay/cat-food", "", nil)
	assert.Equal(t, http.StatusMethodNotAllowed, method.status)
	assert.Equal(t, "GET, HEAD, POST", method.header.Get("Allow"))
}

func TestFormsAreShownWithErrorsPassToo(t *testing.T) {
	shop := openShop(t, withBlock("errors pass\nopen_amount 5 100\nfield phone required\nreal_name required"), withSite(`handle_errors {
		respond "own page: {err.message}" {err.status_code}
	}`))
	payer := shop.payer(wechat)
	assert.Contains(t, payer.get("/pay").body, `name="amount"`)
	assert.Equal(t, "own page: bad amount", payer.get("/pay?amount=1").body)
	assert.Contains(t, payer.post("/pay", url.Values{"amount": {"20"}}).body, `name="phone"`)
	assert.Contains(t, payer.get("/pay/cat-food").body, `name="phone"`)
	assert.Equal(t, "own page: detail missing or not accepted", payer.post("/pay/cat-food", url.Values{"phone": {""}}).body)
	assert.Contains(t, payer.post("/pay/cat-food", url.Values{"phone": {"1"}}).body, `name="user_truename"`)
	payer.header.Set("Accept", "application/json")
	assert.Equal(t, "own page: detail missing or not accepted", payer.get("/pay/cat-food").body)
}

func TestPagesSpeakThePayersLanguage(t *testing.T) {
	shop := openShop(t)
	for accept, language := range map[string]string{
		"zh-CN,zh;q=0.9,en;q=0.8": "zh-Hans",
		"zh-HK,zh;q=0.9":          "zh-Hant",
		"zh-TW,zh;q=0.9":          "zh-TW",
		"ja-JP,ja;q=0.9,en;q=0.8": "ja",
		"th":                      "th",
		"id-ID,id;q=0.9":          "id",
		"en-GB,en;q=0.9":          "en",
		"fr":                      "en",
		"":                        "en",
	} {
		payer := shop.payer(wechat)
		payer.header.Set("Accept-Language", accept)
		reply := payer.get("/pay/dog-food")
		assert.Contains(t, reply.body, `<html lang="`+language+`"`, accept)
	}
}

func TestOtherRequestsReachTheNextHandlerUnchanged(t *testing.T) {
	site := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(site, "index.html"), []byte("<h1>Shop</h1>"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(site, "payment.html"), []byte("<h1>How to pay</h1>"), 0o600))
	paths := []string{"/", "/index.html", "/payment.html", "/payments/x", "/pa", "/PAY/cat-food", "/missing", "//pay/cat-food"}

	answers := func(shop *shop) (all []reply) {
		for _, path := range paths {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				reply := shop.payer(wechat).do(method, path, "", nil)
				reply.header.Del("Date")
				all = append(all, reply)
			}
		}
		return all
	}
	files := "root " + site + "\nhandle {\nfile_server\n}"
	with := answers(openShop(t, withSite(files)))
	without := answers(openShop(t, withSite(files), withoutDirective))
	require.Len(t, with, len(without))
	for i := range with {
		assert.Equal(t, without[i].status, with[i].status)
		assert.Equal(t, without[i].body, with[i].body)
		assert.Equal(t, without[i].header, with[i].header)
		assert.Empty(t, with[i].cookies)
	}
}

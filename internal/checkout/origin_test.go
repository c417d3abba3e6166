package checkout

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

func TestAStartUnderAnotherNameGoesOnceToThePublicName(t *testing.T) {
	both := []string{"www.shop.example", "shop.example"}
	for name, test := range map[string]struct {
		comes Origin
		hosts []string // of the site
		moves bool
	}{
		"the public name": {site, both, false},
		"on another port": {"https://shop.example:8443", both, false},
		"another name":    {"https://www.shop.example", both, true},
		"another name of a site that answers to any": {"https://www.shop.example", nil, true},
		"a made-up name":                        {"https://evil.example", nil, true},
		"without TLS":                           {"http://shop.example", both, true},
		"behind a proxy that names the machine": {"http://inner.lan", []string{"inner.lan"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Hosts = test.hosts })
			w.comes = test.comes
			const query = "quantity=1&x=%2f%2F&from=a+b&&y"
			start := w.get("/pay/cat-food?" + query)
			require.Equal(t, http.StatusFound, start.StatusCode)
			if !test.moves {
				assert.NotContains(t, start.location(), string(site)+"/pay/cat-food")
				assert.Len(t, w.jar, 1)
				return
			}
			assert.Equal(t, string(site)+"/pay/cat-food?"+query+"&moved=1", start.location())
			assert.Empty(t, w.jar, "the order begins where its cookie comes back")
			assert.Equal(t, string(site)+"/pay/cat-food/?moved=1", w.get("/pay/cat-food/").location())

			posted := w.postTo("/pay/cat-food?ref=r1", url.Values{"note": {"ring twice"}})
			assert.Equal(t, http.StatusTemporaryRedirect, posted.StatusCode, "with what was posted")
			assert.Equal(t, string(site)+"/pay/cat-food?ref=r1&moved=1", posted.location())

			again := w.get(strings.TrimPrefix(start.location(), string(site)))
			assert.NotContains(t, again.location(), string(site)+"/pay/cat-food", "once, whatever a proxy shows")
			require.Len(t, w.jar, 1)
			sorted := w.get("/pay/cat-food?from=a+b&moved=1&quantity=1") // by a network that sorts queries
			assert.NotContains(t, sorted.location(), "moved=1", "wherever the mark is")
			w.comes = site
			callback := "/pay/callback/" + w.notes["order"] + "?code=" + w.gateway.Code()
			assert.Contains(t, w.leadsTo(callback), "/q/direct?")
		})
	}
}

func TestOnlyAStartGoesToThePublicName(t *testing.T) {
	w := newWorld(t, nil)
	require.NotEmpty(t, w.leadsTo("/pay/cat-food"))
	order := w.notes["order"]
	w.comes = "https://www.shop.example"
	assert.Contains(t, w.leadsTo("/pay/callback/"+order+"?code="+w.gateway.Code()), "/q/direct?")
	for _, address := range []string{"/pay/status/" + order, "/pay/return/" + order, "/pay/items/cat-food"} {
		assert.Equal(t, http.StatusOK, w.get(address).StatusCode, address)
	}
	r := httptest.NewRequest(http.MethodHead, "/pay/cat-food", nil)
	response, err := w.send(r)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode, "HEAD causes nothing")
}

func TestOneSlashAtTheEndIsAcceptedEverywhere(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.NotifyPath = "/hooks/qfpay" })
	require.NotEmpty(t, w.leadsTo("/pay/cat-food/?quantity=1"))
	order := w.notes["order"]
	callback := "/pay/callback/" + order + "/?code=" + w.gateway.Code()
	payPage := w.leadsTo(callback)
	assert.Equal(t, payPage, w.leadsTo(strings.Replace(callback, "/?", "?", 1)))
	for address, status := range map[string]int{
		"/pay/return/" + order + "/":           http.StatusOK,
		"/pay/status/" + order + "/":           http.StatusOK,
		"/pay/items/cat-food/":                 http.StatusOK,
		"/hooks/qfpay/":                        http.StatusMethodNotAllowed,
		"/pay/":                                http.StatusBadRequest,
		"/pay/return/" + order + "//":          http.StatusNotFound,
		"/pay/return/" + order + "/receipt":    http.StatusNotFound,
		"/pay/callback/" + order + "//?code=1": http.StatusNotFound,
	} {
		assert.Equal(t, status, w.get(address).StatusCode, address)
	}
	for path, ours := range map[string]bool{"/hooks/qfpay/": true, "/hooks/qfpay//": false, "/hooks/": false, "/": false, "/payments/": false} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		assert.Equal(t, ours, w.Serves(r), path)
		assert.Zero(t, testing.AllocsPerRun(10, func() { w.Serves(r) }), path)
	}
}

func TestADestinationIsKeptByteForByteAndTheOrderIsAdded(t *testing.T) {
	for destination, want := range map[string]string{
		"/thanks":                       "/thanks?order=ID",
		"/thanks?tags=a;b&x=1":          "/thanks?tags=a;b&x=1&order=ID",
		"/thanks?z=1&a=2&a=1&b=%2f+%20": "/thanks?z=1&a=2&a=1&b=%2f+%20&order=ID",
		"/thanks?":                      "/thanks?order=ID",
		"/thanks?x=1&":                  "/thanks?x=1&order=ID",
		"/thanks#paid":                  "/thanks?order=ID#paid",
		"/thanks?x#a?b":                 "/thanks?x&order=ID#a?b",
		"/#/thanks?x=1":                 "/?order=ID#/thanks?x=1",
		"https://shop.example":          "https://shop.example?order=ID",
		"/%e8%b0%a2?%zz":                "/%e8%b0%a2?%zz&order=ID",
		"/谢谢?x=é":                       "/%E8%B0%A2%E8%B0%A2?x=%C3%A9&order=ID",
	} {
		assert.Equal(t, want, asciiOnly(withOrder(destination, "ID")), destination)
	}
}

func TestWhoCorrectsWhatTheyTypedGetsAnotherOrder(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.RealName = "required"
		c.Shop.Fields = []shop.Field{{Name: "note"}, {Name: "size"}}
	})
	const card = "11010519491231002X" // the example of GB 11643
	first := url.Values{"user_truename": {"陈大文"}, "user_creid": {card}, "note": {"ring twice"}}
	prepare := func(form url.Values) (order string) {
		t.Helper()
		posted := w.postTo("/pay/cat-food", form)
		require.Equal(t, http.StatusSeeOther, posted.StatusCode, posted.body)
		order = w.notes["order"]
		if payURL := posted.location(); !strings.Contains(payURL, "/q/direct?") {
			w.leadsTo("/pay/callback/" + order + "?code=" + w.gateway.Code())
		}
		return order
	}
	order := prepare(first)
	again := w.postTo("/pay/cat-food", first)
	assert.Contains(t, again.location(), "/q/direct?", "the same once more is the same order")
	seen := map[string]bool{order: true}
	for name, value := range map[string]string{
		"user_truename": "陈大明", "user_creid": "440524188001010014", "note": "ring once", "size": "L",
	} {
		changed := url.Values{}
		for field, values := range first {
			changed[field] = values
		}
		changed.Set(name, value)
		other := prepare(changed)
		assert.False(t, seen[other], name)
		seen[other] = true
		trade := w.trade(other)
		if name == "user_truename" || name == "user_creid" {
			assert.Contains(t, trade.Params["extend_info"], value)
		}
	}
}

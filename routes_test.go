package qfpayjsapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
)

// provisionSite loads a Caddyfile with one block, for which SHOP stands, and lines
// of the block may follow after a brace. It returns the block's handler.
func provisionSite(t *testing.T, text string) (*Handler, error) {
	t.Helper()
	const block = `qfpay_jsapi {
		app_code {env.TEST_APP_CODE}
		client_key {env.TEST_CLIENT_KEY}
		merchant_name "Harbour Pets"
		currency HKD
		item cat-food 128.00
	`
	t.Setenv("TEST_APP_CODE", "TESTAPPCODE")
	t.Setenv("TEST_CLIENT_KEY", "TESTKEY")
	text = "{\nadmin off\nauto_https off\nstorage file_system " + t.TempDir() + "\n}\n" +
		strings.NewReplacer("SHOP {", block, "SHOP", block+"}").Replace(text)
	text = strings.Replace(text, "item cat-food", "ledger sqlite "+t.TempDir()+"/ledger.db\nitem cat-food", 1)
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	require.NoError(t, err, text)
	return provisionHandler(t, adapted)
}

func provisionHandler(t *testing.T, adapted []byte) (*Handler, error) {
	t.Helper()
	var config caddy.Config
	require.NoError(t, json.Unmarshal(adapted, &config))
	provisioning.Lock() // Caddy loads one configuration at a time
	defer provisioning.Unlock()
	ctx, err := caddy.ProvisionContext(&config)
	if err != nil {
		return nil, err
	}
	app, err := ctx.App("http")
	require.NoError(t, err)
	var found *Handler
	var search func(caddyhttp.RouteList)
	search = func(routes caddyhttp.RouteList) {
		for _, route := range routes {
			for _, handler := range route.Handlers {
				switch handler := handler.(type) {
				case *Handler:
					found = handler
				case *caddyhttp.Subroute:
					search(handler.Routes)
				}
			}
		}
	}
	for _, server := range app.(*caddyhttp.App).Servers {
		search(server.Routes)
		for _, route := range server.NamedRoutes {
			search(caddyhttp.RouteList{*route})
		}
	}
	require.NotNil(t, found)
	t.Cleanup(func() { require.NoError(t, found.Cleanup()) })
	return found, nil
}

func TestASiteKnowsItsOwnHosts(t *testing.T) {
	for name, test := range map[string]struct {
		site  string
		hosts []string
	}{
		"one name":                    {"http://shop.example:8080 {\nSHOP\n}", []string{"shop.example"}},
		"an address":                  {"http://127.0.0.1:8080 {\nSHOP\n}", []string{"127.0.0.1"}},
		"an address with colons":      {"http://[::1]:8080 {\nSHOP\n}", []string{"::1"}},
		"two names in other letters":  {"http://shop.example, http://WWW.shop.example {\nSHOP\n}", []string{"shop.example", "www.shop.example"}},
		"a name that is not ASCII":    {"http://宠物.example {\nSHOP\n}", []string{"xn--sbt234c.example"}},
		"in a route of its own":       {"http://shop.example {\nroute /pay/* {\nSHOP\n}\n}", []string{"shop.example"}},
		"beside a site without names": {"http://shop.example:8080 {\nSHOP\n}\nhttp://:8080 {\nrespond hello\n}", []string{"shop.example"}},
		"by a matcher of its own":     {"http://:8080 {\n@shop host shop.example\nhandle @shop {\nSHOP\n}\n}", []string{"shop.example"}},
		"one of a wildcard's names":   {"http://*.example:8080 {\n@shop host shop.example\nhandle @shop {\nSHOP\n}\n}", []string{"shop.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := provisionSite(t, test.site)
			require.NoError(t, err)
			assert.ElementsMatch(t, test.hosts, h.hosts)
			for _, host := range test.hosts {
				if strings.Contains(host, ":") {
					host = "[" + host + "]"
				}
				assert.True(t, h.checkout.Accepts(checkout.Origin("https://"+host)), host)
				assert.True(t, h.checkout.Accepts(checkout.Origin("http://"+strings.ToUpper(host)+":8080")), host)
			}
			for _, made := range []string{"evil.example", "shop.example.evil.example", "evil.example:8080", "", "shop.example@evil.example", "127.0.0.2"} {
				assert.False(t, h.checkout.Accepts(checkout.Origin("http://"+made)), made)
			}
		})
	}
}

func TestASiteThatAnswersToAnyHostNeedsItsPublicURL(t *testing.T) {
	for name, site := range map[string]string{
		"a port alone":         ":8080 {\nSHOP\n}",
		"a path alone":         "http://:8080 {\nhandle /pay/* {\nSHOP\n}\n}",
		"a wildcard":           "http://*.example:8080 {\nSHOP\n}",
		"a name and any other": "http://shop.example:8080, http://:8080 {\nSHOP\n}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provisionSite(t, site)
			assert.ErrorContains(t, err, "qfpay_jsapi: public_url: required, because this site answers to any host name")
			h, err := provisionSite(t, strings.Replace(site, "SHOP", "SHOP {\npublic_url https://shop.example\n}", 1))
			require.NoError(t, err)
			assert.Equal(t, checkout.Origin("https://shop.example"), h.checkout.Origin(httptest.NewRequest(http.MethodGet, "http://evil.example/pay/cat-food", nil)))
		})
	}
}

func TestHostsThatCannotBeSeenAreNoError(t *testing.T) {
	for name, site := range map[string]string{
		"a named route": "&(shop) {\nSHOP\n}\nhttp://shop.example {\ninvoke shop\n}",
		"an expression": "http://:8080 {\n@shop expression `{http.request.host} == \"shop.example\"`\nhandle @shop {\nSHOP\n}\n}",
		"a placeholder": "http://:8080 {\n@shop host {env.TEST_HOST}\nhandle @shop {\nSHOP\n}\n}",
	} {
		t.Run(name, func(t *testing.T) {
			h, err := provisionSite(t, site)
			require.NoError(t, err)
			assert.Empty(t, h.hosts)
			assert.True(t, h.checkout.Accepts("https://any.example"))
			assert.False(t, h.checkout.Accepts("https://a%20host%20that%20cannot%20be"))
		})
	}
}

func TestAMadeUpHostGetsNoAddressThatTheMerchantSigned(t *testing.T) {
	h, err := provisionSite(t, "http://shop.example {\nSHOP\n}")
	require.NoError(t, err)
	start := func(host string) *http.Response {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/pay/cat-food", nil)
		r.Header.Set("User-Agent", "MicroMessenger")
		r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, &caddyhttp.Server{})
		require.NoError(t, h.ServeHTTP(w, r, nil))
		return w.Result()
	}
	answer := start("evil.example")
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
	assert.Empty(t, answer.Header.Get("Location"))
	assert.Empty(t, answer.Cookies())

	answer = start("shop.example")
	assert.Equal(t, http.StatusFound, answer.StatusCode)
	assert.Contains(t, answer.Header.Get("Location"), "redirect_uri=http%3A%2F%2Fshop.example%2Fpay%2Fcallback%2F")
}

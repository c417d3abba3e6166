package qfpayjsapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	plugin "github.com/caddy-qfpay/qfpay-jsapi"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestABlockThatItsPathsDoNotReachSaysSo(t *testing.T) {
	matched := func(matcher string) func(string) string {
		return func(directive string) string {
			return strings.Replace(directive, "qfpay_jsapi {", "qfpay_jsapi "+matcher+" {", 1)
		}
	}
	inside := func(before, after string) func(string) string {
		return func(directive string) string { return before + "\n" + directive + "\n" + after }
	}
	for name, test := range map[string]struct {
		around  func(string) string
		atLoad  string // in the log; "" for nothing
		link    string // of the first request
		atVisit string
		doctor  string // what it finds wrong; "" for nothing
	}{
		"no matcher":       {inside("", ""), "", "/pay/cat-food", "", ""},
		"a whole matcher":  {matched("@pay"), "", "/pay/cat-food", "", ""},
		"handle":           {inside("handle @pay {", "}"), "", "/pay/cat-food", "", ""},
		"a rewritten link": {inside("rewrite /buy/cat-food /pay/cat-food", ""), "", "/buy/cat-food", "", ""},
		"handle_path": {inside("handle_path /pay/* {", "}"), "will reach qfpay_jsapi under a different path", "/pay/cat-food",
			"a request for a pay path reached qfpay_jsapi under a different path", "a request for /pay/callback/doctor reaches the block as /callback/doctor, which it does not answer"},
		"handle_path, and a matcher that knew of it not": {func(directive string) string { return "handle_path /pay/* {\n" + matched("/pay/*")(directive) + "\n}" },
			"will not reach qfpay_jsapi", "/pay/cat-food", "", "a request for /pay/callback/doctor does not reach the block"},
		"handle_path above the pay path": {inside("handle_path /shop/* {", "}"), "will not reach qfpay_jsapi", "/shop/pay/cat-food",
			"without the beginning of its path", "a request for /pay/callback/doctor does not reach the block"},
		"only the path itself": {matched("/pay"), "will not reach qfpay_jsapi", "/pay/cat-food", "",
			"a request for /pay/callback/doctor does not reach the block: something else answers it with status 200"},
		"only what is below it": {matched("/pay/*"), "will not reach qfpay_jsapi", "/pay", "",
			"a request for /pay does not reach the block: something else answers it with status 200"},
		"something else in front": {inside("route {\nrespond /pay/* 404\n", "}"), "", "/pay/cat-food", "",
			"a request for /pay/callback/doctor does not reach the block: something else answers it with status 404"},
		"something in front that hangs up": {inside("route {\nabort /pay/*\n", "}"), "", "/", "",
			"a request for /pay/callback/doctor does not reach the block: something else answers it by closing the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, func(s *shop, _ *qfpaytest.Config) { s.around, s.site = test.around, "@pay path /pay /pay/*\n" })
			logged := func(part string) (lines int) {
				_, all := shop.lines()
				for _, one := range all {
					if one["level"] == "warn" && strings.Contains(one["msg"].(string), part) {
						lines++
					}
				}
				return lines
			}
			assertLogged := func(part string) {
				if part == "" {
					assert.Zero(t, logged("in front of it"))
				} else {
					assert.Equal(t, 1, logged(part))
				}
			}
			assertLogged(test.atLoad)
			for range 2 {
				shop.payer(wechat).get(test.link)
			}
			if test.atVisit != "" {
				assertLogged(test.atVisit)
			}
			found := shop.doctorSays("paths")
			if test.doctor == "" {
				assert.Equal(t, "good", found.Status, found.Found)
				assertLogged("")
				return
			}
			assert.Equal(t, "bad", found.Status)
			assert.Contains(t, found.Found, test.doctor)
			assert.NotEmpty(t, found.Advice)
		})
	}
}

func TestAWrongKeyIsInTheLogSoonAfterTheStartAndOnce(t *testing.T) {
	plugin.CheckAccountsAtStart(t)
	shop := openShop(t, func(_ *shop, c *qfpaytest.Config) { c.ClientKey = "ANOTHER-KEY" })
	said := func() (lines []line) {
		_, all := shop.lines()
		for _, one := range all {
			if one["msg"] == "the check at the start found a problem with the gateway; caddy qfpay-jsapi doctor repeats it" {
				lines = append(lines, one)
			}
		}
		return lines
	}
	shop.eventually("the check", func() bool { return len(said()) > 0 })
	assert.Equal(t, "error", said()[0]["level"])
	assert.Equal(t, "credentials", said()[0]["check"])
	assert.Contains(t, said()[0]["advice"], "client_key")
	assert.NotContains(t, shop.log(), clientKey)
	assert.Equal(t, 1, shop.gateway.Calls("query"), "one call")
	shop.load()
	shop.block = "order_ttl 20m\n"
	shop.load()
	require.Equal(t, http.StatusOK, shop.payer(wechat).get("/").status)
	assert.Equal(t, 1, shop.gateway.Calls("query"), "once for each account")
}

func TestTheCheckAtTheStartHoldsNobodyUp(t *testing.T) {
	plugin.CheckAccountsAtStart(t)
	var through func()
	shop := openShop(t, withTimeout("60s"), func(s *shop, _ *qfpaytest.Config) { through = s.held.hold("/trade/v1/query") })
	t.Cleanup(through)
	shop.eventually("the check", func() bool { return shop.held.waiting.Load() == 1 })
	assert.Equal(t, http.StatusFound, shop.payer(wechat).get("/pay/cat-food").status)
	shop.load() // which ends it
}

func TestTheDoctorFindsThePathsOfASiteThatAProxyCallsByAnotherName(t *testing.T) {
	for name, change := range map[string]set{
		"another name": withBlock("public_url https://pay.example.com"),
		"a name that cannot be seen": func(s *shop, _ *qfpaytest.Config) {
			s.around = func(directive string) string {
				s.global = "}\n&(pay) {\n" + directive // after the global options
				return "invoke pay"
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := openShop(t, change).doctorSays("paths")
			assert.Equal(t, "good", found.Status, found.Found)
		})
	}
}

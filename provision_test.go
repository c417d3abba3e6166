package qfpayjsapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	logged "go.uber.org/zap/zaptest/observer"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

var provisioning sync.Mutex

// ledgerIn is a ledger in a folder, as it stands in a configuration.
func ledgerIn(folder string) map[string]any {
	return map[string]any{"engine": "sqlite", "file": filepath.Join(folder, "ledger.db")}
}

// provision loads a handler from JSON as Caddy does, with a ledger of its own.
// The pairs are fields and values that come over the usual ones.
func provision(t testing.TB, changes map[string]any) (*Handler, error) {
	t.Helper()
	config := map[string]any{
		"app_code":      "TESTAPPCODE",
		"client_key":    "TESTKEY",
		"merchant_name": "Harbour Pets",
		"currency":      "HKD",
		"items":         []any{map[string]any{"id": "cat-food", "price": "128.00"}},
		"ledger":        ledgerIn(t.TempDir()),
	}
	for field, value := range changes {
		config[field] = value
	}
	text, err := json.Marshal(config)
	require.NoError(t, err)
	provisioning.Lock() // Caddy loads one configuration at a time
	defer provisioning.Unlock()
	ctx, err := caddy.ProvisionContext(&caddy.Config{})
	require.NoError(t, err)
	module, err := ctx.LoadModuleByID("http.handlers.qfpay_jsapi", text)
	if err != nil {
		return nil, err
	}
	h := module.(*Handler)
	t.Cleanup(func() { require.NoError(t, h.Cleanup()) })
	return h, nil
}

func TestAWebhookThatIsGivenTwiceIsRefusedWithoutItsToken(t *testing.T) {
	hook := map[string]any{"url": "https://programs.example/paid?token=sentinel", "secret": testWebhookSecret()}
	_, err := provision(t, map[string]any{"webhooks": []any{hook, hook}})
	require.ErrorContains(t, err, "webhooks[1]: webhooks[0] has the same URL")
	assert.NotContains(t, err.Error(), "sentinel")
}

// provisionAll loads blocks as those of one configuration, and returns the app
// that looks after them.
func provisionAll(t *testing.T, blocks ...map[string]any) (*App, error) {
	t.Helper()
	provisioning.Lock() // Caddy loads one configuration at a time
	defer provisioning.Unlock()
	ctx, err := caddy.ProvisionContext(&caddy.Config{})
	require.NoError(t, err)
	ledger := ledgerIn(t.TempDir())
	for _, changes := range blocks {
		config := map[string]any{
			"app_code": "TESTAPPCODE", "client_key": "TESTKEY", "merchant_name": "Harbour Pets", "currency": "HKD",
			"items": []any{map[string]any{"id": "cat-food", "price": "128.00"}}, "ledger": ledger,
		}
		maps.Copy(config, changes)
		text, err := json.Marshal(config)
		require.NoError(t, err)
		module, err := ctx.LoadModuleByID("http.handlers.qfpay_jsapi", text)
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { require.NoError(t, module.(*Handler).Cleanup()) })
	}
	app, err := ctx.App("qfpay_jsapi")
	require.NoError(t, err)
	return app.(*App), nil
}

func TestBlocksOfOneShopShareTheLongestTimeout(t *testing.T) {
	app, err := provisionAll(t,
		map[string]any{"order_ttl": "1m", "timeout": "1s"},
		map[string]any{"path": "/slow", "order_ttl": "2h", "timeout": "60s"},
		map[string]any{"path": "/fast", "order_ttl": "5m"})
	require.NoError(t, err)
	require.Len(t, app.blocks, 3)
	for _, block := range app.blocks {
		assert.Same(t, app.blocks[0].orders, block.orders, "they are one shop")
		assert.Equal(t, time.Minute, block.orders.Timeout)
	}
}

func TestBlocksWithOneNameThatDifferAreRefused(t *testing.T) {
	hook := map[string]any{"url": "https://programs.example/paid?token=sentinel", "secret": testWebhookSecret()}
	for setting, change := range map[string]any{
		"environment":   "testing",
		"merchant_name": "Peak Pets",
		"currency":      "USD",
		"invoice_key":   "sentinel-that-is-long-enough-for-a-key",
		"webhooks":      []any{hook},
		"ledger":        ledgerIn(t.TempDir()),
	} {
		_, err := provisionAll(t, map[string]any{}, map[string]any{"path": "/other", setting: change})
		require.ErrorContains(t, err, "has another "+strings.TrimSuffix(setting, "s"))
		require.ErrorContains(t, err, "give this block a name of its own")
		assert.NotContains(t, err.Error(), "sentinel")
		_, err = provisionAll(t, map[string]any{}, map[string]any{"path": "/other", "name": "other", setting: change})
		assert.NoError(t, err, "%s of a shop with a name of its own", setting)
	}
}

func TestBlocksOfOneShopAskOneGateway(t *testing.T) {
	app, err := provisionAll(t, map[string]any{}, map[string]any{"path": "/same", "environment": "hk"})
	require.NoError(t, err, "another name of the same")
	assert.Equal(t, "https://openapi-hk.qfapi.com", app.blocks[0].gatewayURL(), "whose clock the doctor looks at")
}

func TestTheLedgerIsSharedAndNothingIsOpenedByLoading(t *testing.T) {
	folder := t.TempDir()
	app, err := provisionAll(t,
		map[string]any{"ledger": ledgerIn(folder)},
		map[string]any{"ledger": ledgerIn(folder), "path": "/other", "name": "other"})
	require.NoError(t, err)
	assert.Same(t, app.blocks[0].ledger, app.blocks[1].ledger, "by different shops, too")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestMistakesInJSONNameTheirField(t *testing.T) {
	t.Setenv("TEST_EMPTY", "")
	t.Setenv("TEST_PRICE", "1.005")
	t.Setenv("TEST_TWO_LINES", "TESTKEY\n")
	for _, test := range []struct {
		field  string
		value  any
		reason string
	}{
		{"app_code", "", "app_code: required"},
		{"client_key", "", "client_key: required"},
		{"client_key", "{env.TEST_UNSET_VARIABLE}", "client_key: "},
		{"client_key", "{env.TEST_EMPTY}", "client_key: "},
		{"client_key", "{file.does-not-exist}", "client_key: "},
		{"client_key", "{env.TEST_TWO_LINES}", "client_key: contains white space"},
		{"app_code", "TEST APP", "app_code: contains white space"},
		{"mchid", "{http.request.uri}", "mchid: "},
		{"mchid", "商户", "mchid: contains white space or characters that are not ASCII"},
		{"merchant_name", "", "merchant_name: required"},
		{"merchant_name", "Harbour\nPets", "merchant_name: must be one line"},
		{"merchant_name", "Harbour\u2028Pets", "merchant_name: must be one line"},
		{"merchant_name", "Harbour \u202ePets", "merchant_name: must be one line of UTF-8 text, without invisible characters"},
		{"items", []any{map[string]any{"id": "a", "price": "1", "name": "Cat\u200b food"}}, "items[0].name: "},
		{"items", []any{map[string]any{"id": "a", "price": "1", "name": "  "}}, "items[0].name: "},
		{"currency", "ZZZ", `currency: "ZZZ" is not one of AED`},
		{"environment", "staging", "environment: "},
		{"sign_type", "sha1", "sign_type: "},
		{"timeout", "100ms", "timeout: 100ms is out of range"},
		{"order_ttl", "1s", "order_ttl: 1s is out of range"},
		{"keep_fields", "59m", "keep_fields: 59m0s is out of range"},
		{"time_zone", "Mars", `time_zone: "Mars" is no time zone such as Asia/Hong_Kong`},
		{"time_zone", "{env.TEST_UNSET_VARIABLE}", "time_zone: "},
		{"params", map[string]string{"txamt": "1"}, "params.txamt: "},
		{"params", map[string]string{"udid": ""}, "params.udid: "},
		{"params", map[string]string{"udid": "{env.TEST_UNSET_VARIABLE}"}, "params.udid: "},
		{"items", []any{}, "items: nothing is sold"},
		{"items", []any{map[string]any{"id": "a", "price": "1.005"}}, "items[0].price: "},
		{"items", []any{map[string]any{"id": "a", "price": "{env.TEST_PRICE}"}}, "items[0].price: "},
		{"items", []any{map[string]any{"id": "a", "price": 19.999}}, "items[0].price: "},
		{"items", []any{map[string]any{"id": "a", "price": "1"}, map[string]any{"id": "a", "price": "1"}}, "items[1]: "},
		{"catalog", "does-not-exist.json", "catalog: "},
		{"path", "/", "path: "},
		{"public_url", "https://shop.example/x", "public_url: "},
		{"success_url", "/pay/thanks", "success_url: "},
		{"success_url", "/thanks?a;b&order=1", `success_url: "/thanks?a;b&order=1" has a parameter order`},
		{"failure_url", "https://shop.example/?order", "failure_url: "},
		{"outside_wechat", "x", "outside_wechat: "},
		{"errors", "x", "errors: "},
		{"params", map[string]string{"udid": "a\nb"}, "params.udid: must be one line"},
		{"items", []any{map[string]any{"id": "a", "price": "1", "name": "a\x00b"}}, "items[0].name: "},
		{"wallets", []string{"payme", "venmo"}, `wallets[1]: "venmo" is not one of wechat, alipayhk, unionpay, payme`},
		{"wallets", []string{"payme", "payme"}, "wallets[1]: payme is given twice"},
		{"wallets", []string{"{env.TEST_UNSET_VARIABLE}"}, "wallets[0]: "},
		{"name", "../x", "name: "},
		{"ledger", map[string]any{"engine": "nowhere"}, "ledger: "},
		{"ledger", map[string]any{"engine": "postgres", "url": "mysql://shop@db.example/ledger"}, "ledger: "},
	} {
		_, err := provision(t, map[string]any{test.field: test.value})
		assert.ErrorContains(t, err, "qfpay_jsapi: "+test.reason, "%s %v", test.field, test.value)
	}
}

func TestPlaceholdersAreExpandedWhenTheConfigurationIsLoaded(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(secret, []byte("FROMFILE\n"), 0o600))
	t.Setenv("TEST_NAME", "Pets {not a placeholder")
	t.Setenv("TEST_PRICE", "19.90")
	h, err := provision(t, map[string]any{
		"client_key":    "{file." + secret + "}",
		"merchant_name": "{env.TEST_NAME}",
		"items":         []any{map[string]any{"id": "a", "price": "{env.TEST_PRICE}"}},
	})
	require.NoError(t, err)
	assert.EqualValues(t, "FROMFILE", h.ClientKey)
	assert.Equal(t, "Pets {not a placeholder", h.MerchantName)
	_, price := h.shop.Catalog.Catalogue(h.now()).Cheapest()
	assert.EqualValues(t, 1990, price)
}

func TestACatalogueFileAddsItems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalog.json")
	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"bowl","price":"320.00"}]`), 0o600))
	h, err := provision(t, map[string]any{"catalog": file})
	require.NoError(t, err)
	for _, item := range []string{"bowl", "cat-food"} {
		_, err = h.shop.Intend(shop.Asked{Item: item}, h.now())
		assert.NoError(t, err, item)
	}

	_, err = provision(t, map[string]any{"catalog": file, "notify_path": "/pay/bowl"})
	assert.ErrorContains(t, err, `catalog: item "bowl": id: its pay link is another address of the site`)

	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"cat-food","price":"320.00"}]`), 0o600))
	_, err = provision(t, map[string]any{"catalog": file})
	assert.ErrorContains(t, err, `catalog: item "cat-food" is given twice`)

	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"bowl","price":"320.00","max_quantity":0}]`), 0o600))
	_, err = provision(t, map[string]any{"catalog": file})
	assert.ErrorContains(t, err, "max_quantity: 0 is not a number from 1 to 9999")
	_, err = provision(t, map[string]any{"items": []any{map[string]any{"id": "bowl", "price": "320.00", "max_quantity": 0}}})
	assert.ErrorContains(t, err, "max_quantity: 0 is not a number")

	require.NoError(t, os.WriteFile(file, []byte(`[]`), 0o600))
	_, err = provision(t, map[string]any{"catalog": file, "items": []any{}})
	assert.ErrorContains(t, err, "catalog: nothing is sold")
	_, err = provision(t, map[string]any{"catalog": file, "items": []any{}, "open_amount": map[string]string{"min": "5", "max": "100"}})
	assert.NoError(t, err, "payers name the amount")
}

func TestTheShopFollowsTheAppCodeUnlessItIsNamed(t *testing.T) {
	name := func(changes map[string]any) string {
		h, err := provision(t, changes)
		require.NoError(t, err)
		return h.Name
	}
	plain := name(nil)
	assert.Equal(t, plain, name(map[string]any{"path": "/donate", "currency": "USD"}))
	assert.Equal(t, plain, name(map[string]any{"mchid": "M1"}), "what is added later must not make orders vanish")
	assert.NotEqual(t, plain, name(map[string]any{"app_code": "OTHER"}))
	assert.Equal(t, "shop", name(map[string]any{"name": "shop"}))
}

// Nothing was released with storage in JSON, so Caddy's own words are enough.
func TestStorageInJSONIsRefused(t *testing.T) {
	_, err := provision(t, map[string]any{"storage": map[string]any{"module": "file_system"}})
	assert.ErrorContains(t, err, `unknown field "storage"`)
}

func TestTheEnvironmentDecidesThePayPage(t *testing.T) {
	for environment, page := range map[string]string{
		"":           "https://o2-hk.qfapi.com/q/direct",
		"testing":    "https://o2-hk.qfapi.com/q/direct",
		"th":         "https://o2-th.qfapi.com/q/direct",
		"testing-th": "https://o2-th.qfapi.com/q/direct",

		"mainland-testing": "https://o2.qfpay.com/q/direct",
	} {
		h, err := provision(t, map[string]any{"environment": environment})
		require.NoError(t, err)
		assert.Equal(t, page, h.PayPage, environment)
	}
}

func TestRiskyConfigurationsAreLogged(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes map[string]any
		warning string
	}{
		{"a secret written out", nil, "a secret is written out"},
		{"a price under 200", map[string]any{"items": []any{map[string]any{"id": "pin", "price": "1.99"}}}, "less than 200"},
		{"a gateway over http", map[string]any{"environment": "http://gateway.example"}, "over http"},
		{"a long name", map[string]any{"items": []any{map[string]any{"id": "oil", "price": "99.00", "name": "深海鱼油软胶囊成人中老年护眼护脑官方旗舰店"}}}, "longer than the 20 characters"},
		{"hosted in Hong Kong", map[string]any{"hosted": true}, "set environment sg or testing-sg"},
		{"hosted in Thailand", map[string]any{"hosted": true, "environment": "th"}, "set environment sg or testing-sg"},
	} {
		t.Run(test.name, func(t *testing.T) {
			core, entries := logged.New(zap.WarnLevel)
			h, err := provision(t, test.changes)
			require.NoError(t, err)
			h.logger = zap.New(core)
			h.warnOfLiteralSecrets()
			require.NoError(t, h.openCatalog())
			require.NoError(t, h.openGateway(caddy.Context{}))
			assert.Equal(t, 1, entries.FilterMessageSnippet(test.warning).Len(), entries.All())
			for _, entry := range entries.All() {
				assert.NotContains(t, entry.Message, "TESTKEY")
			}
		})
	}
}

func TestAWebhookOverAPlainNetworkIsWarnedOf(t *testing.T) {
	for address, warned := range map[string]bool{
		"http://programs.example/paid?token=sentinel": true,
		"http://10.0.0.5:3000/paid":                   true,
		"https://programs.example/paid":               false,
		"http://localhost:3000/paid":                  false,
		"http://LOCALHOST:3000/paid":                  false,
		"http://127.0.0.1/paid":                       false,
		"http://[::1]:3000/paid":                      false,
	} {
		core, entries := logged.New(zap.DebugLevel)
		h := &Handler{logger: zap.New(core), Webhooks: []Webhook{{URL: "https://a.example"}, {URL: address}}}
		h.warnOfPlainWebhooks()
		if !warned {
			assert.Empty(t, entries.All(), address)
			continue
		}
		require.Len(t, entries.All(), 1, address)
		warning := entries.All()[0]
		assert.Equal(t, zap.WarnLevel, warning.Level)
		assert.Contains(t, warning.Message, "use https")
		assert.Equal(t, map[string]any{"field": "webhooks[1].url"}, warning.ContextMap())
		assert.NotContains(t, warning.Message, "sentinel")
	}
}

func TestHostedAtSingaporesGatewayOrASimulatorIsNoRisk(t *testing.T) {
	for _, environment := range []string{"sg", "testing-sg", "http://localhost:8090"} {
		core, entries := logged.New(zap.WarnLevel)
		h, err := provision(t, map[string]any{"hosted": true, "environment": environment})
		require.NoError(t, err)
		h.logger = zap.New(core)
		require.NoError(t, h.openGateway(caddy.Context{}))
		assert.Empty(t, entries.All(), environment)
	}
}

// testWebhookSecret makes a secret of the right form.
func testWebhookSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("test"), 6))
}

func TestADurationOfZeroInJSONIsAnError(t *testing.T) {
	for _, field := range []string{"timeout", "order_ttl", "keep_fields"} {
		for _, zero := range []any{0, "0", "0s", nil} {
			_, err := provision(t, map[string]any{field: zero})
			assert.ErrorContains(t, err, "timeout, order_ttl and keep_fields cannot be zero", "%s %v", field, zero)
		}
		_, err := provision(t, map[string]any{field: "2h"})
		if field == "timeout" {
			require.ErrorContains(t, err, "timeout: 2h0m0s is out of range")
			continue
		}
		require.NoError(t, err)
	}
}

func TestACatalogueThatComesToHoldTheNotifyPathIsNotTakenUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalog.json")
	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"bowl","price":"320.00"}]`), 0o600))
	h, err := provision(t, map[string]any{"catalog": file, "notify_path": "/pay/hook"})
	require.NoError(t, err)
	for _, id := range []string{"hook", "callback", "return", "status", "items", "notify"} {
		require.NoError(t, os.WriteFile(file, []byte(`[{"id":"bowl","price":"1.00"},{"id":"`+id+`","price":"320.00"}]`), 0o600))
		now := h.now().Add(time.Minute)
		_, sold := h.shop.Catalog.Catalogue(now).Offer(id)
		assert.False(t, sold, id)
		bowl, _ := h.shop.Catalog.Catalogue(now).Offer("bowl")
		assert.EqualValues(t, 32000, bowl.Price, "the previous catalogue stays in use")
		_, err := h.shop.Catalog.Read()
		assert.ErrorContains(t, err, `item "`+id+`": id: `, "which the doctor says")
	}
}

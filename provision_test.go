package qfpayjsapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddyserver/caddy/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

var provisioning sync.Mutex

// provision loads a handler from JSON as Caddy does, with storage of its own.
// The pairs are fields and values that come over the usual ones.
func provision(t testing.TB, changes map[string]any) (*Handler, error) {
	t.Helper()
	config := map[string]any{
		"app_code":      "TESTAPPCODE",
		"client_key":    "TESTKEY",
		"merchant_name": "Harbour Pets",
		"currency":      "HKD",
		"items":         []any{map[string]any{"id": "cat-food", "price": "128.00"}},
		"storage":       map[string]any{"module": "file_system", "root": t.TempDir()},
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
	require.ErrorContains(t, err, "webhooks[1]: webhooks[0] tells the same URL already")
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
	storage := map[string]any{"module": "file_system", "root": t.TempDir()}
	for _, changes := range blocks {
		config := map[string]any{
			"app_code": "TESTAPPCODE", "client_key": "TESTKEY", "merchant_name": "Harbour Pets", "currency": "HKD",
			"items": []any{map[string]any{"id": "cat-food", "price": "128.00"}}, "storage": storage,
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

func TestBlocksOfOneLedgerEachHaveTheirTime(t *testing.T) {
	app, err := provisionAll(t,
		map[string]any{"order_ttl": "1m", "timeout": "1s"},
		map[string]any{"path": "/slow", "order_ttl": "2h", "timeout": "60s"},
		map[string]any{"path": "/fast", "order_ttl": "5m"})
	require.NoError(t, err)
	require.Len(t, app.clerks, 1)
	for _, keeper := range app.clerks {
		order := ledger.Order{Intent: ledger.Intent{At: time.Now()}}
		assert.Equal(t, order.Intent.At.Add(2*time.Hour), keeper.expiry(order), "no order is ended while its payer may pay it")
		assert.Equal(t, 2*time.Minute+15*time.Second, keeper.callbackTime())
	}
}

func TestBlocksOfOneLedgerAskOneGateway(t *testing.T) {
	_, err := provisionAll(t, map[string]any{}, map[string]any{"path": "/trial", "environment": "testing"})
	assert.ErrorContains(t, err, "belongs to another account, gateway or storage already")
	app, err := provisionAll(t, map[string]any{}, map[string]any{"path": "/same", "environment": "hk"})
	require.NoError(t, err, "another name of the same")
	assert.Equal(t, "https://openapi-hk.qfapi.com", app.shops[0].gatewayURL(), "whose clock the doctor looks at")
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
		{"client_key", "{env.TEST_TWO_LINES}", "client_key: holds white space"},
		{"app_code", "TEST APP", "app_code: holds white space"},
		{"mchid", "{http.request.uri}", "mchid: "},
		{"mchid", "商户", "mchid: holds white space or characters that are not ASCII"},
		{"merchant_name", "", "merchant_name: required"},
		{"merchant_name", "Harbour\nPets", "merchant_name: must be one line"},
		{"currency", "ZZZ", `currency: "ZZZ" is not one of AED`},
		{"environment", "staging", "environment: "},
		{"sign_type", "sha1", "sign_type: "},
		{"timeout", "100ms", "timeout: 100ms is out of range"},
		{"order_ttl", "1s", "order_ttl: 1s is out of range"},
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
		{"outside_wechat", "x", "outside_wechat: "},
		{"errors", "x", "errors: "},
		{"name", "../x", "name: "},
		{"storage", map[string]any{"module": "nowhere"}, "storage: "},
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
	assert.Equal(t, "FROMFILE", h.ClientKey)
	assert.Equal(t, "Pets {not a placeholder", h.MerchantName)
	_, price := h.offer().Catalogue.Cheapest()
	assert.EqualValues(t, 1990, price)
}

func TestACatalogueFileAddsItems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalog.json")
	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"bowl","price":"320.00"}]`), 0o600))
	h, err := provision(t, map[string]any{"catalog": file})
	require.NoError(t, err)
	for _, item := range []string{"bowl", "cat-food"} {
		_, err = h.offer().Intend(checkout.Asked{Item: item}, h.now())
		assert.NoError(t, err, item)
	}

	_, err = provision(t, map[string]any{"catalog": file, "notify_path": "/pay/bowl"})
	assert.ErrorContains(t, err, `notify_path: /pay/bowl is the pay link of item "bowl"`)

	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"cat-food","price":"320.00"}]`), 0o600))
	_, err = provision(t, map[string]any{"catalog": file})
	assert.ErrorContains(t, err, `catalog: item "cat-food" is there twice`)

	require.NoError(t, os.WriteFile(file, []byte(`[]`), 0o600))
	_, err = provision(t, map[string]any{"catalog": file, "items": []any{}})
	assert.ErrorContains(t, err, "catalog: nothing is sold")
	_, err = provision(t, map[string]any{"catalog": file, "items": []any{}, "open_amount": map[string]string{"min": "5", "max": "100"}})
	assert.NoError(t, err, "payers name the amount")
}

func TestTheLedgerFollowsTheAccountUnlessItIsNamed(t *testing.T) {
	name := func(changes map[string]any) string {
		h, err := provision(t, changes)
		require.NoError(t, err)
		return h.Name
	}
	plain := name(nil)
	assert.Equal(t, plain, name(map[string]any{"path": "/donate", "currency": "USD"}))
	assert.NotEqual(t, plain, name(map[string]any{"mchid": "M1"}))
	assert.NotEqual(t, plain, name(map[string]any{"app_code": "OTHER"}))
	assert.Equal(t, "shop", name(map[string]any{"name": "shop"}))
}

func TestTheEnvironmentDecidesThePayPage(t *testing.T) {
	for environment, page := range map[string]string{
		"":           "https://o2-hk.qfapi.com/q/direct",
		"testing":    "https://o2-hk.qfapi.com/q/direct",
		"th":         "https://o2-th.qfapi.com/q/direct",
		"testing-th": "https://o2-th.qfapi.com/q/direct",
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
	} {
		t.Run(test.name, func(t *testing.T) {
			core, logged := observer.New(zap.WarnLevel)
			h, err := provision(t, test.changes)
			require.NoError(t, err)
			h.logger = zap.New(core)
			h.warnOfLiteralSecrets()
			require.NoError(t, h.stockCatalogue())
			require.NoError(t, h.openGateway())
			assert.Equal(t, 1, logged.FilterMessageSnippet(test.warning).Len(), logged.All())
			for _, entry := range logged.All() {
				assert.NotContains(t, entry.Message, "TESTKEY")
			}
		})
	}
}

// testWebhookSecret makes a secret of the right form.
func testWebhookSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("test"), 6))
}

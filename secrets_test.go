package qfpayjsapi_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// The client key of the shop under test is a sentinel. A payment goes well, a
// few go wrong in every way that is logged, and then the sentinel is searched
// for wherever something is written or shown.
func TestTheClientKeyIsShownNowhere(t *testing.T) {
	shop := openShop(t)
	shown := []string{}
	show := func(reply reply) reply {
		shown = append(shown, reply.body, reply.location)
		for name, values := range reply.header {
			shown = append(shown, name+": "+strings.Join(values, " "))
		}
		return reply
	}

	payer := shop.payer(wechat)
	show(shop.payer(desktop).get("/pay/cat-food"))
	callback := payer.oauth(show(payer.get("/pay/cat-food")).location)
	show(payer.get(callback))
	order := orderOf(t, callback)
	require.NoError(t, shop.gateway.Pay(order))
	show(payer.get("/pay/return/" + order))
	for _, fault := range []qfpaytest.Fault{
		{Call: "openid", Kind: qfpaytest.Respcd, Respcd: "1108"},
		{Call: "openid", Kind: qfpaytest.DropBefore, Times: 2},
		{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "1203"},
		{Call: "payment", Kind: qfpaytest.DropAfter},
		{Call: "payment", Kind: qfpaytest.Garbage},
	} {
		shop.gateway.Inject(fault)
		payer := shop.payer(wechat)
		show(payer.get(payer.authorize("/pay/dog-treats")))
		shop.gateway.ClearFaults()
	}
	show(payer.get("/pay/callback/" + someOrder + "?code=x"))

	config, err := http.Get("http://" + shop.admin + "/config/")
	require.NoError(t, err)
	defer config.Body.Close()
	text, err := io.ReadAll(config.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "{env.TEST_QFPAY_CLIENT_KEY}")
	shown = append(shown, string(text))

	trade, _ := shop.gateway.Trade(order)
	openID := trade.Params["sub_openid"]
	code := mustParse(t, callback).Query().Get("code")
	require.NotEmpty(t, openID)
	require.NotEmpty(t, code)
	for _, row := range append(shop.stored(), shop.ledgerFiles()) {
		shown = append(shown, row)
		assert.NotContains(t, row, openID, "who paid is not stored")
		assert.NotContains(t, row, code, "nor is WeChat's code")
	}
	log := shop.log()
	assert.Contains(t, log, "http.handlers.qfpay_jsapi")
	assert.Contains(t, log, order)
	shown = append(shown, log)
	for _, text := range shown {
		assert.NotContains(t, text, clientKey)
	}
}

// The site's own access log is Caddy's; what the module itself logs must not
// hold the payer's code or openid.
func TestTheModulesLogHoldsNeitherCodeNorOpenID(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	code := mustParse(t, callback).Query().Get("code")
	payer.get(callback)
	trade, ok := shop.gateway.Trade(orderOf(t, callback))
	require.True(t, ok)
	openID := trade.Params["sub_openid"]
	require.NotEmpty(t, openID)
	for line := range strings.Lines(shop.log()) {
		if strings.Contains(line, `"logger":"http.handlers.qfpay_jsapi"`) || strings.Contains(line, `"logger":"qfpay_jsapi"`) {
			assert.NotContains(t, line, code)
			assert.NotContains(t, line, openID)
		}
	}
}

// secretFields are the lines of a block that hold secrets, with the place of each
// secret.
const secretFields = "official_account " + wechatApp + " %s\ninvoice_key %s\nwebhook https://shop.example/hook %s"

func TestSecretsAreInNoConfigurationThatIsShown(t *testing.T) {
	secrets := map[string]string{
		"TEST_QFPAY_APP_SECRET": wechatSecret, "TEST_QFPAY_INVOICE_KEY": invoiceKey, "TEST_QFPAY_WEBHOOK_SECRET": "whsec_c2VudGluZWwtb2YtdGhlLXdlYmhvb2sta2V5",
		"TEST_QFPAY_MAIL_PASSWORD": "sentinel-of-the-mail-password",
	}
	for name, secret := range secrets {
		t.Setenv(name, secret)
	}
	secrets["TEST_QFPAY_CLIENT_KEY"] = clientKey
	shop := openShop(t, withBlock(fmt.Sprintf(secretFields, "{env.TEST_QFPAY_APP_SECRET}", "{env.TEST_QFPAY_INVOICE_KEY}", "{env.TEST_QFPAY_WEBHOOK_SECRET}")+
		"\nmail smtp://shop:{env.TEST_QFPAY_MAIL_PASSWORD}@127.0.0.1:1 {\nfrom shop@example.com\nto owner@example.com\n}"))

	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(shop.caddyfile()), map[string]any{"filename": "Caddyfile"})
	require.NoError(t, err)
	_, running := shop.officeText("GET", "/config/", "")
	for place, text := range map[string]string{"caddy adapt": string(adapted), "GET /config/": running, "the log": shop.log()} {
		for name, secret := range secrets {
			assert.NotContains(t, text, secret, place)
			assert.True(t, place == "the log" || strings.Contains(text, "{env."+name+"}"), "%s in %s", name, place)
		}
	}
}

func TestAWebhookThatOthersCanReadIsInTheLogAtLoad(t *testing.T) {
	shop := openShop(t, withBlock("webhook http://192.0.2.1/paid "+webhookSecret))
	assert.Regexp(t, `"msg":"a webhook goes over http: [^"]+: use https","field":"webhooks\[0\].url"`, shop.log())
}

func TestBadSecretsAreRefusedWithoutBeingShown(t *testing.T) {
	shop := openShop(t)
	for name, secrets := range map[string][]any{
		"an app secret":    {"sentinel\u00e9", invoiceKey, "whsec_c2VudGluZWwtb2YtdGhlLXdlYmhvb2sta2V5"},
		"an invoice key":   {wechatSecret, "sentinel-short", "whsec_c2VudGluZWwtb2YtdGhlLXdlYmhvb2sta2V5"},
		"a webhook secret": {wechatSecret, invoiceKey, "whsec_sentinel"},
	} {
		for i := range secrets {
			t.Setenv(fmt.Sprintf("TEST_QFPAY_SECRET_%d", i), secrets[i].(string))
		}
		shop.block = fmt.Sprintf(secretFields, "{env.TEST_QFPAY_SECRET_0}", "{env.TEST_QFPAY_SECRET_1}", "{env.TEST_QFPAY_SECRET_2}")
		err := shop.tryToLoad()
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "sentinel", name)
	}
	assert.NotContains(t, shop.log(), "whsec_sentinel")
	assert.NotContains(t, shop.log(), "sentinel-short")
}

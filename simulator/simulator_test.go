package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func provisioned(t *testing.T, h *Handler) *Handler {
	t.Helper()
	require.NoError(t, h.Provision(caddy.Context{}))
	t.Cleanup(func() { require.NoError(t, h.Cleanup()) })
	return h
}

func TestTradesSurviveAReload(t *testing.T) {
	before := provisioned(t, &Handler{AppCode: "RELOAD", ClientKey: "K"})
	after := provisioned(t, &Handler{AppCode: "RELOAD", ClientKey: "K"})
	require.NoError(t, before.Cleanup())
	assert.Same(t, before.gate, after.gate)
}

func TestChangedSettingsTakeEffect(t *testing.T) {
	before := provisioned(t, &Handler{AppCode: "CHANGED", ClientKey: "K"})
	after := provisioned(t, &Handler{AppCode: "CHANGED", ClientKey: "another"})
	assert.NotSame(t, before.gate, after.gate)
}

func TestTheLastHandlerClosesTheSimulator(t *testing.T) {
	h := &Handler{AppCode: "LAST", ClientKey: "K"}
	require.NoError(t, h.Provision(caddy.Context{}))
	key := h.key
	require.NoError(t, h.Cleanup())
	require.NoError(t, h.Cleanup(), "again, as Caddy does after a failed Provision")
	_, pooled := pool.References(key)
	assert.False(t, pooled)
}

func TestPlaceholdersAreExpandedAndNotWrittenBack(t *testing.T) {
	t.Setenv("QFPAY_SIMULATOR_TEST_KEY", "sentinel")
	const placeholder = "{env.QFPAY_SIMULATOR_TEST_KEY}"
	h := provisioned(t, &Handler{AppCode: "A", ClientKey: placeholder, WeChatAppID: placeholder, WeChatAppSecret: placeholder})
	assert.Equal(t, "sentinel", h.key.ClientKey)
	assert.Equal(t, "sentinel", h.key.WeChatAppID)
	assert.Equal(t, "sentinel", h.key.WeChatAppSecret)
	shown, err := json.Marshal(h)
	require.NoError(t, err)
	assert.NotContains(t, string(shown), "sentinel")
	assert.NotContains(t, fmt.Sprintf("%v %+v", h.gate, h.gate), "sentinel")
}

func TestProvisionRefuses(t *testing.T) {
	cases := map[string]struct {
		handler Handler
		want    string
	}{
		"an unset placeholder":   {Handler{AppCode: "A", ClientKey: "{env.QFPAY_SIMULATOR_UNSET}"}, "client_key: "},
		"an unset app secret":    {Handler{AppCode: "A", ClientKey: "K", WeChatAppID: "wx1", WeChatAppSecret: "{env.QFPAY_SIMULATOR_UNSET}"}, "wechat_app_secret: "},
		"an app id alone":        {Handler{AppCode: "A", ClientKey: "K", WeChatAppID: "wx1"}, "WeChatAppSecret is not"},
		"a missing key":          {Handler{AppCode: "A"}, "ClientKey is required"},
		"a notify_url on a port": {Handler{AppCode: "A", ClientKey: "K", NotifyURL: "http://shop.example:81/"}, "neither on port 80"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, c.handler.Provision(caddy.Context{}), c.want)
			require.NoError(t, c.handler.Cleanup())
		})
	}
}

func TestTradesSurviveARestartInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.json")
	t.Setenv("QFPAY_SIMULATOR_TEST_FILE", file)
	before := &Handler{AppCode: "FILE", ClientKey: "K", File: "{env.QFPAY_SIMULATOR_TEST_FILE}"}
	require.NoError(t, before.Provision(caddy.Context{}))
	assert.NoFileExists(t, file, "a configuration that is only validated writes nothing")
	require.NoError(t, before.gate.PayElsewhere("N1", 100, "HKD"))
	paid, _ := before.gate.Trade("N1")
	require.NoError(t, before.Cleanup())
	after := provisioned(t, &Handler{AppCode: "FILE", ClientKey: "K", File: file})
	assert.NotSame(t, before.gate, after.gate)
	known, found := after.gate.Trade("N1")
	require.True(t, found)
	assert.Equal(t, paid.Syssn, known.Syssn)
	require.ErrorContains(t, (&Handler{AppCode: "OTHER", ClientKey: "K", File: file}).Provision(caddy.Context{}), "another app_code")
}

func TestRefundsThatComeTooSoonAreRefusedWhereTheConfigurationSaysSo(t *testing.T) {
	h := provisioned(t, &Handler{AppCode: "GAP", ClientKey: "K", RefundGap: caddy.Duration(time.Second)})
	assert.Equal(t, time.Second, h.key.config().RefundGap)
}

func TestRequestsReachTheSimulator(t *testing.T) {
	h := provisioned(t, &Handler{AppCode: "A", ClientKey: "K"})
	w := httptest.NewRecorder()
	require.NoError(t, h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/control/calls", nil), nil))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Body.String(), `"payment":0`)
}

func TestWalletsAreTheSimulators(t *testing.T) {
	h := provisioned(t, &Handler{AppCode: "WALLETS", ClientKey: "K", Wallets: []string{"wechat", "payme"}})
	other := provisioned(t, &Handler{AppCode: "WALLETS", ClientKey: "K", Wallets: []string{"wechat"}})
	assert.NotSame(t, h.gate, other.gate)
	err := (&Handler{AppCode: "WALLETS", ClientKey: "K", Wallets: []string{"paypal"}}).Provision(caddy.Context{})
	require.ErrorContains(t, err, `"paypal" is none of`)
}

func TestStrictRefusesWhatIsOverlookedByDefault(t *testing.T) {
	for _, strict := range []bool{false, true} {
		h := provisioned(t, &Handler{AppCode: "STRICT", ClientKey: "K", Strict: strict})
		w := httptest.NewRecorder()
		require.NoError(t, h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/trade/v1/query?out_trade_no=N1", nil), nil))
		assert.Equal(t, strict, strings.Contains(w.Body.String(), "parameters belong in the body"), w.Body)
	}
}

func TestTheSimulatorPlaysWeChatForAnOfficialAccount(t *testing.T) {
	h := provisioned(t, &Handler{AppCode: "A", ClientKey: "K", WeChatAppID: "wx1", WeChatAppSecret: "S"})
	ask := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("User-Agent", "MicroMessenger")
		w := httptest.NewRecorder()
		require.NoError(t, h.ServeHTTP(w, r, nil))
		return w
	}
	sent := ask("/connect/oauth2/authorize?appid=wx1&redirect_uri=https%3A%2F%2Fa.example&response_type=code&scope=snsapi_base&state=S1")
	back, err := sent.Result().Location()
	require.NoError(t, err, sent.Body)
	openid := ask("/sns/oauth2/access_token?appid=wx1&secret=S&grant_type=authorization_code&code=" + back.Query().Get("code"))
	assert.Contains(t, openid.Body.String(), `"openid":"o`)
}

func TestTheDirectiveNeedsNoOrder(t *testing.T) {
	adapter := caddyconfig.GetAdapter("caddyfile")
	adapted, warnings, err := adapter.Adapt(
		[]byte(":8090 {\n\tqfpay_simulator {\n\t\tapp_code A\n\t\tclient_key {env.K}\n\t}\n}\n"), nil)
	require.NoError(t, err)
	assert.Empty(t, warnings)
	assert.Contains(t, string(adapted), `{"app_code":"A","client_key":"{env.K}","handler":"qfpay_simulator"}`)
}

package wechat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

const (
	testAppID  = "wx0123456789abcdef"
	testSecret = "SENTINEL+SECRET/0123456789=&%\"x"
	testCode   = "SENTINEL+CODE/0123456789=&%\"x"
	testOpenID = "oSENTINELOPENID0123456789abc"
)

// newAccount returns an account whose token address is answered by the handler.
func newAccount(t *testing.T, weixin http.Handler, change ...func(*Config)) *Account {
	t.Helper()
	server := httptest.NewServer(weixin)
	t.Cleanup(server.Close)
	config := Config{AppID: testAppID, AppSecret: testSecret, TokenURL: server.URL + "/sns/oauth2/access_token", Timeout: 5 * time.Second}
	for _, change := range change {
		change(&config)
	}
	account, err := New(config)
	require.NoError(t, err)
	t.Cleanup(account.CloseIdle)
	return account
}

// says is a WeChat that always answers the same.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestNewNamesTheFieldButNotItsValue(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no app id":                      {func(c *Config) { c.AppID = "" }, "Config.AppID"},
		"app id with its file's newline": {func(c *Config) { c.AppID = "SENTINEL\n" }, "Config.AppID"},
		"app id with a query":            {func(c *Config) { c.AppID = "SENTINEL&scope=x" }, "Config.AppID"},
		"app id of 33 characters":        {func(c *Config) { c.AppID = "SENTINEL" + strings.Repeat("x", 25) }, "Config.AppID"},
		"no secret":                      {func(c *Config) { c.AppSecret = "" }, "Config.AppSecret"},
		"secret with its file's newline": {func(c *Config) { c.AppSecret = "SENTINEL\n" }, "Config.AppSecret"},
		"secret of 129 characters":       {func(c *Config) { c.AppSecret = redact.Secret("SENTINEL" + strings.Repeat("x", 121)) }, "Config.AppSecret"},
		"authorize address in clear":     {func(c *Config) { c.AuthorizeURL = "http://SENTINEL.example" }, "Config.AuthorizeURL: must be https"},
		"token address in clear":         {func(c *Config) { c.TokenURL = "http://SENTINEL.example" }, "Config.TokenURL: must be https"},
		"relative token address":         {func(c *Config) { c.TokenURL = "SENTINEL.example/token" }, "Config.TokenURL"},
		"negative timeout":               {func(c *Config) { c.Timeout = -1 }, "Config.Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{AppID: testAppID, AppSecret: "S"}
			test.change(&config)
			account, err := New(config)
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "SENTINEL")
			assert.Nil(t, account)
		})
	}
}

func TestURLsOfTheTwoEndpoints(t *testing.T) {
	for _, good := range []string{
		DefaultAuthorizeURL, DefaultTokenURL, "https://weixin.example:8443", "HTTPS://weixin.example/",
		"http://localhost:8090/sns/oauth2/access_token", "http://LOCALHOST", "http://127.0.0.2:1", "http://[::1]:8090/x", "http://[::ffff:127.0.0.1]/",
	} {
		assert.NoError(t, CheckURL(good), good)
	}
	for _, bad := range []string{
		"", "/token", "https://", "https:///token", "https:token", "ftp://localhost/", "https://u:p@weixin.example/",
		"https://weixin.example/?", "https://weixin.example/?a=b", "https://weixin.example/#", "https://weixin.example/a b",
		"https://weixin.example/\n", "https://weixin.example/%zz", "https://weixin.example/" + strings.Repeat("x", 490),
		"http://weixin.example/", "http://192.168.0.1/", "http://localhost.example/", "http://127.0.0.1.example/", "http://0.0.0.0/", "http://[::]/",
	} {
		assert.Error(t, CheckURL(bad), bad)
	}
}

func TestNewDefaultsToWeChatItself(t *testing.T) {
	account, err := New(Config{AppID: testAppID, AppSecret: testSecret})
	require.NoError(t, err)
	assert.Equal(t, testAppID, account.AppID())
	assert.Equal(t, DefaultAuthorizeURL, account.authorizeURL)
	assert.Equal(t, DefaultTokenURL, account.tokenURL)
	assert.Equal(t, 10*time.Second, account.caller.Timeout)
	assert.Same(t, sharedTransport, account.caller.Transport)
}

func TestTheSecretIsNeverPrinted(t *testing.T) {
	config := Config{
		AppID: testAppID, AppSecret: "SENTINEL",
		Transport: new(http.Transport), // not the shared one, whose connections change while it is printed
	}
	account, err := New(config)
	require.NoError(t, err)
	hide := redact.Hiding("SENTINEL")

	for _, value := range []any{
		config, &config, account, *account, hide, []any{config, account},
		struct{ C Config }{config}, struct{ A *Account }{account}, struct{ a Account }{*account}, struct{ hide redact.Redactor }{hide},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), "SENTINEL", "%T %s", value, verb)
			assert.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", "SENTINEL"), "%T %s", value, verb)
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "value", value)
		assert.NotContains(t, logged.String(), "SENTINEL", "%T", value)
		marshalled, _ := json.Marshal(value)
		assert.NotContains(t, string(marshalled), "SENTINEL", "%T", value)
	}
	assert.Contains(t, fmt.Sprint(account), testAppID)
	assert.Contains(t, fmt.Sprint(config), testAppID)
}

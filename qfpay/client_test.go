package qfpay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testKey     = "TESTKEY0123456789TESTKEY01234567"
	testAppCode = "APPCODE0000000000000000000000000"
)

// newClient returns a client whose gateway is the handler.
func newClient(t *testing.T, gateway http.Handler, change ...func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(gateway)
	t.Cleanup(server.Close)
	config := Config{Gateway: server.URL, AppCode: testAppCode, ClientKey: testKey, Timeout: 5 * time.Second}
	for _, change := range change {
		change(&config)
	}
	client, err := NewClient(config)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	return client
}

// says is a gateway that always answers the same.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// signedParams returns what a request carries, and fails the test unless it is
// signed over exactly that.
func signedParams(t *testing.T, r *http.Request, signType SignType) map[string]string {
	t.Helper()
	assert.NoError(t, r.ParseForm())
	params := map[string]string{}
	for name, values := range r.Form {
		assert.Len(t, values, 1, name)
		assert.NotEmpty(t, values[0], name)
		params[name] = values[0]
	}
	assert.Equal(t, testAppCode, r.Header.Get("X-QF-APPCODE"))
	assert.Equal(t, Sign(signType, params, testKey), r.Header.Get("X-QF-SIGN"))
	return params
}

func TestNewClientNamesTheFieldButNotItsValue(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no gateway":                  {func(c *Config) { c.Gateway = "" }, "Config.Gateway"},
		"relative gateway":            {func(c *Config) { c.Gateway = "openapi-hk.qfapi.com/SENTINEL" }, "Config.Gateway"},
		"gateway of another scheme":   {func(c *Config) { c.Gateway = "ftp://SENTINEL" }, "Config.Gateway"},
		"gateway without a host":      {func(c *Config) { c.Gateway = "https:///SENTINEL" }, "Config.Gateway"},
		"gateway with a password":     {func(c *Config) { c.Gateway = "https://user:SENTINEL@gateway.example.com" }, "Config.Gateway"},
		"gateway with a query":        {func(c *Config) { c.Gateway = "https://gateway.example.com?SENTINEL" }, "Config.Gateway"},
		"gateway with an empty one":   {func(c *Config) { c.Gateway = "https://gateway.example.com?" }, "Config.Gateway"},
		"gateway with a fragment":     {func(c *Config) { c.Gateway = "https://gateway.example.com#SENTINEL" }, "Config.Gateway"},
		"no app code":                 {func(c *Config) { c.AppCode = "" }, "Config.AppCode"},
		"app code over two lines":     {func(c *Config) { c.AppCode = "SENTINEL\r\nX: y" }, "Config.AppCode"},
		"no key":                      {func(c *Config) { c.ClientKey = "" }, "Config.ClientKey"},
		"key with its file's newline": {func(c *Config) { c.ClientKey = "SENTINEL\n" }, "Config.ClientKey"},
		"mchid with a space":          {func(c *Config) { c.MchID = "SENTINEL 1" }, "Config.MchID"},
		"unknown signature":           {func(c *Config) { c.SignType = "SENTINEL" }, "Config.SignType"},
		"negative timeout":            {func(c *Config) { c.Timeout = -1 }, "Config.Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{Gateway: "https://gateway.example.com", AppCode: testAppCode, ClientKey: testKey}
			test.change(&config)
			client, err := NewClient(config)
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "SENTINEL")
			assert.Nil(t, client)
		})
	}
}

func TestNewClientDefaults(t *testing.T) {
	client, err := NewClient(Config{Gateway: "https://gateway.example.com/api/", AppCode: testAppCode, ClientKey: testKey})
	require.NoError(t, err)
	assert.Equal(t, "https://gateway.example.com/api", client.gateway)
	assert.Equal(t, MD5, client.config.SignType)
	assert.Equal(t, 10*time.Second, client.config.Timeout)
	assert.Same(t, sharedTransport, client.config.Transport)
}

func TestTheKeyIsNeverPrinted(t *testing.T) {
	config := Config{
		Gateway: "https://gateway.example.com", AppCode: testAppCode, ClientKey: "SENTINEL",
		Transport: new(http.Transport), // not the shared one, whose connections change while it is printed
	}
	client, err := NewClient(config)
	require.NoError(t, err)

	for _, value := range []any{config, &config, client, *client, []any{config, client}, struct{ C *Client }{client}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), "SENTINEL", "%T %s", value, verb)
			assert.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", "SENTINEL"), "%T %s", value, verb)
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "value", value)
		assert.NotContains(t, logged.String(), "SENTINEL", "%T", value)
		marshalled, err := json.Marshal(value)
		require.NoError(t, err)
		assert.NotContains(t, string(marshalled), "SENTINEL", "%T", value)
	}
	assert.Contains(t, fmt.Sprint(config), testAppCode)
}

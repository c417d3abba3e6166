package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roundTripper is a transport that somebody else wrote.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// failing is a transport that fails with an error about the request.
func failing(describe func(*http.Request) error) func(*Config) {
	return func(c *Config) {
		c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) { return nil, describe(r) })
	}
}

// echo makes WeChat's wording out of what it was sent and what it would have said.
func echo(format string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		body, _ := json.Marshal(map[string]any{
			"errcode": 40029,
			"errmsg":  fmt.Sprintf(format, query.Get("secret"), query.Get("code"), testOpenID),
			"openid":  testOpenID,
		})
		says(200, string(body))(w, r)
	}
}

// requestLineAsReply is a server that sends back what it got, as if it were HTTP.
func requestLineAsReply(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, r.Method+" "+r.RequestURI+" "+testSecret+" "+testCode+"\r\n\r\n")
	_ = conn.Close()
}

func TestNothingSecretIsInAnyError(t *testing.T) {
	nothing := func(*Config) {}
	for name, test := range map[string]struct {
		weixin http.HandlerFunc
		change func(*Config)
	}{
		"the URL in a url.Error": {nil, failing(func(r *http.Request) error {
			return &url.Error{Op: "Get", URL: r.URL.String(), Err: io.EOF}
		})},
		"the URL in a url.Error, wrapped": {nil, failing(func(r *http.Request) error {
			return fmt.Errorf("proxy: %w", &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New(r.URL.RawQuery)})
		})},
		"the URL in the wording": {nil, failing(func(r *http.Request) error { return errors.New("GET " + r.URL.String()) })},
		"the URL, quoted":        {nil, failing(func(r *http.Request) error { return errors.New(strconv.Quote(r.URL.String())) })},
		"the values, quoted": {nil, failing(func(r *http.Request) error {
			return fmt.Errorf("%q %#v", r.URL.Query(), r.URL.Query())
		})},
		"the request itself": {nil, failing(func(r *http.Request) error { return fmt.Errorf("%+v", r) })},
		"an error that holds the request": {nil, failing(func(r *http.Request) error {
			return holder{errors.New("no luck"), r}
		})},
		"the request as the reply":        {requestLineAsReply, nothing},
		"WeChat's wording":                {echo("invalid code %s, %s of %s"), nothing},
		"WeChat's wording, run together":  {echo("%s%s%s"), nothing},
		"WeChat's wording, and long":      {echo(strings.Repeat("x", 190) + "%s%s%s"), nothing},
		"a secret that is cut at the end": {echo(strings.Repeat("%[1]s", 20) + "%[2]s%[3]s"), nothing},
		"an openid in a broken reply":     {says(200, paid+"}"), nothing},
		"an openid that is ill-formed":    {says(200, `{"openid":"`+testOpenID+` "}`), nothing},
		"an openid as an errcode":         {says(200, `{"errcode":"`+testOpenID+`"}`), nothing},
		"a number as an openid":           {says(200, `{"errcode":1,"errmsg":"`+testCode[:8]+`","openid":{"`+testOpenID+`":1}}`), nothing},
		"a body that breaks off":          {breaksOff, nothing},
		"a status":                        {says(500, paid), nothing},
		"a redirect":                      {redirects, nothing},
		"a time-out":                      {hangs(paid[:len(paid)-1]), func(c *Config) { c.Timeout = 30 * time.Millisecond }},
		"nobody there":                    {nil, func(c *Config) { c.TokenURL = "http://127.0.0.1:1/" }},
	} {
		t.Run(name, func(t *testing.T) {
			openid, err := newAccount(t, test.weixin, test.change).OpenID(t.Context(), testCode)
			require.Error(t, err)
			assert.Empty(t, openid)
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				assertNothingSecret(t, cause)
			}
			assertNothingSecret(t, *asError(t, err))
		})
	}
}

// holder is an error whose values say more than its wording.
type holder struct {
	error
	Request *http.Request
}

func assertNothingSecret(t *testing.T, value any) {
	t.Helper()
	marshalled, _ := json.Marshal(value)
	shown := []string{string(marshalled)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		shown = append(shown, fmt.Sprintf(verb, value))
	}
	for _, text := range shown {
		for _, secret := range []string{testSecret, testCode, testOpenID, "SENTINEL", fmt.Sprintf("%x", "SENTINEL")} {
			assert.NotContains(t, text, secret, "%T", value)
		}
	}
}

func TestOnlyTheContextIsLeftOfTheCause(t *testing.T) {
	account := newAccount(t, nil, failing(func(r *http.Request) error {
		<-r.Context().Done()
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, context.Cause(r.Context()))
	}))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("shutting down"))
	_, err := account.OpenID(ctx, testCode)
	assert.EqualError(t, err, "wechat: openid: unknown (silent): context canceled: unexpected EOF: shutting down")
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, io.ErrUnexpectedEOF)
}

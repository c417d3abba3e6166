package wechat

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

const paid = `{"access_token":"ACCESS","expires_in":7200,"refresh_token":"REFRESH","openid":"` + testOpenID + `","scope":"snsapi_base"}`

// asError is the error of a call, which must be of the package's type.
func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	return e
}

func TestOpenIDExchangesTheCode(t *testing.T) {
	account := newAccount(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method)
		assert.Equal(t, "/sns/oauth2/access_token", r.URL.Path)
		assert.Zero(t, r.ContentLength)
		assert.Equal(t, map[string][]string{
			"appid": {testAppID}, "secret": {testSecret}, "code": {testCode}, "grant_type": {"authorization_code"},
		}, map[string][]string(r.URL.Query()))
		says(200, paid)(w, r)
	}))
	openid, err := account.OpenID(t.Context(), testCode)
	require.NoError(t, err)
	assert.Equal(t, testOpenID, openid)
}

func TestOpenIDsAreFoundInEveryWellFormedReply(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"errcode 0":              {`{"errcode":0,"errmsg":"ok","openid":"o1"}`, "o1"},
		"errcode 0 as a string":  {`{"errcode":"0","openid":"o1"}`, "o1"},
		"errcode null":           {`{"errcode":null,"openid":"o1"}`, "o1"},
		"white space around":     {"\r\n {\"openid\":\"o1\"}\n", "o1"},
		"members of every kind":  {`{"openid":"o1","privilege":["a"],"is_snapshotuser":1,"x":{}}`, "o1"},
		"one character":          {`{"openid":"o"}`, "o"},
		"128 characters":         {`{"openid":"` + strings.Repeat("o", 128) + `"}`, strings.Repeat("o", 128)},
		"hyphen and underscore":  {`{"openid":"o6_bmjrPTlm6_2sgVt7hMZOPfL2-"}`, "o6_bmjrPTlm6_2sgVt7hMZOPfL2-"},
		"64 KiB, the most there": {`{"openid":"o1","x":"` + strings.Repeat("x", maxReply-22) + `"}`, "o1"},
	} {
		t.Run(name, func(t *testing.T) {
			openid, err := newAccount(t, says(200, test.body)).OpenID(t.Context(), testCode)
			require.NoError(t, err)
			assert.Equal(t, test.want, openid)
		})
	}
}

func TestIllFormedCodesAreNotSent(t *testing.T) {
	account := newAccount(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("WeChat was asked") }))
	for _, code := range []string{"", " ", "a b", "a\r\nb", "ä", strings.Repeat("c", 513)} {
		_, err := account.OpenID(t.Context(), code)
		e := asError(t, err)
		assert.Equal(t, remote.Refused, e.Outcome, "%.10q", code)
		assert.Equal(t, remote.FaultPayer, e.Fault, "%.10q", code)
	}
}

func TestErrcodes(t *testing.T) {
	for _, test := range []struct {
		errcodes string
		outcome  remote.Outcome
		fault    remote.Fault
	}{
		{"40029 40163 41008 42003", remote.Refused, remote.FaultPayer},
		{"40001 40013 40125 40164 41002 41004 48001", remote.Refused, remote.FaultShop},
		{"40002 43001", remote.Refused, remote.FaultRequest},
		{"45009 45011", remote.Refused, remote.FaultBusy},
		{"-1", remote.Unknown, remote.FaultBusy},
		{"1 -2 50001 2147483647", remote.Unknown, remote.FaultBroken}, // not listed
	} {
		for errcode := range strings.FieldsSeq(test.errcodes) {
			for _, spelled := range []string{errcode, `"` + errcode + `"`} {
				body := `{"errcode":` + spelled + `,"errmsg":"m, rid: 1-2-3","openid":"o1"}`
				_, err := newAccount(t, says(200, body)).OpenID(t.Context(), testCode)
				e := asError(t, err)
				assert.Equal(t, errcode, fmt.Sprint(e.Errcode))
				e.Errcode = 0
				assert.Equal(t, &Error{
					Call: "openid", Message: "m, rid: 1-2-3", Failure: remote.Failure{Status: 200, Outcome: test.outcome, Fault: test.fault},
				}, e, spelled)
			}
		}
	}
}

func redirects(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(http.StatusFound)
}

func breaksOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"openid":"`+testOpenID+`"`)
}

func TestBrokenRepliesAreUnknown(t *testing.T) {
	for name, weixin := range map[string]http.HandlerFunc{
		"an internal error":      says(500, `{"errcode":40029}`),
		"a bad gateway":          says(502, "<html>"),
		"not found":              says(404, paid),
		"another success":        says(204, ""),
		"a redirect":             redirects,
		"a body that breaks off": breaksOff,
		"an empty body":          says(200, ""),
		"a page":                 says(200, "<html>maintenance</html>"),
		"null":                   says(200, "null"),
		"a list":                 says(200, "["+paid+"]"),
		"two objects":            says(200, paid+paid),
		"half an object":         says(200, paid[:len(paid)-1]),
		"no openid":              says(200, `{"errcode":0,"errmsg":"ok"}`),
		"openid null":            says(200, `{"openid":null}`),
		"openid empty":           says(200, `{"openid":""}`),
		"openid an object":       says(200, `{"openid":{}}`),
		"openid with a space":    says(200, `{"openid":"o 1"}`),
		"openid beyond ASCII":    says(200, `{"openid":"ö1"}`),
		"openid of 129":          says(200, `{"openid":"`+strings.Repeat("o", 129)+`"}`),
		"errcode a fraction":     says(200, `{"errcode":40029.5}`),
		"errcode an exponent":    says(200, `{"errcode":1e3}`),
		"errcode of words":       says(200, `{"errcode":"none","openid":"o1"}`),
		"errcode with a plus":    says(200, `{"errcode":"+1","openid":"o1"}`),
		"errcode too large":      says(200, `{"errcode":99999999999999999999,"openid":"o1"}`),
		"errcode true":           says(200, `{"errcode":true,"openid":"o1"}`),
		"more than 64 KiB":       says(200, `{"openid":"o1","x":"`+strings.Repeat("x", maxReply)+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			account := newAccount(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				weixin(w, r)
			}))
			_, err := account.OpenID(t.Context(), testCode)
			e := asError(t, err)
			assert.Equal(t, remote.Unknown, e.Outcome)
			assert.Equal(t, remote.FaultBroken, e.Fault)
			assert.NotZero(t, e.Status)
			assert.EqualValues(t, 1, asked.Load(), "nothing is asked twice, no redirect is followed")
		})
	}
}

func TestAReplyIsUnpackedNoFurtherThanItsBound(t *testing.T) {
	_, err := newAccount(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		_, _ = io.WriteString(packed, `{"openid":"`+testOpenID+`","x":"`)
		for chunk := make([]byte, 1<<20); ; {
			if _, err := packed.Write(chunk); err != nil {
				return
			}
		}
	})).OpenID(t.Context(), testCode)
	e := asError(t, err)
	assert.Equal(t, remote.Unknown, e.Outcome)
	assert.ErrorContains(t, e, "longer than")
}

func TestTooManyRequestsAreARefusal(t *testing.T) {
	_, err := newAccount(t, says(429, "")).OpenID(t.Context(), testCode)
	assert.EqualError(t, err, "wechat: openid: refused (busy): HTTP status 429")
}

func TestNobodyThereIsARefusal(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	account := newAccount(t, nil, func(c *Config) { c.TokenURL = server.URL })
	_, err := account.OpenID(t.Context(), testCode)
	e := asError(t, err)
	assert.Equal(t, remote.Refused, e.Outcome)
	assert.Equal(t, remote.FaultSilent, e.Fault)
	assert.ErrorContains(t, e, "connection refused")
}

func TestSilenceIsUnknown(t *testing.T) {
	hangsUp := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := newAccount(t, hangsUp).OpenID(t.Context(), testCode)
	e := asError(t, err)
	assert.Equal(t, remote.Unknown, e.Outcome)
	assert.Equal(t, remote.FaultSilent, e.Fault)
	assert.Zero(t, e.Status)
}

// hangs sends the beginning of a reply and then nothing until the caller leaves.
func hangs(beginning string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if beginning != "" {
			_, _ = io.WriteString(w, beginning)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

func TestTimeOutsAndCancellationsAreRecognised(t *testing.T) {
	for name, test := range map[string]struct {
		timeout time.Duration
		cancel  time.Duration
		want    error
	}{
		"the account's time-out": {50 * time.Millisecond, time.Hour, context.DeadlineExceeded},
		"the caller gives up":    {time.Hour, 50 * time.Millisecond, context.Canceled},
	} {
		for _, beginning := range []string{"", paid[:20]} {
			t.Run(fmt.Sprintf("%s after %d bytes", name, len(beginning)), func(t *testing.T) {
				account := newAccount(t, hangs(beginning), func(c *Config) { c.Timeout = test.timeout })
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(test.cancel, cancel)
				_, err := account.OpenID(ctx, testCode)
				assert.ErrorIs(t, err, test.want)
				e := asError(t, err)
				assert.Equal(t, remote.Unknown, e.Outcome)
				assert.Equal(t, remote.FaultSilent, e.Fault)
			})
		}
	}
}

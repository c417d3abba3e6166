package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func secretOf(size int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, size))
}

func paid() Message {
	return Message{ID: "msg_1_paid", Type: "order.paid", Timestamp: time.Unix(1_800_000_000, 0), Data: map[string]any{"order": "1", "amount": 12800}}
}

// receive starts an endpoint that answers as told, and collects what it got.
func receive(t *testing.T, answer http.HandlerFunc) (*Endpoint, *[]*http.Request, *[]string) {
	t.Helper()
	var requests []*http.Request
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests, bodies = append(requests, r), append(bodies, string(body))
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	endpoint, err := New(server.URL+"/hooks?token=hidden", secretOf(24))
	require.NoError(t, err)
	t.Cleanup(endpoint.CloseIdle)
	return endpoint, &requests, &bodies
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestTheStandardsOwnLibraryVerifiesWhatIsSent(t *testing.T) {
	endpoint, requests, bodies := receive(t, status(http.StatusNoContent))
	result := endpoint.Send(t.Context(), paid(), time.Now())
	assert.Equal(t, Result{Delivered: true, Status: 204}, result)
	header, body := (*requests)[0].Header, (*bodies)[0]
	assert.JSONEq(t, `{"type":"order.paid","timestamp":"2027-01-15T08:00:00Z","data":{"order":"1","amount":12800}}`, body)
	assert.Equal(t, "application/json", header.Get("Content-Type"))

	verifier, err := standardwebhooks.NewWebhook(secretOf(24))
	require.NoError(t, err)
	assert.NoError(t, verifier.Verify([]byte(body), header))
	assert.Error(t, verifier.Verify([]byte(body+" "), header), "an altered body")
	other, err := standardwebhooks.NewWebhook(secretOf(25))
	require.NoError(t, err)
	assert.Error(t, other.Verify([]byte(body), header), "another secret")
}

func TestEveryAttemptCarriesTheSameIDAndItsOwnTime(t *testing.T) {
	endpoint, requests, _ := receive(t, status(http.StatusInternalServerError))
	for _, at := range []int64{1_800_000_000, 1_800_000_300} {
		assert.False(t, endpoint.Send(t.Context(), paid(), time.Unix(at, 0)).Delivered)
	}
	assert.Equal(t, "msg_1_paid", (*requests)[0].Header.Get("Webhook-Id"))
	assert.Equal(t, "msg_1_paid", (*requests)[1].Header.Get("Webhook-Id"))
	assert.Equal(t, "1800000000", (*requests)[0].Header.Get("Webhook-Timestamp"))
	assert.Equal(t, "1800000300", (*requests)[1].Header.Get("Webhook-Timestamp"))
}

func TestOnlyTwoHundredsCountAsDelivered(t *testing.T) {
	for code, delivered := range map[int]bool{200: true, 202: true, 204: true, 301: false, 302: false, 400: false, 401: false, 404: false, 410: false, 429: false, 500: false, 503: false} {
		endpoint, requests, _ := receive(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		})
		result := endpoint.Send(t.Context(), paid(), time.Now())
		assert.Equal(t, delivered, result.Delivered, code)
		assert.Equal(t, code == http.StatusGone, result.Disabled, code)
		assert.Equal(t, code, result.Status)
		assert.Equal(t, delivered, result.Err == nil, code)
		assert.Len(t, *requests, 1, "redirects are not followed")
	}
}

func TestAnEndpointMayAskToWait(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for header, wait := range map[string]time.Duration{
		"":                        0,
		"120":                     2 * time.Minute,
		"0":                       0,
		"-5":                      0,
		"soon":                    0,
		"99999999999999999999999": 24 * time.Hour,
		"86401":                   24 * time.Hour,
		now.Add(time.Minute).UTC().Format(http.TimeFormat):          time.Minute,
		now.Add(-time.Minute).UTC().Format(http.TimeFormat):         0,
		now.Add(365 * 24 * time.Hour).UTC().Format(http.TimeFormat): 24 * time.Hour,
	} {
		endpoint, _, _ := receive(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		assert.Equal(t, wait, endpoint.Send(t.Context(), paid(), now).RetryAfter, header)
	}
}

func TestASlowEndpointIsLeftInTime(t *testing.T) {
	endpoint, _, _ := receive(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	endpoint.timeout = 20 * time.Millisecond
	result := endpoint.Send(t.Context(), paid(), time.Now())
	assert.ErrorIs(t, result.Err, context.DeadlineExceeded)
	assert.Zero(t, result.Status)
}

func TestAnEndlessAnswerIsCut(t *testing.T) {
	endpoint, _, _ := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 16 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	})
	assert.True(t, endpoint.Send(t.Context(), paid(), time.Now()).Delivered)
}

func TestAnEndpointThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	endpoint, err := New(server.URL+"?token=hidden", secretOf(24))
	require.NoError(t, err)
	result := endpoint.Send(t.Context(), paid(), time.Now())
	assert.Error(t, result.Err)
	assert.NotContains(t, result.Err.Error(), "hidden")
}

func TestPrivateAddressesAreToldOnlyIfTheURLNamesThem(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
		"::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:c0a8:101::1", "::7f00:1",
	} {
		endpoint := address + ":80"
		if strings.Contains(address, ":") {
			endpoint = "[" + address + "]:80"
		}
		assert.ErrorIs(t, newGuard("shop.example").control(t.Context(), "tcp", endpoint, nil), errNotPublic, address)
		assert.NoError(t, newGuard(address).control(t.Context(), "tcp", endpoint, nil), address)
		assert.Error(t, newGuard("192.0.2.1").control(t.Context(), "tcp", endpoint, nil), "another literal")
	}
	for _, address := range []string{"93.184.216.34:443", "[2606:2800:220:1:248:1893:25c8:1946]:443", "[64:ff9b::5db8:d822]:443"} {
		assert.NoError(t, newGuard("shop.example").control(t.Context(), "tcp", address, nil), address)
	}
	assert.NoError(t, newGuard("LocalHost").control(t.Context(), "tcp", "127.0.0.1:80", nil))
	assert.Error(t, newGuard("localhost").control(t.Context(), "tcp", "10.0.0.1:80", nil))
	assert.Error(t, newGuard("localhost.example").control(t.Context(), "tcp", "127.0.0.1:80", nil))
	assert.Error(t, newGuard("shop.example").control(t.Context(), "unix", "/run/socket", nil))
}

func TestMappedAddressesAreJudgedByWhatTheyHold(t *testing.T) {
	assert.Equal(t, netip.MustParseAddr("127.0.0.1"), embedded(netip.MustParseAddr("::ffff:127.0.0.1")))
	assert.Equal(t, netip.MustParseAddr("10.0.0.1"), embedded(netip.MustParseAddr("64:ff9b::a00:1")))
	assert.Equal(t, netip.MustParseAddr("192.168.1.1"), embedded(netip.MustParseAddr("2002:c0a8:101::")))
}

func TestSecretsHaveTheStandardsForm(t *testing.T) {
	for _, size := range []int{24, 32, 64} {
		assert.NoError(t, CheckSecret(secretOf(size)), size)
	}
	for name, secret := range map[string]string{
		"empty":           "",
		"too short":       secretOf(23),
		"too long":        secretOf(65),
		"no prefix":       strings.TrimPrefix(secretOf(24), "whsec_"),
		"other prefix":    strings.Replace(secretOf(24), "whsec_", "whpk_", 1),
		"no base64":       "whsec_" + strings.Repeat("*", 32),
		"url-safe base64": "whsec_" + strings.Repeat("_-", 16),
		"a line break":    secretOf(24) + "\n",
	} {
		err := CheckSecret(secret)
		require.Error(t, err, name)
		if len(secret) > 10 {
			assert.NotContains(t, err.Error(), secret[8:], name)
		}
	}
}

func TestURLsAreAbsoluteAndPlain(t *testing.T) {
	for _, good := range []string{"https://shop.example/hooks", "http://localhost:8000", "http://[::1]:8000/x?y=z", "https://shop.example:443"} {
		assert.NoError(t, CheckURL(good), good)
	}
	for _, bad := range []string{
		"", "/hooks", "shop.example/hooks", "ftp://shop.example", "https://", "https://user:password@shop.example", "https://shop.example/#x",
		"https://shop.example:99999", "https://shop.example:http", "javascript:alert(1)", "https://shop.example/" + strings.Repeat("x", 2048),
	} {
		assert.Error(t, CheckURL(bad), bad)
	}
}

func TestNothingPrintsTheSecretOrTheQuery(t *testing.T) {
	endpoint, err := New("https://shop.example/hooks?token=hidden", secretOf(24))
	require.NoError(t, err)
	printed := fmt.Sprintf("%v %+v %#v %s", endpoint, endpoint, endpoint, endpoint)
	assert.NotContains(t, printed, "hidden")
	assert.NotContains(t, printed, secretOf(24)[6:])
	assert.Contains(t, printed, "https://shop.example/hooks")
	assert.Regexp(t, `^[0-9a-f]{8}$`, endpoint.ID())
	again, err := New("https://shop.example/hooks?token=hidden", secretOf(25))
	require.NoError(t, err)
	assert.Equal(t, endpoint.ID(), again.ID(), "a new secret is no new endpoint")
	other, err := New("https://shop.example/hooks?token=other", secretOf(24))
	require.NoError(t, err)
	assert.NotEqual(t, endpoint.ID(), other.ID())
}

func TestTheScheduleSpansAboutThreeDays(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	at := start
	for n := 1; n <= Attempts; n++ {
		due, ok := Next("msg_1_paid", n, at)
		require.True(t, ok)
		again, _ := Next("msg_1_paid", n, at)
		assert.Equal(t, due, again, "the same after a restart")
		assert.InDelta(t, waits[n-1].Seconds(), due.Sub(at).Seconds(), waits[n-1].Seconds()/10+1e-6)
		at = due
	}
	assert.InDelta(t, 75.6, at.Sub(start).Hours(), 7.6)
	_, ok := Next("msg_1_paid", Attempts+1, at)
	assert.False(t, ok)
	_, ok = Next("msg_1_paid", 0, at)
	assert.False(t, ok)
	one, _ := Next("msg_1_paid", 5, start)
	two, _ := Next("msg_2_paid", 5, start)
	assert.NotEqual(t, one, two, "messages that failed together do not come together")
}

func FuzzEndpoint(f *testing.F) {
	f.Add("https://shop.example/hooks?a=b", secretOf(24))
	f.Add("http://[::1%25eth0]:80/", "whsec_")
	f.Add("https://user@shop.example", "whsec_AAAA")
	f.Fuzz(func(t *testing.T, rawURL, secret string) {
		endpoint, err := New(rawURL, secret)
		require.Equal(t, CheckURL(rawURL) == nil && CheckSecret(secret) == nil, err == nil)
		if err == nil {
			require.Regexp(t, `^[0-9a-f]{8}$`, endpoint.ID())
		}
	})
}

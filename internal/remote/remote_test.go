package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask calls a service that answers with the handler, and takes 16 bytes from it.
func ask(t *testing.T, ctx context.Context, service http.HandlerFunc) ([]byte, *Failure) {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	caller := Caller{Transport: NewTransport(1), Timeout: 200 * time.Millisecond, MaxReply: 16}
	t.Cleanup(caller.CloseIdle)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/?code=SENTINEL", nil)
	require.NoError(t, err)
	return caller.Do(req)
}

func TestAReplyIsReadUpToItsBound(t *testing.T) {
	body, failure := ask(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 16))
	})
	require.Nil(t, failure)
	assert.Len(t, body, 16)
}

func TestACallWithoutAGoodReplySaysHowItEnded(t *testing.T) {
	tooLong := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 17)) }
	breaksOff := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
	}
	hangs := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
		}
	}
	for name, test := range map[string]struct {
		service http.HandlerFunc
		want    string
	}{
		"too long":          {tooLong, "call: unknown (broken): reply is longer than 16 bytes"},
		"breaks off":        {breaksOff, "call: unknown (broken): unexpected EOF"},
		"hangs":             {hangs, "call: unknown (silent): context deadline exceeded"},
		"silent":            {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "call: unknown (silent): context deadline exceeded"},
		"hangs up":          {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "call: unknown (silent): EOF"},
		"bad gateway":       {status(502), "call: unknown (broken): HTTP status 502"},
		"redirect":          {status(302), "call: unknown (broken): HTTP status 302"},
		"too many requests": {status(429), "call: refused (busy): HTTP status 429"},
	} {
		t.Run(name, func(t *testing.T) {
			body, failure := ask(t, t.Context(), test.service)
			require.NotNil(t, failure)
			assert.Nil(t, body)
			assert.Equal(t, test.want, failure.Describe("call"))
			if failure.Status >= 300 {
				assert.Equal(t, 7*time.Second, failure.RetryAfter)
			}
		})
	}
}

func TestOnlyAFailedDialIsKnownToHaveReachedNobody(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	req, err := http.NewRequest(http.MethodGet, server.URL+"/?code=SENTINEL", nil)
	require.NoError(t, err)
	_, failure := Caller{Transport: NewTransport(1), Timeout: time.Second, MaxReply: 16}.Do(req)
	require.NotNil(t, failure)
	assert.Equal(t, Refused, failure.Outcome)
	assert.Equal(t, FaultSilent, failure.Fault)
}

func TestACancelledCallIsRecognisedAndDoesNotShowItsURL(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: io.EOF}
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://service.example/?code=SENTINEL", nil)
	require.NoError(t, err)
	_, failure := Caller{Transport: transport, Timeout: time.Second, MaxReply: 16}.Do(req)
	require.NotNil(t, failure)
	assert.Equal(t, Unknown, failure.Outcome)
	assert.ErrorIs(t, failure.Err, context.Canceled)
	assert.ErrorIs(t, failure.Err, io.EOF)
	assert.NotContains(t, failure.Err.Error(), "SENTINEL")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRetryAfterIsSecondsOrADateWithinABound(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"7":                             7 * time.Second,
		"86400":                         time.Hour,
		"18446744073709551615":          time.Hour,
		"99999999999999999999":          time.Hour,
		"Mon, 23 Nov 2026 10:01:30 GMT": 90 * time.Second,
		"Mon, 23 Nov 2026 09:00:00 GMT": 0,
		"Fri, 31 Dec 2100 23:59:59 GMT": time.Hour,
		"-1":                            0,
		"soon":                          0,
		"":                              0,
	} {
		assert.Equal(t, want, RetryAfter(header, now, time.Hour), header)
	}
}

func TestOutcomesAndFaultsHaveNames(t *testing.T) {
	assert.Equal(t, "refused unknown Outcome(0)", Refused.String()+" "+Unknown.String()+" "+Outcome(0).String())
	names := make([]string, 0, 7)
	for fault := range FaultSilent + 1 {
		names = append(names, fault.String())
	}
	assert.Equal(t, []string{"Fault(0)", "payer", "shop", "request", "busy", "broken", "silent"}, names)
}

// serviceError is the error of some service.
type serviceError struct{ Failure }

func (e *serviceError) Error() string { return e.Describe("service", "code 7", "", "too bad") }

func TestHowACallEndedIsFoundInTheErrorOfEveryService(t *testing.T) {
	err := error(&serviceError{Failure{Outcome: Refused, Fault: FaultShop, Status: 200, Err: io.EOF}})
	outcome, fault := Ended(errors.Join(errors.New("starting"), err))
	assert.Equal(t, Refused, outcome)
	assert.Equal(t, FaultShop, fault)
	assert.EqualError(t, err, "service: refused (shop): code 7: too bad: EOF")
	assert.ErrorIs(t, err, io.EOF)

	outcome, fault = Ended(io.EOF)
	assert.Zero(t, outcome)
	assert.Zero(t, fault)
	outcome, fault = Ended(nil)
	assert.Zero(t, outcome)
	assert.Zero(t, fault)
}

func TestAnAddressIsAbsoluteAndWithoutAPassword(t *testing.T) {
	for raw, good := range map[string]bool{
		"https://shop.example/pay?a=b": true, "http://localhost:8080": true, "HTTPS://shop.example": true,
		"": false, "/pay": false, "shop.example/pay": false, "ftp://shop.example": false, "javascript:alert(1)": false,
		"https://u:p@shop.example": false, "https:///pay": false, "https://shop.example/%zz": false,
	} {
		_, err := Address(raw)
		assert.Equal(t, good, err == nil, raw)
	}
	assert.NoError(t, CheckAddress("https://é.example", 17))
	assert.EqualError(t, CheckAddress("https://é.example", 16), "must not be longer than 16 characters")
}

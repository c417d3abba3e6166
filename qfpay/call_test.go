package qfpay

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asError is the error of a call, which must be of the package's type.
func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	return e
}

// calls are those that reach the gateway.
var calls = map[string]func(context.Context, *Client) error{
	callOpenID: func(ctx context.Context, c *Client) error {
		_, err := c.OpenID(ctx, "SENTINELCODE")
		return err
	},
	callPayment: func(ctx context.Context, c *Client) error {
		_, err := c.Pay(ctx, somePayment())
		return err
	},
	callQuery: func(ctx context.Context, c *Client) error {
		_, err := c.Query(ctx, Query{Syssn: "20261123000200020000000001"})
		return err
	},
	callClose: func(ctx context.Context, c *Client) error {
		return c.Close(ctx, someClose())
	},
}

func TestBrokenRepliesAreUnknown(t *testing.T) {
	for name, gateway := range map[string]http.HandlerFunc{
		"an internal error":        says(500, `{"respcd":"1103"}`),
		"a bad gateway":            says(502, "<html>"),
		"a gateway time-out":       says(504, ""),
		"not found":                says(404, `{"respcd":"0000"}`),
		"forbidden":                says(403, ""),
		"another success":          says(204, ""),
		"an empty body":            says(200, ""),
		"a page":                   says(200, "<html>maintenance</html>"),
		"null":                     says(200, "null"),
		"a list":                   says(200, "[]"),
		"no respcd":                says(200, `{"respmsg":"ok"}`),
		"respcd null":              says(200, `{"respcd":null}`),
		"half an object":           says(200, `{"respcd":"0000","openid":"oo`),
		"an oversized body":        says(200, `{"respcd":"1103","respmsg":"`+strings.Repeat("x", 1<<20)+`"}`),
		"a redirect":               redirects("/elsewhere"),
		"a redirect with no sense": redirects("http://%zz"),
		"a body that breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"respcd":"1103"}`)
		},
	} {
		for call, do := range calls {
			t.Run(name+" to "+call, func(t *testing.T) {
				var asked atomic.Int32
				client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					gateway(w, r)
				}))
				e := asError(t, do(t.Context(), client))
				assert.Equal(t, call, e.Call)
				assert.Equal(t, Unknown, e.Outcome)
				assert.Equal(t, FaultGateway, e.Fault)
				assert.NotZero(t, e.Status)
				assert.EqualValues(t, 1, asked.Load(), "nothing is asked twice, no redirect is followed")
			})
		}
	}
}

func redirects(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
	}
}

// bomb is a reply that is small on the way and large when it is unpacked.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(packedBomb())
}

var packedBomb = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	packed, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	_, _ = io.WriteString(packed, `{"respcd":"0000","openid":"o1","x":"`)
	_, _ = packed.Write(make([]byte, 2*maxReply))
	_, _ = io.WriteString(packed, `"}`)
	_ = packed.Close()
	return out.Bytes()
})

func TestAReplyIsUnpackedNoFurtherThanItsBound(t *testing.T) {
	assert.Less(t, len(packedBomb()), maxReply/10)
	for call, do := range calls {
		client := newClient(t, http.HandlerFunc(bomb))
		e := asError(t, do(t.Context(), client))
		assert.Equal(t, Unknown, e.Outcome, call)
		assert.ErrorContains(t, e, "longer than", call)
	}
}

func TestTheLargestBodyIsStillRead(t *testing.T) {
	const frame = `{"respcd":"0000","openid":"o1","x":""}`
	body := strings.Replace(frame, `"x":"`, `"x":"`+strings.Repeat("x", maxReply-len(frame)), 1)
	openid, err := newClient(t, says(200, body)).OpenID(t.Context(), "CODE")
	require.NoError(t, err)
	assert.Equal(t, "o1", openid)
}

func TestTheRateLimitIsARefusalThatSaysWhenToComeBack(t *testing.T) {
	for name, test := range map[string]struct {
		header string
		want   time.Duration
	}{
		"seconds":                     {"7", 7 * time.Second},
		"more than an hour":           {"86400", time.Hour},
		"more than any number":        {"99999999999999999999", time.Hour},
		"a large number":              {"18446744073709551615", time.Hour},
		"negative":                    {"-1", 0},
		"no word of it":               {"", 0},
		"nonsense":                    {"soon", 0},
		"a date in the past":          {"Mon, 02 Jan 2006 15:04:05 GMT", 0},
		"a date in the remote future": {"Fri, 31 Dec 2100 23:59:59 GMT", time.Hour},
	} {
		for call, do := range calls {
			t.Run(name+" to "+call, func(t *testing.T) {
				e := asError(t, do(t.Context(), newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", test.header)
					w.WriteHeader(http.StatusTooManyRequests)
				}))))
				assert.Equal(t, Refused, e.Outcome)
				assert.Equal(t, FaultBusy, e.Fault)
				assert.Equal(t, http.StatusTooManyRequests, e.Status)
				assert.Equal(t, test.want, e.RetryAfter)
			})
		}
	}
}

func TestNobodyThereIsARefusal(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	client, err := NewClient(Config{Gateway: server.URL, AppCode: testAppCode, ClientKey: testKey})
	require.NoError(t, err)
	for call, do := range calls {
		e := asError(t, do(t.Context(), client))
		assert.Equal(t, Refused, e.Outcome, call)
		assert.Equal(t, FaultSilent, e.Fault, call)
		assert.NotContains(t, e.Error(), "SENTINELCODE", call)
	}
}

func TestSilenceIsUnknown(t *testing.T) {
	hangsUp := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	var noTLS http.Handler = says(200, "")

	for name, client := range map[string]*Client{
		"a connection that closes": newClient(t, hangsUp),
		"no TLS where it should be": newClient(t, noTLS, func(c *Config) {
			c.Gateway = strings.Replace(c.Gateway, "http:", "https:", 1)
		}),
	} {
		for call, do := range calls {
			t.Run(name+" to "+call, func(t *testing.T) {
				e := asError(t, do(t.Context(), client))
				assert.Equal(t, Unknown, e.Outcome)
				assert.Equal(t, FaultSilent, e.Fault)
				assert.Zero(t, e.Status)
				assert.NotContains(t, e.Error(), "SENTINELCODE")
				assert.NotContains(t, e.Error(), testKey)
			})
		}
	}
}

func TestTimeOutsAreUnknown(t *testing.T) {
	beforeTheReply := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	amidTheReply := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"respcd":"0000",`)
		_ = http.NewResponseController(w).Flush()
		beforeTheReply(w, r)
	}
	for name, gateway := range map[string]http.HandlerFunc{"before": beforeTheReply, "amid": amidTheReply} {
		for call, do := range calls {
			t.Run(name+" the reply to "+call, func(t *testing.T) {
				client := newClient(t, gateway, func(c *Config) { c.Timeout = 50 * time.Millisecond })
				err := do(t.Context(), client)
				e := asError(t, err)
				assert.Equal(t, Unknown, e.Outcome)
				assert.Equal(t, FaultSilent, e.Fault)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.NotContains(t, e.Error(), "SENTINELCODE")
			})
		}
	}
}

func TestTheCallersContextIsRecognised(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"cancelled": {
			end: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(30*time.Millisecond, cancel)
				return ctx, cancel
			},
			want: context.Canceled,
		},
		"cancelled before the call": {
			end: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return ctx, cancel
			},
			want: context.Canceled,
		},
		"cancelled with a cause of its own": {
			end: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(ctx)
				time.AfterFunc(30*time.Millisecond, func() { cancel(errors.New("shutting down")) })
				return ctx, func() { cancel(nil) }
			},
			want: context.Canceled,
		},
		"expired": {
			end: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 30*time.Millisecond)
			},
			want: context.DeadlineExceeded,
		},
	} {
		for call, do := range calls {
			t.Run(call+" "+name, func(t *testing.T) {
				client := newClient(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					<-r.Context().Done()
				}))
				ctx, cancel := test.end(t.Context())
				defer cancel()
				err := do(ctx, client)
				assert.ErrorIs(t, err, test.want)
				assert.Equal(t, Unknown, asError(t, err).Outcome)
				assert.Equal(t, FaultSilent, asError(t, err).Fault)
			})
		}
	}
}

func TestResponseCodes(t *testing.T) {
	for _, test := range []struct {
		codes   string
		outcome Outcome
		fault   Fault
	}{
		{"1143 1145 2999 1101 1161 1252 1295 1296 1297 1298 2003", Unknown, FaultGateway},
		{"1108 1203 1241 1242 1243 1250 1254 1294", Refused, FaultShop},
		{"1113 1114 1115 1119 1122 1135 1140", Refused, FaultShop},
		{"1118 1123 1147 1201 1202 1204", Refused, FaultPayer},
		{"1103 1104 1124 1102 2011 1251 1136 1268", Refused, FaultRequest},
		{"1100 1205", Refused, FaultBusy},
		{"1142 1264 1181 2005 1263 2007", Refused, FaultPayer},
		{"1125 1261 1262 1266 1267 1155 1265 1269 1270 1271 1272", Refused, FaultRequest},
		{"1260", Unknown, FaultRequest},
		{"9999 0001 1 -1 abc", Unknown, FaultGateway}, // listed nowhere
	} {
		for respcd := range strings.FieldsSeq(test.codes) {
			client := newClient(t, says(200, fmt.Sprintf(`{"respcd":%q,"respmsg":"m","resperr":"e","data":"broken"}`, respcd)))
			for _, call := range []string{callPayment, callQuery} {
				if call == callQuery && (respcd == "1136" || respcd == "1268") {
					continue // there is no such trade: an answer
				}
				e := asError(t, calls[call](t.Context(), client))
				assert.Equal(t, &Error{
					Call: call, Respcd: respcd, Message: "m: e", Status: 200, Outcome: test.outcome, Fault: test.fault,
				}, e)
			}
		}
	}
}

func TestOpenIDBlamesThePayerUnlessTheCodeSaysOtherwise(t *testing.T) {
	for respcd, want := range map[string]struct {
		outcome Outcome
		fault   Fault
	}{
		"9999": {Refused, FaultPayer},
		"1103": {Refused, FaultPayer},
		"1136": {Refused, FaultPayer},
		"1181": {Refused, FaultPayer},
		"1108": {Refused, FaultShop},
		"2003": {Refused, FaultPayer},
		"1203": {Refused, FaultShop},
		"1140": {Refused, FaultShop},
		"1100": {Refused, FaultBusy},
		"1161": {Unknown, FaultGateway},
		"1297": {Unknown, FaultGateway},
	} {
		client := newClient(t, says(200, `{"respcd":"`+respcd+`"}`))
		e := asError(t, calls[callOpenID](t.Context(), client))
		assert.Equal(t, want.outcome, e.Outcome, respcd)
		assert.Equal(t, want.fault, e.Fault, respcd)
	}
}

func TestTheSignTypeIsAnnouncedOnlyForSHA256(t *testing.T) {
	for signType, want := range map[SignType][]string{MD5: nil, SHA256: {"SHA256"}} {
		for call, do := range calls {
			t.Run(string(signType)+" "+call, func(t *testing.T) {
				client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					signedParams(t, r, signType)
					assert.Equal(t, want, r.Header.Values("X-QF-SIGNTYPE"))
					says(200, `{"respcd":"9999"}`)(w, r)
				}), func(c *Config) { c.SignType = signType })
				assert.Error(t, do(t.Context(), client))
			})
		}
	}
}

func TestTheMchIDIsInEveryCallOrInNone(t *testing.T) {
	for _, mchid := range []string{"", "MCH123"} {
		for call, do := range calls {
			t.Run(call+" "+mchid, func(t *testing.T) {
				client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					assert.Equal(t, mchid, signedParams(t, r, MD5)["mchid"])
					assert.Equal(t, mchid != "", r.Form.Has("mchid"))
					says(200, `{"respcd":"9999"}`)(w, r)
				}), func(c *Config) { c.MchID = mchid })
				assert.Error(t, do(t.Context(), client))
			})
		}
	}
}

// roundTripper is a transport of a caller's.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAPostCannotBeRepeatedByTheTransport(t *testing.T) {
	for _, call := range []string{callPayment, callQuery, callClose} {
		client := newClient(t, nil, func(c *Config) {
			c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				assert.NotNil(t, r.Body)
				assert.Nil(t, r.GetBody)
				assert.NotContains(t, r.Header, "Idempotency-Key")
				assert.Positive(t, r.ContentLength)
				return nil, io.ErrUnexpectedEOF
			})
		})
		assert.ErrorIs(t, calls[call](t.Context(), client), io.ErrUnexpectedEOF)
	}
}

func TestAPostIsNotRepeatedWhenAKeptConnectionDies(t *testing.T) {
	for _, call := range []string{callPayment, callQuery, callClose} {
		var asked atomic.Int32
		client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > 1 {
				panic(http.ErrAbortHandler)
			}
			says(200, `{"respcd":"1103"}`)(w, r)
		}))
		assert.Equal(t, Refused, asError(t, calls[call](t.Context(), client)).Outcome, call)
		assert.Equal(t, Unknown, asError(t, calls[call](t.Context(), client)).Outcome, call)
		assert.EqualValues(t, 2, asked.Load(), call)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(says(200, `{"respcd":"0000","openid":"o1"}`))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client, err := NewClient(Config{Gateway: server.URL, AppCode: testAppCode, ClientKey: testKey})
	require.NoError(t, err)
	for range 5 {
		_, err := client.OpenID(t.Context(), "CODE")
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, connections.Load())
	client.CloseIdle()
	_, err = client.OpenID(t.Context(), "CODE")
	require.NoError(t, err)
	assert.EqualValues(t, 2, connections.Load())
}

func TestTheGatewaysWordingIsRidOfCodeAndOpenID(t *testing.T) {
	echoes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		_, _ = fmt.Fprintf(w, `{"respcd":"1104","respmsg":"not good: %s"}`, r.Form.Get("code")+r.Form.Get("sub_openid"))
	})
	_, err := newClient(t, echoes).OpenID(t.Context(), "SENTINELCODE")
	assert.Equal(t, "not good: [redacted]", asError(t, err).Message)
	payment := somePayment()
	payment.OpenID = "oSENTINEL-_OPENID"
	_, err = newClient(t, echoes).Pay(t.Context(), payment)
	assert.Equal(t, "not good: [redacted]", asError(t, err).Message)
}

func TestACodeWithControlCharactersIsThePayersFault(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was asked") }))
	for _, code := range []string{"a\x00b", "a\nb", "\xff"} {
		_, err := client.OpenID(t.Context(), code)
		e := asError(t, err)
		assert.Equal(t, Refused, e.Outcome)
		assert.Equal(t, FaultPayer, e.Fault)
		assert.NotContains(t, e.Error(), code)
	}
}

func TestAnURLInATransportsErrorIsNotShown(t *testing.T) {
	client := newClient(t, nil, func(c *Config) {
		c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: io.EOF}
		})
	})
	err := calls[callOpenID](t.Context(), client)
	assert.EqualError(t, err, "qfpay: openid: unknown (silent): EOF")
	assert.ErrorIs(t, err, io.EOF)
}

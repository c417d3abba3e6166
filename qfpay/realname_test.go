package qfpay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

const (
	testIDCard   = "11010519491231002X"
	testRealName = "欧阳·SENTINEL+\"𠮷\u3000é"
)

func someRealName() *RealName { return &RealName{Name: testRealName, IDCard: testIDCard} }

func withRealName() Payment {
	payment := somePayment()
	payment.RealName = someRealName()
	return payment
}

func TestTheRealNameIsSentAsDocumented(t *testing.T) {
	for name, want := range map[string]string{
		"小林":        `{"user_creid":"11010519491231002X","user_truename":"小林"}`,
		"A & B <C>": `{"user_creid":"11010519491231002X","user_truename":"A & B <C>"}`,
		`O"N\eil`:   `{"user_creid":"11010519491231002X","user_truename":"O\"N\\eil"}`,
	} {
		payment := somePayment()
		payment.RealName = &RealName{Name: name, IDCard: testIDCard}
		client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, want, signedParams(t, r, MD5)["extend_info"])
			says(200, preparedReply)(w, r)
		}))
		_, err := client.Pay(t.Context(), payment)
		assert.NoError(t, err)
	}
}

func TestWhatIsWrongWithARealNameIsNotSent(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was asked") }))
	for name, test := range map[string]struct {
		change func(*Payment)
		want   string
	}{
		"no name":                   {func(p *Payment) { p.RealName.Name = "" }, "user_truename"},
		"a name of spaces":          {func(p *Payment) { p.RealName.Name = " \u3000" }, "user_truename"},
		"a name of 129 bytes":       {func(p *Payment) { p.RealName.Name = "SENTINEL" + strings.Repeat("x", 121) }, "user_truename"},
		"a name that is not UTF-8":  {func(p *Payment) { p.RealName.Name = "SENTINEL\xff" }, "user_truename"},
		"a name over two lines":     {func(p *Payment) { p.RealName.Name = "SENTINEL\n" }, "user_truename"},
		"no number":                 {func(p *Payment) { p.RealName.IDCard = "" }, "user_creid must be 17 digits"},
		"a number of letters":       {func(p *Payment) { p.RealName.IDCard = "SENTINEL" }, "user_creid must be 17 digits"},
		"a wrong check digit":       {func(p *Payment) { p.RealName.IDCard = "110105194912310020" }, "user_creid must have the right"},
		"extend_info in two places": {func(p *Payment) { p.Params = map[string]string{"extend_info": "{}"} }, "extend_info"},
	} {
		t.Run(name, func(t *testing.T) {
			payment := withRealName()
			test.change(&payment)
			_, err := client.Pay(t.Context(), payment)
			e := asError(t, err)
			assert.Equal(t, Refused, e.Outcome)
			assert.ErrorContains(t, e, test.want)
			for _, secret := range []string{"SENTINEL", "110105194912"} {
				assert.NotContains(t, e.Error(), secret)
			}
		})
	}
}

// assertNoRealName fails if a way of printing a value shows any of the real name.
func assertNoRealName(t *testing.T, value any) {
	t.Helper()
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "value", value)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "value", value)
	marshalled, _ := json.Marshal(value)
	shown := []string{logged.String(), string(marshalled)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T"} {
		shown = append(shown, fmt.Sprintf(verb, value))
	}
	for _, text := range shown {
		for _, secret := range []string{"欧阳", "SENTINEL", "𠮷", "1010519491231002", `\u6b27`, `\ud842`, "%E6%AC%A7", "%e6%ac%a7"} {
			assert.NotContains(t, text, secret, "%T", value)
			assert.NotContains(t, strings.ToLower(text), fmt.Sprintf("%x", secret), "%T", value)
		}
	}
}

func TestTheRealNameIsNeverPrinted(t *testing.T) {
	payment := withRealName()
	for _, value := range []any{
		payment, &payment, payment.RealName, *payment.RealName, []any{payment}, map[string]Payment{"p": payment},
		struct{ P Payment }{payment}, struct{ p *Payment }{&payment}, struct{ R RealName }{*payment.RealName},
		call{name: "x", secrets: nil}, redact.Hiding(payment.RealName.secrets()...),
	} {
		assertNoRealName(t, value)
	}
	assert.Equal(t, "[redacted]", fmt.Sprint(payment.RealName))
	assert.Contains(t, fmt.Sprintf("%+v", payment), "OutTradeNo:01JDCX")
	assert.Contains(t, fmt.Sprintf("%+v", somePayment()), "RealName:<nil>")
}

// inJSON is a text as a JSON string in ASCII whose escapes have digits of the
// given format, as other languages write it.
func inJSON(text, digits string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		switch {
		case unit == '"' || unit == '\\':
			b.WriteString(`\` + string(rune(unit)))
		case unit < utf8.RuneSelf:
			b.WriteRune(rune(unit))
		default:
			fmt.Fprintf(&b, `\u`+digits, unit)
		}
	}
	return b.String()
}

// echoed are the spellings in which somebody may repeat what was sent.
func echoed() map[string]string {
	info := someRealName().extendInfo()
	return map[string]string{
		"both":              testRealName + " of " + testIDCard,
		"run together":      testIDCard + testRealName + testIDCard,
		"a small x":         strings.ToLower(testIDCard),
		"extend_info":       info,
		"extend_info, raw":  "extend_info=" + url.QueryEscape(info),
		"in a path":         url.PathEscape(info),
		"in small letters":  strings.ToLower(url.QueryEscape(testRealName)),
		"quoted":            strconv.Quote(info),
		"the name, quoted":  strconv.QuoteToASCII(testRealName),
		"in JSON's ASCII":   inJSON(testRealName, "%04X") + inJSON(testRealName, "%04x"),
		"in pieces":         "欧\u200b阳·SENT\nINEL+\"𠮷\u3000é",
		"long, and cut":     strings.Repeat("x", 190) + testIDCard + testRealName,
		"in pieces and cut": strings.Repeat("\u200b", 300) + "1101051949\t1231002X",
	}
}

func TestTheGatewaysWordingIsRidOfTheRealName(t *testing.T) {
	for name, echo := range echoed() {
		if name == "in JSON's ASCII" {
			continue // there, a message is JSON itself
		}
		quoted, err := json.Marshal(echo)
		require.NoError(t, err)
		for _, body := range []string{
			`{"respcd":"1104","respmsg":` + string(quoted) + `}`,
			`{"respcd":"1104","respmsg":"no","resperr":` + string(quoted) + `}`,
			`{"respcd":` + string(quoted) + `,"respmsg":"no"}`,
			`{"respcd":"0000","pay_params":` + string(quoted) + `}`,
		} {
			t.Run(name, func(t *testing.T) {
				_, err := newClient(t, says(200, body)).Pay(t.Context(), withRealName())
				assertNoRealName(t, asError(t, err))
				assertNoRealName(t, *asError(t, err))
				assert.NotContains(t, asError(t, err).Respcd, "SENTINEL")
			})
		}
	}
	_, err := newClient(t, says(200, `{"respcd":"1104","respmsg":"\u6b27\u9633\u00b7SENTINEL+\"\ud842\udfb7\u3000\u00e9: 11010519491231002X"}`)).
		Pay(t.Context(), withRealName())
	assert.EqualError(t, err, "qfpay: payment: refused (request): respcd 1104: bad request: wrong parameter: [redacted]: [redacted]")
}

// failing is a transport that fails with an error about what it was to send.
type failing func(*http.Request) error

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) { return nil, f(r) }

// holder is an error whose values say more than its wording.
type holder struct {
	error
	Sent string
}

func TestTheCausesOfErrorsAreRidOfTheRealName(t *testing.T) {
	failures := map[string]failing{
		"the body": func(r *http.Request) error {
			sent, _ := io.ReadAll(r.Body)
			return errors.New("proxy: " + string(sent)[:20] + "…" + string(sent))
		},
		"the body in a value": func(r *http.Request) error {
			sent, _ := io.ReadAll(r.Body)
			return fmt.Errorf("wrapped: %w", holder{errors.New("no luck"), string(sent)})
		},
	}
	for name, echo := range echoed() {
		failures[name] = func(*http.Request) error { return errors.New(echo) }
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, nil, func(c *Config) { c.Transport = fail })
			_, err := client.Pay(t.Context(), withRealName())
			assert.Equal(t, Unknown, asError(t, err).Outcome)
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				assertNoRealName(t, cause)
			}
		})
	}
}

func TestTimeOutsWithARealNameAreRecognised(t *testing.T) {
	hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	client := newClient(t, hangs, func(c *Config) { c.Timeout = 50 * time.Millisecond })
	_, err := client.Pay(t.Context(), withRealName())
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	client = newClient(t, hangs)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = client.Pay(ctx, withRealName())
	assert.ErrorIs(t, err, context.Canceled)
	assert.EqualError(t, err, "qfpay: payment: unknown (silent): context canceled")
}

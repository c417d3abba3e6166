package webhook

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheReferenceLibraryVerifiesWhatIsSent(t *testing.T) {
	shop := receive(t, answer(http.StatusNoContent))
	secret := newSecret(24)
	endpoint, err := New(shop.URL+"/paid", secret)
	require.NoError(t, err)
	defer endpoint.CloseIdle()

	require.NoError(t, endpoint.Send(t.Context(), paid(), time.Now()).Err)

	got := shop.deliveries()[0]
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	assert.NoError(t, verifier.Verify(got.body, got.header))

	t.Run("and refuses another body", func(t *testing.T) {
		altered := append([]byte(nil), got.body...)
		altered[len(altered)-2] ^= 1
		assert.ErrorIs(t, verifier.Verify(altered, got.header), standardwebhooks.ErrNoMatchingSignature)
	})
	t.Run("and refuses another id", func(t *testing.T) {
		header := got.header.Clone()
		header.Set("Webhook-Id", "01K5OTHER.paid")
		assert.ErrorIs(t, verifier.Verify(got.body, header), standardwebhooks.ErrNoMatchingSignature)
	})
	t.Run("and refuses another time", func(t *testing.T) {
		header := got.header.Clone()
		header.Set("Webhook-Timestamp", strconv.FormatInt(time.Now().Unix()-100, 10))
		assert.ErrorIs(t, verifier.Verify(got.body, header), standardwebhooks.ErrNoMatchingSignature)
	})
	t.Run("and refuses another secret", func(t *testing.T) {
		stranger, err := standardwebhooks.NewWebhook(newSecret(24))
		require.NoError(t, err)
		assert.ErrorIs(t, stranger.Verify(got.body, got.header), standardwebhooks.ErrNoMatchingSignature)
	})
}

func TestAMessageIsOnePostOfCompactJSON(t *testing.T) {
	shop := receive(t, answer(http.StatusOK))
	now := time.Unix(1_795_000_000, 999_999_999)

	result := open(t, shop.URL+"/paid?token=t").Send(t.Context(), paid(), now)

	assert.Equal(t, Result{Delivered: true, Status: 200}, result)
	require.Len(t, shop.deliveries(), 1)
	got := shop.deliveries()[0]
	assert.Equal(t, "POST", got.method)
	assert.Equal(t, "/paid?token=t", got.uri)
	assert.Equal(t,
		`{"type":"order.paid","timestamp":"2026-11-23T04:00:00Z",`+
			`"data":{"amount":12800,"currency":"HKD","order":"01K5ORDER"}}`,
		string(got.body))
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	assert.Equal(t, "caddy-qfpay-jsapi", got.header.Get("User-Agent"))
	assert.Equal(t, "01K5ORDER.paid", got.header.Get("Webhook-Id"))
	assert.Equal(t, "1795000000", got.header.Get("Webhook-Timestamp"))
	assert.Regexp(t, `^v1,[A-Za-z0-9+/]{43}=$`, got.header.Get("Webhook-Signature"))
}

func TestARetryRepeatsIDAndBodyWithATimeAndSignatureOfItsOwn(t *testing.T) {
	shop := receive(t, answer(http.StatusInternalServerError))
	endpoint := open(t, shop.URL)
	now := time.Unix(1_795_000_000, 0)

	endpoint.Send(t.Context(), paid(), now)
	endpoint.Send(t.Context(), paid(), now.Add(5*time.Second))

	require.Len(t, shop.deliveries(), 2)
	first, second := shop.deliveries()[0], shop.deliveries()[1]
	assert.Equal(t, first.header.Get("Webhook-Id"), second.header.Get("Webhook-Id"))
	assert.Equal(t, first.body, second.body)
	assert.Equal(t, "1795000005", second.header.Get("Webhook-Timestamp"))
	assert.NotEqual(t, first.header.Get("Webhook-Signature"), second.header.Get("Webhook-Signature"))
}

func TestAMessageThatCannotBeSentIsNot(t *testing.T) {
	shop := receive(t, answer(http.StatusOK))
	for name, change := range map[string]func(*Message){
		"no id":                   func(m *Message) { m.ID = "" },
		"an id with a line break": func(m *Message) { m.ID = "a\nb" },
		"an id with a brace":      func(m *Message) { m.ID = "a.1.{" },
		"data that is no JSON":    func(m *Message) { m.Data = []byte("{") },
		"a time beyond RFC 3339":  func(m *Message) { m.Timestamp = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			message := paid()
			change(&message)
			result := open(t, shop.URL).Send(t.Context(), message, time.Now())
			assert.Error(t, result.Err)
			assert.False(t, result.Delivered)
		})
	}
	assert.Empty(t, shop.deliveries())
}

func TestASlowEndpointIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	shop := receive(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })

	t.Run("when the caller's time is up", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		result := open(t, shop.URL).Send(ctx, paid(), time.Now())
		assert.ErrorIs(t, result.Err, context.DeadlineExceeded)
		assert.False(t, result.Delivered)
		assert.Zero(t, result.Status)
	})
	t.Run("when the attempt's own time is up", func(t *testing.T) {
		endpoint := open(t, shop.URL)
		assert.Equal(t, 15*time.Second, endpoint.timeout)
		endpoint.timeout = 30 * time.Millisecond
		assert.ErrorIs(t, endpoint.Send(t.Context(), paid(), time.Now()).Err, context.DeadlineExceeded)
	})
	t.Run("when the caller gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, open(t, shop.URL).Send(ctx, paid(), time.Now()).Err, context.Canceled)
	})
}

func TestAnAnswersBodyIsReadNoFurtherThanItsBound(t *testing.T) {
	taken := make(chan int, 1)
	shop := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		written := 0
		for chunk := make([]byte, 4<<10); ; {
			n, err := w.Write(chunk)
			written += n
			if err != nil {
				taken <- written
				return
			}
		}
	})

	result := open(t, shop.URL).Send(t.Context(), paid(), time.Now())

	assert.True(t, result.Delivered)
	select {
	case written := <-taken:
		assert.Less(t, written, 64<<20, "more than the buffers on the way can hold")
	case <-time.After(5 * time.Second):
		t.Error("the endpoint could go on writing")
	}
}

func TestAnAnswerIsNotUnpacked(t *testing.T) {
	shop := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("this is no gzip"))
	})
	assert.True(t, open(t, shop.URL).Send(t.Context(), paid(), time.Now()).Delivered)
	assert.NotContains(t, shop.deliveries()[0].header, "Accept-Encoding")
}

func TestAnAnswerIsGivenBeforeItsBody(t *testing.T) {
	release := make(chan struct{})
	shop := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	t.Cleanup(func() { close(release) })
	endpoint := open(t, shop.URL)
	endpoint.timeout = 50 * time.Millisecond

	assert.Equal(t, Result{Delivered: true, Status: 200}, endpoint.Send(t.Context(), paid(), time.Now()))
}

func TestAHeaderWithoutEndIsCut(t *testing.T) {
	shop := receive(t, answer(http.StatusOK, "X-Long", strings.Repeat("x", 32<<10)))

	result := open(t, shop.URL).Send(t.Context(), paid(), time.Now())

	assert.Error(t, result.Err)
	assert.False(t, result.Delivered)
}

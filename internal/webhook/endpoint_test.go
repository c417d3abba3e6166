package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheIDFollowsFromTheURLAlone(t *testing.T) {
	id := open(t, "https://shop.example/paid?a=1").ID()
	assert.Regexp(t, `^[0-9a-f]{8}$`, id)
	assert.Equal(t, "e6f8e752", id, "it names marks in storage and must never change")
	assert.Equal(t, id, open(t, "https://shop.example/paid?a=1").ID(), "another secret")
	assert.NotEqual(t, id, open(t, "https://shop.example/paid?a=2").ID())
	assert.NotEqual(t, id, open(t, "https://shop.example/other?a=1").ID())
}

func TestNothingPrintsTheSecret(t *testing.T) {
	secret := newSecret(32)
	endpoint, err := New("https://shop.example/paid", secret)
	require.NoError(t, err)
	key, err := parseSecret(secret)
	require.NoError(t, err)

	holder := struct {
		inside *Endpoint
		Open   *Endpoint
		value  Endpoint
	}{endpoint, endpoint, *endpoint}
	for _, value := range []any{endpoint, *endpoint, holder, &holder, []*Endpoint{endpoint}} {
		for _, text := range printed(t, value) {
			assert.NotContains(t, text, strings.TrimPrefix(secret, secretPrefix))
			assert.NotContains(t, text, strings.Trim(fmt.Sprint(key), "[]"))
			assert.NotContains(t, text, hex.EncodeToString(key))
		}
	}
}

func TestAnEndpointIsPrintedWithoutItsQuery(t *testing.T) {
	endpoint := open(t, "https://shop.example/paid?token=opensesame")
	assert.Equal(t, "https://shop.example/paid", endpoint.String())

	holder := struct{ Open, inside *Endpoint }{endpoint, endpoint}
	for _, value := range []any{endpoint, holder, &holder, []*Endpoint{endpoint}} {
		for _, text := range printed(t, value) {
			assert.NotContains(t, text, "opensesame")
		}
	}
}

// printed is value in all the ways in which it might get into a log.
func printed(t *testing.T, value any) (texts []string) {
	t.Helper()
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		texts = append(texts, fmt.Sprintf(format, value))
	}
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return append(texts, string(encoded))
}

func TestAnEndpointKeepsItsConnection(t *testing.T) {
	var opened atomic.Int32
	shop := newReceiver(t, answer(http.StatusOK))
	shop.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	shop.Start()
	t.Cleanup(shop.Close)
	endpoint := open(t, shop.URL)

	for range 3 {
		require.True(t, endpoint.Send(t.Context(), paid(), time.Now()).Delivered)
	}
	assert.EqualValues(t, 1, opened.Load())

	endpoint.CloseIdle()
	require.True(t, endpoint.Send(t.Context(), paid(), time.Now()).Delivered)
	assert.EqualValues(t, 2, opened.Load())
}

func TestAnEndpointSpeaksHTTP2OverTLS(t *testing.T) {
	shop := newReceiver(t, answer(http.StatusOK))
	shop.EnableHTTP2 = true
	shop.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails on purpose
	shop.StartTLS()
	t.Cleanup(shop.Close)

	t.Run("with a certificate it trusts", func(t *testing.T) {
		endpoint := open(t, shop.URL)
		roots := x509.NewCertPool()
		roots.AddCert(shop.Certificate())
		endpoint.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		result := endpoint.Send(t.Context(), paid(), time.Now())
		require.NoError(t, result.Err)
		require.Len(t, shop.deliveries(), 1)
		assert.Equal(t, 2, shop.deliveries()[0].protocol)
	})
	t.Run("and with no other", func(t *testing.T) {
		result := open(t, shop.URL).Send(t.Context(), paid(), time.Now())
		var untrusted *tls.CertificateVerificationError
		assert.ErrorAs(t, result.Err, &untrusted)
		assert.Len(t, shop.deliveries(), 1)
	})
}

func TestNoProxyIsTakenFromTheEnvironment(t *testing.T) {
	assert.Nil(t, open(t, "https://shop.example/paid").transport.Proxy)
}

func FuzzEndpoint(f *testing.F) {
	f.Fuzz(func(t *testing.T, rawURL, secret string) {
		endpoint, err := New(rawURL, secret)
		require.Equal(t, CheckURL(rawURL) == nil && CheckSecret(secret) == nil, err == nil)
		if err == nil {
			require.Regexp(t, `^[0-9a-f]{8}$`, endpoint.ID())
		}
	})
}

func TestMessagesDoNotWaitForEachOther(t *testing.T) {
	const messages = 16
	var arrived atomic.Int32
	all := make(chan struct{})
	shop := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		if arrived.Add(1) == messages {
			close(all)
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
	})
	endpoint := open(t, shop.URL)
	endpoint.timeout = 5 * time.Second

	var sent sync.WaitGroup
	for range messages {
		sent.Go(func() { assert.NoError(t, endpoint.Send(t.Context(), paid(), time.Now()).Err) })
	}
	sent.Wait()
}

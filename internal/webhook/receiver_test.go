package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newSecret makes the secret of a key of so many random bytes.
func newSecret(bytes int) string {
	key := make([]byte, bytes)
	_, _ = rand.Read(key) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// A receiver is an endpoint's far side. It remembers what it was sent.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	seen []delivery
}

type delivery struct {
	method, uri string
	protocol    int
	header      http.Header
	body        []byte
}

// receive starts a receiver that answers with handler.
func receive(t *testing.T, handler http.HandlerFunc) *receiver {
	t.Helper()
	r := newReceiver(t, handler)
	r.Start()
	t.Cleanup(r.Close)
	return r
}

func newReceiver(t *testing.T, handler http.HandlerFunc) *receiver {
	r := &receiver{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		assert.NoError(t, err)
		r.mu.Lock()
		r.seen = append(r.seen, delivery{request.Method, request.RequestURI, request.ProtoMajor, request.Header, body})
		r.mu.Unlock()
		handler(w, request)
	}))
	return r
}

func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery(nil), r.seen...)
}

// answer is a handler that answers with a status and headers, in pairs of name
// and value.
func answer(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

// open makes the endpoint at a URL, with a secret of its own.
func open(t *testing.T, rawURL string) *Endpoint {
	t.Helper()
	endpoint, err := New(rawURL, newSecret(32))
	require.NoError(t, err)
	t.Cleanup(endpoint.CloseIdle)
	return endpoint
}

// paid is a message such as the shop's owner receives.
func paid() Message {
	return Message{
		ID:        "01K5ORDER.paid",
		Type:      "order.paid",
		Timestamp: time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("HKT", 8*60*60)),
		Data:      json.RawMessage(`{"amount":12800,"currency":"HKD","order":"01K5ORDER"}`),
	}
}

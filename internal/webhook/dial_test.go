package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDialConnectsAndSendsNothing(t *testing.T) {
	shop := receive(t, answer(http.StatusOK))
	endpoint, err := New(shop.URL+"/paid?token=hidden", newSecret(32))
	require.NoError(t, err)
	assert.NoError(t, endpoint.Dial(t.Context()))
	assert.Empty(t, shop.deliveries())

	shop.Close()
	err = endpoint.Dial(t.Context())
	assert.ErrorContains(t, err, endpoint.target.Host+" cannot be reached: ")
	assert.NotContains(t, err.Error(), "hidden")
}

func TestDialMindsTheCertificateAsDeliveriesDo(t *testing.T) {
	shop := newReceiver(t, answer(http.StatusOK))
	shop.Config.ErrorLog = log.New(io.Discard, "", 0) // of a handshake that is refused
	shop.StartTLS()
	t.Cleanup(shop.Close)
	endpoint := open(t, shop.URL+"/paid?token=hidden")
	err := endpoint.Dial(t.Context())
	assert.ErrorContains(t, err, "certificate")
	assert.NotContains(t, err.Error(), "hidden")
	assert.Error(t, endpoint.Send(t.Context(), paid(), time.Now()).Err)

	roots := x509.NewCertPool()
	roots.AddCert(shop.Certificate())
	endpoint.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	assert.NoError(t, endpoint.Dial(t.Context()))
	assert.Empty(t, shop.deliveries())
}

func TestDialGoesNowhereThatDeliveriesDoNot(t *testing.T) {
	shop := receive(t, answer(http.StatusOK))
	endpoint, err := newEndpoint("http://shop.example:"+shop.port(t), newSecret(32), names("127.0.0.1"))
	require.NoError(t, err)
	err = endpoint.Dial(t.Context())
	assert.ErrorIs(t, err, ErrNotPublic)
	assert.ErrorContains(t, err, "to reach a private one, the webhook URL must name the IP address itself")
}

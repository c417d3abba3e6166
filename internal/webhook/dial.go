package webhook

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

// Dial opens a connection to the endpoint as [Endpoint.Send] does, certificate
// included, and closes it: it sends nothing. The error shows the host and not the
// URL. It is [ErrNotPublic] where no message may go.
func (e *Endpoint) Dial(ctx context.Context) error {
	port := cmp.Or(e.target.Port(), map[string]string{"http": "80", "https": "443"}[e.target.Scheme])
	connection, err := e.transport.DialContext(ctx, "tcp", net.JoinHostPort(e.target.Hostname(), port))
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", e.target.Host, err)
	}
	defer connection.Close()
	if e.target.Scheme == "http" {
		return nil
	}
	if err := tls.Client(connection, e.tlsConfig()).HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%s cannot be trusted: %w", e.target.Host, err)
	}
	return nil
}

// tlsConfig is that of the transport, for this one host.
func (e *Endpoint) tlsConfig() *tls.Config {
	config := &tls.Config{}
	if e.transport.TLSClientConfig != nil {
		config = e.transport.TLSClientConfig.Clone()
	}
	config.ServerName = e.target.Hostname()
	return config
}

// Package webhook tells one endpoint about one event, once, in the manner of
// Standard Webhooks 1.0.0, and knows when to try again. What happened and what
// has been delivered is remembered elsewhere.
package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Endpoint is a place that is told. It is safe for concurrent use, and keeps
// connections open between messages until [Endpoint.CloseIdle].
type Endpoint struct {
	target *url.URL
	// A function rather than the key itself: nothing that prints a value,
	// however deep it looks, prints what a function has captured.
	sign      signer
	transport *http.Transport
	timeout   time.Duration
}

// attemptTimeout bounds a whole attempt: looking up the name, connecting,
// sending and reading the answer.
const attemptTimeout = 15 * time.Second

// New makes the endpoint at rawURL, as [CheckURL] wants it, whose messages are
// signed with secret, as [CheckSecret] wants it. It calls nobody. Its errors
// show neither the URL nor the secret.
func New(rawURL, secret string) (*Endpoint, error) {
	return newEndpoint(rawURL, secret, net.DefaultResolver)
}

func newEndpoint(rawURL, secret string, names *net.Resolver) (*Endpoint, error) {
	target, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	key, err := parseSecret(secret)
	if err != nil {
		return nil, err
	}
	return &Endpoint{
		target:    target,
		sign:      newSigner(key),
		transport: newTransport(target.Hostname(), names),
		timeout:   attemptTimeout,
	}, nil
}

// ID names the endpoint in the ledger: 8 hex digits that follow from the
// whole URL, query included, and not from the secret, so that a new secret
// leads to no second delivery of what was delivered.
func (e *Endpoint) ID() string {
	sum := sha256.Sum256([]byte(e.target.String()))
	return hex.EncodeToString(sum[:4])
}

// String is the URL for logs: scheme, host and path. The query, in which
// receivers like to put tokens, is left out.
func (e *Endpoint) String() string {
	shown := url.URL{Scheme: e.target.Scheme, Host: e.target.Host, Path: e.target.Path, RawPath: e.target.RawPath}
	return shown.String()
}

// CloseIdle closes the connections that no message is using. The endpoint
// stays usable.
func (e *Endpoint) CloseIdle() { e.transport.CloseIdleConnections() }

package webhook

import (
	"net"
	"net/http"
	"time"
)

// newTransport connects to the one host of an endpoint.
//
// It takes no proxy from the environment: a proxy would look up and connect to
// the host itself, where [guard] cannot see the address, and the proxy's own
// address is usually a private one, which guard would have to let pass.
func newTransport(host string, names *net.Resolver) *http.Transport {
	dialer := &net.Dialer{
		Timeout:        10 * time.Second,
		Resolver:       names,
		ControlContext: newGuard(host).control,
	}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // answers are dropped, so there is nothing to unpack
		TLSHandshakeTimeout:    10 * time.Second,
		MaxConnsPerHost:        0, // the outbox bounds the attempts; here, waiting would count as sending
		MaxIdleConns:           8,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
	}
}

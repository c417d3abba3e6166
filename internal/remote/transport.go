package remote

import (
	"net"
	"net/http"
	"time"
)

// NewTransport returns a transport that keeps up to idle connections to one host
// and honours the usual proxy variables of the environment.
//
// It is not http.DefaultTransport, whose settings and closed connections belong
// to others. Connections are dropped before servers usually do so (a minute),
// because a request that is sent into a connection just closed has an unknown
// outcome.
func NewTransport(idle int) http.RoundTripper {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{
			Timeout:   5 * time.Second,
			KeepAlive: 15 * time.Second,
		}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConns:           2 * idle,
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

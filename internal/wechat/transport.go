package wechat

import (
	"net"
	"net/http"
	"time"
)

// sharedTransport is of the package's own, so that settings and closed
// connections of http.DefaultTransport are none of its business. There is one
// host to talk to, and one short call for each payment.
var sharedTransport http.RoundTripper = &http.Transport{
	Proxy: http.ProxyFromEnvironment,
	DialContext: (&net.Dialer{
		Timeout:   5 * time.Second,
		KeepAlive: 15 * time.Second,
	}).DialContext,
	ForceAttemptHTTP2:      true,
	TLSHandshakeTimeout:    5 * time.Second,
	MaxIdleConns:           128,
	MaxIdleConnsPerHost:    64,
	IdleConnTimeout:        30 * time.Second,
	MaxResponseHeaderBytes: 64 << 10,
}

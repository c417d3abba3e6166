package qfpayjsapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// origin is scheme and host under which a payer reaches the site, such as
// https://shop.example.com.
type origin string

func (o origin) secure() bool { return strings.HasPrefix(string(o), "https://") }

// origin returns the configured public URL, or else that of the request.
func (h *Handler) origin(r *http.Request) origin {
	if h.PublicURL != "" {
		return origin(strings.TrimSuffix(h.PublicURL, "/"))
	}
	return requestOrigin(r)
}

// maxHost bounds a host with its port, as DNS bounds the names.
const maxHost = 255 + len(":65535")

// isPlausible reports whether payers can be sent back to an origin. Anybody may
// write anything into the Host of a request.
func (o origin) isPlausible() bool {
	u, err := url.Parse(string(o))
	return err == nil && u.Hostname() != "" && u.User == nil && len(u.Host) <= maxHost && string(o) == u.Scheme+"://"+u.Host &&
		!strings.ContainsAny(u.Host, "%!$&'()*+,;=\"<>")
}

// requestOrigin is what the request itself says. Forwarded headers count only
// from proxies that the server is told to trust.
func requestOrigin(r *http.Request) origin {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); trusted {
		if forwarded := r.Header.Get("X-Forwarded-Proto"); forwarded == "http" || forwarded == "https" {
			scheme = forwarded
		}
		if forwarded := r.Header.Get("X-Forwarded-Host"); forwarded != "" {
			host = forwarded
		}
	}
	return origin(scheme + "://" + host)
}

// clientAddress is the payer's address as Caddy determined it.
func clientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}

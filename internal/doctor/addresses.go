package doctor

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

func (s Shop) checkPublicURL(ctx context.Context) Finding {
	switch {
	case s.PublicURL == "" && s.Hosts == nil:
		return warning("Set public_url: payers are sent back to whatever Host their request names, in an address that the merchant's key signs.",
			"public_url is not set, and the site's own host names cannot be determined")
	case s.PublicURL == "":
		return warning("Set public_url, so that the addresses given to payers and the gateway do not depend on the Host of a request.",
			"public_url is not set: it is taken from each request, which must name one of: %s", strings.Join(s.Hosts, ", "))
	case !strings.HasPrefix(s.PublicURL, "https://"):
		return warning("Serve the site over https: WeChat warns about http pages, and cookies can be read in transit.", "%s is not https", s.PublicURL)
	default:
		return checkSite(ctx, s.PublicURL, s.PublicURL+s.Path+"/status/doctor")
	}
}

// checkSite asks the site about an order that cannot exist, as this program answers
// it. Many machines cannot see themselves from outside, so silence proves nothing.
func checkSite(ctx context.Context, site, address string) Finding {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return bad("Correct public_url.", "public_url cannot be read")
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return good("%s, though this machine cannot reach it: %v", site, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil || response.StatusCode != http.StatusNotFound || !bytes.Contains(text, []byte(`"unknown order"`)) {
		return bad("Check that the name leads to this site, and what is in front of it: payers are sent back there.",
			"%s is not answered by this program, but with status %d", address, response.StatusCode)
	}
	return good("%s", site)
}

// checkNotifications looks, as far as it can be seen from here, whether the gateway
// can reach the notify address.
func (s Shop) checkNotifications(ctx context.Context) Finding {
	const without = "Without notifications, payments are found by asking the gateway, seconds to minutes later."
	switch {
	case s.NotifyOff:
		return warning(without, "notify_url is off")
	case s.NotifyURL == "" && s.PublicURL == "":
		return warning("Set public_url.", "the notify address depends on the request, because public_url is not set")
	case s.NotifyURL == "":
		return warning(without+" Set notify_url to an address on port 80 or 443.",
			"the gateway can only reach ports 80 and 443, so %s%s is not sent with payments: notifications come only where the gateway knows the address otherwise", s.PublicURL, s.NotifyPath)
	}
	target, err := url.Parse(s.NotifyURL)
	if err != nil {
		return bad("Correct notify_url.", "notify_url cannot be read")
	}
	if found, private := checkHost(ctx, target.Hostname()); private {
		return found
	}
	return checkNotifyAnswer(ctx, s.NotifyURL)
}

// checkHost reports a name that nobody outside can follow.
func checkHost(ctx context.Context, host string) (found Finding, private bool) {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return bad("Create a DNS record for it.", "%s cannot be resolved: %v", host, err), true
	}
	for _, address := range addresses {
		if webhook.Public(address) {
			return Finding{}, false
		}
	}
	return bad("Use an address on the public Internet, or set notify_url off.", "%s resolves to %v, which the gateway cannot reach", host, firstOf(addresses)), true
}

func firstOf(addresses []netip.Addr) netip.Addr {
	if len(addresses) == 0 {
		return netip.Addr{}
	}
	return addresses[0].Unmap()
}

// checkNotifyAnswer looks whether the notify address answers as this program does,
// which takes POST alone there.
func checkNotifyAnswer(ctx context.Context, address string) Finding {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return bad("Correct notify_url.", "notify_url cannot be read")
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return bad("Make it reachable: check name, firewall and certificate.", "%s does not answer from this machine: %v", address, err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != http.MethodPost {
		return bad("Check what is in front of the site: a login, a redirect or another server keeps the gateway out.",
			"%s answers a GET with status %d instead of 405", address, response.StatusCode)
	}
	return good("%s answers from this machine", address)
}

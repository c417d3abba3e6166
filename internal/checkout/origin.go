package checkout

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origin is scheme and host under which a payer reaches the site, such as
// https://shop.example.com.
type Origin string

// Secure reports whether the payer comes over https.
func (o Origin) Secure() bool { return strings.HasPrefix(string(o), "https://") }

// maxHost bounds a host with its port, as DNS bounds the names.
const maxHost = 255 + len(":65535")

// isPlausible reports whether payers can be sent back to an origin. Anybody may
// write anything into the Host of a request.
func (o Origin) isPlausible() bool {
	u, err := url.Parse(string(o))
	return err == nil && u.Hostname() != "" && u.User == nil && len(u.Host) <= maxHost && string(o) == u.Scheme+"://"+u.Host &&
		!strings.ContainsAny(u.Host, "%!$&'()*+,;=\"<>")
}

// Origin returns the configured public URL, or else that of the request.
func (c *Checkout) Origin(r *http.Request) Origin {
	if c.PublicURL != "" {
		return Origin(strings.TrimSuffix(c.PublicURL, "/"))
	}
	return c.Server.Origin(r)
}

// elsewhere is where a start belongs that did not come under the public URL: its
// cookie would not come back from there. It is "" for one that came there. The address
// has a mark, so that nobody is sent twice where requests never show the public name,
// because a proxy puts another in its place.
func (c *Checkout) elsewhere(r *http.Request) string {
	if c.PublicURL == "" || slices.Contains(strings.Split(r.URL.RawQuery, "&"), movedMark) {
		return ""
	}
	public := c.Origin(r)
	if came := c.Server.Origin(r); came.Secure() == public.Secure() && came.hostname() == public.hostname() {
		return ""
	}
	query := movedMark
	if r.URL.RawQuery != "" {
		query = r.URL.RawQuery + "&" + movedMark
	}
	return string(public) + r.URL.EscapedPath() + "?" + query
}

// movedMark is in the query of a start that was sent to the public URL: at its end,
// unless something on the way sorts queries or adds to them.
const movedMark = "moved=1"

// hostname is the name without its port, in small letters.
func (o Origin) hostname() string {
	u, err := url.Parse(string(o))
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Accepts reports whether payers may be sent back to an origin that a request
// named: to one of the site's own hosts, or to any that can exist where those are
// not known.
func (c *Checkout) Accepts(site Origin) bool {
	if c.PublicURL != "" {
		return true
	}
	if !site.isPlausible() {
		return false
	}
	return c.Hosts == nil || slices.Contains(c.Hosts, site.hostname())
}

package pages

import (
	"net/url"
	"strings"
)

// safe returns raw if it is an http(s) URL or an address on this site, and ""
// for anything else: a page may put it where a browser follows it.
func safe(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(raw, `\`) {
		return ""
	}
	switch {
	case u.Scheme == "http" || u.Scheme == "https":
		if u.Host == "" {
			return ""
		}
	case u.Scheme != "" || u.Host != "" || strings.HasPrefix(raw, "//"):
		return ""
	}
	return u.String()
}

// absolute returns raw if it is a safe URL with a host, and "" for anything
// else.
func absolute(raw string) string {
	link := safe(raw)
	if u, err := url.Parse(link); err != nil || u.Host == "" {
		return ""
	}
	return link
}

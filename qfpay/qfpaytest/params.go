package qfpaytest

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	// maxBody bounds the body of a request, in bytes.
	maxBody = 64 << 10

	formType = "application/x-www-form-urlencoded"
)

// params are decoded parameters by name; none is empty, none came twice.
type params map[string]string

// parseParams decodes a query or a form more strictly than net/url does.
func parseParams(encoded string) (params, *refusal) {
	p := params{}
	if encoded == "" {
		return p, nil
	}
	for pair := range strings.SplitSeq(encoded, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, badName := url.QueryUnescape(rawName)
		value, badValue := url.QueryUnescape(rawValue)
		_, repeated := p[name]
		switch {
		case badName != nil || badValue != nil || !utf8.ValidString(name+value):
			return nil, refuse(respcdForm, "%s: not URL-encoded UTF-8", name)
		case name == "":
			return nil, refuse(respcdForm, "a parameter has no name")
		case value == "":
			return nil, refuse(respcdForm, "%s: empty", name)
		case repeated:
			return nil, refuse(respcdForm, "%s: repeated", name)
		}
		p[name] = value
	}
	return p, nil
}

// requestParams takes the parameters from the query of a GET and from the body
// of a POST, and refuses any that are in the other place.
func requestParams(r *http.Request) (params, *refusal) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, refuse(respcdForm, "body: cannot be read")
	case len(body) > maxBody:
		return nil, refuse(respcdForm, "body: longer than %d bytes", maxBody)
	case r.Method != http.MethodPost && len(body) > 0:
		return nil, refuse(respcdForm, "body: not allowed with %s", r.Method)
	case r.Method != http.MethodPost:
		return parseParams(r.URL.RawQuery)
	case r.URL.RawQuery != "":
		return nil, refuse(respcdForm, "query: parameters belong into the body")
	case !isForm(r):
		return nil, refuse(respcdForm, "Content-Type: not %s", formType)
	}
	return parseParams(string(body))
}

func isForm(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mediaType == formType
}

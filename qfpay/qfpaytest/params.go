package qfpaytest

import (
	"io"
	"maps"
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

// params are decoded parameters by name; none came twice.
type params map[string]string

// filled are those that are not empty.
func (p params) filled() params {
	filled := maps.Clone(p)
	maps.DeleteFunc(filled, func(_, value string) bool { return value == "" })
	return filled
}

// parseParams decodes a query or a form more strictly than net/url does. Only the
// strict refuse a parameter that is empty.
func parseParams(encoded string, strict bool) (params, *refusal) {
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
		case value == "" && strict:
			return nil, refuse(respcdForm, "%s: empty", name)
		case repeated:
			return nil, refuse(respcdForm, "%s: repeated", name)
		}
		p[name] = value
	}
	return p, nil
}

// requestParams takes the parameters from the query of a GET, and from the body
// of a POST and, unless strict, from its query.
func requestParams(r *http.Request, strict bool) (params, *refusal) {
	body, wrong := readBody(r)
	switch {
	case wrong != nil:
		return nil, wrong
	case r.Method != http.MethodPost && body != "":
		return nil, refuse(respcdForm, "body: not allowed with %s", r.Method)
	case r.Method != http.MethodPost:
		return parseParams(r.URL.RawQuery, strict)
	case strict && r.URL.RawQuery != "":
		return nil, refuse(respcdForm, "query: parameters belong in the body")
	case body == "":
		return parseParams(r.URL.RawQuery, strict)
	case !isForm(r.Header.Get("Content-Type"), strict):
		return nil, refuse(respcdForm, "Content-Type: not %s", formType)
	case r.URL.RawQuery != "":
		return parseParams(r.URL.RawQuery+"&"+body, strict)
	}
	return parseParams(body, strict)
}

func readBody(r *http.Request) (string, *refusal) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return "", refuse(respcdForm, "body: cannot be read")
	case len(body) > maxBody:
		return "", refuse(respcdForm, "body: longer than %d bytes", maxBody)
	}
	return string(body), nil
}

// isForm says whether a body of that type is read as a form. Unless strict, one
// without a type, or with a wrong one, is; JSON and multipart are never.
func isForm(contentType string, strict bool) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if strict {
		return err == nil && mediaType == formType
	}
	return !strings.HasSuffix(mediaType, "json") && !strings.HasPrefix(mediaType, "multipart/")
}

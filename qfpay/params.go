package qfpay

import (
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// params are the parameters of a request as they are signed and sent: sorted by
// name in byte order, none of them empty.
type params []param

type param struct{ name, value string }

func sorted(values map[string]string) params {
	all := make(params, 0, len(values)+2) // room for mchid and sign
	for name, value := range values {
		if value != "" {
			all = append(all, param{name, value})
		}
	}
	all.sort()
	return all
}

func (p params) sort() {
	slices.SortFunc(p, func(a, b param) int { return strings.Compare(a.name, b.name) })
}

// with adds one parameter, unless it is empty.
func (p params) with(name, value string) params {
	if value == "" {
		return p
	}
	p = append(p, param{name, value})
	p.sort()
	return p
}

// size is how many bytes the parameters take when they are joined as they are.
func (p params) size() (bytes int) {
	for _, each := range p {
		bytes += len(each.name) + len(each.value) + len("=&")
	}
	return bytes
}

// sign signs the parameters, joined raw, and the client key behind them.
func (p params) sign(t SignType, clientKey string) string {
	signed := make([]byte, 0, p.size()+len(clientKey))
	for i, each := range p {
		if i > 0 {
			signed = append(signed, '&')
		}
		signed = append(append(append(signed, each.name...), '='), each.value...)
	}
	return digest(t, append(signed, clientKey...))
}

// form is the parameters as the body of a form.
func (p params) form() string {
	var form strings.Builder
	form.Grow(p.size() + p.size()/2)
	for i, each := range p {
		if i > 0 {
			form.WriteByte('&')
		}
		form.WriteString(url.QueryEscape(each.name))
		form.WriteByte('=')
		form.WriteString(url.QueryEscape(each.value))
	}
	return form.String()
}

// query is the parameters as the query of an address.
func (p params) query() string { return remote.Plusless(p.form()) }

package qfpaytest

import "net/http"

// The headers of a signed request.
const (
	headerAppCode  = "X-Qf-Appcode"
	headerSign     = "X-Qf-Sign"
	headerSignType = "X-Qf-Signtype"
)

// authenticated returns the parameters of a request whose headers sign them,
// without those that are empty.
func (s *Simulator) authenticated(r *http.Request) (params, *refusal) {
	p, wrong := requestParams(r, s.cfg.Strict)
	if wrong != nil {
		return nil, wrong
	}
	for _, name := range []string{headerAppCode, headerSign, headerSignType} {
		if len(r.Header.Values(name)) > 1 {
			return nil, refuse(respcdForm, "%s: repeated", name)
		}
	}
	if r.Header.Get(headerAppCode) != s.cfg.AppCode {
		return nil, refuse(respcdSign, "X-QF-APPCODE: not the merchant's")
	}
	hash, wrong := signType(r.Header)
	if wrong != nil {
		return nil, wrong
	}
	if !s.sign.signed(hash, p, r.Header.Get(headerSign)) {
		return nil, refuse(respcdSign, "X-QF-SIGN: does not match the parameters")
	}
	return p.filled(), nil
}

func signType(header http.Header) (string, *refusal) {
	switch hash := header.Get(headerSignType); hash {
	case "", signMD5:
		return signMD5, nil
	case signSHA256:
		return signSHA256, nil
	default:
		return "", refuse(respcdForm, "X-QF-SIGNTYPE: neither MD5 nor SHA256")
	}
}

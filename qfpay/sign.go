package qfpay

import (
	"crypto/md5"
	"crypto/sha256"
)

// SignType is the hash that signs a request.
type SignType string

const (
	// MD5 is the gateway's default.
	MD5 SignType = "md5"
	// SHA256 is announced to the gateway in the header X-QF-SIGNTYPE.
	SHA256 SignType = "sha256"
)

// Sign returns the signature of params as upper-case hexadecimal. Any type but
// [SHA256] signs with MD5.
//
// As QFPay's documentation has it, the parameters are sorted by key in byte
// order and joined as k=v with &, the values raw: neither URL-encoded nor
// trimmed; then the client key follows without a separator. Parameters with an
// empty value are left out, because sources disagree on whether they are
// signed: do not send them either.
func Sign(t SignType, params map[string]string, clientKey string) string {
	return sorted(params).sign(t, clientKey)
}

// digest hashes exactly the bytes it is given.
func digest(t SignType, signed []byte) string {
	if t == SHA256 {
		sum := sha256.Sum256(signed)
		return upperHex(sum[:])
	}
	sum := md5.Sum(signed)
	return upperHex(sum[:])
}

func upperHex(sum []byte) string {
	const digits = "0123456789ABCDEF"
	text := make([]byte, 0, 2*len(sum))
	for _, b := range sum {
		text = append(text, digits[b>>4], digits[b&15])
	}
	return string(text)
}

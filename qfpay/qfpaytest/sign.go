package qfpaytest

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The two hashes of the protocol, by their name in the X-QF-SIGNTYPE header.
const (
	signMD5    = "MD5"
	signSHA256 = "SHA256"
)

// signer knows the client key. It is a function, not a string, so that no way of
// printing its owner prints the key.
type signer func(hash string, unsigned []byte) string

func newSigner(clientKey string) signer {
	return func(hash string, unsigned []byte) string {
		keyed := slices.Concat(unsigned, []byte(clientKey))
		if hash == signSHA256 {
			return fmt.Sprintf("%X", sha256.Sum256(keyed))
		}
		return fmt.Sprintf("%X", md5.Sum(keyed))
	}
}

// signed reports whether a signature, in either case, fits the parameters. Sources
// disagree whether an empty one is signed: both are taken.
func (s signer) signed(hash string, p params, signature string) bool {
	return strings.EqualFold(signature, s.params(hash, p)) || strings.EqualFold(signature, s.params(hash, p.filled()))
}

// params signs parameters as section 2 of the protocol says: sorted by key, raw
// values, the key appended.
func (s signer) params(hash string, p params) string {
	pairs := make([]string, 0, len(p))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		pairs = append(pairs, name+"="+p[name])
	}
	return s(hash, []byte(strings.Join(pairs, "&")))
}

package qfpaytest

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

const (
	digits       = "0123456789"
	lowerHex     = digits + "abcdef"
	alphanumeric = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// dice is the seed of everything random.
type dice uint64

// roll returns the random source of the n-th event of a kind. Kinds do not
// disturb each other: one more openid changes no serial number.
func (d dice) roll(kind string, n int) *rand.Rand {
	return rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d", uint64(d), kind, n))))
}

// letters draws a word of the given length.
func letters(r *rand.Rand, alphabet string, length int) string {
	word := make([]byte, length)
	for i := range word {
		word[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(word)
}

// oneOf draws one of several values.
func oneOf[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

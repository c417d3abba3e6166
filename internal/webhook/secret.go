package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const secretPrefix = "whsec_"

// Bounds of the key inside a secret, in bytes, from the specification:
// "at least 24 bytes (192 bits, 512 maximum)".
const (
	minKeyBytes = 24
	maxKeyBytes = 64
)

// What can be wrong with a secret. None of it repeats the secret.
var (
	errSecretPrefix = errors.New("a webhook secret begins with " + secretPrefix)
	errSecretBase64 = errors.New("a webhook secret is " + secretPrefix + " followed by padded standard base64")
	errSecretSize   = fmt.Errorf("a webhook secret contains %d to %d bytes in base64", minKeyBytes, maxKeyBytes)
)

// CheckSecret reports what is wrong with a secret: it must be "whsec_" and
// then the padded standard base64 of 24 to 64 bytes. The error does not show
// the secret.
func CheckSecret(secret string) error {
	_, err := parseSecret(secret)
	return err
}

func parseSecret(secret string) (key []byte, err error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, errSecretPrefix
	}
	// The decoder skips line breaks and ignores stray bits at the end. Other
	// libraries may not: only the one canonical spelling is taken.
	key, err = base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(key) != text {
		return nil, errSecretBase64
	}
	if len(key) < minKeyBytes || len(key) > maxKeyBytes {
		return nil, errSecretSize
	}
	return key, nil
}

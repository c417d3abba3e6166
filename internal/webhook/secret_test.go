package webhook

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSecretsOf24To64BytesAreTaken(t *testing.T) {
	for bytes, reason := range map[int]error{
		0: errSecretSize, 23: errSecretSize, 24: nil, 25: nil, 26: nil, 64: nil, 65: errSecretSize,
	} {
		assert.ErrorIs(t, CheckSecret(newSecret(bytes)), reason, "%d bytes", bytes)
	}
}

func TestOtherSpellingsOfASecretAreRefusedWithoutShowingIt(t *testing.T) {
	// One byte over a multiple of three, so that there is padding.
	secret := newSecret(25)
	text := strings.TrimPrefix(secret, secretPrefix)
	for _, test := range []struct {
		name, secret string
		reason       error
	}{
		{"nothing", "", errSecretPrefix},
		{"no prefix", text, errSecretPrefix},
		{"a prefix in capitals", "WHSEC_" + text, errSecretPrefix},
		{"the prefix of a private key", "whsk_" + text, errSecretPrefix},
		{"a space before it", " " + secret, errSecretPrefix},
		{"the prefix alone", secretPrefix, errSecretSize},
		{"a space after it", secret + " ", errSecretBase64},
		{"a line break after it", secret + "\n", errSecretBase64},
		{"a line break within", secret[:20] + "\r\n" + secret[20:], errSecretBase64},
		{"no padding", strings.TrimRight(secret, "="), errSecretBase64},
		{"base64 for URLs", secret[:20] + "-_" + secret[22:], errSecretBase64},
		{"no base64", secret[:20] + "!" + secret[21:], errSecretBase64},
		{"stray bits at the end", secretPrefix + strings.Repeat("A", 32) + "AB==", errSecretBase64},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := CheckSecret(test.secret)
			require.ErrorIs(t, err, test.reason)
			assert.NotContains(t, err.Error(), text[:8])
			_, err = New("https://shop.example", test.secret)
			assert.ErrorIs(t, err, test.reason)
		})
	}
}

func FuzzSecret(f *testing.F) {
	f.Fuzz(func(t *testing.T, secret string) {
		key, err := parseSecret(secret)
		if err != nil {
			assert.Nil(t, key)
			return
		}
		assert.GreaterOrEqual(t, len(key), minKeyBytes)
		assert.LessOrEqual(t, len(key), maxKeyBytes)

		body, at := []byte(`{"type":"order.paid"}`), time.Now()
		theirs, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err, "what is taken here is taken by receivers")
		assert.NoError(t, theirs.Verify(body, http.Header{
			"Webhook-Id":        {"id"},
			"Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
			"Webhook-Signature": {newSigner(key)("id", at.Unix(), body)},
		}))
	})
}

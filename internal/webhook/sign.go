package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// A signer returns the webhook-signature header of a body sent under a message
// id at a time in Unix seconds: "v1," and the base64 of the HMAC-SHA256 of
// "id.seconds.body".
//
// The specification warns of full stops in ids, which could move the borders
// between the three parts. Here they cannot: an id holds no brace and a body
// begins with one, so the first ".{" ends the seconds, and these are digits.
type signer func(id string, seconds int64, body []byte) string

func newSigner(key []byte) signer {
	return func(id string, seconds int64, body []byte) string {
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%d.%s", id, seconds, body)
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
}

package qfpay

import (
	"net/http"
	"sync"
)

// replyCheck returns what looks at the signatures of replies and calls wrong once,
// or nil if nobody wants to know. The rule is that of the Japanese edition of
// QFPay's documentation, whose published example fits it, and is the same as for
// notifications. The editions of 2025 and 2026 give another one, without an
// example; and many replies have no signature.
func replyCheck(key string, wrong func()) func(http.Header, []byte) {
	if wrong == nil {
		return nil
	}
	once := sync.OnceFunc(wrong)
	return func(header http.Header, body []byte) {
		sign := header.Get(headerSign)
		if sign != "" && !VerifyNotification(body, sign, key, MD5) {
			once()
		}
	}
}

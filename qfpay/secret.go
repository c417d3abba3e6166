package qfpay

import "github.com/caddy-qfpay/qfpay-jsapi/internal/redact"

// Secret is a text that is neither printed nor logged: Secret(s) makes one of a
// string. JSON holds it.
type Secret = redact.Secret

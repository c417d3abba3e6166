module github.com/caddy-qfpay/qfpay-jsapi/e2e

go 1.26.0

replace (
	github.com/caddy-qfpay/qfpay-jsapi => ../
	github.com/caddy-qfpay/qfpay-jsapi/internal/mail/mailtest => ../internal/mail/mailtest
)

require (
	github.com/caddy-qfpay/qfpay-jsapi v0.0.0
	github.com/caddy-qfpay/qfpay-jsapi/internal/mail/mailtest v0.0.0
	github.com/chromedp/cdproto v0.0.0-20250724212937-08a3db8b4327
	github.com/chromedp/chromedp v0.14.2
	github.com/makiuchi-d/gozxing v0.1.1
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/bojanz/currency v1.3.1 // indirect
	github.com/chromedp/sysutil v1.1.0 // indirect
	github.com/cockroachdb/apd/v3 v3.2.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20250725192818-e39067aee2d2 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/pool v0.2.1 // indirect
	github.com/gobwas/ws v1.4.0 // indirect
	github.com/wneessen/go-mail v0.8.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/xerrors v0.0.0-20200804184101-5ec99f83aff1 // indirect
)

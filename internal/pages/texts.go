package pages

import (
	"embed"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/tongue"
)

//go:embed texts/*.json
var textFiles embed.FS

// texts are those of the pages, in all languages.
var texts = tongue.Read(textFiles, "texts")

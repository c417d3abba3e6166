package qfpaytest

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
)

//go:embed pages
var pageFiles embed.FS

var (
	//go:embed pages/style.css
	styleSheet string

	pageTemplates = template.Must(template.New("").
			Funcs(template.FuncMap{"style": styleElement, "segment": url.PathEscape}).
			ParseFS(pageFiles, "pages/*.html"))

	pagePolicy = newPagePolicy()
)

func styleElement() template.HTML { return template.HTML("<style>" + styleSheet + "</style>") }

// newPagePolicy allows the pages their style and nothing else. It leaves out
// form-action, which browsers also apply to the redirect that follows a form:
// the wallet's buttons lead back to the shop, on another origin.
func newPagePolicy() string {
	hash := sha256.Sum256([]byte(styleSheet))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; base-uri 'none'; frame-ancestors 'none'"
}

func showPage(status int, name string, data any) answer {
	var page bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&page, name, data); err != nil {
		panic("qfpaytest: " + err.Error())
	}
	return answer{status: status, page: page.Bytes()}
}

// notice is a page that says one thing.
type notice struct {
	Title, EnglishTitle string
	Detail              string
	Back                template.URL // of a checked address; empty for no way back
}

func (n notice) show(status int) answer { return showPage(status, "notice.html", n) }

// outsideWeChat is what WeChat shows to browsers that are not its own.
func outsideWeChat() answer {
	return notice{
		Title:        "请在微信客户端打开链接",
		EnglishTitle: "Open this link in WeChat",
	}.show(http.StatusForbidden)
}

// decimal writes an amount in minor units for people. Of the gateway's
// currencies only the yen has none.
func decimal(amount int64, currency string) string {
	if currency == "JPY" {
		return strconv.FormatInt(amount, 10)
	}
	digits := strconv.FormatInt(amount, 10)
	for len(digits) < 3 {
		digits = "0" + digits
	}
	return digits[:len(digits)-2] + "." + digits[len(digits)-2:]
}

package qfpayjsapi_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	goods "github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

// markup is text that would be a program if a page let it out of its place: out
// of an element, an attribute, a script, a style or a comment.
const markup = `</script></style></textarea>--><script>alert(1)</script>'"><img src=x onerror=alert(1)>{{.Order}}${alert(1)}`

// withHostileNames is a shop that sells something with a hostile name.
func withHostileNames(t *testing.T) set {
	file := filepath.Join(t.TempDir(), "items.json")
	text, err := json.Marshal([]goods.Item{{ID: "hostile", Price: "12.00", Name: markup, MaxQuantity: 3}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return withBlock("catalog " + file)
}

// assertNoForeignElements fails if text has become a part of a page's program.
func assertNoForeignElements(t *testing.T, address, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			assert.False(t, node.Type == html.CommentNode && strings.Contains(node.Data, "alert"), address)
			continue
		}
		assert.False(t, node.Data == "img" && len(node.Attr) > 0 && node.Attr[0].Val == "x", "an image on %s", address)
		if node.Data == "script" || node.Data == "style" {
			assert.NotContains(t, node.FirstChild.Data, "alert", address)
		}
		for _, attribute := range node.Attr {
			assert.False(t, strings.HasPrefix(attribute.Key, "on"), "%s on %s", attribute.Key, address)
			if attribute.Key == "href" || attribute.Key == "src" || attribute.Key == "action" {
				assert.NotRegexp(t, `(?i)^\s*(javascript|vbscript|data:text)`, attribute.Val, address)
			}
		}
	}
}

func TestHostileTextStaysTextOnThePayersPages(t *testing.T) {
	for name, settings := range map[string][]set{
		"QFPay's account": nil, "the shop's own account": {withOfficialAccount}, "hosted": {withHosted},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, append(settings, withHostileNames(t), withBlock("field note required\nopen_amount 1 1000\ninvoice_key "+invoiceKey))...)
			text, pages := url.QueryEscape(markup), 0
			look := func(address string, answer reply) reply {
				if strings.HasPrefix(answer.header.Get("Content-Type"), "text/html") {
					assertNoForeignElements(t, address, answer.body)
					assertPagePolicy(t, answer.header)
					pages++
				} else {
					assert.NotContains(t, answer.body, "<", address)
				}
				return answer
			}
			ref := url.QueryEscape(`<img src=x onerror=alert(1)>`)
			for _, agent := range []string{wechat, desktop, phone} {
				for _, accept := range []string{"text/html", "application/json"} {
					payer := shop.payer(agent).with("Accept", accept)
					for _, address := range []string{
						"/pay/hostile?ref=" + ref, "/pay/hostile?quantity=" + text, "/pay/" + url.PathEscape(markup), "/pay?item=hostile&item=" + text,
						"/pay?item=hostile&item=cat-food&ref=" + ref, "/pay?amount=" + text, "/pay?amount=5&ref=" + text, "/pay?invoice=" + text, "/pay?handoff=" + text,
						"/pay/hostile?again=" + text, "/pay/callback/" + url.PathEscape(markup), "/pay/return/" + url.PathEscape(markup), "/pay/status/" + url.PathEscape(markup),
					} {
						look(address, payer.get(address))
						look(address, payer.post(address, url.Values{"note": {markup + strings.Repeat("x", 500)}}))
						look(address, payer.post(address, url.Values{"note": {markup}}))
					}
				}
			}
			payer := shop.payer(wechat)
			start := look("the start", payer.post("/pay/hostile?ref="+ref, url.Values{"note": {markup}}))
			callback := ""
			if start.status == http.StatusSeeOther {
				callback = payer.oauth(start.location)
				look("the callback", payer.get(callback))
			} else {
				callback = shop.url + regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(start.body)[1]
				look("the callback", payer.post(callback, nil))
			}
			order := orderOf(t, callback)
			look("the sheet", payer.get("/pay/callback/"+order))
			look("still confirming", payer.get("/pay/return/"+order))
			require.NoError(t, shop.gateway.Pay(order))
			shop.letEnquiriesBeDue()
			receipt := look("the receipt", payer.get("/pay/return/"+order))
			assert.Contains(t, receipt.body, "Payment received")
			status := look("the status", payer.get("/pay/status/"+order))
			assert.Contains(t, status.body, `\u003cimg src=x`)
			assert.Greater(t, pages, 60)
		})
	}
}

// controls are characters that terminals obey, or that begin a new line.
const controls = "\x1b[2J\x1b]0;owned\x07\u009b31m\r\n{\"level\":\"error\",\"msg\":\"made up\"}\n\u2028\u202e"

func TestNothingFromOutsideBreaksALineOfTheLog(t *testing.T) {
	shop := openShop(t, withBlock("field note"))
	payer := shop.payer(wechat)
	text := url.QueryEscape(controls)
	for _, address := range []string{
		"/pay/" + url.PathEscape(controls), "/pay/cat-food?ref=" + text, "/pay/cat-food?again=" + text, "/pay/callback/" + someOrder + "?code=" + text,
		"/pay/status/" + url.PathEscape(controls), "/pay?handoff=" + text,
	} {
		payer.get(address)
	}
	callback := payer.oauth(payer.post("/pay/cat-food", url.Values{"note": {"two\nlines"}}).location)
	payer.get(strings.Replace(callback, "code=", "code="+text, 1))
	shop.sold("")
	_, order := shop.payer(wechat).prepare("/pay/dog-treats")
	for _, changes := range []map[string]string{
		{"syssn": controls}, {"out_trade_no": controls}, {"syssn": "1", "txcurrcd": controls}, {"respcd": controls}, {"notify_type": controls}, {"txamt": "1", "syssn": controls},
	} {
		shop.notify(notification(order, changes))
	}
	for line := range strings.Lines(shop.log()) {
		var entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		assert.NotEqual(t, "made up", entry["msg"])
		if strings.HasPrefix(entry["logger"].(string), "http.handlers.qfpay_jsapi") || entry["logger"] == "qfpay_jsapi" {
			assert.NotContains(t, strings.TrimSuffix(line, "\n"), "\u009b")
			assert.False(t, strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl), line)
		}
	}
}

func TestTheCommandLinePrintsNoTerminalEscapes(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food?ref=" + url.QueryEscape("a\u202eb"))
	require.Equal(t, "SUCCESS", shop.notify(notification(order, map[string]string{"syssn": controls})).body)
	for _, args := range [][]string{
		{"orders"}, {"orders", "--search", "\x1b"}, {"show", order}, {"show", controls}, {"orders", "--name", controls}, {"orders", "--status", controls}, {"export"},
		{"export", "--format", "jsonl"}, {"refund", order, "--id", "\x1b[2J"}, {"refund", order, "1", "--yes", "--wait", "1s"}, {"query", order}, {"close", order}, {"doctor"},
	} {
		ran := shop.caddy("n\n", args...)
		text := ran.out + ran.notes
		if ran.err != nil {
			text += ran.err.Error()
		}
		assert.NotContains(t, text, "\x1b", args)
		assert.True(t, slices.Contains(args, "jsonl") || !strings.ContainsAny(text, "\u202e\u009b"), args) // which is for programs
		assert.NotContains(t, text, "\r", args)
		assert.NotEmpty(t, text, args)
	}
}

func TestNothingFromOutsideBecomesAPath(t *testing.T) {
	shop := openShop(t, withBlock("invoice_key "+invoiceKey))
	climbs := []string{"../../../../climbed", "..", ".", "/etc/climbed", `..\..\climbed`, "a/b", "a\x00b", strings.Repeat("a", 4000), "CON", "猫"}
	for _, climb := range climbs {
		order := shop.sold("")
		shop.notify(notification(order, map[string]string{"notify_type": "refund", "syssn": climb, "orig_out_trade_no": order, "out_trade_no": climb, "txamt": "1"}))
		shop.notify(notification(order, map[string]string{"syssn": climb, "txamt": "1"}))
		shop.notify(notification(climb, map[string]string{"syssn": climb}))
		text := url.PathEscape(climb)
		for _, path := range []string{"/pay/", "/pay/callback/", "/pay/return/", "/pay/status/"} {
			shop.payer(wechat).get(path + text + "?code=c")
		}
		for _, action := range []string{"", "/refund", "/query", "/close"} {
			body, _ := json.Marshal(map[string]string{"refund_id": climb})
			shop.officeText("POST", "/qfpay_jsapi/orders/"+text+action, string(body))
			shop.officeText("POST", "/qfpay_jsapi/orders/"+order+action, string(body))
		}
		shop.officeText("GET", "/qfpay_jsapi/orders?name="+url.QueryEscape(climb)+"&before="+url.QueryEscape(climb), "")
	}
	assert.Len(t, shop.orphans(), len(climbs), "all of it was taken down")
	files, err := os.ReadDir(filepath.Dir(shop.file))
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		names = append(names, file.Name())
	}
	assert.Equal(t, []string{"ledger.db", "ledger.db-shm", "ledger.db-wal"}, names)
	require.NoError(t, filepath.WalkDir(filepath.Dir(shop.folder), func(path string, _ fs.DirEntry, err error) error {
		assert.NotContains(t, path, "climbed")
		return err
	}))
}

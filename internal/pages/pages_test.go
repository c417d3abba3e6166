package pages

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// modules matches the part of a page that grows with the pay link.
var modules = regexp.MustCompile(`<path fill="#000" d="[^"]+"|src="data:image/png[^"]+"`)

// balanced matches tags that must be closed.
var balanced = regexp.MustCompile(`<(/?)(html|head|body|div|header|main|footer|h1|p|a|ol|li|dl|dt|dd|form|button|label|svg|bdi|time|title|style|script)\b[^>]*>`)

func TestEveryPageIsSound(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, tag string, w *httptest.ResponseRecorder) {
		body := w.Body.String()
		all := elements(t, body)

		assert.True(t, strings.HasPrefix(body, "<!doctype html>\n"))
		assert.Equal(t, tag, attr(named(all, "html")[0], "lang"))
		assert.Len(t, named(all, "main"), 1)
		assert.NotEmpty(t, inner(named(all, "title")[0]))
		require.Len(t, named(all, "h1"), 1)
		assert.NotEmpty(t, strings.TrimSpace(inner(named(all, "h1")[0])))

		seen := map[string]bool{}
		for _, n := range all {
			for _, a := range n.Attr {
				assert.NotEqual(t, "style", a.Key, "inline style")
				assert.False(t, strings.HasPrefix(a.Key, "on"), "inline handler %s", a.Key)
				if a.Key == "id" {
					assert.False(t, seen[a.Val], "id %s twice", a.Val)
					seen[a.Val] = true
				}
				if a.Key == "src" || a.Key == "href" && n.Data == "link" {
					assert.Regexp(t, `^data:(,|image/png;base64,[A-Za-z0-9+/]+=*)$`, a.Val, "external asset")
				}
			}
		}
	})
}

func TestEveryPageClosesWhatItOpens(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		var open []string
		for _, m := range balanced.FindAllStringSubmatch(w.Body.String(), -1) {
			if m[1] == "" {
				open = append(open, m[2])
				continue
			}
			require.NotEmpty(t, open, "</%s> without a start", m[2])
			require.Equal(t, open[len(open)-1], m[2])
			open = open[:len(open)-1]
		}
		assert.Empty(t, open)
	})
}

func TestEveryPageIsSmall(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		assert.LessOrEqual(t, len(modules.ReplaceAllString(w.Body.String(), "")), 8<<10)
	})
}

func TestControlsHaveNames(t *testing.T) {
	everyPage(t, sampleOrder(), func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		all := elements(t, w.Body.String())
		for _, n := range append(named(all, "a"), named(all, "button")...) {
			assert.NotEmpty(t, strings.TrimSpace(inner(n)))
		}
		for _, n := range named(all, "svg") {
			labelled := attr(n, "role") == "img" && attr(n, "aria-label") != ""
			assert.True(t, labelled || attr(n, "aria-hidden") == "true")
		}
		labels := named(all, "label")
		fields := slices.DeleteFunc(named(all, "input"), func(n *html.Node) bool { return attr(n, "type") == "hidden" })
		for i, n := range fields {
			assert.Equal(t, attr(n, "id"), attr(labels[i], "for"))
		}
	})
}

func TestHandoffOnAPhoneHasNoCode(t *testing.T) {
	link := "https://shop.example/pay/cat-food?a=1&b=2"
	all := elements(t, write(t, "en", Handoff{Link: link, Phone: true}).Body.String())
	assert.Empty(t, named(all, "svg"))

	field := named(all, "input")
	require.Len(t, field, 1)
	assert.Equal(t, link, attr(field[0], "value"))
	assert.Contains(t, field[0].Attr, htmlFlag("readonly"))

	button := named(all, "button")
	require.Len(t, button, 1)
	assert.Contains(t, button[0].Attr, htmlFlag("hidden"), "without script there is nothing to press")
}

func TestHandoffWithALinkTooLongForACode(t *testing.T) {
	link := "https://shop.example/pay?invoice=" + strings.Repeat("x", 4000)
	all := elements(t, write(t, "en", Handoff{Link: link}).Body.String())
	assert.Empty(t, named(all, "svg"))
	assert.Len(t, named(all, "input"), 1)
}

func TestConfirmingLooksAgain(t *testing.T) {
	page := Confirming{Order: sampleOrder(), Check: 3, Refresh: 2500 * time.Millisecond, CheckURL: "/pay/return/1?check=4&x=;'", ContinueURL: "/go"}
	all := elements(t, write(t, "en", page).Body.String())
	again := ""
	for _, n := range all {
		if attr(n, "id") == "again" {
			again = attr(n, "data-after") + " " + attr(n, "data-check")
		}
	}
	assert.Equal(t, "3 /pay/return/1?check=4&x=;'", again)
	withoutScript := inner(named(all, "noscript")[0])
	assert.Equal(t, `<meta http-equiv="refresh" content="3;url=/pay/return/1?check=4&amp;x=;&#39;">`, withoutScript)

	var status string
	for _, n := range named(all, "div") {
		if attr(n, "role") == "status" {
			status = inner(n)
		}
	}
	assert.Contains(t, status, "Check 3")
	assert.Contains(t, status, "safely close this page")
}

func TestConfirmingRests(t *testing.T) {
	body := write(t, "en", Confirming{Check: 9, CheckURL: "/pay/return/1"}).Body.String()
	assert.NotContains(t, body, "http-equiv")
	assert.Contains(t, body, `href="/pay/return/1"`)
	assert.Contains(t, body, "Check again")
}

func TestCheckingClaimsNothing(t *testing.T) {
	text := strings.ToLower(inner(named(elements(t, write(t, "en", samples(sampleOrder())["checking"]).Body.String()), "main")[0]))
	assert.Contains(t, text, "you have not been charged")
	for _, claim := range []string{"fail", "success", "went wrong", "received"} {
		assert.NotContains(t, text, claim)
	}
}

func TestReceiptSaysEverything(t *testing.T) {
	all := elements(t, write(t, "en", samples(sampleOrder())["receipt"]).Body.String())
	text := inner(named(all, "main")[0])
	for _, part := range []string{"HK$256.00", "Harbour Pets 海港宠物", "Cat food", "Quantity2", "INV-42", "01KAR4ZV8N6Q2W3E4R5T6Y7X8J", "24 November 2026, 02:04 (UTC+8)"} {
		assert.Contains(t, text, part)
	}
	assert.Equal(t, "2026-11-24T02:04:00+08:00", attr(named(all, "time")[0], "datetime"))
}

func TestReceiptLeavesOutWhatIsNotKnown(t *testing.T) {
	text := inner(named(elements(t, write(t, "en", Receipt{Order: Order{Quantity: 1}}).Body.String()), "main")[0])
	for _, part := range []string{"Quantity", "Time", "Reference", "For", "Paid to", "1 Jan"} {
		assert.NotContains(t, text, part)
	}
}

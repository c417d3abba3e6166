package pages

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/html"
)

// htmlFlag is an attribute without a value.
func htmlFlag(key string) html.Attribute { return html.Attribute{Key: key} }

func TestHostileTextStaysText(t *testing.T) {
	names := map[string]string{
		"markup":        hostile,
		"emoji":         strings.Repeat("🐈‍⬛", 40),
		"chinese":       strings.Repeat("猫", 200),
		"right to left": "\u202eطعام القطط\u202c שלום",
		"long word":     strings.Repeat("W", 500),
		"broken utf-8":  "\xff\xfe\x00",
	}
	plain := shape(t, sampleOrder())
	for name, text := range names {
		t.Run(name, func(t *testing.T) {
			o := sampleOrder()
			o.ID, o.Merchant, o.Description, o.Ref = text, text, text, text
			o.Amount = Amount{Decimal: text, Currency: text}
			assert.Equal(t, plain, shape(t, o))
		})
	}
}

// shape lists the elements of all English pages about o.
func shape(t *testing.T, o Order) map[string][]string {
	t.Helper()
	shapes := map[string][]string{}
	for name, page := range samples(o) {
		for _, n := range elements(t, write(t, "en", page).Body.String()) {
			shapes[name] = append(shapes[name], n.Data)
		}
	}
	return shapes
}

func TestHostileTextIsShownInFull(t *testing.T) {
	o := sampleOrder()
	o.Merchant, o.Description = hostile, hostile
	everyPage(t, o, func(t *testing.T, _ string, w *httptest.ResponseRecorder) {
		assert.NotContains(t, w.Body.String(), "<script>alert")
		for _, n := range named(elements(t, w.Body.String()), "header") {
			assert.Equal(t, hostile, inner(n))
		}
	})
}

func TestHostileLinksComeOutHarmless(t *testing.T) {
	for _, bad := range []string{
		"javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
		"data:text/html,x", "vbscript:x", "//evil.example/", `/\evil.example`, `\\evil.example`, "http:evil", "https://", "%zz",
	} {
		t.Run(bad, func(t *testing.T) {
			for _, page := range []Page{
				Confirming{Refresh: 1, CheckURL: bad, ContinueURL: bad},
				Confirming{CheckURL: bad, ShopURL: bad},
				Unpaid{Refresh: 1, CheckURL: bad, PayURL: bad, ShopURL: bad},
				Unpaid{CheckURL: bad},
				Checking{Refresh: 1, CheckURL: bad, StartURL: bad},
				Receipt{ShopURL: bad},
				Failed{StartURL: bad, ShopURL: bad, Refresh: 1, CheckURL: bad},
				Problem{Kind: Expired, StartURL: bad, ShopURL: bad, RetryURL: bad},
			} {
				all := elements(t, write(t, "en", page).Body.String())
				assert.Empty(t, named(all, "a"))
				assert.Empty(t, named(all, "form"))
				for _, n := range named(all, "meta") {
					assert.Empty(t, attr(n, "http-equiv"))
				}
			}
		})
	}
}

func TestGoodLinksStay(t *testing.T) {
	for _, good := range []string{
		"/", "/pay/cat-food?quantity=2", "https://shop.example/a?b=c#d", "http://localhost:8080/", "?check=2", "thank-you.html", "/a:b",
	} {
		assert.Equal(t, good, safe(good))
	}
	assert.Empty(t, absolute("/pay"))
	assert.Empty(t, absolute("httpfoo?x=://"))
}

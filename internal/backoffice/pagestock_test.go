package backoffice

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func TestACountOfWhatIsNotThereAnyMoreIsNotSet(t *testing.T) {
	d := openDesk(t, "harbour")
	d.Stocked = func(string) []StockedItem { return []StockedItem{{"bowl", "Bowl"}} }
	count := func(available int64) {
		d.update(0, func(tx *ledger.Tx) error { return tx.SetStock("harbour", "bowl", available, november) })
	}
	count(5)
	s, b := d.served(), &browser{desk: d}
	form := stockForm(t, b.get("?stock=1"))
	form.Set("available", "20")
	count(4) // meanwhile, one is sold
	post := b.send(http.MethodPost, "?stock=1", form)
	assert.Equal(t, http.StatusConflict, post.Code)
	for _, part := range []string{"The stock has changed since you loaded the page", `<dd>4</dd>`, `value="20" type="number"`} {
		assert.Contains(t, post.Body.String(), part)
	}
	assert.Empty(t, s.asked)

	again := stockForm(t, post.Body.String())
	again.Set("available", "20")
	assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?stock=1", again).Code)
	require.Equal(t, []string{"stock bowl 20"}, s.asked)
	d.update(0, func(tx *ledger.Tx) error { return tx.SetStock("harbour", "bowl", 20, november.Add(time.Second)) })
	assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?stock=1", again).Code, "a second click")
	assert.Len(t, s.asked, 1)
}

func TestStockFormsThatWereNotMadeForThisDoNothing(t *testing.T) {
	d := openDesk(t, "alpine harbour")
	d.Stocked = func(string) []StockedItem { return []StockedItem{{"bowl", "Bowl"}} }
	s, b := d.served(), &browser{desk: d}
	form := stockForm(t, b.get("?stock=1"))
	require.Equal(t, "harbour", form.Get("shop"))
	form.Set("available", "20")
	changed := func(name, value string) url.Values {
		values := url.Values{}
		for key := range form {
			values.Set(key, form.Get(key))
		}
		values.Set(name, value)
		return values
	}
	stranger := &browser{desk: d}
	stranger.get("?stock=1")
	from := func(name, value string) *browser {
		return &browser{desk: d, cookie: b.cookie, header: http.Header{name: {value}}}
	}
	for name, post := range map[string]*httptest.ResponseRecorder{
		"without the token":  b.send(http.MethodPost, "?stock=1", changed("token", "")),
		"another item":       b.send(http.MethodPost, "?stock=1", changed("item", "food")),
		"another state":      b.send(http.MethodPost, "?stock=1", changed("was", "5-0-0")),
		"another shop":       b.send(http.MethodPost, "?stock=1", changed("shop", "alpine")),
		"no shop":            b.send(http.MethodPost, "?stock=1", changed("shop", "")),
		"an unknown shop":    b.send(http.MethodPost, "?stock=1", changed("shop", "nobody")),
		"without the cookie": (&browser{desk: d}).send(http.MethodPost, "?stock=1", form),
		"another browser":    stranger.send(http.MethodPost, "?stock=1", form),
		"another site":       from("Sec-Fetch-Site", "cross-site").send(http.MethodPost, "?stock=1", form),
		"another origin":     from("Origin", "https://evil.example").send(http.MethodPost, "?stock=1", form),
	} {
		assert.Equal(t, http.StatusForbidden, post.Code, name)
		assert.Contains(t, post.Body.String(), "Nothing was done", name)
	}
	assert.Empty(t, s.asked)
	assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?stock=1", form).Code, "the form itself does")
}

// stockForm is what the form of the last item posts, but for the number.
func stockForm(t *testing.T, page string) url.Values {
	t.Helper()
	form := url.Values{}
	for _, input := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		form.Set(input[1], html.UnescapeString(input[2]))
	}
	require.NotEmpty(t, form, page)
	return form
}

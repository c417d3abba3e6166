package checkout

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

// newDesktopWorld is a checkout that sells and asks for much, and a desktop's
// browser.
func newDesktopWorld(t *testing.T) *world {
	w := newWorld(t, func(c *Config) {
		items := []shop.Item{{ID: "cat-food", Price: "128.00"}}
		for i := range shop.MaxLines {
			items = append(items, shop.Item{ID: longID(i), Price: "1.00", MaxQuantity: 9999})
		}
		var err error
		c.Shop.Catalog, err = shop.OpenCatalog("", "HKD", items, zap.NewNop())
		require.NoError(t, err)
		c.Shop.Fields = []shop.Field{{Name: "note"}, {Name: "address"}}
		c.Shop.Invoices, err = shop.NewInvoiceKey(strings.Repeat("k", shop.MinInvoiceKey), time.Now)
		require.NoError(t, err)
	})
	w.browser = newBrowser(desktop)
	return w
}

func longID(i int) string { return strings.Repeat("x", 62) + string(rune('a'+i)) }

var codeSide = regexp.MustCompile(`viewBox="0 0 (\d+) `)

// codeOn is what the code of a page holds, as a path of the site, and how many modules
// its side has with its margin.
func (w *world) codeOn(page answer) (path string, modules int) {
	w.t.Helper()
	require.Equal(w.t, http.StatusOK, page.StatusCode, page.body)
	side, watch := codeSide.FindStringSubmatch(page.body), watched.FindStringSubmatch(page.body)
	require.NotNil(w.t, side, page.body)
	require.NotNil(w.t, watch, page.body)
	modules, err := strconv.Atoi(side[1])
	require.NoError(w.t, err)
	return html.UnescapeString(watch[1]), modules
}

func note(length int) url.Values { return url.Values{"note": {strings.Repeat("猫", length)}} }

func TestADesktopsCodeStaysSmallWhateverTheOrderHolds(t *testing.T) {
	w := newDesktopWorld(t)
	var cart []string
	for i := range shop.MaxLines {
		cart = append(cart, "item="+longID(i)+":9999")
	}
	token, err := w.Shop.Invoices.Sign(shop.Invoice{ID: "inv-7", Amount: 4200, Currency: "HKD", Text: strings.Repeat("猫", 80), Ref: strings.Repeat("猫", 60)})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		link string
		form url.Values
	}{
		"one item":    {"/pay/cat-food", nil},
		"a reference": {"/pay/cat-food?ref=" + url.QueryEscape(strings.Repeat("猫", shop.MaxRefRunes)), nil},
		"a cart":      {"/pay?" + strings.Join(cart, "&"), nil},
		"an invoice":  {"/pay?invoice=" + token, nil},
		"a note":      {"/pay/cat-food", note(250)},
		"much":        {"/pay/cat-food", url.Values{"note": {strings.Repeat("猫", 400)}, "address": {strings.Repeat("é", 400)}}},
	} {
		t.Run(name, func(t *testing.T) {
			w.browser = newBrowser(desktop)
			page := w.get(test.link)
			if test.form != nil {
				page = w.postTo(test.link, test.form)
			}
			path, modules := w.codeOn(page)
			assert.Less(t, modules, 61)
			again, modules := w.codeOn(w.get(path))
			assert.Equal(t, path, again, "a refresh keeps the order")
			assert.Less(t, modules, 61)

			desktop := w.browser
			w.browser = newBrowser(inWeChatAgent)
			require.Equal(t, http.StatusFound, w.get(path).StatusCode)
			order := w.notes["order"]
			assert.Contains(t, path, order)
			w.leadsTo("/pay/callback/" + order + "?code=" + w.gateway.Code())
			for name, values := range test.form {
				assert.Equal(t, ledger.Values(values), w.stored(order).Intent.Fields[name])
			}
			w.browser = newBrowser(inWeChatAgent)
			assert.Equal(t, http.StatusForbidden, w.get(path).StatusCode, "a second phone cannot pay it too")
			require.NoError(t, w.gateway.Pay(order))
			w.skipped += 3 * time.Second
			assert.True(t, w.isReceipt(order))
			w.browser = desktop
			assert.Equal(t, "/pay/return/"+order, w.get(path).location())
		})
	}
}

func TestNothingIsKeptOfAnOrderThatItsCodeHolds(t *testing.T) {
	w := newDesktopWorld(t)
	path, _ := w.codeOn(w.get("/pay/cat-food"))
	assert.Contains(t, path, w.notes["order"]+".")
	_, err := w.Orders.Handoff(t.Context(), w.notes["order"])
	require.ErrorIs(t, err, ledger.ErrUnknown)

	w.browser = newBrowser(iPhone)
	page := w.postTo("/pay/cat-food", note(250))
	assert.Contains(t, w.handoffOn(page), w.notes["order"]+".", "a phone copies a link, however long it is")
	_, err = w.Orders.Handoff(t.Context(), w.notes["order"])
	require.ErrorIs(t, err, ledger.ErrUnknown)
}

// manyClients has every request come from another network.
type manyClients struct {
	*world
	seen int
}

func (m *manyClients) ClientAddress(*http.Request) string {
	m.seen++
	return fmt.Sprintf("2001:db8:%x::1", m.seen)
}

func TestWhoHasManyAddressesDoesNotFillTheLedgerWithHandoffs(t *testing.T) {
	w := newDesktopWorld(t)
	w.Server = &manyClients{world: w}
	now := w.now()
	w.Now = func() time.Time { return now }
	kept := 0
	for range keptBurst + 60 {
		w.browser = newBrowser(desktop)
		page := w.postTo("/pay/cat-food", note(250))
		require.Equal(t, http.StatusOK, page.StatusCode)
		if _, err := w.Orders.Handoff(t.Context(), w.notes["order"]); err == nil {
			kept++
		}
	}
	assert.Equal(t, keptBurst, kept, "the others have it all in their code")
}

func TestWhatIsKeptForACodeShowsNothingAndIsTheShopsOwn(t *testing.T) {
	w := newDesktopWorld(t)
	path, _ := w.codeOn(w.postTo("/pay/cat-food", url.Values{"note": {"ring at Ann's" + strings.Repeat("猫", 250)}}))
	sealed, err := w.Orders.Handoff(t.Context(), w.notes["order"])
	require.NoError(t, err)
	assert.NotContains(t, sealed, "Ann")
	w.Seal = newSeal(t, "TESTKEY", "harbour-pets", "/give")
	assert.Equal(t, http.StatusForbidden, w.get(path).StatusCode, "another block cannot open it")
	assert.Equal(t, http.StatusGone, w.get("/pay?handoff="+ledger.NewID(noon)).StatusCode, "it is no longer kept, as far as anybody knows")
}

func TestAKeptOrderExpiresAsOthersDo(t *testing.T) {
	w := newDesktopWorld(t)
	path, _ := w.codeOn(w.postTo("/pay/cat-food", note(250)))
	w.skipped = w.OrderTTL + time.Minute
	assert.JSONEq(t, `{"status":"expired","location":"`+path+`"}`, w.getJSON(path).body)
	w.browser = newBrowser(inWeChatAgent)
	late := w.get(path)
	assert.Equal(t, http.StatusGone, late.StatusCode)
	assert.Contains(t, late.body, `href="/pay/cat-food"`)
}

func TestWhoHasManyOrdersKeptGetsLargerCodes(t *testing.T) {
	w := newDesktopWorld(t)
	var path string
	modules := 0
	for range 40 {
		path, modules = w.codeOn(w.postTo("/pay/cat-food", note(250)))
	}
	assert.Greater(t, modules, 61, "all of the order is in it")
	w.browser = newBrowser(inWeChatAgent)
	assert.Equal(t, http.StatusFound, w.get(path).StatusCode, "and it can be paid all the same")
}

func TestAnotherNameAfterAMistakeOnThePhoneIsAnotherOrder(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.RealName = "required" })
	w.browser = newBrowser(desktop)
	path, _ := w.codeOn(w.get("/pay/cat-food"))
	w.browser = newBrowser(inWeChatAgent)
	tell := func(name string) (order string, posted answer) {
		posted = w.postTo("/pay", url.Values{
			"handoff": {strings.TrimPrefix(path, "/pay?handoff=")}, "user_truename": {name}, "user_creid": {"11010519491231002X"},
		})
		require.Equal(t, http.StatusSeeOther, posted.StatusCode, posted.body)
		return w.notes["order"], posted
	}
	wrong, _ := tell("陈大文")
	assert.Contains(t, path, wrong)
	corrected, _ := tell("陈大明")
	assert.Equal(t, wrong, corrected, "the gateway knows nothing yet")
	w.leadsTo("/pay/callback/" + corrected + "?code=" + w.gateway.Code())
	assert.Contains(t, w.trade(corrected).Params["extend_info"], "陈大明")

	other, _ := tell("陈小明")
	assert.NotEqual(t, corrected, other)
	w.leadsTo("/pay/callback/" + other + "?code=" + w.gateway.Code())
	assert.Contains(t, w.trade(other).Params["extend_info"], "陈小明")
	_, same := tell("陈小明")
	assert.Contains(t, same.location(), "/q/direct?", "the same name once more is the same order")
}

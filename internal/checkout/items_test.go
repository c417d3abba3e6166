package checkout

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// newBowlShop is a world that sells bowls by stock, of which there are some.
func newBowlShop(t *testing.T, bowls int64) *world {
	t.Helper()
	w := newWorld(t, func(c *Config) {
		var err error
		c.Shop.Catalog, err = shop.OpenCatalog("", "HKD", []shop.Item{
			{ID: "cat-food", Price: "128.00"}, {ID: "bowl", Name: "Bowl 鱼缸", Price: "320.00", MaxQuantity: 2, Stock: true},
		}, zap.NewNop())
		require.NoError(t, err)
	})
	if bowls > 0 {
		require.NoError(t, w.Orders.SetStock(t.Context(), "bowl", bowls))
	}
	return w
}

// otherPayer is the same checkout in a browser of its own.
func (w *world) otherPayer() *world {
	other := *w
	other.jar = map[string]string{}
	return &other
}

// buy goes from a pay link to the callback, and returns its address.
func (w *world) buy(link string) (callback string) {
	w.t.Helper()
	oauth, err := url.Parse(w.leadsTo(link))
	require.NoError(w.t, err)
	back, err := url.Parse(oauth.Query().Get("redirect_uri"))
	require.NoError(w.t, err)
	return back.Path + "?code=" + w.gateway.Code()
}

func (w *world) body(address string) (status int, body string, header http.Header) {
	w.t.Helper()
	answer, err := w.visit(address)
	require.NoError(w.t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(w.t, err)
	return answer.StatusCode, string(text), answer.Header
}

func TestAnItemSaysWhatAnybodyMayKnowOfIt(t *testing.T) {
	w := newBowlShop(t, 3)
	for address, want := range map[string]string{
		"/pay/items/bowl":     `{"item":"bowl","name":"Bowl 鱼缸","price":32000,"display_price":"320.00","currency":"HKD","available":3}`,
		"/pay/items/bowl/":    `{"item":"bowl","name":"Bowl 鱼缸","price":32000,"display_price":"320.00","currency":"HKD","available":3}`,
		"/pay/items/cat-food": `{"item":"cat-food","name":"cat-food","price":12800,"display_price":"128.00","currency":"HKD","available":null}`,
	} {
		status, body, header := w.body(address)
		assert.Equal(t, http.StatusOK, status)
		assert.JSONEq(t, want, body)
		assert.Equal(t, "public, max-age=5", header.Get("Cache-Control"))
		assert.Equal(t, map[string]string{"step": "items"}, w.notes)
	}
	for _, address := range []string{"/pay/items/dog-food", "/pay/items", "/pay/items/", "/pay/items/bowl//"} {
		status, body, header := w.body(address)
		assert.Equal(t, http.StatusNotFound, status, address)
		assert.JSONEq(t, `{"error":"unknown item"}`, body)
		assert.Equal(t, "no-store", header.Get("Cache-Control"))
	}
	r := httptest.NewRequest(http.MethodPost, "/pay/items/bowl", nil)
	answer := httptest.NewRecorder()
	require.NoError(t, w.ServeHTTP(answer, r))
	assert.Equal(t, http.StatusMethodNotAllowed, answer.Code)
	assert.Equal(t, "GET, HEAD", answer.Header().Get("Allow"))
}

func TestAnItemThatWasNeverCountedIsSoldOut(t *testing.T) {
	w := newBowlShop(t, 0)
	_, body, _ := w.body("/pay/items/bowl")
	assert.Contains(t, body, `"available":0`)
	status, _, _ := w.body("/pay/bowl")
	assert.Equal(t, http.StatusConflict, status)
}

func TestASoldOutItemLeadsBackToTheShop(t *testing.T) {
	w := newBowlShop(t, 1)
	status, body, _ := w.body("/pay/bowl?quantity=2")
	assert.Equal(t, http.StatusConflict, status, "there is one")
	assert.Contains(t, body, `<a href="/">`)
	assert.Contains(t, body, "Sold out")
	assert.NotContains(t, body, "/pay/bowl", "trying again at once is of no use")
	assert.Empty(t, w.jar, "nothing was begun")
	assert.Equal(t, http.StatusFound, statusOf(w.body("/pay/bowl")))

	r := httptest.NewRequest(http.MethodGet, "/pay?item=cat-food&item=bowl:2", nil)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "MicroMessenger/8.0")
	answer := httptest.NewRecorder()
	require.NoError(t, w.ServeHTTP(answer, r))
	assert.Equal(t, http.StatusConflict, answer.Code)
	assert.JSONEq(t, `{"error":"sold out"}`, answer.Body.String())
	desktop := httptest.NewRecorder()
	require.NoError(t, w.ServeHTTP(desktop, httptest.NewRequest(http.MethodGet, "/pay/bowl?quantity=2", nil)))
	assert.Equal(t, http.StatusConflict, desktop.Code, "before a code is shown")
}

func statusOf(status int, _ string, _ http.Header) int { return status }

func TestTheLastPieceGoesToThePayerWhoComesFirst(t *testing.T) {
	first := newBowlShop(t, 1)
	second := first.otherPayer()
	begun, slower := first.buy("/pay/bowl"), second.buy("/pay/bowl")
	payPage := first.leadsTo(begun)
	status, body, _ := second.body(slower)
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, body, "Sold out")
	assert.NotContains(t, body, "/pay/bowl")
	assert.Equal(t, 1, first.gateway.Calls("payment"), "the gateway hears of what there is")
	assert.Equal(t, http.StatusConflict, statusOf(second.body("/pay/bowl")))
	assert.Equal(t, payPage, first.leadsTo("/pay/bowl"), "whose order has it goes on with that")
	assert.Equal(t, payPage, first.leadsTo(begun))
}

func TestPayersAreNotAskedForDetailsOfWhatIsSoldOut(t *testing.T) {
	w := newBowlShop(t, 1)
	w.Shop.Fields = []shop.Field{{Name: "address", Required: true}}
	assert.Equal(t, http.StatusOK, statusOf(w.body("/pay/bowl")), "the form")
	assert.Equal(t, http.StatusConflict, statusOf(w.body("/pay/bowl?quantity=2")))
}

func TestStockIsReadOnceAMomentForAllPages(t *testing.T) {
	reads, count := newStockReads(), atomic.Int64{}
	now := noon
	ask := func() int64 {
		available, err := reads.of("bowl", now, func() (int64, error) { return count.Add(1), nil })
		assert.NoError(t, err)
		return available
	}
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() { ask() })
	}
	all.Wait()
	assert.Equal(t, int64(1), ask())
	now = now.Add(stockAge)
	assert.Equal(t, int64(2), ask())
	_, err := reads.of("food", now, func() (int64, error) { return 0, errors.New("the ledger is down") })
	require.Error(t, err)
	available, err := reads.of("food", now, func() (int64, error) { return 7, nil })
	require.NoError(t, err)
	assert.Equal(t, int64(7), available, "a failure is not remembered")
	for i := range 2 * maxStockReads {
		_, _ = reads.of(strconv.Itoa(i), now.Add(time.Hour), func() (int64, error) { return 0, nil })
	}
	assert.LessOrEqual(t, len(reads.last), maxStockReads)
}

func TestStockHoldsForWhatWasChosenBeforeItWasSet(t *testing.T) {
	w := newBowlShop(t, 0)
	limited := w.Shop.Catalog
	var err error
	w.Shop.Catalog, err = shop.OpenCatalog("", "HKD", []shop.Item{{ID: "bowl", Name: "Bowl 鱼缸", Price: "320.00", MaxQuantity: 2}}, zap.NewNop())
	require.NoError(t, err)
	callback := w.buy("/pay/bowl")
	w.Shop.Catalog = limited
	status, body, _ := w.body(callback)
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, body, "Sold out")
	assert.Zero(t, w.gateway.Calls("payment"))

	require.NoError(t, w.Orders.SetStock(t.Context(), "bowl", 1))
	w.leadsTo(w.buy("/pay/bowl"))
	available, err := w.Orders.Available(t.Context(), "bowl")
	require.NoError(t, err)
	assert.Zero(t, available)
}

func TestWhoHoldsTheLastPieceMayPayByAnotherWallet(t *testing.T) {
	w := newBowlShop(t, 1)
	w.Wallets, w.browser = qfpay.Wallets(), newBrowser(iPhone)
	first := w.orderOn(w.get("/pay/bowl"))
	require.Equal(t, http.StatusSeeOther, w.press(first, "alipayhk").StatusCode)
	second := w.press(first, "payme")
	require.Equal(t, http.StatusSeeOther, second.StatusCode, second.body)
	third := w.press(first, "unionpay")
	require.Equal(t, http.StatusSeeOther, third.StatusCode, third.body)
	assert.False(t, w.stored(first).HoldsStock)

	other := w.otherPayer()
	other.browser = newBrowser(iPhone)
	assert.Equal(t, http.StatusConflict, other.get("/pay/bowl").StatusCode, "it is held once")
	assert.Equal(t, http.StatusOK, w.get("/pay/bowl?again="+first).StatusCode, "the payer may start again")

	require.NoError(t, w.gateway.Pay(first))
	w.skipped = 3 * time.Second // the gateway was asked just now
	assert.True(t, w.isReceipt(first))
	assert.False(t, w.stored(first).LacksStock())
	assert.Equal(t, http.StatusConflict, w.get("/pay/bowl?again="+first).StatusCode, "it is sold")
}

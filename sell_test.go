package qfpayjsapi_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	goods "github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const invoiceKey = "sentinel-of-the-invoice-key-0123"

// buy opens a pay link, pays, and comes back.
func (s *shop) buy(link string) (order string, receipt reply) {
	s.t.Helper()
	payer := s.payer(wechat)
	_, order = payer.prepare(link)
	require.NoError(s.t, s.gateway.Pay(order))
	return order, payer.get("/pay/return/" + order)
}

func (s *shop) statusOf(order string) (status map[string]any) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.payer(desktop).get("/pay/status/"+order).body), &status))
	return status
}

func TestACartIsPaidInOnePayment(t *testing.T) {
	shop := openShop(t)
	order, receipt := shop.buy("/pay?item=cat-food:2&item=dog-treats&ref=R7")
	assert.Contains(t, receipt.body, order)
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, int64(30250), trade.Amount)
	status := shop.statusOf(order)
	assert.Equal(t, "paid", status["status"])
	assert.Equal(t, "302.50", status["display_amount"])
	assert.Equal(t, "Cat food 猫粮 × 2, dog-treats", status["description"])
	assert.Equal(t, "R7", status["ref"])
}

func TestTheReceiptOfALongCartNamesEverything(t *testing.T) {
	shop := openShop(t, withBlock(`item a 5 "Scratching post with two platforms 猫抓板"`+"\n"+`item b 6 "Aquarium plant, large 水草"`))
	order, receipt := shop.buy("/pay?item=a&item=b&item=cat-food:3")
	for _, name := range []string{"Scratching post with two platforms 猫抓板", "Aquarium plant, large 水草", "Cat food 猫粮"} {
		assert.Contains(t, receipt.body, "<bdi>"+name+"</bdi>")
	}
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, "Scratching post with two platforms 猫抓板 +2", trade.GoodsName)
}

func TestAnAbandonedCartIsStartedAgainAsItWas(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	link := "/pay?item=cat-food:2&item=dog-treats&ref=R7"
	payURL, order := payer.prepare(link)
	assert.Equal(t, payURL, payer.get(link).location, "the order under way goes on")
	require.NoError(t, shop.gateway.Fail(order))
	failed := payer.get("/pay/return/" + order)
	assert.Contains(t, failed.body, "/pay?again="+order+"&amp;item=cat-food%3A2&amp;item=dog-treats%3A1&amp;ref=R7")
}

func TestCartsThatCannotBeSoldGetAClearError(t *testing.T) {
	shop := openShop(t)
	for query, status := range map[string]int{
		"":                                   400,
		"item=cat-food:4":                    400,
		"item=cat-food:x":                    400,
		"item=dog-food":                      404,
		strings.Repeat("item=cat-food&", 21): 400,
		"amount=5.00":                        400,
		"invoice=x":                          400,
	} {
		assert.Equal(t, status, shop.payer(wechat).get("/pay?"+query).status, query)
	}
	assert.Empty(t, shop.stored())
}

func TestThePayerNamesTheAmountWithinBounds(t *testing.T) {
	shop := openShop(t, withBlock("open_amount 5 1000"))
	order, _ := shop.buy("/pay?amount=12.50&ref=donation")
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, int64(1250), trade.Amount)
	assert.Equal(t, "Harbour Pets", shop.statusOf(order)["description"])
	form := shop.payer(wechat).get("/pay?ref=D")
	assert.Equal(t, http.StatusOK, form.status)
	assert.Contains(t, form.body, `name="amount"`)
	assert.Contains(t, form.body, `name="ref" value="D"`)
	assert.Contains(t, form.body, "From HK$5.00 to HK$1,000.00")
	for _, amount := range []string{"4.99", "1000.01", "1e3", "-7", ""} {
		assert.Equal(t, http.StatusBadRequest, shop.payer(wechat).get("/pay?amount="+amount).status, amount)
	}
	posted := shop.payer(wechat).post("/pay", url.Values{"amount": {"20"}})
	assert.Equal(t, http.StatusSeeOther, posted.status)
}

func invoiceToken(t testing.TB, id string, uses *int) string {
	t.Helper()
	key, err := goods.NewInvoiceKey(invoiceKey, time.Now)
	require.NoError(t, err)
	token, err := key.Sign(goods.Invoice{ID: id, Amount: 123456, Currency: "HKD", Text: "Vet visit 兽医", Ref: "A7", Uses: uses})
	require.NoError(t, err)
	return token
}

func TestAnInvoiceIsPaidOnce(t *testing.T) {
	shop := openShop(t, withBlock("invoice_key "+invoiceKey), func(s *shop, _ *qfpaytest.Config) { withListener(s) })
	link := "/pay?invoice=" + invoiceToken(t, "inv-7", nil)
	first := shop.payer(wechat)
	payURL, order := first.prepare(link)
	second := shop.payer(wechat)
	assert.Equal(t, http.StatusForbidden, second.get(link).status, "somebody is paying it")
	assert.Equal(t, payURL, first.get(link).location, "whoever began goes on")
	require.NoError(t, shop.gateway.Pay(order))
	assert.Contains(t, first.get("/pay/return/"+order).body, "Vet visit 兽医")
	assert.Equal(t, http.StatusGone, second.get(link).status, "it has been paid")
	assert.Equal(t, http.StatusGone, first.get(link).status)
	assert.Equal(t, "inv-7", heardOf(order)["order.paid"]["invoice"])
	assert.NotContains(t, shop.log(), invoiceKey)
}

func TestTwoWhoOpenAnInvoiceAtOnceCannotBothPayIt(t *testing.T) {
	shop := openShop(t, withBlock("invoice_key "+invoiceKey))
	link := "/pay?invoice=" + invoiceToken(t, "inv-8", nil)
	first, second := shop.payer(wechat), shop.payer(wechat)
	one, other := first.authorize(link), second.authorize(link)
	replies := make(chan int, 2)
	go func() { replies <- first.get(one).status }()
	go func() { replies <- second.get(other).status }()
	assert.ElementsMatch(t, []int{http.StatusFound, http.StatusForbidden}, []int{<-replies, <-replies})
	assert.Equal(t, 1, shop.gateway.Calls("payment"))
}

func TestAnInvoiceForManyIsPaidAsOftenAsItSays(t *testing.T) {
	two, ever := 2, 0
	shop := openShop(t, withBlock("invoice_key "+invoiceKey))
	link := "/pay?invoice=" + invoiceToken(t, "inv-9", &two)
	shop.buy(link)
	shop.buy(link)
	assert.Equal(t, http.StatusGone, shop.payer(wechat).get(link).status)
	link = "/pay?invoice=" + invoiceToken(t, "inv-10", &ever)
	for range 4 {
		shop.buy(link)
	}
}

func TestAnInvoiceWhosePaymentFailedCanBePaidAgain(t *testing.T) {
	shop := openShop(t, withBlock("invoice_key "+invoiceKey))
	link := "/pay?invoice=" + invoiceToken(t, "inv-11", nil)
	payer := shop.payer(wechat)
	_, order := payer.prepare(link)
	require.NoError(t, shop.gateway.Fail(order))
	payer.get("/pay/return/" + order)
	again, _ := shop.buy(link)
	assert.NotEqual(t, order, again)
}

func TestForgedInvoicesAreRefused(t *testing.T) {
	shop := openShop(t, withBlock("invoice_key "+invoiceKey))
	token := invoiceToken(t, "inv-12", nil)
	for _, forged := range []string{"", "x", token[:len(token)-4], strings.Replace(token, ".", ".A", 1)} {
		assert.Equal(t, http.StatusForbidden, shop.payer(wechat).get("/pay?invoice="+forged).status)
	}
}

func TestFieldsGoToTheShopAndNowhereElse(t *testing.T) {
	shop := openShop(t, withBlock("field name required\nfield note\nfield extra"), func(s *shop, _ *qfpaytest.Config) { withListener(s) })
	payer := shop.payer(wechat)
	form := payer.get("/pay/cat-food?quantity=2&name=Query")
	assert.Equal(t, http.StatusOK, form.status)
	assert.NotContains(t, form.body, "Query", "an address is no place for them")
	assert.Contains(t, form.body, `name="name"`)
	assert.Contains(t, form.body, `name="quantity" value="2"`)
	wrong := payer.post("/pay/cat-food", url.Values{"name": {" "}, "note": {"kept"}, "extra": {"ribbon", "card"}})
	assert.Equal(t, http.StatusBadRequest, wrong.status)
	assert.Contains(t, wrong.body, `aria-invalid="true"`)
	assert.Contains(t, wrong.body, "\nkept</textarea>")
	assert.Contains(t, wrong.body, `<input type="hidden" name="extra" value="ribbon">`)
	assert.Contains(t, wrong.body, `<input type="hidden" name="extra" value="card">`)

	posted := payer.post("/pay/cat-food", url.Values{"name": {"sentinel-name 陈"}, "note": {"two\r\nlines"}, "extra": {"ribbon", "card"}, "other": {"ignored"}})
	require.Equal(t, http.StatusSeeOther, posted.status)
	callback := payer.oauth(posted.location)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	order := orderOf(t, callback)
	require.NoError(t, shop.gateway.Pay(order))
	receipt := payer.get("/pay/return/" + order)
	assert.Equal(t, map[string]any{"name": "sentinel-name 陈", "note": "two\nlines", "extra": []string{"ribbon", "card"}}, heardOf(order)["order.paid"]["fields"])
	assert.NotContains(t, receipt.body, "sentinel-name")
	assert.NotContains(t, payer.get("/pay/status/"+order).body, "sentinel-name")
	for line := range strings.Lines(shop.log()) {
		if !strings.Contains(line, `"logger":"events"`) { // where Caddy, asked for debugging, writes every event whole
			assert.NotContains(t, line, "sentinel-name")
		}
	}
}

func TestAnOrderTooLargeForACookieIsRefused(t *testing.T) {
	fields, form := "", url.Values{}
	for i := range 20 {
		fields += fmt.Sprintf("field f%d\n", i)
		text := ""
		for range 15 {
			text += rand.Text() // of which nothing can be said in fewer letters
		}
		form.Set(fmt.Sprintf("f%d", i), text)
	}
	shop := openShop(t, withBlock(fields))
	assert.Equal(t, http.StatusRequestEntityTooLarge, shop.payer(wechat).post("/pay/cat-food", form).status)
}

func TestACatalogueOfAThousandItemsSellsAndFollowsItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "items.json")
	type item struct {
		ID    string `json:"id"`
		Price string `json:"price"`
		Name  string `json:"name"`
	}
	items := make([]item, 1000)
	for i := range items {
		items[i] = item{fmt.Sprintf("item-%d", i), fmt.Sprintf("%d.50", i+2), fmt.Sprintf("%s 第%d号 🐈", strings.Repeat("猫粮", 12), i)}
	}
	write := func() {
		text, err := json.Marshal(items)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
	}
	write()
	shop := openShop(t, withBlock("catalog "+file))
	order, receipt := shop.buy("/pay/item-999")
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, int64(100150), trade.Amount)
	assert.Contains(t, receipt.body, items[999].Name)
	assert.LessOrEqual(t, len(trade.GoodsName), 64)
	assert.True(t, strings.HasPrefix(items[999].Name, trade.GoodsName), "cut between characters")

	items[0].Name = "renamed"
	items = append(items, item{"new", "3.00", "New 新"})
	write()
	payer := shop.payer(wechat)
	shop.eventually("the new item is sold", func() bool { return payer.get("/pay/new").status == http.StatusFound })

	require.NoError(t, os.WriteFile(file, []byte("["), 0o600))
	shop.eventually("the broken file is noticed", func() bool {
		assert.Equal(t, http.StatusFound, shop.payer(wechat).get("/pay/new").status, "the previous catalogue stays in use")
		return strings.Contains(shop.log(), "the previous one stays in use")
	})
}

package qfpayjsapi_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/doctor"
)

const bowl = "item bowl {\nprice 320\nname \"Goldfish bowl 金鱼缸\"\nmax_quantity 5\nstock\n}"

// bowls is what the command says of them.
func (s *shop) bowls() (row backoffice.StockRow) {
	s.t.Helper()
	var said backoffice.StockAnswer
	s.caddyJSON(&said, "stock")
	require.Len(s.t, said.Stock, 1)
	return said.Stock[0]
}

// left is what a page of the shop's own shows of the bowls.
func (s *shop) left() string {
	_, left, _ := strings.Cut(s.payer(desktop).get("/pay/items/bowl").body, `"available":`)
	return strings.TrimRight(left, "}\n")
}

func TestStockIsSaidByCommandAndSold(t *testing.T) {
	shop := openShop(t, withBlock(bowl))
	listed := shop.caddy("", "stock")
	require.NoError(t, listed.err)
	assert.Regexp(t, `(?m)^bowl +0 +0 +never +\w+ +Goldfish bowl 金鱼缸$`, listed.out)
	assert.Contains(t, listed.notes, "caddy qfpay-jsapi stock bowl <pieces>")
	assert.Equal(t, "warning", shop.doctorSays("stock").Status)
	assert.Equal(t, http.StatusConflict, shop.payer(wechat).get("/pay/bowl").status)

	counted := shop.caddy("", "stock", "bowl", "2")
	require.NoError(t, counted.err)
	assert.Regexp(t, `(?m)^bowl +2 +0 +\d{4}-`, counted.out)
	assert.Empty(t, counted.notes)
	shop.eventually("pages show it", func() bool { return shop.left() == "2" })
	assert.Equal(t, "good", shop.doctorSays("stock").Status)

	payer, late := shop.payer(wechat), shop.payer(wechat)
	slower := late.authorize("/pay/bowl?quantity=2")
	_, order := payer.prepare("/pay/bowl")
	assert.Equal(t, int64(1), shop.bowls().Reserved)
	sold := late.get(slower)
	assert.Equal(t, http.StatusConflict, sold.status)
	assert.Contains(t, sold.body, "Sold out")
	require.NoError(t, shop.gateway.Pay(order))
	require.Contains(t, payer.get("/pay/return/"+order).body, "Payment received")
	row := shop.bowls()
	assert.Equal(t, []int64{1, 0}, []int64{row.Available, row.Reserved})
	assert.Contains(t, shop.log(), "stock was counted")
	assert.ErrorContains(t, shop.caddy("", "stock", "bowl").err, "number of pieces")
	assert.ErrorContains(t, shop.caddy("", "stock", "bowl", "two").err, "not a number of pieces")
}

// doctorSays is what one check found.
func (s *shop) doctorSays(check string) doctor.Finding {
	s.t.Helper()
	var report doctor.Report
	ran := s.caddy("", "doctor", "--json") // which fails if anything is wrong
	require.NoError(s.t, json.Unmarshal([]byte(ran.out), &report), ran.out)
	for _, found := range report.Findings {
		if found.Check == check {
			return found
		}
	}
	s.t.Fatalf("there is no check of %s", check)
	return doctor.Finding{}
}

func TestStockIsSaidByTheAdminAPI(t *testing.T) {
	shop := openShop(t, withBlock(bowl))
	status, answer := shop.office("PUT", "/qfpay_jsapi/stock/bowl", `{"available":3}`)
	require.Equal(t, http.StatusOK, status)
	assert.EqualValues(t, 3, answer["available"])
	assert.Contains(t, answer, "counted_at")
	for _, test := range []struct {
		item, body string
		status     int
		says       string
	}{
		{"bowl", `{}`, 400, "available must say"},
		{"bowl", `{"available":-1}`, 400, "from 0 to 1000000"},
		{"bowl", `{"available":1.5}`, 400, "cannot be read"},
		{"bowl", `{"available":1,"pieces":2}`, 400, "pieces"},
		{"bowl", `{"available":1,"name":"nobody"}`, 404, "no shop called"},
		{"cat-food", `{"available":1}`, 404, "set it in the configuration"},
	} {
		status, answer := shop.office("PUT", "/qfpay_jsapi/stock/"+test.item, test.body)
		assert.Equal(t, test.status, status, test.body)
		assert.Contains(t, answer["error"], test.says)
	}
	status, answer = shop.office("GET", "/qfpay_jsapi/stock", "")
	require.Equal(t, http.StatusOK, status)
	assert.EqualValues(t, 3, answer["stock"].([]any)[0].(map[string]any)["available"], "as it was said last")
	status, _ = shop.office("POST", "/qfpay_jsapi/stock", "{}")
	assert.Equal(t, http.StatusMethodNotAllowed, status)
}

func TestTheOwnerCountsOnAPage(t *testing.T) {
	shop := openShop(t, withBlock(bowl), withOrders)
	owner := shop.owner()
	assert.Contains(t, owner.get("/orders").body, `<a href="?stock=1">Stock</a>`)
	page := owner.get("/orders?stock=1")
	assert.Contains(t, page.body, "never counted")
	form := url.Values{"available": {" 7 "}}
	for _, input := range regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(page.body, -1) {
		form.Set(input[1], html.UnescapeString(input[2]))
	}
	done := owner.follow(owner.post("/orders?stock=1", form))
	assert.Contains(t, done.body, "Goldfish bowl 金鱼缸</bdi> · Set to 7.")
	assert.Equal(t, int64(7), shop.bowls().Available)
	assert.Contains(t, shop.log(), `"user":"owner"`)

	wrong := form
	wrong.Set("available", "many")
	assert.Equal(t, http.StatusBadRequest, owner.post("/orders?stock=1", wrong).status)
	form.Set("available", "9")
	assert.Equal(t, http.StatusForbidden, shop.owner().post("/orders?stock=1", form).status, "in a browser that was not shown it")
	form.Set("item", "cat-food")
	assert.Equal(t, http.StatusForbidden, owner.post("/orders?stock=1", form).status)
	assert.Equal(t, int64(7), shop.bowls().Available)
}

func TestAShopWithoutStockIsShownNone(t *testing.T) {
	shop := openShop(t, withOrders)
	assert.NotContains(t, shop.owner().get("/orders").body, "?stock=1")
	assert.Contains(t, shop.caddy("", "stock").notes, "No item has stock")
}

func TestBlocksOfOneShopAgreeOnWhatHasStock(t *testing.T) {
	shop := openShop(t, withBlock(bowl))
	shop.site = shop.beside()
	shop.load()
	shop.site = shop.beside("stock\n", "\n")
	assert.ErrorContains(t, shop.tryToLoad(), `item "bowl" has stock in one block of the shop`)
}

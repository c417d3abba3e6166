package qfpayjsapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALinkThatDoesNotParseOrSaysTwoThingsStartsNoSmallerOrder(t *testing.T) {
	shop := openShop(t, withBlock("open_amount 5 1000\ninvoice_key "+invoiceKey))
	const form = "application/x-www-form-urlencoded"
	for _, agent := range []string{wechat, desktop, phone} {
		for _, address := range []string{
			"/pay?item=cat-food:2&amp;item=dog-treats", "/pay?item=cat-food:2&item=dog-treats;x", "/pay?item=cat-food:2&item=dog-treats%",
			"/pay?item=cat-food&item[]=dog-treats", "/pay?item=cat-food&quantity=3", "/pay?amount=5&amount=50",
			"/pay/cat-food?quantity=3%", "/pay/cat-food?quantity=1&quantity=3", "/pay/cat-food?Quantity=3", "/pay/cat-food?item=dog-treats",
		} {
			payer := shop.payer(agent).with("Accept", "application/json")
			got := payer.get(address)
			assert.Equal(t, http.StatusBadRequest, got.status, address)
			assert.Contains(t, got.body, "pay link not understood", address)
			path, body, _ := strings.Cut(address, "?")
			posted := payer.do(http.MethodPost, path, form, strings.NewReader(body))
			assert.Equal(t, http.StatusBadRequest, posted.status, "POST of %s", address)
			assert.Contains(t, posted.body, "pay link not understood", address)
			assert.Empty(t, append(got.cookies, posted.cookies...), address)
		}
		assert.Equal(t, http.StatusBadRequest, shop.payer(agent).do(http.MethodPost, "/pay/cat-food?quantity=1", form, strings.NewReader("quantity=3")).status)
		agreed := shop.payer(agent).do(http.MethodPost, "/pay/cat-food?quantity=2&from=timeline", form, strings.NewReader("quantity=2"))
		assert.Less(t, agreed.status, http.StatusBadRequest, "a query and a form that agree")
	}
	assert.Empty(t, shop.stored())
}

func TestAnAmountIsTakenAsItIsTyped(t *testing.T) {
	shop := openShop(t, withBlock("open_amount 5 1000"))
	for typed, minor := range map[string]int64{"12,50": 1250, "12.50 ": 1250, "HK$1,000.00": 100000, "１２．５０": 1250} {
		order, _ := shop.buy("/pay?amount=" + url.QueryEscape(typed))
		trade, _ := shop.gateway.Trade(order)
		assert.Equal(t, minor, trade.Amount, typed)
	}
	assert.Equal(t, http.StatusBadRequest, shop.payer(wechat).get("/pay?amount=1,000").status, "one or a thousand")
}

// invoiceClaims is an invoice link of whatever the shop's own program may have signed.
func invoiceClaims(t *testing.T, changed map[string]any) string {
	t.Helper()
	claims := map[string]any{"jti": "inv-7", "amount": 4200, "currency": "HKD", "text": "Vet visit"}
	for name, value := range changed {
		claims[name] = value
	}
	text, err := json.Marshal(claims)
	require.NoError(t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(invoiceKey)}, nil)
	require.NoError(t, err)
	signed, err := signer.Sign(text)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return "/pay?invoice=" + token
}

func TestAnInvoiceThatTheShopSignedWronglyIsAnsweredAsWhatItIs(t *testing.T) {
	hour := func(from int) int64 { return time.Now().Add(time.Duration(from) * time.Hour).Unix() }
	for name, test := range map[string]struct {
		claims  map[string]any
		status  int
		problem string
		claim   string // that the log names
	}{
		"an amount with a point":   {map[string]any{"amount": json.RawMessage("4200.0")}, 400, "made with a mistake", "amount"},
		"an end in milliseconds":   {map[string]any{"exp": hour(-1) * 1000}, 400, "made with a mistake", "exp"},
		"another currency":         {map[string]any{"currency": "JPY"}, 400, "made with a mistake", "currency"},
		"a beginning that is past": {map[string]any{"nbf": hour(-1), "exp": hour(1)}, 302, "", ""},
		"a beginning to come":      {map[string]any{"nbf": hour(1)}, 403, "not payable yet", ""},
		"an end that is past":      {map[string]any{"exp": hour(-1)}, 410, "expired", ""},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, withBlock("invoice_key "+invoiceKey))
			answer := shop.payer(wechat).with("Accept", "application/json").get(invoiceClaims(t, test.claims))
			assert.Equal(t, test.status, answer.status)
			assert.Contains(t, answer.body, test.problem)
			text, lines := shop.lines()
			if test.claim == "" {
				assert.NotContains(t, text, `"claim"`)
				return
			}
			last := lines[len(lines)-1]
			assert.Equal(t, "warn", last["level"])
			assert.Equal(t, test.claim, last["claim"])
			assert.NotContains(t, text, "Vet visit")
		})
	}
	shop := openShop(t, withBlock("invoice_key "+invoiceKey))
	forged := invoiceClaims(t, map[string]any{"amount": json.RawMessage("1.0")})
	assert.Equal(t, http.StatusForbidden, shop.payer(wechat).get(forged[:len(forged)-4]+"AAAA").status)
	text, _ := shop.lines()
	assert.NotContains(t, text, `"claim"`, "of what the shop did not sign, nothing is said")
}

func TestAReferenceThatHidesAndTurnsLettersIsStoredAsGivenAndShownInOneLine(t *testing.T) {
	const ref = "A\u2028B\u2029C\u202egnp.exe\u2066\u200b\u200e;=1+1"
	const note = "ring\ntwice\u202ecilbup\u200b"
	shop := openShop(t, withOrders, withBlock("field note"))
	payer := shop.payer(wechat)
	posted := payer.post("/pay/cat-food?ref="+url.QueryEscape(ref), url.Values{"note": {note}})
	require.Equal(t, http.StatusSeeOther, posted.status)
	callback := payer.oauth(posted.location)
	order := orderOf(t, callback)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	require.NoError(t, shop.gateway.Pay(order))
	receipt := payer.get("/pay/return/" + order)

	assert.Equal(t, ref, shop.statusOf(order)["ref"], "as given")
	_, detail := shop.office("GET", "/qfpay_jsapi/orders/"+order, "")
	assert.Equal(t, ref, detail["ref"], "as given")
	assert.Contains(t, receipt.body, "<bdi>"+strings.NewReplacer("+", "&#43;").Replace(ref)+"</bdi>", "it turns no letter but its own")
	assert.NotContains(t, receipt.body, "ring")

	line := func(text string) string {
		for one := range strings.Lines(text) {
			if strings.Contains(one, order) {
				return one
			}
		}
		return ""
	}
	const shown = "A B C gnp.exe   ;"
	assert.Contains(t, line(shop.caddy("", "orders").out), shown)
	assert.Contains(t, shop.caddy("", "show", order).out, shown)
	assert.Contains(t, line(shop.caddy("", "export").out), shown+"'=1+1")
	assert.Contains(t, shop.owner().get("/orders?order="+order).body, "<bdi>A\u2028B")
	for one := range strings.Lines(shop.log()) {
		assert.True(t, json.Valid([]byte(strings.TrimSpace(one))), "one line each: %s", one)
	}
	ours, _ := shop.lines()
	assert.NotContains(t, ours, "\u202e")
}

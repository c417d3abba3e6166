package checkout

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

const invoiceKey = "0123456789abcdef0123456789abcdef"

func ask(t testing.TB, query string) Asked {
	t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	return Asked{Values: values}
}

func TestACartIsAddedUpHere(t *testing.T) {
	intent, err := petShop(t).Intend(ask(t, "item=cat-food:2&item=bowl&item=cat-food&ref=R1&amount=1"), noon)
	require.NoError(t, err)
	assert.Equal(t, ledger.Intent{
		At: noon,
		Lines: []ledger.Line{
			{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 3, Price: 12800},
			{Item: "bowl", Name: "bowl", Quantity: 1, Price: 32000},
		},
		Amount: 70400, Currency: "HKD", Description: "Cat food 猫粮 × 3, bowl", Ref: "R1",
	}, intent)
}

func TestCartsThatCannotBeSoldAreRefused(t *testing.T) {
	for query, reason := range map[string]error{
		"item=":                              ErrCart,
		"item=cat-food:0":                    ErrCart,
		"item=cat-food:":                     ErrCart,
		"item=cat-food:1:2":                  ErrCart,
		"item=cat-food:-1":                   ErrCart,
		"item=cat-food:99999999999999999999": ErrCart,
		"item=cat-food&item=dog-food":        ErrUnknownItem,
		"item=cat-food:4":                    ErrQuantity,
		"item=cat-food:2&item=cat-food:2":    ErrQuantity,
		strings.Repeat("item=cat-food&", 21): ErrCart,
		"":                                   ErrNothingChosen,
		"quantity=2":                         ErrNothingChosen,
		"amount=5.00":                        ErrNothingChosen,
		"invoice=x":                          ErrNothingChosen,
		"item=cat-food&ref=" + strings.Repeat("x", 65): ErrRef,
	} {
		_, err := petShop(t).Intend(ask(t, query), noon)
		assert.ErrorIs(t, err, reason, query)
	}
}

func TestTheDescriptionOfACartFitsTheGateway(t *testing.T) {
	for lines := 2; lines <= MaxLines; lines++ {
		for length := 1; length <= MaxNameBytes/4; length += 7 {
			cart := make([]ledger.Line, lines)
			for i := range cart {
				cart[i] = ledger.Line{Name: strings.Repeat("猫", length) + "🐈", Quantity: 1 + i%2}
			}
			text := describe(cart)
			assert.LessOrEqual(t, len(text), qfpay.MaxGoodsName)
			assert.Equal(t, text, qfpay.Truncate(text, qfpay.MaxGoodsName))
			if !strings.Contains(text, ", ") {
				assert.Contains(t, text, fmt.Sprintf(" +%d", lines-1))
			}
		}
	}
}

func TestACartDearerThanTheGatewayTakesIsRefused(t *testing.T) {
	shop := petShop(t)
	var err error
	shop.Catalogue, err = NewCatalogue("HKD", []Item{{ID: "house", Price: "600000000"}, {ID: "yacht", Price: "500000000"}})
	require.NoError(t, err)
	_, err = shop.Intend(ask(t, "item=house&item=yacht"), noon)
	assert.ErrorIs(t, err, ErrAmount)
}

func TestAnOpenAmountStaysWithinItsBounds(t *testing.T) {
	shop := petShop(t)
	bounds, err := ParseBounds("5", "1000.00", "HKD")
	require.NoError(t, err)
	shop.OpenAmount = &bounds
	intent, err := shop.Intend(ask(t, "amount=12.50&ref=D"), noon)
	require.NoError(t, err)
	assert.Equal(t, ledger.Intent{At: noon, Amount: 1250, Currency: "HKD", Description: "Harbour Pets", Ref: "D"}, intent)
	for _, amount := range []string{"", "0", "4.99", "1000.01", "-5", "5e1", "12.505", "1,000", "NaN", "99999999999999999999"} {
		_, err := shop.Intend(ask(t, "amount="+url.QueryEscape(amount)), noon)
		assert.ErrorIs(t, err, ErrAmount, amount)
	}
	_, err = ParseBounds("10", "5", "HKD")
	assert.Error(t, err)
}

func TestFieldsComeFromTheFormAlone(t *testing.T) {
	shop := petShop(t)
	shop.Fields = []Field{{Name: "name", Required: true}, {Name: "note"}}
	asked := ask(t, "item=cat-food&name=Query")
	_, err := shop.Intend(asked, noon)
	var fields *FieldsError
	require.ErrorAs(t, err, &fields)
	assert.Equal(t, []string{"name"}, fields.Names)

	asked.Form = url.Values{"name": {" 陈 大文 "}, "note": {"ring\r\ntwice"}, "other": {"x"}}
	intent, err := shop.Intend(asked, noon)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"name": "陈 大文", "note": "ring\ntwice"}, intent.Fields)

	for _, wrong := range []string{strings.Repeat("x", MaxFieldRunes+1), "a\x00b", "\xff"} {
		asked.Form.Set("note", wrong)
		_, err = shop.Intend(asked, noon)
		require.ErrorAs(t, err, &fields)
		assert.Equal(t, []string{"note"}, fields.Names)
	}
}

func TestFieldNamesThatCollideAreRefused(t *testing.T) {
	for _, name := range []string{"", "Name", "1st", "a-b", "item", "ref", "user_creid", strings.Repeat("x", 33)} {
		assert.Error(t, Field{Name: name}.Check(), name)
	}
	assert.NoError(t, Field{Name: "delivery_address2"}.Check())
}

func invoices(t testing.TB, secret string) *InvoiceKey {
	t.Helper()
	key, err := NewInvoiceKey(secret, func() time.Time { return noon })
	require.NoError(t, err)
	return key
}

func TestASignedInvoiceIsPaidAsItSays(t *testing.T) {
	shop := petShop(t)
	shop.Invoices = invoices(t, invoiceKey)
	token, err := shop.Invoices.Sign(Invoice{ID: "inv-7", Amount: 123456, Currency: "HKD", Text: "Vet visit 兽医", Ref: "A7"})
	require.NoError(t, err)
	intent, err := shop.Intend(ask(t, "ref=other&amount=1&invoice="+token), noon)
	require.NoError(t, err)
	assert.Equal(t, ledger.Intent{
		At: noon, Amount: 123456, Currency: "HKD", Description: "Vet visit 兽医", Ref: "A7",
		Invoice: &ledger.Invoice{ID: "inv-7", Uses: 1, Token: token},
	}, intent)
}

func TestForgedAlteredAndExpiredInvoicesAreRefused(t *testing.T) {
	key := invoices(t, invoiceKey)
	good := Invoice{ID: "inv-7", Amount: 100, Currency: "HKD", Text: "Vet"}
	token, err := key.Sign(good)
	require.NoError(t, err)
	foreign, err := invoices(t, strings.Repeat("k", 32)).Sign(good)
	require.NoError(t, err)
	parts := strings.Split(token, ".")
	unsigned := "eyJhbGciOiJub25lIn0." + parts[1] + "."
	for name, text := range map[string]string{
		"nothing": "", "no token": "abc", "another key": foreign, "a changed letter": flip(token, len(parts[0])+10),
		"a changed signature": flip(token, len(token)-5), "cut": token[:len(token)-1], "no signature": unsigned,
		"too long": strings.Repeat("a", MaxInvoiceToken+1), "not text": "\xff.\xff.\xff",
	} {
		_, err := key.Open(text, "HKD")
		assert.ErrorIs(t, err, ErrInvoice, name)
	}
	_, err = key.Open(token, "JPY")
	assert.ErrorIs(t, err, ErrInvoice, "another currency")

	good.Expires = jwt.NewNumericDate(noon)
	late, err := key.Sign(good)
	require.NoError(t, err)
	_, err = key.Open(late, "HKD")
	assert.ErrorIs(t, err, ErrInvoiceExpired)
	good.Expires = jwt.NewNumericDate(noon.Add(time.Second))
	early, err := key.Sign(good)
	require.NoError(t, err)
	_, err = key.Open(early, "HKD")
	assert.NoError(t, err)
}

func TestInvoicesThatMakeNoSenseAreNotSigned(t *testing.T) {
	many := MaxInvoiceUses + 1
	for name, invoice := range map[string]Invoice{
		"no id":        {Amount: 1, Currency: "HKD", Text: "x"},
		"no amount":    {ID: "a", Currency: "HKD", Text: "x"},
		"no text":      {ID: "a", Amount: 1, Currency: "HKD"},
		"a long text":  {ID: "a", Amount: 1, Currency: "HKD", Text: strings.Repeat("x", 257)},
		"a broken ref": {ID: "a", Amount: 1, Currency: "HKD", Text: "x", Ref: "a\nb"},
		"many uses":    {ID: "a", Amount: 1, Currency: "HKD", Text: "x", Uses: &many},
	} {
		_, err := invoices(t, invoiceKey).Sign(invoice)
		assert.Error(t, err, name)
	}
	_, err := NewInvoiceKey(invoiceKey[1:], nil)
	assert.Error(t, err)
}

func TestTheCatalogueFollowsItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "items.json")
	write := func(text string, at time.Time) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.NoError(t, os.Chtimes(file, at, at))
	}
	sells := func(c *Catalogue, item string) bool { _, ok := c.articles[item]; return ok }
	write(`[{"id":"a","price":"1.00"}]`, noon)
	catalog, err := OpenCatalog(file, "HKD", []Item{{ID: "own", Price: "2.00"}})
	require.NoError(t, err)

	write(`[{"id":"b","price":"1.00"}]`, noon.Add(time.Second))
	current, err := catalog.Catalogue(noon)
	require.NoError(t, err)
	assert.True(t, sells(current, "b") && sells(current, "own") && !sells(current, "a"))

	write(`[{"id":"c"`, noon.Add(2*time.Second))
	current, err = catalog.Catalogue(noon.Add(time.Second))
	assert.Error(t, err)
	assert.True(t, sells(current, "b"), "the last good one stays")
	current, err = catalog.Catalogue(noon.Add(2 * time.Second))
	assert.NoError(t, err, "said once")
	assert.True(t, sells(current, "b"))

	require.NoError(t, os.Remove(file))
	_, err = catalog.Catalogue(noon.Add(3 * time.Second))
	assert.ErrorIs(t, err, os.ErrNotExist)
	write(`[{"id":"d","price":"1.00"}]`, noon.Add(4*time.Second))
	current, err = catalog.Catalogue(noon.Add(4 * time.Second))
	require.NoError(t, err)
	assert.True(t, sells(current, "d"))
}

func TestAHandoffOpensOnlyUnderItsOwnOrder(t *testing.T) {
	seal := newSeal(t, "KEY")
	handoff := Handoff{Order: NewOrder(noon), At: noon.Unix(), Link: "/pay/cat-food?quantity=2", Amount: 25600, Fields: map[string]string{"name": "陈"}}
	text, err := seal.CloseHandoff(handoff)
	require.NoError(t, err)
	opened, err := seal.OpenHandoff(text)
	require.NoError(t, err)
	assert.Equal(t, handoff, opened)

	_, sealed, _ := strings.Cut(text, ".")
	ticket, err := seal.Close(Ticket{Order: handoff.Order})
	require.NoError(t, err)
	for name, forged := range map[string]string{
		"another order": NewOrder(noon) + "." + sealed, "no order": "." + sealed, "nothing": "",
		"a ticket": handoff.Order + "." + ticket, "changed": flip(text, 40),
	} {
		_, err := seal.OpenHandoff(forged)
		assert.ErrorIs(t, err, ErrForged, name)
	}
	_, err = seal.Open(handoff.Order, sealed)
	assert.ErrorIs(t, err, ErrForged, "a handoff is no ticket")
}

func FuzzInvoice(f *testing.F) {
	key := invoices(f, invoiceKey)
	token, err := key.Sign(Invoice{ID: "inv-7", Amount: 100, Currency: "HKD", Text: "Vet"})
	require.NoError(f, err)
	f.Add(token)
	f.Add("")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if invoice, err := key.Open(text, "HKD"); err == nil {
			assert.Equal(t, Invoice{ID: "inv-7", Amount: 100, Currency: "HKD", Text: "Vet"}, invoice, "the only one that was signed")
		}
	})
}

func FuzzCart(f *testing.F) {
	shop := petShop(f)
	f.Add("cat-food:2", "bowl")
	f.Add(":", "cat-food:03")
	f.Fuzz(func(t *testing.T, a, b string) {
		intent, err := shop.Intend(Asked{Values: url.Values{"item": {a, b}}}, noon)
		if err != nil {
			return
		}
		var total int64
		for _, line := range intent.Lines {
			total += line.Price * int64(line.Quantity)
		}
		assert.Equal(t, total, intent.Amount)
		assert.Positive(t, intent.Amount)
	})
}

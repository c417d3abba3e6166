package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

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
	shop.Catalog, err = OpenCatalog("", "HKD", []Item{{ID: "house", Price: "600000000"}, {ID: "yacht", Price: "500000000"}}, zap.NewNop())
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
	for _, typed := range []string{"12,50", "12.50 ", "HK$12.50"} {
		intent, err := shop.Intend(ask(t, "amount="+url.QueryEscape(typed)), noon)
		require.NoError(t, err, typed)
		assert.Equal(t, int64(1250), intent.Amount, typed)
	}
	for want, amounts := range map[error][]string{
		ErrBounds: {"0", "4.99", "4,99", "1,000.01", "1000.01", "999999999999"},
		ErrAmount: {"", "-5", "5e1", "12.505", "1,000", "NaN"},
	} {
		for _, amount := range amounts {
			_, err := shop.Intend(ask(t, "amount="+url.QueryEscape(amount)), noon)
			assert.ErrorIs(t, err, want, amount)
		}
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
	assert.Equal(t, map[string]error{"name": ErrMissing}, fields.Wrong)

	asked.Form = url.Values{"name": {" 陈 大文 "}, "note": {"ring\r\ntwice"}, "other": {"x"}}
	intent, err := shop.Intend(asked, noon)
	require.NoError(t, err)
	assert.Equal(t, ledger.Fields{"name": {"陈 大文"}, "note": {"ring\ntwice"}}, intent.Fields)

	for _, test := range []struct {
		typed []string
		want  error
	}{
		{[]string{strings.Repeat("x", MaxFieldRunes+1)}, ErrTooLong},
		{[]string{"a\x00b"}, ErrNotText},
		{[]string{"fine", "\xff"}, ErrNotText},
		{slices.Repeat([]string{"x"}, MaxFieldValues+1), ErrTooMany},
	} {
		asked.Form["note"] = test.typed
		_, err = shop.Intend(asked, noon)
		require.ErrorAs(t, err, &fields)
		assert.Equal(t, map[string]error{"note": test.want}, fields.Wrong)
	}
	assert.EqualError(t, fields, "fields: note more than 20 values")
}

func TestAFieldsOwnRuleIsKept(t *testing.T) {
	shop := petShop(t)
	shop.Fields = []Field{{Name: "email"}, {Name: "note"}}
	shop.Rules = map[string]func(string) error{"email": func(value string) error {
		if !strings.Contains(value, "@") {
			return errors.New("no address")
		}
		return nil
	}}
	for email, wrong := range map[string]bool{"a@b.example": false, "": false, "somebody": true} {
		asked, err := shop.Ask("cat-food", "", url.Values{"email": {email}, "note": {"somebody"}})
		require.NoError(t, err)
		_, err = shop.Intend(asked, noon)
		var fields *FieldsError
		require.Equal(t, wrong, errors.As(err, &fields), email)
		if wrong {
			assert.Equal(t, map[string]error{"email": ErrRule}, fields.Wrong)
		}
	}
}

func TestAllValuesOfAFieldAreKept(t *testing.T) {
	shop := petShop(t)
	shop.Fields = []Field{{Name: "extra", Required: true}}
	asked, err := shop.Ask("cat-food", "", url.Values{"extra": {"ribbon", " ", " card ", "ribbon"}})
	require.NoError(t, err)
	intent, err := shop.Intend(asked, noon)
	require.NoError(t, err)
	assert.Equal(t, ledger.Fields{"extra": {"ribbon", "card", "ribbon"}}, intent.Fields)

	var fields *FieldsError
	asked.Form["extra"] = []string{"", " "}
	_, err = shop.Intend(asked, noon)
	require.ErrorAs(t, err, &fields, "nothing is no value of a field that is required")
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

// signedClaims is the token of whatever a shop's program may have written.
func signedClaims(t testing.TB, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(invoiceKey)}, nil)
	require.NoError(t, err)
	signed, err := signer.Sign([]byte(claims))
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return token
}

func TestAnInvoiceThatIsSignedAndWrongSaysWhichClaimIsWrong(t *testing.T) {
	shop := petShop(t)
	shop.Invoices = invoices(t, invoiceKey)
	for _, test := range []struct{ member, value, claim, reason string }{
		{"amount", "4200.0", "amount", "whole number of minor units"},
		{"amount", `"4200"`, "amount", "whole number of minor units"},
		{"amount", "42.5", "amount", "whole number"},
		{"amount", "1e999", "amount", "whole number"},
		{"amount", "null", "amount", "out of range"},
		{"amount", "0", "amount", "out of range"},
		{"amount", "-4200", "amount", "out of range"},
		{"currency", `"JPY"`, "currency", "must be HKD"},
		{"currency", `"hkd"`, "currency", "must be HKD"},
		{"jti", "7", "jti", "string"},
		{"jti", `"a b"`, "jti", "1 to 64"},
		{"text", `""`, "text", "one line"},
		{"text", `"a\nb"`, "text", "one line"},
		{"ref", `["a"]`, "ref", "string"},
		{"uses", "1.5", "uses", "whole number"},
		{"uses", "-1", "uses", "out of range"},
		{"exp", "1795406400000", "exp", "seconds since 1970"}, // in milliseconds
		{"exp", "3600", "exp", "seconds since 1970"},          // a span
		{"exp", "0", "exp", "seconds since 1970"},
		{"exp", "-1", "exp", "seconds since 1970"},
		{"exp", "1e300", "exp", "seconds since 1970"},
		{"exp", `"1795406400"`, "exp", "seconds since 1970"},
		{"exp", `"2026-12-31"`, "exp", "seconds since 1970"},
		{"nbf", "1795406400000", "nbf", "seconds since 1970"},
		{"nbf", `"soon"`, "nbf", "seconds since 1970"},
	} {
		claims := map[string]json.RawMessage{
			"jti": json.RawMessage(`"inv-7"`), "amount": json.RawMessage("4200"), "currency": json.RawMessage(`"HKD"`), "text": json.RawMessage(`"Vet"`),
		}
		claims[test.member] = json.RawMessage(test.value)
		text, err := json.Marshal(claims)
		require.NoError(t, err)
		_, err = shop.Intend(ask(t, "invoice="+signedClaims(t, string(text))), noon)
		var wrong *ClaimError
		if assert.ErrorAs(t, err, &wrong, "%s %s", test.member, test.value) {
			assert.Equal(t, test.claim, wrong.Claim, "%s %s", test.member, test.value)
			assert.Contains(t, wrong.Reason, test.reason, "%s %s", test.member, test.value)
		}
	}
	for _, claims := range []string{`[]`, `null`, `"x"`, `{`, "", "{\"text\":\"\xc3\xa8\xc1\"}"} {
		_, err := shop.Intend(ask(t, "invoice="+signedClaims(t, claims)), noon)
		var wrong *ClaimError
		assert.ErrorAs(t, err, &wrong, claims)
	}
	_, err := shop.Intend(ask(t, "invoice="+signedClaims(t, `{"jti":"inv-7","amount":4200,"currency":"HKD","text":"Vet","ref":null,"exp":null,"nbf":null,"uses":null,"iss":"us"}`)), noon)
	assert.NoError(t, err)
}

func TestAnInvoiceIsPaidBetweenItsTimes(t *testing.T) {
	key := invoices(t, invoiceKey)
	for _, test := range []struct {
		name     string
		nbf, exp time.Duration // from now; 0 for none
		want     error
	}{
		{"without times", 0, 0, nil},
		{"before it begins", time.Second, 0, ErrInvoiceEarly},
		{"after it began", -time.Second, time.Second, nil},
		{"before both", time.Hour, 2 * time.Hour, ErrInvoiceEarly},
		{"after both", -2 * time.Hour, -time.Hour, ErrInvoiceExpired},
	} {
		invoice := Invoice{ID: "inv-7", Amount: 100, Currency: "HKD", Text: "Vet"}
		if test.nbf != 0 {
			invoice.NotBefore = jwt.NewNumericDate(noon.Add(test.nbf))
		}
		if test.exp != 0 {
			invoice.Expires = jwt.NewNumericDate(noon.Add(test.exp))
		}
		token, err := key.Sign(invoice)
		require.NoError(t, err, test.name)
		_, err = key.Open(token, "HKD")
		assert.Equal(t, test.want, err, test.name)
	}
	_, err := key.Sign(Invoice{ID: "inv-7", Amount: 100, Currency: "HKD", Text: "Vet", NotBefore: jwt.NewNumericDate(noon), Expires: jwt.NewNumericDate(noon)})
	assert.ErrorContains(t, err, "exp is not after nbf")
}

func TestInvoicesThatMakeNoSenseAreNotSigned(t *testing.T) {
	many := MaxInvoiceUses + 1
	for name, invoice := range map[string]Invoice{
		"no id":        {Amount: 1, Currency: "HKD", Text: "x"},
		"no amount":    {ID: "a", Currency: "HKD", Text: "x"},
		"no text":      {ID: "a", Amount: 1, Currency: "HKD"},
		"a long text":  {ID: "a", Amount: 1, Currency: "HKD", Text: strings.Repeat("x", 257)},
		"a broken ref": {ID: "a", Amount: 1, Currency: "HKD", Text: "x", Ref: "a\nb"},
		"hidden text":  {ID: "a", Amount: 1, Currency: "HKD", Text: "x\u200by"},
		"turned text":  {ID: "a", Amount: 1, Currency: "HKD", Text: "\u202egnp.exe"},
		"two lines":    {ID: "a", Amount: 1, Currency: "HKD", Text: "x\u2028y"},
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
	core, logged := observer.New(zap.ErrorLevel)
	catalog, err := OpenCatalog(file, "HKD", []Item{{ID: "own", Price: "2.00"}}, zap.New(core))
	require.NoError(t, err)

	write(`[{"id":"b","price":"1.00"}]`, noon.Add(time.Second))
	current := catalog.Catalogue(noon)
	assert.True(t, sells(current, "b") && sells(current, "own") && !sells(current, "a"))
	assert.Zero(t, logged.Len())

	write(`[{"id":"c"`, noon.Add(2*time.Second))
	assert.True(t, sells(catalog.Catalogue(noon.Add(time.Second)), "b"), "the last good one stays")
	assert.Len(t, logged.TakeAll(), 1)
	assert.True(t, sells(catalog.Catalogue(noon.Add(2*time.Second)), "b"))
	assert.Zero(t, logged.Len(), "said once")

	require.NoError(t, os.Remove(file))
	assert.True(t, sells(catalog.Catalogue(noon.Add(3*time.Second)), "b"))
	assert.Len(t, logged.TakeAll(), 1)
	write(`[{"id":"d","price":"1.00"}]`, noon.Add(4*time.Second))
	assert.True(t, sells(catalog.Catalogue(noon.Add(4*time.Second)), "d"))
}

func TestAnotherFileOfTheSameSizeAndTimeIsSoldWithinSeconds(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, file, text string){
		"written over": func(t *testing.T, file, text string) {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			require.NoError(t, os.Chtimes(file, noon, noon))
		},
		"put in its place": func(t *testing.T, file, text string) {
			require.NoError(t, os.WriteFile(file+".new", []byte(text), 0o600))
			require.NoError(t, os.Chtimes(file+".new", noon, noon))
			require.NoError(t, os.Rename(file+".new", file))
		},
		"by a symbolic link": func(t *testing.T, file, text string) {
			require.NoError(t, os.WriteFile(file+".2", []byte(text), 0o600))
			require.NoError(t, os.Chtimes(file+".2", noon, noon))
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Symlink(file+".2", file))
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := catalogFile(t, `[{"id":"a","price":"1.00"}]`)
			require.NoError(t, os.Chtimes(file, noon, noon))
			catalog, err := OpenCatalog(file, "HKD", nil, zap.NewNop())
			require.NoError(t, err)
			assert.Equal(t, int64(100), catalog.Catalogue(noon).articles["a"].price)

			replace(t, file, `[{"id":"a","price":"2.00"}]`)
			assert.Equal(t, int64(200), catalog.Catalogue(noon.Add(3 * time.Second)).articles["a"].price)
		})
	}
}

func TestACatalogueThatCouldNotBeReadOnceIsReadAgain(t *testing.T) {
	file := catalogFile(t, `[{"id":"a","price":"1.00"}]`)
	core, logged := observer.New(zap.InfoLevel)
	catalog, err := OpenCatalog(file, "HKD", nil, zap.New(core))
	require.NoError(t, err)
	now := noon
	price := func() int64 {
		now = now.Add(time.Second)
		return catalog.Catalogue(now).articles["a"].price
	}
	require.Equal(t, int64(100), price())

	hidden := file + ".hidden"
	require.NoError(t, os.WriteFile(hidden, []byte(`[{"id":"a","price":"2.00"}]`), 0o600))
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Mkdir(file, 0o700)) // which cannot be read, by nobody
	for range 5 {
		assert.Equal(t, int64(100), price())
	}
	require.Equal(t, 1, logged.Len(), "said once")
	assert.Equal(t, zap.ErrorLevel, logged.TakeAll()[0].Level)
	_, err = catalog.Read()
	assert.ErrorContains(t, err, "not a regular file")

	require.NoError(t, os.Remove(file))
	assert.Equal(t, int64(100), price())
	assert.Len(t, logged.TakeAll(), 1, "another error")
	require.NoError(t, os.Rename(hidden, file))
	assert.Equal(t, int64(200), price())
	assert.Len(t, logged.FilterMessage("the catalogue can be read again").TakeAll(), 1)

	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"a","price":"3.00"`), 0o600)) // while somebody writes it
	assert.Equal(t, int64(200), price())
	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"a","price":"3.00"}]`), 0o600))
	assert.Equal(t, int64(300), price())
}

// flip returns s with another letter at one place.
func flip(s string, at int) string {
	letter := byte('A')
	if s[at] == letter {
		letter = 'B'
	}
	return s[:at] + string(letter) + s[at+1:]
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

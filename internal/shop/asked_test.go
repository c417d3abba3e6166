package shop

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALinkThatDoesNotParseOrSaysTwoThingsIsRefused(t *testing.T) {
	shop := petShop(t)
	bounds, err := ParseBounds("5", "1000", "HKD")
	require.NoError(t, err)
	shop.OpenAmount, shop.Invoices = &bounds, invoices(t, invoiceKey)
	shop.Fields = []Field{{Name: "note"}}
	for _, test := range []struct{ item, query, form string }{
		{"", "item=cat-food:2&amp;item=bowl", ""},
		{"", "item=cat-food:2&amp%3Bitem=bowl", ""},
		{"", "item=cat-food;x", ""},
		{"", "item=cat-food;item=bowl", ""},
		{"", "item=cat-food%", ""},
		{"", "item=cat-food&item=bow%6", ""},
		{"", "item=cat-food&%zz=1", ""},
		{"", "item[]=cat-food&item[]=bowl", ""},
		{"", "item=cat-food&item[1]=bowl", ""},
		{"", "item=cat-food&Item=bowl", ""},
		{"", "item=cat-food&quantity=3", ""},
		{"", "item=cat-food&invoice=x", ""},
		{"", "amount=5&quantity=3", ""},
		{"", "amount=5&amount=50", ""},
		{"", "invoice=x&invoice=y", ""},
		{"cat-food", "quantity=3%", ""},
		{"cat-food", "quantity=1&quantity=3", ""},
		{"cat-food", "Quantity=3", ""},
		{"cat-food", "quantity%20=3", ""},
		{"cat-food", "quantity[]=3", ""},
		{"cat-food", "amp;quantity=3", ""},
		{"cat-food", "ref=a&ref=b", ""},
		{"cat-food", "item=bowl", ""},
		{"cat-food", "invoice=x", ""},
		{"cat-food", "", "quantity=1&quantity=3"},
		{"cat-food", "", "QUANTITY=3"},
		{"cat-food", "", "item=bowl"},
		{"cat-food", "", "Note=a"},
		{"cat-food", "", "user_creid=a&user_creid=b"},
		{"cat-food", "quantity=1", "quantity=3"},
		{"cat-food", "ref=a", "ref=b"},
		{"", "item=cat-food", "quantity=3"},
	} {
		var form url.Values
		if test.form != "" {
			form, err = url.ParseQuery(test.form)
			require.NoError(t, err)
		}
		_, err := shop.Ask(test.item, test.query, form)
		assert.ErrorIs(t, err, ErrLink, "%+v", test)
	}
}

func TestALinkWithWhatOthersAddIsUnderstood(t *testing.T) {
	shop := petShop(t)
	shop.Fields = []Field{{Name: "note"}}
	for _, test := range []struct {
		item, query string
		form        url.Values
	}{
		{"cat-food", "from=timeline&isappinstalled=0&utm_source=a&utm_source=b&", nil},
		{"cat-food", "amount=1&price=1&Note=x&note=a&note=b", nil},
		{"cat-food", "&&x", nil},
		{"cat-food", "quantity=1&quantity=1", nil},
		{"cat-food", "quantity=1&ref=a", url.Values{"quantity": {"1"}, "ref": {"a"}, "note": {"x;y%"}}},
		{"", "item=cat-food&item=cat-food:2", nil},
		{"", "item=cat-food", url.Values{"item": {"bowl"}}},
		{"cat-food", "", url.Values{"note": {"a", "b"}}},
	} {
		asked, err := shop.Ask(test.item, test.query, test.form)
		require.NoError(t, err, "%+v", test)
		_, err = shop.Intend(asked, noon)
		assert.NoError(t, err, "%+v", test)
	}
	asked, err := shop.Ask("", "item=a&ref=q", url.Values{"item": {"b"}, "note": {"x"}})
	require.NoError(t, err)
	assert.Equal(t, Asked{Values: url.Values{"item": {"b", "a"}, "ref": {"q"}, "note": {"x"}}, Form: url.Values{"item": {"b"}, "note": {"x"}}}, asked)
}

func FuzzAsk(f *testing.F) {
	shop := petShop(f)
	f.Add("quantity=3&ref=a", "quantity=3")
	f.Add("amp;quantity=3", "")
	f.Fuzz(func(t *testing.T, query, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		asked, err := shop.Ask("cat-food", query, form)
		if err != nil {
			assert.ErrorIs(t, err, ErrLink)
			return
		}
		linked, err := url.ParseQuery(query)
		require.NoError(t, err)
		for _, said := range []url.Values{linked, form} {
			for _, quantity := range said["quantity"] {
				assert.Equal(t, quantity, asked.Values.Get("quantity"), "it is what all say")
			}
		}
	})
}

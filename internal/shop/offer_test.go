package shop

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func stockedCatalogue(t *testing.T, text string) *Catalogue {
	t.Helper()
	items, err := parseItems("catalog.json", []byte(text))
	require.NoError(t, err)
	catalogue, err := NewCatalogue("HKD", items)
	require.NoError(t, err)
	return catalogue
}

func TestLinesSayWhetherTheirItemHasStock(t *testing.T) {
	c := stockedCatalogue(t, `[{"id":"food","price":"1.00"},{"id":"bowl","price":"320.00","stock":true,"max_quantity":3},{"id":"belt","price":"2.00","stock":true}]`)
	cart, err := c.cart([]string{"food", "bowl:2", "bowl"})
	require.NoError(t, err)
	assert.Equal(t, []ledger.Line{
		{Item: "food", Name: "food", Quantity: 1, Price: 100}, {Item: "bowl", Name: "bowl", Quantity: 3, Price: 32000, Stock: true},
	}, cart.Lines)
	assert.True(t, cart.WantsStock())
	one, err := c.one("food", url.Values{})
	require.NoError(t, err)
	assert.False(t, one.WantsStock())
	assert.Equal(t, []Offer{{"belt", "belt", 200, true}, {"bowl", "bowl", 32000, true}}, c.Stocked())
	offer, ok := c.Offer("food")
	assert.Equal(t, Offer{"food", "food", 100, false}, offer)
	assert.True(t, ok)
	_, ok = c.Offer("rope")
	assert.False(t, ok)
}

func TestStockIsADifferenceBetweenCatalogues(t *testing.T) {
	with, without := stockedCatalogue(t, `[{"id":"bowl","price":"320.00","stock":true}]`), stockedCatalogue(t, `[{"id":"bowl","price":"320.00","stock":false}]`)
	id, differ := with.FirstDifference(without)
	assert.True(t, differ)
	assert.Equal(t, "bowl", id)
	_, err := parseItems("catalog.json", []byte(`[{"id":"bowl","price":"320.00","stock":20}]`))
	assert.ErrorContains(t, err, "stock")
}

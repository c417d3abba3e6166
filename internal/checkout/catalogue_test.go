package checkout

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func petShop(t testing.TB) *Shop {
	t.Helper()
	catalogue, err := NewCatalogue("HKD", []Item{
		{ID: "cat-food", Price: "128.00", Name: "Cat food 猫粮", MaxQuantity: 3},
		{ID: "bowl", Price: "320"},
	})
	require.NoError(t, err)
	return &Shop{Merchant: "Harbour Pets", Currency: "HKD", Catalogue: catalogue}
}

func TestAnIntentTakesItsPriceFromTheCatalogueAlone(t *testing.T) {
	intent, err := petShop(t).Intend(Asked{Item: "cat-food", Values: url.Values{
		"quantity": {"2"}, "ref": {"INV-7"}, "amount": {"1"}, "price": {"1"}, "txamt": {"1"}, "currency": {"JPY"},
	}}, noon)
	require.NoError(t, err)
	assert.Equal(t, ledger.Intent{
		At:          noon,
		Lines:       []ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 2, Price: 12800}},
		Amount:      25600,
		Currency:    "HKD",
		Description: "Cat food 猫粮 × 2",
		Ref:         "INV-7",
	}, intent)
}

func TestAnItemWithoutANameIsCalledByItsID(t *testing.T) {
	intent, err := petShop(t).Intend(Asked{Item: "bowl"}, noon)
	require.NoError(t, err)
	assert.Equal(t, "bowl", intent.Description)
	assert.Equal(t, int64(32000), intent.Amount)
}

func TestWhatCannotBeSoldIsRefused(t *testing.T) {
	for _, test := range []struct {
		name, item, query string
		reason            error
	}{
		{"an unknown item", "dog-food", "", ErrUnknownItem},
		{"an item in other letters", "Cat-Food", "", ErrUnknownItem},
		{"more than the limit", "cat-food", "quantity=4", ErrQuantity},
		{"two where one is the default limit", "bowl", "quantity=2", ErrQuantity},
		{"none", "cat-food", "quantity=0", ErrQuantity},
		{"less than none", "cat-food", "quantity=-1", ErrQuantity},
		{"a signed number", "cat-food", "quantity=%2B1", ErrQuantity},
		{"no number", "cat-food", "quantity=two", ErrQuantity},
		{"an empty quantity", "cat-food", "quantity=", ErrQuantity},
		{"a number beyond integers", "cat-food", "quantity=99999999999999999999", ErrQuantity},
		{"a long reference", "cat-food", "ref=" + strings.Repeat("x", 65), ErrRef},
		{"a reference with a line break", "cat-food", "ref=a%0Ab", ErrRef},
		{"a reference that is not UTF-8", "cat-food", "ref=%ff", ErrRef},
	} {
		t.Run(test.name, func(t *testing.T) {
			values, err := url.ParseQuery(test.query)
			require.NoError(t, err)
			_, err = petShop(t).Intend(Asked{Item: test.item, Values: values}, noon)
			assert.ErrorIs(t, err, test.reason)
		})
	}
}

func TestAReferenceIsCountedInCharacters(t *testing.T) {
	_, err := petShop(t).Intend(Asked{Item: "cat-food", Values: url.Values{"ref": {strings.Repeat("订", 64)}}}, noon)
	assert.NoError(t, err)
}

func TestBadItemsAreRefusedWithTheirField(t *testing.T) {
	for _, test := range []struct {
		item          Item
		field, reason string
	}{
		{Item{ID: "", Price: "1"}, "id", "no item id"},
		{Item{ID: "cat food", Price: "1"}, "id", "no item id"},
		{Item{ID: "a/b", Price: "1"}, "id", "no item id"},
		{Item{ID: "..", Price: "1"}, "id", "no item id"},
		{Item{ID: strings.Repeat("a", 65), Price: "1"}, "id", "no item id"},
		{Item{ID: "callback", Price: "1"}, "id", "own pages"},
		{Item{ID: "notify", Price: "1"}, "id", "own pages"},
		{Item{ID: "a"}, "price", "no price"},
		{Item{ID: "a", Price: "1.234"}, "price", "decimals"},
		{Item{ID: "a", Price: "1", Name: strings.Repeat("猫", 86)}, "name", "256 bytes"},
		{Item{ID: "a", Price: "1", Name: "\xff"}, "name", "UTF-8"},
		{Item{ID: "a", Price: "1", Name: "two\nlines"}, "name", "one line"},
		{Item{ID: "a", Price: "1", Name: "\x1b[2J"}, "name", "one line"},
		{Item{ID: "a", Price: "1", MaxQuantity: -1}, "max_quantity", "out of range"},
		{Item{ID: "a", Price: "1", MaxQuantity: 10000}, "max_quantity", "out of range"},
		{Item{ID: "a", Price: "999999999", MaxQuantity: 2}, "max_quantity", "more than the gateway takes"},
	} {
		field, err := test.item.Check("HKD")
		assert.Equal(t, test.field, field, "%+v", test.item)
		assert.ErrorContains(t, err, test.reason, "%+v", test.item)
	}
}

func TestTheSameItemTwiceIsRefused(t *testing.T) {
	_, err := NewCatalogue("HKD", []Item{{ID: "a", Price: "1"}, {ID: "a", Price: "2"}})
	assert.ErrorContains(t, err, `item "a" is there twice`)
}

func TestACatalogueFileTakesPricesAsTextOrNumbers(t *testing.T) {
	file := catalogFile(t, `[{"id":"a","price":"19.90","name":"甲","max_quantity":2},{"id":"b","price":19.9}]`)
	items, err := ReadItems(file)
	require.NoError(t, err)
	assert.Equal(t, []Item{{ID: "a", Price: "19.90", Name: "甲", MaxQuantity: 2}, {ID: "b", Price: "19.9"}}, items)
}

func TestABrokenCatalogueFileIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":          `id,price`,
		"an object":         `{"id":"a","price":"1"}`,
		"a misspelt member": `[{"id":"a","prise":"1"}]`,
		"a price of true":   `[{"id":"a","price":true}]`,
		"two arrays":        `[] []`,
		"cut short":         `[{"id":"a"`,
		"empty":             ``,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadItems(catalogFile(t, text))
			assert.Error(t, err)
		})
	}
	_, err := ReadItems(filepath.Join(t.TempDir(), "missing.json"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func catalogFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "catalog.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

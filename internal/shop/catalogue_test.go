package shop

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func petShop(t testing.TB) *Shop {
	t.Helper()
	catalog, err := OpenCatalog("", "HKD", []Item{
		{ID: "cat-food", Price: "128.00", Name: "Cat food 猫粮", MaxQuantity: 3},
		{ID: "bowl", Price: "320"},
	}, zap.NewNop())
	require.NoError(t, err)
	return &Shop{Merchant: "Harbour Pets", Currency: "HKD", Catalog: catalog}
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
		{Item{ID: "", Price: "1"}, "id", "not an item id"},
		{Item{ID: "cat food", Price: "1"}, "id", "not an item id"},
		{Item{ID: "a/b", Price: "1"}, "id", "not an item id"},
		{Item{ID: "..", Price: "1"}, "id", "not an item id"},
		{Item{ID: strings.Repeat("a", 65), Price: "1"}, "id", "not an item id"},
		{Item{ID: "callback", Price: "1"}, "id", "page of its own"},
		{Item{ID: "notify", Price: "1"}, "id", "page of its own"},
		{Item{ID: "a"}, "price", "no price"},
		{Item{ID: "a", Price: "1.234"}, "price", "decimals"},
		{Item{ID: "a", Price: "1", Name: strings.Repeat("猫", 86)}, "name", "256 bytes"},
		{Item{ID: "a", Price: "1", Name: "\xff"}, "name", "UTF-8"},
		{Item{ID: "a", Price: "1", Name: "two\nlines"}, "name", "one line"},
		{Item{ID: "a", Price: "1", Name: "\x1b[2J"}, "name", "one line"},
		{Item{ID: "a", Price: "1", MaxQuantity: -1}, "max_quantity", "out of range"},
		{Item{ID: "a", Price: "1", MaxQuantity: 10000}, "max_quantity", "out of range"},
		{Item{ID: "a", Price: "999999999", MaxQuantity: 2}, "max_quantity", "more than the gateway accepts"},
	} {
		field, err := test.item.Check("HKD")
		assert.Equal(t, test.field, field, "%+v", test.item)
		assert.ErrorContains(t, err, test.reason, "%+v", test.item)
	}
}

func TestTheSameItemTwiceIsRefused(t *testing.T) {
	_, err := NewCatalogue("HKD", []Item{{ID: "a", Price: "1"}, {ID: "a", Price: "2"}})
	assert.ErrorContains(t, err, `item "a" is given twice`)
}

func TestACatalogueFileTakesPricesAsTextOrNumbers(t *testing.T) {
	items, err := parseItems("catalog.json", []byte("\ufeff"+`[{"id":"a","price":"19.90","name":"甲","max_quantity":2},{"id":"b","price":19.9}]`))
	require.NoError(t, err)
	assert.Equal(t, []Item{{ID: "a", Price: "19.90", Name: "甲", MaxQuantity: 2}, {ID: "b", Price: "19.9"}}, items)
}

func TestABrokenCatalogueFileIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":                    `id,price`,
		"an object":                   `{"id":"a","price":"1"}`,
		"a misspelt member":           `[{"id":"a","prise":"1"}]`,
		"a price of true":             `[{"id":"a","price":true}]`,
		"two arrays":                  `[] []`,
		"cut short":                   `[{"id":"a"`,
		"empty":                       ``,
		"null":                        `null`,
		"an item of null":             `[null]`,
		"a stock of null":             `[{"id":"a","price":"1","stock":null}]`,
		"a price of null":             `[{"id":"a","price":null}]`,
		"two prices":                  `[{"id":"a","price":"128.00","price":"1.00"}]`,
		"two prices, one in capitals": `[{"id":"a","price":"128.00","Price":"1.00"}]`,
		"names in another encoding":   "[{\"id\":\"a\",\"price\":\"1\",\"name\":\"\xc3\xa8\xc1\xb8\"}]",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := OpenCatalog(catalogFile(t, text), "HKD", nil, zap.NewNop())
			assert.Error(t, err)
		})
	}
	_, err := OpenCatalog(filepath.Join(t.TempDir(), "missing.json"), "HKD", nil, zap.NewNop())
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = OpenCatalog(t.TempDir(), "HKD", nil, zap.NewNop())
	assert.ErrorContains(t, err, "not a regular file")
}

func TestAQuantityOfZeroIsAnErrorAndNoneIsOne(t *testing.T) {
	for text, wrong := range map[string]bool{
		`{}`: false, `{"max_quantity":1}`: false, `{"max_quantity":9999}`: false,
		`{"max_quantity":0}`: true, `{"max_quantity":-1}`: true, `{"max_quantity":null}`: true, `{"max_quantity":10000}`: true,
		`{"max_quantity":1.5}`: true, `{"max_quantity":"3"}`: true, `{"max_quantity":false}`: true,
	} {
		var item Item
		err := json.Unmarshal([]byte(text), &item)
		if wrong {
			assert.ErrorContains(t, err, "max_quantity", text)
			continue
		}
		assert.NoError(t, err, text)
		again, err := json.Marshal(item)
		require.NoError(t, err)
		assert.Contains(t, string(again), text[1:len(text)-1], text)
	}
	_, err := OpenCatalog(catalogFile(t, `[{"id":"a","price":"1","max_quantity":0}]`), "HKD", nil, zap.NewNop())
	assert.ErrorContains(t, err, "max_quantity: 0 is not a number from 1 to 9999")
}

func TestTheLongestNameIsCountedInCharacters(t *testing.T) {
	catalogue, err := NewCatalogue("HKD", []Item{{ID: "a", Price: "1", Name: "Cat food 猫粮"}, {ID: "b", Price: "1", Name: "Catnip mouse"}, {ID: "c", Price: "1"}})
	require.NoError(t, err)
	id, characters := catalogue.LongestName()
	assert.Equal(t, "b", id)
	assert.Equal(t, 12, characters)
	empty, err := NewCatalogue("HKD", nil)
	require.NoError(t, err)
	id, characters = empty.LongestName()
	assert.Empty(t, id)
	assert.Zero(t, characters)
}

func TestWhatHidesOrTurnsLettersNeverGetsIntoACatalogue(t *testing.T) {
	for _, name := range []string{
		"\u3000", "a\x00", "a\nb", "a\tb", "\x7f", "a\u0085b",
		"a\u2028b", "a\u2029b", "a\u200bb", "a\u200db", "a\u2060b", "\ufeffa", "so\u00adft", "a\u200fb", "\u202egnp.exe", "\u2066a\u2069", "a\u061cb", "a\U000e0041",
	} {
		text, err := json.Marshal([]Item{{ID: "a", Price: "1", Name: name}})
		require.NoError(t, err)
		_, err = OpenCatalog(catalogFile(t, string(text)), "HKD", nil, zap.NewNop())
		require.ErrorContains(t, err, "one line of UTF-8 text", "%q", name)
		assert.NotContains(t, err.Error(), name)
	}
}

func TestNamesInAnyScriptAndJoinedEmojiAreTaken(t *testing.T) {
	for _, name := range []string{"Cat food 猫粮", "อาหารแมว", "قطط", "Café — 1½ kg", "Black cat 🐈\u200d⬛", "For all 👨\u200d👩\u200d👧", "❤️\u200d🔥", "👩🏽\u200d🌾 farm"} {
		field, err := Item{ID: "a", Price: "1", Name: name}.Check("HKD")
		assert.NoError(t, err, "%q: %s", name, field)
	}
}

func TestTheFirstDifferenceOfTwoCataloguesIsNamed(t *testing.T) {
	items := []Item{{ID: "a", Price: "1"}, {ID: "b", Price: "2", Name: "B", MaxQuantity: 2}}
	for name, test := range map[string]struct {
		other []Item
		want  string
	}{
		"none":             {items, ""},
		"another price":    {[]Item{items[0], {ID: "b", Price: "2.01", Name: "B", MaxQuantity: 2}}, "b"},
		"another name":     {[]Item{items[0], {ID: "b", Price: "2", Name: "C", MaxQuantity: 2}}, "b"},
		"another quantity": {[]Item{items[0], {ID: "b", Price: "2", Name: "B"}}, "b"},
		"one less":         {items[1:], "a"},
		"one more":         {append(items[:2:2], Item{ID: "c", Price: "1"}), "c"},
	} {
		mine, err := NewCatalogue("HKD", items)
		require.NoError(t, err)
		theirs, err := NewCatalogue("HKD", test.other)
		require.NoError(t, err)
		id, differ := mine.FirstDifference(theirs)
		assert.Equal(t, test.want, id, name)
		assert.Equal(t, test.want != "", differ, name)
	}
}

func catalogFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "catalog.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

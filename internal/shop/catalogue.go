package shop

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Item is one thing that can be bought.
type Item struct {
	// What the pay link names: 1 to 64 of A-Z a-z 0-9 _ . ~ -, beginning with
	// a letter or digit. Required. The names of the plugin's own pages
	// (callback, return, status, items, notify) cannot be used.
	ID string `json:"id,omitempty"`

	// Price of one piece as a decimal in the shop's currency: "128.00".
	// Required.
	Price Price `json:"price,omitempty"`

	// What the payer reads: one line of at most 256 bytes. Default: the id.
	Name string `json:"name,omitempty"`

	// How many pieces one order may hold, 1 to 9999. Default: 1.
	MaxQuantity Quantity `json:"max_quantity,omitempty"`

	// No more is sold than the owner says is there: by the command stock, on the
	// orders page, or by the admin API. Until then, none is. Default: false.
	Stock Toggle `json:"stock,omitempty"`
}

// Quantity is a number of pieces, 1 to [MaxQuantity]. Zero is one that was not given.
type Quantity int

// UnmarshalJSON refuses a zero that was given: it sells nothing, and was never meant
// to stand for the default. So does null.
func (q *Quantity) UnmarshalJSON(text []byte) error {
	number, ok := parseQuantity(string(text))
	if !ok {
		return fmt.Errorf("max_quantity: %s is not a number from 1 to %d", text, MaxQuantity)
	}
	*q = Quantity(number)
	return nil
}

// Toggle is yes or no. In JSON it is true or false: null, which a program may write
// for what it does not know, would sell what the shop may not have.
type Toggle bool

// UnmarshalJSON refuses null.
func (t *Toggle) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return errors.New("stock: null is neither true nor false")
	}
	return json.Unmarshal(text, (*bool)(t))
}

// Price is a decimal. In JSON it may be a string or a number; the digits are
// taken as they are written, so that 19.9 never meets binary fractions.
type Price string

// UnmarshalJSON accepts a JSON string or the literal text of a JSON number.
func (p *Price) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, (*string)(p))
	}
	var number json.Number
	if err := json.Unmarshal(text, &number); err != nil {
		return errors.New(`a price is a decimal such as "128.00"`)
	}
	*p = Price(number)
	return nil
}

// Limits of an item.
const (
	MaxNameBytes = 256
	MaxQuantity  = 9999
)

var (
	itemID   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$`)
	reserved = []string{"callback", "return", "status", "items", "notify"}
)

// Check reports what is wrong with the item, naming its field. Prices are
// judged only when a currency is given.
func (i Item) Check(currency string) (field string, err error) {
	switch {
	case !itemID.MatchString(i.ID):
		return "id", fmt.Errorf("%q is not an item id: 1 to 64 of A-Z a-z 0-9 _ . ~ -, beginning with a letter or digit", i.ID)
	case slices.Contains(reserved, i.ID):
		return "id", fmt.Errorf("qfpay_jsapi uses %q for a page of its own", i.ID)
	case i.Price == "":
		return "price", fmt.Errorf("item %q has no price", i.ID)
	case len(i.Name) > MaxNameBytes || !IsLine(i.Name) || i.Name != "" && strings.TrimSpace(i.Name) == "":
		return "name", fmt.Errorf("the name of item %q must be one line of UTF-8 text of at most %d bytes, without invisible characters", i.ID, MaxNameBytes)
	case i.MaxQuantity < 0 || i.MaxQuantity > MaxQuantity:
		return "max_quantity", fmt.Errorf("%d is out of range 1 to %d", i.MaxQuantity, MaxQuantity)
	}
	if currency == "" {
		return "", nil
	}
	price, err := ParsePrice(string(i.Price), currency)
	if err != nil {
		return "price", err
	}
	if price*int64(max(i.MaxQuantity, 1)) > MaxAmount {
		return "max_quantity", fmt.Errorf("%d of item %q cost more than the gateway accepts", i.MaxQuantity, i.ID)
	}
	return "", nil
}

// Catalogue is what the shop sells, in one currency.
type Catalogue struct {
	currency string
	articles map[string]article
}

type article struct {
	name        string
	price       int64
	maxQuantity int
	stock       bool
}

// NewCatalogue checks the items and takes them up. Errors name the item.
func NewCatalogue(currency string, items []Item) (*Catalogue, error) {
	c := &Catalogue{currency: currency, articles: make(map[string]article, len(items))}
	for _, item := range items {
		if field, err := item.Check(currency); err != nil {
			return nil, fmt.Errorf("item %q: %s: %w", item.ID, field, err)
		}
		if _, twice := c.articles[item.ID]; twice {
			return nil, fmt.Errorf("item %q is given twice", item.ID)
		}
		price, err := ParsePrice(string(item.Price), currency)
		if err != nil {
			return nil, fmt.Errorf("item %q: %w", item.ID, err)
		}
		c.articles[item.ID] = article{cmp.Or(item.Name, item.ID), price, int(max(item.MaxQuantity, 1)), bool(item.Stock)}
	}
	return c, nil
}

// Len returns how many items there are.
func (c *Catalogue) Len() int { return len(c.articles) }

// Cheapest returns the lowest price of one piece in minor units and the item
// that has it; "" when nothing is sold.
func (c *Catalogue) Cheapest() (id string, price int64) {
	for _, candidate := range slices.Sorted(maps.Keys(c.articles)) {
		if article := c.articles[candidate]; id == "" || article.price < price {
			id, price = candidate, article.price
		}
	}
	return id, price
}

// GoodsNameCharacters is how many characters QFPay's documentation allows for the name
// of what is bought.
const GoodsNameCharacters = 20

// LongestName returns the item with the longest name, and how many characters that
// has; "" when nothing is sold.
func (c *Catalogue) LongestName() (id string, characters int) {
	for _, candidate := range slices.Sorted(maps.Keys(c.articles)) {
		if length := utf8.RuneCountInString(c.articles[candidate].name); length > characters {
			id, characters = candidate, length
		}
	}
	return id, characters
}

// FirstDifference returns the first item that two catalogues sell at another price,
// under another name, in another quantity or otherwise by stock, or that only one of
// them has.
func (c *Catalogue) FirstDifference(other *Catalogue) (id string, differ bool) {
	ids := slices.Concat(slices.Collect(maps.Keys(c.articles)), slices.Collect(maps.Keys(other.articles)))
	slices.Sort(ids)
	for _, id := range ids {
		mine, have := c.articles[id]
		theirs, has := other.articles[id]
		if mine != theirs || have != has {
			return id, true
		}
	}
	return "", false
}

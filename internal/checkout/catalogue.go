package checkout

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
)

// Item is one thing that can be bought.
type Item struct {
	// What the pay link names: 1 to 64 of A-Z a-z 0-9 _ . ~ -, beginning with
	// a letter or digit. Required. The names of the plugin's own pages
	// (callback, return, status, notify) cannot be used.
	ID string `json:"id,omitempty"`

	// Price of one piece as a decimal in the shop's currency: "128.00".
	// Required.
	Price Price `json:"price,omitempty"`

	// What the payer reads: one line of at most 256 bytes. Default: the id.
	Name string `json:"name,omitempty"`

	// How many pieces one order may hold, 1 to 9999. Default: 1.
	MaxQuantity int `json:"max_quantity,omitempty"`
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
	reserved = []string{"callback", "return", "status", "notify"}
)

// Check reports what is wrong with the item, naming its field. Prices are
// judged only when a currency is given.
func (i Item) Check(currency string) (field string, err error) {
	switch {
	case !itemID.MatchString(i.ID):
		return "id", fmt.Errorf("%q is no item id: 1 to 64 of A-Z a-z 0-9 _ . ~ -, beginning with a letter or digit", i.ID)
	case slices.Contains(reserved, i.ID):
		return "id", fmt.Errorf("%q is the name of one of the plugin's own pages", i.ID)
	case i.Price == "":
		return "price", fmt.Errorf("item %q has no price", i.ID)
	case len(i.Name) > MaxNameBytes || !isText(i.Name, MaxNameBytes):
		return "name", fmt.Errorf("the name of item %q must be one line of UTF-8 text of at most %d bytes", i.ID, MaxNameBytes)
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
		return "max_quantity", fmt.Errorf("%d of item %q cost more than the gateway takes", i.MaxQuantity, i.ID)
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
}

// NewCatalogue checks the items and takes them up. Errors name the item.
func NewCatalogue(currency string, items []Item) (*Catalogue, error) {
	c := &Catalogue{currency: currency, articles: make(map[string]article, len(items))}
	for _, item := range items {
		if field, err := item.Check(currency); err != nil {
			return nil, fmt.Errorf("item %q: %s: %w", item.ID, field, err)
		}
		if _, twice := c.articles[item.ID]; twice {
			return nil, fmt.Errorf("item %q is there twice", item.ID)
		}
		price, err := ParsePrice(string(item.Price), currency)
		if err != nil {
			return nil, fmt.Errorf("item %q: %w", item.ID, err)
		}
		c.articles[item.ID] = article{cmp.Or(item.Name, item.ID), price, max(item.MaxQuantity, 1)}
	}
	return c, nil
}

// Len returns how many items there are.
func (c *Catalogue) Len() int { return len(c.articles) }

// Has reports whether an item is sold.
func (c *Catalogue) Has(id string) bool {
	_, ok := c.articles[id]
	return ok
}

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

// maxCatalogBytes bounds a catalogue file: far above 10,000 items.
const maxCatalogBytes = 16 << 20

// ReadItems reads a catalogue file: a JSON array of objects with "id",
// "price", "name" and "max_quantity". Members it does not know are errors, so
// that a misspelt one is noticed.
func ReadItems(file string) ([]Item, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCatalogBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxCatalogBytes {
		return nil, fmt.Errorf("%s is larger than %d MiB", file, maxCatalogBytes>>20)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var items []Item
	if err := decoder.Decode(&items); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s: something follows the array of items", file)
	}
	return items, nil
}

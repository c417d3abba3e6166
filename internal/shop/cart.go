package shop

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// MaxLines bounds the lines of one cart.
const MaxLines = 20

// one is the intent to buy one item, in the quantity that values ask for.
func (c *Catalogue) one(item string, values url.Values) (ledger.Intent, error) {
	sold, ok := c.articles[item]
	if !ok {
		return ledger.Intent{}, ErrUnknownItem
	}
	quantity := 1
	if values.Has("quantity") {
		var ok bool
		if quantity, ok = parseQuantity(values.Get("quantity")); !ok || quantity > sold.maxQuantity {
			return ledger.Intent{}, ErrQuantity
		}
	}
	return c.total([]ledger.Line{{Item: item, Name: sold.name, Quantity: quantity, Price: sold.price, Stock: sold.stock}})
}

// cart is the intent to buy several items, each given as `id` or
// `id:quantity`. An item that is given again adds to its line.
func (c *Catalogue) cart(entries []string) (ledger.Intent, error) {
	if len(entries) > MaxLines {
		return ledger.Intent{}, ErrCart
	}
	var lines []ledger.Line
	for _, entry := range entries {
		item, count, counted := strings.Cut(entry, ":")
		quantity, ok := 1, true
		if counted {
			quantity, ok = parseQuantity(count)
		}
		sold, known := c.articles[item]
		switch {
		case item == "" || !ok:
			return ledger.Intent{}, ErrCart
		case !known:
			return ledger.Intent{}, ErrUnknownItem
		}
		at := slices.IndexFunc(lines, func(line ledger.Line) bool { return line.Item == item })
		if at < 0 {
			at = len(lines)
			lines = append(lines, ledger.Line{Item: item, Name: sold.name, Price: sold.price, Stock: sold.stock})
		}
		if lines[at].Quantity += quantity; lines[at].Quantity > sold.maxQuantity {
			return ledger.Intent{}, ErrQuantity
		}
	}
	return c.total(lines)
}

func (c *Catalogue) total(lines []ledger.Line) (ledger.Intent, error) {
	intent := ledger.Intent{Lines: lines, Description: describe(lines)}
	for _, line := range lines {
		intent.Amount += line.Price * int64(line.Quantity) // each at most MaxAmount, so that no sum overflows
	}
	if intent.Amount > MaxAmount {
		return ledger.Intent{}, ErrAmount
	}
	return intent, nil
}

func parseQuantity(text string) (quantity int, ok bool) {
	quantity, err := strconv.Atoi(text)
	return quantity, err == nil && allDigits(text) && quantity >= 1 && quantity <= MaxQuantity
}

// describe names the lines in one text. A cart's fits into the gateway's
// goods_name: it names as many items as there is room for, and how many more.
func describe(lines []ledger.Line) string {
	if all := strings.Join(names(lines), ", "); len(lines) == 1 || len(all) <= qfpay.MaxGoodsName {
		return all
	}
	names := names(lines)
	for named := len(lines) - 1; named > 1; named-- {
		if text := strings.Join(names[:named], ", ") + more(len(lines)-named); len(text) <= qfpay.MaxGoodsName {
			return text
		}
	}
	rest := more(len(lines) - 1)
	return qfpay.Truncate(names[0], qfpay.MaxGoodsName-len(rest)) + rest
}

func names(lines []ledger.Line) []string {
	names := make([]string, len(lines))
	for i, line := range lines {
		names[i] = describeLine(line)
	}
	return names
}

func more(items int) string { return fmt.Sprintf(" +%d", items) }

func describeLine(line ledger.Line) string {
	if line.Quantity == 1 {
		return line.Name
	}
	return fmt.Sprintf("%s × %d", line.Name, line.Quantity)
}

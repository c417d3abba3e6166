package doctor

import (
	"context"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// checkStock looks for items that nobody can buy because nobody said how many there
// are, or because none is left.
func (s Shop) checkStock(ctx context.Context) Finding {
	stocked := s.Catalog.Catalogue(s.Now()).Stocked()
	if len(stocked) == 0 {
		return good("no item has stock")
	}
	counted, err := ledger.View(ctx, s.Ledger, func(tx *ledger.Tx) (map[string]ledger.Stock, error) { return tx.Stock(s.Name) })
	if err != nil {
		return bad(seeLedger, "%v", err)
	}
	var never, gone []string
	for _, sold := range stocked {
		switch found, ok := counted[sold.Item]; {
		case !ok:
			never = append(never, sold.Item)
		case found.Available == 0:
			gone = append(gone, sold.Item)
		}
	}
	switch {
	case len(never) > 0:
		return warning("Set how many there are with caddy qfpay-jsapi stock <item> <pieces>: until then they are not sold.",
			"not counted yet: %s", someOf(never))
	case len(gone) > 0:
		return good("sold out: %s", someOf(gone))
	default:
		return good("items: %d, none sold out", len(stocked))
	}
}

// someOf names the first of some items.
func someOf(items []string) string {
	const most = 5
	if len(items) <= most {
		return strings.Join(items, ", ")
	}
	return strings.Join(items[:most], ", ") + ", …"
}

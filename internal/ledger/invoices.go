package ledger

import (
	"context"
	"fmt"
	"path"
	"slices"
)

// ClaimInvoice notes that an order is about to pay an invoice.
func (l *Ledger) ClaimInvoice(ctx context.Context, invoice, order string) error {
	return l.store(ctx, path.Join(l.invoiceKey(invoice), order), struct{}{})
}

// InvoiceOrders returns the orders that set out to pay an invoice, oldest
// first. Those that never got as far as to have an intent are among them.
func (l *Ledger) InvoiceOrders(ctx context.Context, invoice string) ([]string, error) {
	folder := l.invoiceKey(invoice)
	keys, err := l.list(ctx, folder)
	if err != nil {
		return nil, fmt.Errorf("listing the orders of an invoice: %w", err)
	}
	var orders []string
	for _, key := range keys {
		if order := path.Base(key); validOrder(order) && isIn(folder, key) {
			orders = append(orders, order)
		}
	}
	slices.Sort(orders)
	return orders, nil
}

func (l *Ledger) invoiceKey(invoice string) string {
	return path.Join(l.root, "invoices", segment(invoice))
}

// isIn tells the keys of a folder from those of another whose name begins like
// its own, such as INV-10 beside INV-1: there are storages that list both.
func isIn(folder, key string) bool {
	in := path.Base(path.Dir(key))
	return in == path.Base(folder) || in == "." // a key without its folder
}

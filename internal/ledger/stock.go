package ledger

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrSoldOut says that there is less of an item than an order asks for.
var ErrSoldOut = errors.New("sold out")

// MaxStock bounds how many pieces of an item there can be.
const MaxStock = 1_000_000

// Stock is how much there is of an item that the owner has counted.
type Stock struct {
	Item      string
	Available int64     // pieces that can be sold
	Reserved  int64     // pieces that pending orders hold beside them
	Counted   time.Time // when the owner last said how many there are
}

// Stock returns what a shop has of the items that were counted, by their ids.
func (tx *Tx) Stock(shop string) (map[string]Stock, error) {
	all := make(map[string]Stock)
	err := tx.query(func(rows *sql.Rows) error {
		var s Stock
		err := rows.Scan(&s.Item, &s.Available, &s.Reserved, into(&s.Counted))
		all[s.Item] = s
		return err
	}, `SELECT item, available, reserved, counted_at FROM stock WHERE shop = ?`, shop)
	return all, err
}

// Available returns how many pieces of an item can be sold: none before they were
// counted.
func (tx *Tx) Available(shop, item string) (pieces int64, err error) {
	_, err = tx.scanInto([]any{&pieces}, `SELECT available FROM stock WHERE shop = ? AND item = ?`, shop, item)
	return pieces, err
}

// SetStock says how many pieces of an item can be sold from now on, 0 to [MaxStock],
// beside those that pending orders hold.
func (tx *Tx) SetStock(shop, item string, available int64, at time.Time) error {
	if available < 0 || available > MaxStock {
		return fmt.Errorf("%d is not a number of pieces from 0 to %d", available, MaxStock)
	}
	_, err := tx.exec(`INSERT INTO stock (shop, item, available, reserved, counted_at) VALUES (?, ?, ?, 0, ?)
		ON CONFLICT (shop, item) DO UPDATE SET available = excluded.available, counted_at = excluded.counted_at`, shop, item, available, stamp{at})
	return err
}

// WantsStock reports whether anything is wanted of which no more is sold than there
// is.
func (i Intent) WantsStock() bool {
	return slices.ContainsFunc(i.Lines, func(line Line) bool { return line.Stock })
}

// LacksStock reports whether the order was paid although there was not enough left,
// as can happen to one that was paid late.
func (o Order) LacksStock() bool { return o.Status.Paid() && o.Intent.WantsStock() && !o.HoldsStock }

// CheckStock returns [ErrSoldOut] if some lines could not be bought now. What counts
// is the claim.
func (tx *Tx) CheckStock(shop string, lines []Line) error {
	for _, line := range lines {
		if !line.Stock {
			continue
		}
		available, err := tx.Available(shop, line.Item)
		if err != nil {
			return err
		}
		if available < int64(line.Quantity) {
			return ErrSoldOut
		}
	}
	return nil
}

// reserveStock takes what an order asks for from what can be sold.
func (tx *Tx) reserveStock(o Order) error {
	ok, err := tx.moveStock(o, -1, 1)
	if err == nil && !ok {
		err = ErrSoldOut
	}
	return err
}

// SellStock notes that an order which is paid has its stock for good. One that gave
// it back when it ended takes it again: LacksStock says whether there was enough.
func (tx *Tx) SellStock(o *Order) (err error) {
	if o.HoldsStock {
		_, err = tx.moveStock(*o, 0, -1)
		return err
	}
	if o.Intent.WantsStock() {
		o.HoldsStock, err = tx.moveStock(*o, -1, 0)
	}
	return err
}

// ReturnStock gives back what a pending order holds, which ends unpaid.
func (tx *Tx) ReturnStock(o *Order) error {
	if !o.HoldsStock {
		return nil
	}
	o.HoldsStock = false
	_, err := tx.moveStock(*o, 1, -1)
	return err
}

// HoldingStock returns the pending orders of a shop's payer for which stock is
// reserved, the oldest first.
func (tx *Tx) HoldingStock(shop, payer string) (orders []string, err error) {
	err = tx.query(collectTexts(&orders), `SELECT id FROM orders WHERE shop = ? AND payer = ? AND status = 'pending' AND holds_stock`, shop, payer)
	slices.Sort(orders)
	return orders, err
}

// moveStock adds each line's quantity, with these signs, to what can be sold and what
// is reserved of its item. It reports false, and changes nothing, if there is not
// enough of all of them. Every order goes through its items in the same way, so that
// no two wait for each other.
func (tx *Tx) moveStock(o Order, available, reserved int) (ok bool, err error) {
	lines := slices.DeleteFunc(slices.Clone(o.Intent.Lines), func(line Line) bool { return !line.Stock })
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.Item, b.Item) })
	for i, line := range lines {
		moved, err := tx.moveItem(o.Shop, line, available, reserved)
		if err != nil {
			return false, fmt.Errorf("keeping the stock of %s: %w", line.Item, err)
		}
		if moved {
			continue
		}
		for _, taken := range lines[:i] {
			if _, err := tx.moveItem(o.Shop, taken, -available, -reserved); err != nil {
				return false, fmt.Errorf("keeping the stock of %s: %w", taken.Item, err)
			}
		}
		return false, nil
	}
	return true, nil
}

func (tx *Tx) moveItem(shop string, line Line, available, reserved int) (moved bool, err error) {
	more := available * line.Quantity
	rows, err := tx.exec(`UPDATE stock SET available = available + ?, reserved = reserved + ? WHERE shop = ? AND item = ? AND available >= ?`,
		more, reserved*line.Quantity, shop, line.Item, -more)
	return rows > 0, err
}

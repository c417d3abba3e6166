package ledger

import (
	"cmp"
	"database/sql"
	"maps"
	"slices"
)

// MethodSum is what the orders of one way of paying and currency come to.
type MethodSum struct {
	Method string
	Sum
}

// SumsByMethod returns what the orders of a search come to, by their way of paying
// and currency. It reads the orders.
func (tx *Tx) SumsByMethod(s Search) (sums []MethodSum, err error) {
	if len(s.Shops) == 0 {
		return nil, nil
	}
	where, args := s.where()
	err = tx.query(func(rows *sql.Rows) error {
		var sum MethodSum
		err := rows.Scan(&sum.Method, &sum.Currency, &sum.Orders, &sum.Paid, &sum.Gross, &sum.Refunded)
		sums = append(sums, sum)
		return err
	}, `SELECT method, currency, `+sumColumns+` FROM orders WHERE `+where+` GROUP BY method, currency ORDER BY method, currency`, args...)
	return sums, err
}

// ItemSum is what was sold of one item in paid orders of one currency. The item of
// orders without any, as those of invoices, is "".
type ItemSum struct {
	Item, Name, Currency string
	Pieces               int64
	Gross                int64 // minor units, whatever went back later
}

// SumsByItem returns what was sold in the paid orders of a search, by item and
// currency. It reads the orders; those that bought the same count at once.
func (tx *Tx) SumsByItem(s Search) ([]ItemSum, error) {
	if len(s.Shops) == 0 {
		return nil, nil
	}
	sums := make(itemSums)
	where, args := s.where()
	err := tx.query(func(rows *sql.Rows) error {
		var text, currency string
		var orders, gross int64
		if err := rows.Scan(&text, &currency, &orders, &gross); err != nil {
			return err
		}
		var lines []Line
		if decode(text, &lines) != nil { // somebody has damaged them: what came in is known still
			lines = nil
		}
		sums.add(lines, currency, orders, gross)
		return nil
	}, `SELECT lines, currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM orders
		WHERE `+where+` AND paid_at IS NOT NULL GROUP BY lines, currency ORDER BY lines, currency`, args...)
	return slices.SortedFunc(maps.Values(sums), func(a, b ItemSum) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(b.Gross, a.Gross), cmp.Compare(a.Item, b.Item))
	}), err
}

// itemSums are by item and currency.
type itemSums map[[2]string]ItemSum

// add adds so many orders that bought the same lines.
func (sums itemSums) add(lines []Line, currency string, orders, gross int64) {
	if len(lines) == 0 {
		sums.addTo(ItemSum{Currency: currency, Pieces: orders, Gross: gross})
	}
	for _, line := range lines {
		pieces := orders * int64(line.Quantity)
		sums.addTo(ItemSum{Item: line.Item, Name: line.Name, Currency: currency, Pieces: pieces, Gross: pieces * line.Price})
	}
}

func (sums itemSums) addTo(more ItemSum) {
	key := [2]string{more.Item, more.Currency}
	sum := sums[key]
	more.Pieces += sum.Pieces
	more.Gross += sum.Gross
	sums[key] = more
}

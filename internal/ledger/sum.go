package ledger

import (
	"cmp"
	"slices"
)

// Sum is what some orders of one currency come to.
type Sum struct {
	Currency string `json:"currency"`
	Orders   int    `json:"orders"`
	Paid     int    `json:"paid"`     // how many of them brought money in
	Taken    int64  `json:"taken"`    // what came in, minor units
	Refunded int64  `json:"refunded"` // what went back of it
}

// Plus returns what both come to.
func (s Sum) Plus(other Sum) Sum {
	s.Orders += other.Orders
	s.Paid += other.Paid
	s.Taken += other.Taken
	s.Refunded += other.Refunded
	return s
}

// SumsOf adds orders up, by currency.
func SumsOf(rows []Row) []Sum {
	byCurrency := make(map[string]Sum)
	for _, row := range rows {
		sum := Sum{Currency: row.Currency, Orders: 1}
		if paid, _ := row.Taken(); paid {
			sum.Paid, sum.Taken, sum.Refunded = 1, row.Amount, row.Refunded
		}
		byCurrency[row.Currency] = sum.Plus(byCurrency[row.Currency])
	}
	sums := make([]Sum, 0, len(byCurrency))
	for _, sum := range byCurrency {
		sums = append(sums, sum)
	}
	slices.SortFunc(sums, func(a, b Sum) int { return cmp.Compare(a.Currency, b.Currency) })
	return sums
}

package ledger

import (
	"database/sql"
	"maps"
	"slices"
	"time"
)

// Sum is what some orders of one currency come to.
type Sum struct {
	Currency string `json:"currency"`
	Orders   int64  `json:"orders"`
	Paid     int64  `json:"paid"`     // how many of them brought money in
	Gross    int64  `json:"gross"`    // what came in, minor units
	Refunded int64  `json:"refunded"` // what went back of it
}

// Plus returns what both come to, in the currency of s.
func (s Sum) Plus(other Sum) Sum {
	s.Orders += other.Orders
	s.Paid += other.Paid
	s.Gross += other.Gross
	s.Refunded += other.Refunded
	return s
}

func (s Sum) minus(other Sum) Sum {
	return s.Plus(Sum{Orders: -other.Orders, Paid: -other.Paid, Gross: -other.Gross, Refunded: -other.Refunded})
}

// DaySum is what the orders of one day and currency come to.
type DaySum struct {
	Day string // such as 2026-11-23
	Sum
}

// sumSpan is for how long orders are summed up together: all zones are off UTC by
// multiples of it, so that the sums of a day in any zone are those of its spans.
const sumSpan = 15 * time.Minute

// addToSums adds to the sums of when an order was started.
func (tx *Tx) addToSums(o Order, more Sum) error {
	if more == (Sum{}) {
		return nil
	}
	_, err := tx.exec(`INSERT INTO sums (shop, started_at, currency, orders, paid, gross, refunded, given_back) VALUES (?, ?, ?, ?, ?, ?, ?, 0)
		ON CONFLICT (shop, started_at, currency) DO UPDATE SET orders = sums.orders + excluded.orders, paid = sums.paid + excluded.paid,
		gross = sums.gross + excluded.gross, refunded = sums.refunded + excluded.refunded`,
		o.Shop, stamp{StartedAt(o.ID).Truncate(sumSpan)}, o.Intent.Currency, more.Orders, more.Paid, more.Gross, more.Refunded)
	return err
}

// addGivenBack adds to what went back in the span in which it did, whenever the order
// was started.
func (tx *Tx) addGivenBack(o Order, more int64) error {
	if more == 0 {
		return nil
	}
	at := o.RefundedAt
	if at.IsZero() {
		at = StartedAt(o.ID)
	}
	_, err := tx.exec(`INSERT INTO sums (shop, started_at, currency, orders, paid, gross, refunded, given_back) VALUES (?, ?, ?, 0, 0, 0, 0, ?)
		ON CONFLICT (shop, started_at, currency) DO UPDATE SET given_back = sums.given_back + excluded.given_back`,
		o.Shop, stamp{at.Truncate(sumSpan)}, o.Intent.Currency, more)
	return err
}

// GivenBack returns what went back on the days of a period, of orders of whatever
// day: Refunded is all that the sums hold.
func (tx *Tx) GivenBack(shops []string, period Period) ([]DaySum, error) {
	if len(shops) == 0 {
		return nil, nil
	}
	return tx.keptSums(Search{Shops: shops, Period: period}, `0, 0, 0, given_back`, `given_back <> 0`)
}

// Sums returns what the orders of a search come to, by day and currency, in the
// order of the days. Where all orders of a period are wanted, it reads the sums
// that are kept.
func (tx *Tx) Sums(s Search) (sums []DaySum, err error) {
	if len(s.Shops) == 0 {
		return nil, nil
	}
	if !s.IsNarrow() {
		return tx.keptSums(s, `orders, paid, gross, refunded`, `orders > 0`)
	}
	for day := range s.Days() { // whose borders only the ids tell
		where, args := s.on(Period{day, day}).where()
		err = tx.query(func(rows *sql.Rows) error {
			sum := DaySum{Day: day.String()}
			err := rows.Scan(&sum.Currency, &sum.Orders, &sum.Paid, &sum.Gross, &sum.Refunded)
			sums = append(sums, sum)
			return err
		}, `SELECT currency, `+sumColumns+` FROM orders WHERE `+where+` GROUP BY currency ORDER BY currency`, args...)
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// sumColumns are those of a [Sum] but for its currency, of grouped orders.
const sumColumns = `COUNT(*), COUNT(paid_at), CAST(COALESCE(SUM(CASE WHEN paid_at IS NOT NULL THEN amount END), 0) AS BIGINT),
	CAST(COALESCE(SUM(refunded), 0) AS BIGINT)`

// keptSums are those of all orders: some columns of some rows.
func (tx *Tx) keptSums(s Search, columns, which string) (sums []DaySum, err error) {
	day, days := s.First, make(map[string]Sum) // by currency
	next := day.Next().Start()
	end := func() {
		for _, currency := range slices.Sorted(maps.Keys(days)) {
			sums = append(sums, DaySum{day.String(), days[currency]})
		}
		clear(days)
	}
	err = tx.query(func(rows *sql.Rows) error {
		var at time.Time
		var sum Sum
		err := rows.Scan(into(&at), &sum.Currency, &sum.Orders, &sum.Paid, &sum.Gross, &sum.Refunded)
		if err == nil && !at.Before(next) {
			end()
			day = DayIn(s.First.zone, at)
			next = day.Next().Start()
		}
		days[sum.Currency] = sum.Plus(days[sum.Currency])
		return err
	}, `SELECT started_at, currency, `+columns+` FROM sums
		WHERE `+which+` AND shop IN (`+marks(len(s.Shops))+`) AND started_at >= ? AND started_at < ? ORDER BY started_at`,
		append(texts(s.Shops), stamp{s.First.Start()}, stamp{s.Last.Next().Start()})...)
	end()
	return sums, err
}

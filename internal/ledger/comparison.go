package ledger

import (
	"database/sql"
	"time"
)

// LeaseComparison takes the comparison of a day of an account with the gateway's
// list. It reports false, and changes nothing, if it was made before or somebody
// makes it. It is free again for others at until, should whoever leased it die. A
// lease that ends later than that was made by a clock that was wrong, and is over.
func (tx *Tx) LeaseComparison(account string, day Day, now, until time.Time) (leased bool, err error) {
	rows, err := tx.exec(`INSERT INTO comparisons (account, day, leased_until, ended_at, differences) VALUES (?, ?, ?, NULL, 0)
		ON CONFLICT (account, day) DO UPDATE SET leased_until = excluded.leased_until
		WHERE comparisons.ended_at IS NULL AND (comparisons.leased_until <= ? OR comparisons.leased_until > ?)`,
		account, day.String(), stamp{until}, stamp{now}, stamp{until})
	return rows > 0, err
}

// EndComparison notes that a leased comparison is made, and how many differences it
// found. It reports false, and changes nothing, if somebody else was faster.
func (tx *Tx) EndComparison(account string, day Day, now time.Time, differences int) (ended bool, err error) {
	rows, err := tx.exec(`UPDATE comparisons SET ended_at = ?, differences = ? WHERE account = ? AND day = ? AND ended_at IS NULL`,
		stamp{now}, differences, account, day.String())
	return rows > 0, err
}

// Comparisons returns the days of an account, from one on, whose comparisons are
// made, in no order.
func (tx *Tx) Comparisons(account string, from Day) (made []Day, err error) {
	err = tx.query(func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		day, err := ParseDay(text)
		made = append(made, day)
		return err
	}, `SELECT day FROM comparisons WHERE account = ? AND day >= ? AND ended_at IS NOT NULL`, account, from.String())
	return made, err
}

// FirstOrder returns when the first order of an account was started; zero if it has
// none.
func (tx *Tx) FirstOrder(account string) (started time.Time, err error) {
	var id string
	found, err := tx.scanInto([]any{&id}, `SELECT id FROM orders WHERE account = ? ORDER BY id LIMIT 1`, account)
	if err != nil || !found {
		return time.Time{}, err
	}
	return StartedAt(id), nil
}

// PaidOrder is what a comparison reads of an order that was paid.
type PaidOrder struct {
	ID, Shop, Syssn string
	Status          Status
	Payer           string // the same for orders of one payer; "" if nothing is known
	Amount          int64  // minor units of Currency
	Currency        string
	Description     string
	Lines           string // as they are stored
	PaidAt          time.Time
}

// PaidOrders returns at most limit orders of an account that were paid, and whose
// payments the gateway made on a day, with which the numbers of its trades begin.
// They come in the order of these numbers, after the given one; "" begins.
func (tx *Tx) PaidOrders(account string, day Day, after string, limit int) (paid []PaidOrder, err error) {
	err = tx.query(func(rows *sql.Rows) error {
		var o PaidOrder
		err := rows.Scan(&o.ID, &o.Shop, &o.Syssn, (*string)(&o.Status), &o.Payer, &o.Amount, &o.Currency, &o.Description, &o.Lines, into(&o.PaidAt))
		paid = append(paid, o)
		return err
	}, `SELECT id, shop, syssn, status, payer, amount, currency, description, lines, paid_at FROM orders
		WHERE account = ? AND syssn >= ? AND syssn < ? AND syssn > ? AND paid_at IS NOT NULL ORDER BY syssn LIMIT ?`,
		account, day.digits(), day.Next().digits(), after, limit)
	return paid, err
}

// DoneRefunds returns at most limit refunds of an account that gave money back, and
// that the gateway made on a day, likewise.
func (tx *Tx) DoneRefunds(account string, day Day, after string, limit int) (done Refunds, err error) {
	err = tx.query(collectRefunds(&done), `SELECT `+refundColumns+` FROM refunds
		WHERE account = ? AND syssn >= ? AND syssn < ? AND syssn > ? AND status = ? ORDER BY syssn LIMIT ?`,
		account, day.digits(), day.Next().digits(), after, string(RefundDone), limit)
	return done, err
}

package ledger

import (
	"database/sql"
	"time"
)

// farthest is more than the time for which any order or delivery is put off. What
// is due later than that was put off by a clock that was wrong, and is due now.
const farthest = 30 * time.Hour

// Due is an order about which something is to be done: the gateway is to be asked
// about it, or about a refund of it.
type Due struct{ Order, Shop, Account string }

// LeaseDue takes up to limit orders that are due, but those of the shops that
// nobody here knows. They are free again for others at until, should whoever
// leased them die. Writing an order sets its next time.
func (tx *Tx) LeaseDue(now, until time.Time, except []string, limit int) (leased []Due, err error) {
	for _, due := range []struct {
		condition string
		than      time.Time
	}{{`check_at <= ?`, now}, {`check_at > ?`, now.Add(farthest)}} { // each of which an index answers
		condition, args := due.condition, []any{stamp{due.than}}
		if len(except) > 0 {
			condition += ` AND shop NOT IN (` + marks(len(except)) + `)`
			args = append(args, texts(except)...)
		}
		err = tx.query(func(rows *sql.Rows) error {
			var d Due
			err := rows.Scan(&d.Order, &d.Shop, &d.Account)
			leased = append(leased, d)
			return err
		}, `SELECT id, shop, account FROM orders WHERE `+condition+` ORDER BY check_at LIMIT ?`+tx.skipLocked(), append(args, limit-len(leased))...)
		if err != nil {
			return nil, err
		}
	}
	for _, d := range leased {
		if _, err := tx.exec(`UPDATE orders SET check_at = ? WHERE id = ?`, stamp{until}, d.Order); err != nil {
			return nil, err
		}
	}
	return leased, nil
}

// NextDue returns when an order is due next, but those of some shops; zero if none
// ever is.
func (tx *Tx) NextDue(now time.Time, except []string) (next time.Time, err error) {
	condition := `check_at IS NOT NULL`
	if len(except) > 0 {
		condition += ` AND shop NOT IN (` + marks(len(except)) + `)`
	}
	var last time.Time
	for what, at := range map[string]*time.Time{`MIN`: &next, `MAX`: &last} {
		if _, err := tx.scanInto([]any{into(at)}, `SELECT `+what+`(check_at) FROM orders WHERE `+condition, texts(except)...); err != nil {
			return time.Time{}, err
		}
	}
	if last.After(now.Add(farthest)) {
		return now, nil
	}
	return next, nil
}

// PutOff sets when an order is due next.
func (tx *Tx) PutOff(order string, until time.Time) error {
	_, err := tx.exec(`UPDATE orders SET check_at = ? WHERE id = ? AND check_at IS NOT NULL`, stamp{until}, order)
	return err
}

// MayAsk reports whether the gateway may be asked about an order now, and if so,
// notes that it is: over all nodes and requests, it is asked at most once in an
// interval. A time in the future is that of a clock that was wrong.
func (tx *Tx) MayAsk(order string, now time.Time, interval time.Duration) (bool, error) {
	rows, err := tx.exec(`UPDATE orders SET asked_at = ? WHERE id = ? AND (asked_at IS NULL OR asked_at <= ? OR asked_at > ?)`,
		stamp{now}, order, stamp{now.Add(-interval)}, stamp{now})
	return rows > 0, err
}

// TakeCalls counts calls of an account to the gateway, on all nodes together, at
// the rate of one in every interval and burst at once. It returns 0, or how long
// to wait, without counting, if they are too many. With always, as for a payer who
// waits, they are counted whatever the rate is: others wait the longer, for up to
// a minute.
func (tx *Tx) TakeCalls(account string, now time.Time, calls, burst int, interval time.Duration, always bool) (wait time.Duration, err error) {
	until, err := tx.busyUntil(account, now)
	if err != nil {
		return 0, err
	}
	latest := now.Add(time.Minute) // of which the gateway remembers no more
	if until.Before(now) || until.After(latest.Add(time.Hour)) {
		until = now
	}
	next := until.Add(time.Duration(calls) * interval)
	if wait = next.Sub(now) - time.Duration(burst)*interval; wait > 0 && !always {
		return wait, nil
	}
	if always && next.After(latest) {
		next = until
	}
	return 0, tx.setBusy(account, next)
}

// busyUntil reads until when an account is busy, and locks that. The first of all
// steps writes a row: where there is none, PostgreSQL locks nothing.
func (tx *Tx) busyUntil(account string, now time.Time) (until time.Time, err error) {
	read := func() (found bool, err error) {
		return tx.scanInto([]any{into(&until)}, `SELECT busy_until FROM gateway_pace WHERE account = ?`+tx.lock(), account)
	}
	if found, err := read(); found || err != nil {
		return until, err
	}
	_, err = tx.exec(`INSERT INTO gateway_pace (account, busy_until) VALUES (?, ?) ON CONFLICT (account) DO NOTHING`, account, stamp{now})
	if err != nil {
		return until, err
	}
	_, err = read()
	return until, err
}

// HoldCalls keeps an account from calling the gateway without need until a time,
// on all nodes, at most for an hour.
func (tx *Tx) HoldCalls(account string, until time.Time) error { return tx.setBusy(account, until) }

func (tx *Tx) setBusy(account string, until time.Time) error {
	_, err := tx.exec(`INSERT INTO gateway_pace (account, busy_until) VALUES (?, ?)
		ON CONFLICT (account) DO UPDATE SET busy_until = excluded.busy_until`, account, stamp{until})
	return err
}

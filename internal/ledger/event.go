package ledger

import (
	"database/sql"
	"time"
)

// Event is something that happened to an order, or to a payment that is no order.
type Event struct {
	Subject string // an order, or an orphan
	Shop    string
	At      time.Time
	Kind    string         // claimed, prepared, paid, …
	About   string         // the refund or the syssn that it is about, or ""
	Data    map[string]any // for people who look at the order; no fields, no payer
}

// AddEvent adds to the history of a subject. It reports false, and adds nothing,
// if the subject has an event of the same kind about the same thing.
func (tx *Tx) AddEvent(e Event) (added bool, err error) {
	data, err := encode(e.Data, len(e.Data) == 0)
	if err != nil {
		return false, err
	}
	rows, err := tx.exec(`INSERT INTO events (subject, shop, at, kind, about, data) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (subject, kind, about) DO NOTHING`, e.Subject, e.Shop, stamp{e.At}, e.Kind, e.About, data)
	return rows > 0, err
}

// Events returns the history of a subject, in its order.
func (tx *Tx) Events(subject string) (events []Event, err error) {
	err = tx.query(func(rows *sql.Rows) error {
		var e Event
		var data string
		if err := rows.Scan(&e.Subject, &e.Shop, into(&e.At), &e.Kind, &e.About, &data); err != nil {
			return err
		}
		if decode(data, &e.Data) != nil {
			e.Data = map[string]any{"damaged": true}
		}
		events = append(events, e)
		return nil
	}, `SELECT subject, shop, at, kind, about, data FROM events WHERE subject = ? ORDER BY id`, subject)
	return events, err
}

package ledger

import (
	"database/sql"
	"encoding/json"
	"time"
)

// DeliveryStatus is the state of a delivery.
type DeliveryStatus string

// The states of a delivery.
const (
	DeliveryDue       DeliveryStatus = "due"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryGaveUp    DeliveryStatus = "gave_up"
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID         int64
	Shop       string
	Subject    string // the order or orphan, or the day of a comparison
	Endpoint   string // its id
	MessageID  string // the same for every attempt
	Kind       string // order.paid, …
	At         time.Time
	Body       json.RawMessage // the event's data; nil when it is done with
	Status     DeliveryStatus
	Attempts   int
	Attempted  time.Time // when the last attempt ended
	LastStatus int       // of HTTP or SMTP; 0 without an answer
	LastError  string
	NextAt     time.Time // when it is tried next, or free again for others; zero when done with
}

const deliveryColumns = `id, shop, subject, endpoint, message_id, kind, at, body, status, attempts, attempted_at, last_status, last_error, next_at`

// AddDelivery puts a delivery into the outbox. One of the same message and
// endpoint stays as it is.
func (tx *Tx) AddDelivery(d Delivery) error {
	_, err := tx.exec(`INSERT INTO deliveries (shop, subject, endpoint, message_id, kind, at, body, status, attempts, attempted_at, last_status, last_error, next_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, 'due', 0, NULL, 0, '', ?) ON CONFLICT (message_id, endpoint) DO NOTHING`,
		d.Shop, d.Subject, d.Endpoint, d.MessageID, d.Kind, stamp{d.At}, string(d.Body), stamp{d.NextAt})
	return err
}

// SaveDelivery writes what became of an attempt. It reports false, and changes
// nothing, if the delivery is done with. What is done with keeps no body.
func (tx *Tx) SaveDelivery(d Delivery) (saved bool, err error) {
	if d.Status != DeliveryDue {
		d.Body, d.NextAt = nil, time.Time{}
	}
	rows, err := tx.exec(`UPDATE deliveries SET body = ?, status = ?, attempts = ?, attempted_at = ?, last_status = ?, last_error = ?, next_at = ?
		WHERE id = ? AND status = 'due'`,
		string(d.Body), string(d.Status), d.Attempts, stamp{d.Attempted}, d.LastStatus, d.LastError, stamp{d.NextAt}, d.ID)
	return rows > 0, err
}

// Deliveries returns those about a subject, in their order.
func (tx *Tx) Deliveries(subject string) (all []Delivery, err error) {
	err = tx.query(collectDeliveries(&all), `SELECT `+deliveryColumns+` FROM deliveries WHERE subject = ? ORDER BY id`, subject)
	return all, err
}

// Destination is an endpoint of a shop.
type Destination struct{ Shop, Endpoint string }

// DueDestinations returns the endpoints that something is due for, and when
// something is due for any endpoint next; zero if never. Two queries are joined, as
// PostgreSQL uses no index for an OR of their conditions.
func (tx *Tx) DueDestinations(now time.Time) (due []Destination, next time.Time, err error) {
	err = tx.query(func(rows *sql.Rows) error {
		var d Destination
		err := rows.Scan(&d.Shop, &d.Endpoint)
		due = append(due, d)
		return err
	}, `SELECT shop, endpoint FROM deliveries WHERE next_at <= ?
		UNION SELECT shop, endpoint FROM deliveries WHERE next_at > ?`, stamp{now}, stamp{now.Add(farthest)})
	if err != nil {
		return nil, next, err
	}
	_, err = tx.scanInto([]any{into(&next)}, `SELECT MIN(next_at) FROM deliveries WHERE next_at > ?`, stamp{now})
	return due, next, err
}

// WaitingDeliveries returns how many deliveries each endpoint has still to get.
func (tx *Tx) WaitingDeliveries() (waiting map[Destination]int, err error) {
	waiting = make(map[Destination]int)
	err = tx.query(func(rows *sql.Rows) error {
		var to Destination
		var deliveries int
		err := rows.Scan(&to.Shop, &to.Endpoint, &deliveries)
		waiting[to] = deliveries
		return err
	}, `SELECT shop, endpoint, COUNT(*) FROM deliveries WHERE next_at IS NOT NULL GROUP BY shop, endpoint`)
	return waiting, err
}

// LeaseDeliveries takes up to limit deliveries that are due for an endpoint. They
// are free again for others at until, should whoever leased them die.
func (tx *Tx) LeaseDeliveries(to Destination, now, until time.Time, limit int) (leased []Delivery, err error) {
	for _, due := range []struct {
		condition string
		than      time.Time
	}{{`next_at <= ?`, now}, {`next_at > ?`, now.Add(farthest)}} { // each of which an index answers
		err = tx.query(collectDeliveries(&leased), `SELECT `+deliveryColumns+` FROM deliveries
			WHERE shop = ? AND endpoint = ? AND `+due.condition+` ORDER BY next_at LIMIT ?`+tx.skipLocked(),
			to.Shop, to.Endpoint, stamp{due.than}, limit-len(leased))
		if err != nil {
			return nil, err
		}
	}
	for _, d := range leased {
		if _, err := tx.exec(`UPDATE deliveries SET next_at = ? WHERE id = ?`, stamp{until}, d.ID); err != nil {
			return nil, err
		}
	}
	return leased, nil
}

func collectDeliveries(all *[]Delivery) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var d Delivery
		var body string
		err := rows.Scan(&d.ID, &d.Shop, &d.Subject, &d.Endpoint, &d.MessageID, &d.Kind, into(&d.At), &body, (*string)(&d.Status),
			&d.Attempts, into(&d.Attempted), &d.LastStatus, &d.LastError, into(&d.NextAt))
		if body != "" {
			d.Body = json.RawMessage(body)
		}
		*all = append(*all, d)
		return err
	}
}

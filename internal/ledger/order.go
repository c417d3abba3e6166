package ledger

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Status is the state of an order as a whole.
type Status string

// The states of an order.
const (
	StatusPending           Status = "pending"
	StatusFailed            Status = "failed"
	StatusClosed            Status = "closed"
	StatusPaid              Status = "paid"
	StatusPartiallyRefunded Status = "partially_refunded"
	StatusRefunded          Status = "refunded"
)

// Statuses returns all states, in the order in which orders go through them.
func Statuses() []Status {
	return []Status{StatusPending, StatusFailed, StatusClosed, StatusPaid, StatusPartiallyRefunded, StatusRefunded}
}

// Paid reports whether an order in this state was paid.
func (s Status) Paid() bool {
	return s == StatusPaid || s == StatusPartiallyRefunded || s == StatusRefunded
}

// Intent is what the payer set out to buy, fixed before the gateway hears of
// the order. Every later report about the order is compared with it.
type Intent struct {
	At          time.Time `json:"at"`       // when the payer started
	Lines       []Line    `json:"lines"`    // none for an invoice or an open amount
	Amount      int64     `json:"amount"`   // minor units of Currency
	Currency    string    `json:"currency"` // ISO 4217
	Description string    `json:"description"`
	Ref         string    `json:"ref,omitempty"`    // the shop's own reference
	Locale      string    `json:"locale,omitempty"` // the payer's language, such as zh-Hant; "" is not known

	// Invoice is the signed link that is paid; nil for none.
	Invoice *Invoice `json:"invoice,omitempty"`

	// Fields are what the payer told the shop; none once they were erased.
	Fields Fields `json:"fields,omitempty"`
}

// Invoice names a signed link that asks for a payment.
type Invoice struct {
	ID    string `json:"id"`
	Uses  int    `json:"uses"` // how often it may be paid; 0 without limit
	Token string `json:"token"`
}

// Line is one item of an order.
type Line struct {
	Item     string `json:"item"`
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	Price    int64  `json:"price"` // of one piece, minor units

	// Stock says that no more of the item is sold than there is.
	Stock bool `json:"stock,omitempty"`
}

// Order is a row of the ledger. Times that are zero have not come.
type Order struct {
	ID      string
	Shop    string // the name of the block that took it
	Account string // app_code and gateway
	Method  string // how it is paid: one of qfpay's methods
	Payer   string // the same for orders of one payer, a keyed hash; "" if nothing is known
	Intent  Intent
	Claimed time.Time // when WeChat had vouched for the payer
	Expires time.Time // when the time to pay is over

	Status   Status
	Syssn    string // the gateway's number of the payment; "" until it is known
	Prepared time.Time

	// Unconfirmed is when the payment call ended without an answer: nobody knows
	// whether the gateway took the order, and nobody can pay it.
	Unconfirmed time.Time

	PayURL string // where the payer pays, the same for every visit

	// PayParams are the parameters of WeChat's pay sheet, where our own page
	// opens it.
	PayParams json.RawMessage

	PaidAt   time.Time // by the gateway, or when we learned of it
	Ended    time.Time // when we learned that it was paid, or had failed, or closed it; when it was to be fulfilled again
	Late     bool      // paid after it had failed or was closed
	Disputed bool      // the gateway reported something else than was ordered

	// ForeignTrade says that the gateway answered the payment call with
	// "duplicate number": what it reports under the number is not this order's.
	ForeignTrade bool

	// HoldsStock says that the order has what its lines of stocked items say: reserved
	// while it is pending, sold when it is paid.
	HoldsStock bool

	Refunded   int64     // how much went back, minor units
	RefundedAt time.Time // when some of it went back last

	FulfilledAt time.Time // when the shop said that it has done its part
	Note        string    // what it told the payer with that, such as a tracking number

	CheckAt time.Time // when something is to be asked about it; zero if nothing is
	AskedAt time.Time // when the gateway was asked last

	counted Sum // what it came to in the sums when it was read
}

// ToDo reports whether the shop has to fulfil the order: it is paid, not wholly
// refunded, and not fulfilled.
func (o Order) ToDo() bool {
	return o.Status.Paid() && o.Status != StatusRefunded && o.FulfilledAt.IsZero()
}

// IsPrepared reports whether the gateway took the order and the payer can pay.
func (o Order) IsPrepared() bool { return !o.Prepared.IsZero() }

const orderColumns = `id, shop, account, status, method, payer, started_at, claimed_at, expires_at, amount, currency, description, ref, locale,
	lines, fields, invoice, invoice_uses, invoice_token, syssn, prepared_at, unconfirmed_at, pay_url, pay_params, paid_at, ended_at,
	late, disputed, foreign_trade, holds_stock, refunded, refunded_at, fulfilled_at, note, check_at, asked_at`

// Claim adds an order that WeChat vouched for and of which the gateway has not
// heard, and reserves its stock. It reports false, and changes nothing, if the ledger
// has the order: then somebody else asks for its payment. After [ErrSoldOut], as
// after any error, the step must fail.
func (tx *Tx) Claim(o Order) (claimed bool, err error) {
	if !ValidID(o.ID) {
		return false, fmt.Errorf("%q is no order id", o.ID)
	}
	lines, err := encode(o.Intent.Lines, len(o.Intent.Lines) == 0)
	if err != nil {
		return false, err
	}
	fields, err := encode(o.Intent.Fields, len(o.Intent.Fields) == 0)
	if err != nil {
		return false, err
	}
	invoice := Invoice{}
	if o.Intent.Invoice != nil {
		invoice = *o.Intent.Invoice
	}
	rows, err := tx.exec(`INSERT INTO orders (`+orderColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, '', '', NULL, NULL, ?, ?, ?, ?, 0, NULL, NULL, '', ?, NULL)
		ON CONFLICT (id) DO NOTHING`,
		o.ID, o.Shop, o.Account, string(StatusPending), o.Method, o.Payer, stamp{o.Intent.At}, stamp{o.Claimed}, stamp{o.Expires},
		o.Intent.Amount, o.Intent.Currency, o.Intent.Description, o.Intent.Ref, o.Intent.Locale, lines, fields,
		invoice.ID, invoice.Uses, invoice.Token, false, false, false, o.Intent.WantsStock(), stamp{o.CheckAt})
	if err != nil || rows == 0 {
		return false, err
	}
	if err := tx.reserveStock(o); err != nil {
		return false, err
	}
	return true, tx.addToSums(o, Sum{Orders: 1})
}

// Order returns an order, locked for this step if the step may write. The error
// is [ErrUnknown] if the ledger has none of this id.
func (tx *Tx) Order(id string) (Order, error) {
	if !ValidID(id) {
		return Order{}, ErrUnknown
	}
	var o Order
	found := false
	err := tx.query(func(rows *sql.Rows) (err error) {
		found = true
		o, err = scanOrder(rows)
		return err
	}, `SELECT `+orderColumns+` FROM orders WHERE id = ?`+tx.lock(), id)
	switch {
	case err != nil:
		return Order{}, fmt.Errorf("reading order %s: %w", id, err)
	case !found:
		return Order{}, ErrUnknown
	default:
		return o, nil
	}
}

func scanOrder(rows *sql.Rows) (Order, error) {
	var o Order
	var lines, fields, params string
	var invoice Invoice
	var syssn sql.NullString
	err := rows.Scan(&o.ID, &o.Shop, &o.Account, (*string)(&o.Status), &o.Method, &o.Payer, into(&o.Intent.At), into(&o.Claimed), into(&o.Expires),
		&o.Intent.Amount, &o.Intent.Currency, &o.Intent.Description, &o.Intent.Ref, &o.Intent.Locale, &lines, &fields,
		&invoice.ID, &invoice.Uses, &invoice.Token, &syssn, into(&o.Prepared), into(&o.Unconfirmed), &o.PayURL, &params, into(&o.PaidAt), into(&o.Ended),
		&o.Late, &o.Disputed, &o.ForeignTrade, &o.HoldsStock, &o.Refunded, into(&o.RefundedAt), into(&o.FulfilledAt), &o.Note, into(&o.CheckAt), into(&o.AskedAt))
	if err != nil {
		return o, err
	}
	o.Syssn = syssn.String
	if params != "" {
		o.PayParams = json.RawMessage(params)
	}
	if invoice.ID != "" {
		o.Intent.Invoice = &invoice
	}
	o.counted = o.sum()
	return o, errors.Join(decode(lines, &o.Intent.Lines), decode(fields, &o.Intent.Fields))
}

// Save writes what has changed of an order that this step has read, and keeps
// the sums. What was ordered does not change.
func (tx *Tx) Save(o Order) error {
	_, err := tx.exec(`UPDATE orders SET status = ?, syssn = ?, prepared_at = ?, unconfirmed_at = ?, pay_url = ?, pay_params = ?, paid_at = ?, ended_at = ?,
		late = ?, disputed = ?, foreign_trade = ?, holds_stock = ?, refunded = ?, refunded_at = ?, fulfilled_at = ?, note = ?, check_at = ?, asked_at = ? WHERE id = ?`,
		string(o.Status), nullable(o.Syssn), stamp{o.Prepared}, stamp{o.Unconfirmed}, o.PayURL, string(o.PayParams), stamp{o.PaidAt}, stamp{o.Ended},
		o.Late, o.Disputed, o.ForeignTrade, o.HoldsStock, o.Refunded, stamp{o.RefundedAt}, stamp{o.FulfilledAt}, o.Note, stamp{o.CheckAt}, stamp{o.AskedAt}, o.ID)
	if err != nil {
		return fmt.Errorf("writing order %s: %w", o.ID, err)
	}
	more := o.sum().minus(o.counted)
	return errors.Join(tx.addToSums(o, more), tx.addGivenBack(o, more.Refunded))
}

// OrderOfSyssn returns the id of the order with the gateway's number; "" if there
// is none.
func (tx *Tx) OrderOfSyssn(account, syssn string) (id string, err error) {
	_, err = tx.scanInto([]any{&id}, `SELECT id FROM orders WHERE account = ? AND syssn = ?`, account, syssn)
	return id, err
}

// sum is what the order counts in the sums.
func (o Order) sum() Sum {
	sum := Sum{Orders: 1}
	if o.Status.Paid() {
		sum.Paid, sum.Gross, sum.Refunded = 1, o.Intent.Amount, o.Refunded
	}
	return sum
}

// encode is a value as JSON, or "" where there is nothing.
func encode(value any, empty bool) (string, error) {
	if empty {
		return "", nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}

func decode(text string, value any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), value)
}

// nullable is a text that is NULL where there is none, so that it may be unique.
func nullable(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

package ledger

import (
	"database/sql"
	"regexp"
	"time"
)

// RefundStatus is the state of a refund.
type RefundStatus string

// The states of a refund.
const (
	RefundWaiting RefundStatus = "waiting" // reserved; another one of the payment is at the gateway
	RefundSent    RefundStatus = "sent"    // the gateway was asked, or is about to be
	RefundDone    RefundStatus = "done"    // money went back
	RefundRefused RefundStatus = "refused" // no money goes back
)

// Refund is money of an order that went back, or may.
type Refund struct {
	Order     string
	Number    string // its out_trade_no, or its syssn where the gateway names none
	Account   string
	RefundID  string // the shop's id for it; "" if it was made elsewhere
	Amount    int64  // minor units of Currency
	Currency  string
	Status    RefundStatus
	Requested time.Time
	Sent      time.Time
	Ended     time.Time
	Syssn     string // the gateway's number of the refund
	Source    string // who said how it ended: reply, notification, enquiry or comparison
	Respcd    string
	Message   string
}

// Open reports whether the outcome is not known yet.
func (r Refund) Open() bool { return r.Status == RefundWaiting || r.Status == RefundSent }

// FromRowAlone reports whether nothing but the row of its payment has told that it
// was made: the gateway never showed it, nor a number of its own.
func (r Refund) FromRowAlone() bool { return r.Status == RefundDone && r.Syssn == "" }

var validRefundID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// ValidRefundID reports whether a shop may call a refund so: 1 to 64 of A-Z a-z
// 0-9 _ . - and neither a dot nor a dash in front.
func ValidRefundID(id string) bool { return validRefundID.MatchString(id) }

// Refunds are all refunds of an order.
type Refunds []Refund

// Of returns the refund that the shop calls id.
func (all Refunds) Of(id string) (Refund, bool) {
	for _, refund := range all {
		if id != "" && refund.RefundID == id {
			return refund, true
		}
	}
	return Refund{}, false
}

// Done is how much went back.
func (all Refunds) Done() (sum int64) {
	for _, refund := range all {
		if refund.Status == RefundDone {
			sum += refund.Amount
		}
	}
	return sum
}

// Open are those whose outcome is not known yet.
func (all Refunds) Open() (open Refunds) {
	for _, refund := range all {
		if refund.Open() {
			open = append(open, refund)
		}
	}
	return open
}

// Left is what can still go back of an order: what was paid, less what went back
// and what may.
func (all Refunds) Left(o Order) int64 {
	if !o.Status.Paid() || o.Status == StatusRefunded {
		return 0
	}
	left := o.Intent.Amount - all.Done()
	for _, refund := range all.Open() {
		left -= refund.Amount
	}
	return max(left, 0)
}

const refundColumns = `order_id, number, account, refund_id, amount, currency, status, requested_at, sent_at, ended_at, syssn, source, respcd, message`

// Refunds returns the refunds of an order, in the order in which they were asked
// for. A step that adds to them has read the order, which locks them all.
func (tx *Tx) Refunds(order string) (all Refunds, err error) {
	err = tx.query(collectRefunds(&all), `SELECT `+refundColumns+` FROM refunds WHERE order_id = ? ORDER BY requested_at, number`, order)
	return all, err
}

func collectRefunds(all *Refunds) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var r Refund
		var syssn sql.NullString
		err := rows.Scan(&r.Order, &r.Number, &r.Account, &r.RefundID, &r.Amount, &r.Currency, (*string)(&r.Status), into(&r.Requested),
			into(&r.Sent), into(&r.Ended), &syssn, &r.Source, &r.Respcd, &r.Message)
		r.Syssn = syssn.String
		*all = append(*all, r)
		return err
	}
}

// RefundsNamed returns the refunds of an account that have a number of their own or
// the gateway's number, of whatever order: none, one, or one for each. "" names none.
func (tx *Tx) RefundsNamed(account, number, syssn string) (named Refunds, err error) {
	err = tx.query(collectRefunds(&named), `SELECT `+refundColumns+` FROM refunds WHERE account = ? AND (number = ? OR syssn = ?)`, account, number, syssn)
	return named, err
}

// SaveRefund adds a refund, or writes what has changed of it.
func (tx *Tx) SaveRefund(r Refund) error {
	_, err := tx.exec(`INSERT INTO refunds (`+refundColumns+`) VALUES (`+marks(14)+`)
		ON CONFLICT (order_id, number) DO UPDATE SET amount = excluded.amount, status = excluded.status, sent_at = excluded.sent_at,
		ended_at = excluded.ended_at, syssn = excluded.syssn, source = excluded.source, respcd = excluded.respcd,
		message = excluded.message`,
		r.Order, r.Number, r.Account, r.RefundID, r.Amount, r.Currency, string(r.Status), stamp{r.Requested}, stamp{r.Sent}, stamp{r.Ended},
		nullable(r.Syssn), r.Source, r.Respcd, r.Message)
	return err
}

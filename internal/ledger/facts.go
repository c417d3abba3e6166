package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"time"
)

// Fact is one thing that happened to an order. Its JSON is what storage
// holds: fields may be added, never renamed.
type Fact interface{ name() string }

// Intent is what the payer set out to buy, fixed before the gateway hears of
// the order. Every later claim about the order is compared with it.
type Intent struct {
	At          time.Time `json:"at"`             // when the payer started
	Sent        time.Time `json:"sent,omitzero"`  // when the callback came that asks the gateway for the payment
	Until       time.Time `json:"until,omitzero"` // when the time to finish it is over
	Lines       []Line    `json:"lines"`          // none for an invoice or an open amount
	Amount      int64     `json:"amount"`         // minor units of Currency
	Currency    string    `json:"currency"`       // ISO 4217
	Description string    `json:"description"`
	Ref         string    `json:"ref,omitempty"` // the shop's own reference

	// Invoice is the signed link that is paid; nil for none.
	Invoice *Invoice `json:"invoice,omitempty"`

	// Fields are what the payer told the shop, by name.
	Fields map[string]string `json:"fields,omitempty"`
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
}

// Prepared says that the gateway took the order and the payer can pay it.
type Prepared struct {
	At     time.Time `json:"at"`
	Syssn  string    `json:"syssn"`   // the gateway's number for the trade
	PayURL string    `json:"pay_url"` // where the payer pays, the same for every visit

	// PayParams are the parameters of WeChat's pay sheet, where our own page
	// opens it.
	PayParams json.RawMessage `json:"pay_params,omitempty"`

	// Intent is that of the order where both were written in one piece, by
	// [Ledger.Prepare]. Whatever reads facts has it as a fact of its own.
	Intent *Intent `json:"intent,omitempty"`
}

// part takes the intent out of the piece in which it was written.
func (p *Prepared) part() (intent *Intent) {
	if p != nil {
		intent, p.Intent = p.Intent, nil
	}
	return intent
}

// Paid says that the gateway confirmed the payment of this order with its
// amount and currency.
type Paid struct {
	At     time.Time `json:"at"`               // when we learned of it
	PaidAt time.Time `json:"paid_at,omitzero"` // when it happened, by the gateway
	Syssn  string    `json:"syssn"`
	Source string    `json:"source"` // how we learned of it: notification or enquiry
}

// When is when the payment happened, or else when we learned of it.
func (p Paid) When() time.Time {
	if p.PaidAt.IsZero() {
		return p.At.UTC()
	}
	return p.PaidAt.UTC()
}

// Failed says that the gateway refused the order, or ended the trade without a
// payment.
type Failed struct {
	At      time.Time `json:"at"`
	Call    string    `json:"call"` // payment or query
	Respcd  string    `json:"respcd,omitempty"`
	Message string    `json:"message,omitempty"`
}

// Closed says that the time to pay is over and the order was ended: at the
// gateway, or here alone where the gateway knows no such trade or would not
// end it.
type Closed struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"` // closed, not_found or given_up
	Respcd string    `json:"respcd,omitempty"`
}

// Disputed says that the gateway vouched for a payment of this order with
// another amount or currency. It does not count as paid.
type Disputed struct {
	At       time.Time `json:"at"`
	Syssn    string    `json:"syssn"`
	Amount   int64     `json:"amount"`
	Currency string    `json:"currency"`
	Source   string    `json:"source"`
}

// Orphan is a payment that the gateway vouched for under a number that is not
// an order of ours.
type Orphan struct {
	At         time.Time `json:"at"`
	Syssn      string    `json:"syssn"`
	OutTradeNo string    `json:"out_trade_no"`
	Amount     int64     `json:"amount"`
	Currency   string    `json:"currency"`
	NotifyType string    `json:"notify_type"`
}

// Attempt is one try to tell an endpoint of an event.
type Attempt struct {
	At     time.Time `json:"at"`
	Status int       `json:"status,omitempty"` // HTTP; 0 without an answer
	Error  string    `json:"error,omitempty"`

	// NotBefore is when the endpoint asked to be tried again.
	NotBefore time.Time `json:"not_before,omitzero"`
}

// Delivered says that an endpoint need not be told of an event any more:
// because it was, or because all attempts were in vain.
type Delivered struct {
	At       time.Time `json:"at"`
	Attempts int       `json:"attempts"`
	Status   int       `json:"status,omitempty"`
	GaveUp   bool      `json:"gave_up,omitempty"`
}

func (Intent) name() string     { return "intent" }
func (Prepared) name() string   { return "prepared" }
func (Paid) name() string       { return "paid" }
func (Failed) name() string     { return "failed" }
func (Closed) name() string     { return "closed" }
func (d Disputed) name() string { return "disputed-" + segment(d.Syssn) }

var plainSegment = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// segment makes a number of the gateway's fit for a storage key.
func segment(number string) string {
	if plainSegment.MatchString(number) {
		return number
	}
	sum := sha256.Sum256([]byte(number))
	return hex.EncodeToString(sum[:16])
}

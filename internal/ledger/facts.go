package ledger

import "time"

// Fact is one thing that happened to an order. Its JSON is what storage
// holds: fields may be added, never renamed.
type Fact interface{ name() string }

// Intent is what the payer set out to buy, fixed before the gateway hears of
// the order. Every later claim about the order is compared with it.
type Intent struct {
	At          time.Time `json:"at"`
	Lines       []Line    `json:"lines"`
	Amount      int64     `json:"amount"`   // minor units of Currency
	Currency    string    `json:"currency"` // ISO 4217
	Description string    `json:"description"`
	Ref         string    `json:"ref,omitempty"` // the shop's own reference
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
}

// Paid says that the gateway confirmed the payment of this order with its
// amount and currency.
type Paid struct {
	At     time.Time `json:"at"`               // when we learned of it
	PaidAt time.Time `json:"paid_at,omitzero"` // when it happened, by the gateway
	Syssn  string    `json:"syssn"`
	Source string    `json:"source"` // how we learned of it: enquiry
}

// Failed says that the order cannot be paid any more: the gateway refused it,
// or ended the trade without a payment.
type Failed struct {
	At      time.Time `json:"at"`
	Call    string    `json:"call"` // payment or query
	Respcd  string    `json:"respcd,omitempty"`
	Message string    `json:"message,omitempty"`
}

func (Intent) name() string   { return "intent" }
func (Prepared) name() string { return "prepared" }
func (Paid) name() string     { return "paid" }
func (Failed) name() string   { return "failed" }

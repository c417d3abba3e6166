package ledger

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"time"
)

// RefundAsked says that money of this order is to go back. It is written before
// the gateway hears of it, and keeps its amount from being given back twice.
type RefundAsked struct {
	At       time.Time `json:"at"`
	RefundID string    `json:"refund_id"` // the shop's
	Number   string    `json:"number"`    // the out_trade_no of the refund
	Amount   int64     `json:"amount"`
}

// Refund says that money of this order went back.
type Refund struct {
	At     time.Time `json:"at"`
	Syssn  string    `json:"syssn"`            // of the refund
	Number string    `json:"number,omitempty"` // its out_trade_no
	Amount int64     `json:"amount"`
	Source string    `json:"source"` // how we learned of it: reply, notification or enquiry
}

// RefundRefused says that no money goes back for a refund that was asked for.
type RefundRefused struct {
	At       time.Time `json:"at"`
	RefundID string    `json:"refund_id"`
	Respcd   string    `json:"respcd,omitempty"` // empty if the gateway never heard of it
	Message  string    `json:"message,omitempty"`
}

// PartiallyRefunded says that some refund is known.
type PartiallyRefunded struct {
	At time.Time `json:"at"`
}

// Refunded says that all of the money went back.
type Refunded struct {
	At time.Time `json:"at"`
}

func (r RefundAsked) name() string     { return "refunding-" + segment(r.RefundID) }
func (r Refund) name() string          { return "refund-" + segment(r.Syssn) }
func (r RefundRefused) name() string   { return "refused-" + segment(r.RefundID) }
func (PartiallyRefunded) name() string { return "partially_refunded" }
func (Refunded) name() string          { return "refunded" }

var validRefundID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// ValidRefundID reports whether a shop may call a refund so: 1 to 64 of A-Z a-z
// 0-9 _ . - and neither a dot nor a dash in front.
func ValidRefundID(id string) bool { return validRefundID.MatchString(id) }

// Refunding is a refund that was asked for and what became of it. It is open
// while it is neither done nor refused.
type Refunding struct {
	Asked   RefundAsked
	Done    *Refund
	Refused *RefundRefused // nil if it was done after all
}

// Open reports whether the outcome is not known yet.
func (r Refunding) Open() bool { return r.Done == nil && r.Refused == nil }

// Refunds are all refunds of an order.
type Refunds struct {
	// Asked are those that were asked for here, in the order of their times.
	Asked []Refunding
	// Done are all that the gateway vouched for, those made elsewhere
	// included, by their numbers.
	Done map[string]Refund
}

// Refunds returns the refunds of an order.
func (h History) Refunds() (Refunds, error) {
	done, err := collect[Refund](h, "refund-")
	if err != nil {
		return Refunds{}, err
	}
	asked, err := collect[RefundAsked](h, "refunding-")
	if err != nil {
		return Refunds{}, err
	}
	refused, err := collect[RefundRefused](h, "refused-")
	if err != nil {
		return Refunds{}, err
	}
	refunds := Refunds{Done: done}
	for id, ask := range asked {
		refunding := Refunding{Asked: ask}
		if no, ok := refused[id]; ok {
			refunding.Refused = &no
		}
		for _, refund := range done {
			if refund.Number == ask.Number {
				refunding.Done, refunding.Refused = &refund, nil
			}
		}
		refunds.Asked = append(refunds.Asked, refunding)
	}
	slices.SortFunc(refunds.Asked, func(a, b Refunding) int {
		return cmp.Or(a.Asked.At.Compare(b.Asked.At), cmp.Compare(a.Asked.RefundID, b.Asked.RefundID))
	})
	return refunds, nil
}

// Of returns the refund that the shop calls id.
func (r Refunds) Of(id string) (Refunding, bool) {
	for _, refunding := range r.Asked {
		if segment(refunding.Asked.RefundID) == segment(id) {
			return refunding, true
		}
	}
	return Refunding{}, false
}

// Amend returns what is known of a refund when the gateway has said so much of
// it, and whether it was not known before. What is known is not taken back.
// Where the gateway leaves the amount out, it is the one that was asked for here.
func (r Refunds) Amend(said Refund) (refund Refund, isNew bool) {
	refund, known := r.Done[segment(said.Syssn)]
	if !known {
		refund = said
	}
	refund.Number = cmp.Or(refund.Number, said.Number)
	if refund.Amount <= 0 {
		refund.Amount = max(said.Amount, 0)
	}
	for _, refunding := range r.Asked {
		if refund.Amount == 0 && refunding.Asked.Number == refund.Number {
			refund.Amount = refunding.Asked.Amount
		}
	}
	return refund, !known
}

// Open returns those whose outcome is not known yet.
func (r Refunds) Open() []Refunding {
	return slices.DeleteFunc(slices.Clone(r.Asked), func(a Refunding) bool { return !a.Open() })
}

// Given is what went back.
func (r Refunds) Given() int64 {
	var sum int64
	for refund := range maps.Values(r.Done) {
		sum += refund.Amount
	}
	return sum
}

// Reserved is what went back or may yet go back.
func (r Refunds) Reserved() int64 {
	sum := r.Given()
	for _, open := range r.Open() {
		sum += open.Asked.Amount
	}
	return sum
}

// Left is what can still be given back of the amount that was paid.
func (r Refunds) Left(paid int64) int64 { return max(paid-r.Reserved(), 0) }

// ByNumber names a refund by the shop's id for it, "" if it was not asked for
// here.
func (r Refunds) ByNumber(number string) (refundID string) {
	for _, refunding := range r.Asked {
		if number != "" && refunding.Asked.Number == number {
			return refunding.Asked.RefundID
		}
	}
	return ""
}

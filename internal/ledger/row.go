package ledger

import (
	"path"
	"strings"
	"time"
)

// Row is what a list of orders says of one.
type Row struct {
	Order       string    `json:"order"`
	Status      Status    `json:"status"`
	At          time.Time `json:"at"` // when the payer started
	PaidAt      time.Time `json:"paid_at,omitzero"`
	Amount      int64     `json:"amount"`   // minor units of Currency
	Refunded    int64     `json:"refunded"` // what went back of it
	Currency    string    `json:"currency"`
	Description string    `json:"description"`
	Ref         string    `json:"ref,omitempty"`
	Syssn       string    `json:"syssn,omitempty"` // the gateway's number of the payment
	Late        bool      `json:"late,omitempty"`  // paid after it had been called over
	Disputed    bool      `json:"disputed,omitempty"`
	Refunding   bool      `json:"refunding,omitempty"` // a refund is on its way
}

// Taken reports whether money came in for the order, and how much of it stayed.
func (r Row) Taken() (paid bool, net int64) {
	switch r.Status {
	case StatusPaid, StatusPartiallyRefunded, StatusRefunded:
		return true, r.Amount - r.Refunded
	default:
		return false, 0
	}
}

// Row returns what lists say of the order with this history, of which its
// refunds and disputes are needed.
func (o Order) Row(history History) (Row, error) {
	row := Row{
		Order: o.ID, Status: o.Status(), At: o.Intent.At, Amount: o.Intent.Amount, Currency: o.Intent.Currency,
		Description: o.Intent.Description, Ref: o.Intent.Ref, Late: o.Late(),
	}
	if o.Paid != nil {
		row.PaidAt, row.Syssn = o.Paid.When(), o.Paid.Syssn
	}
	refunds, err := history.Refunds()
	if err != nil {
		return Row{}, err
	}
	row.Refunded, row.Refunding = refunds.Given(), len(refunds.Open()) > 0
	if o.Refunded != nil { // which may be known without the single refunds
		row.Refunded = row.Amount
	}
	for name := range history {
		row.Disputed = row.Disputed || strings.HasPrefix(name, "disputed-")
	}
	return row, nil
}

// sheaf is the names of the facts of one order, as a list of the storage gives
// them.
type sheaf struct {
	order string
	names []string
}

// sheaves sorts the keys of a day by orders. What is no fact is left out.
func sheaves(keys []string) []sheaf {
	byOrder := make(map[string]int)
	var all []sheaf
	for _, key := range keys {
		order := path.Base(path.Dir(key))
		name, isFact := strings.CutSuffix(path.Base(key), ".json")
		if !isFact || strings.HasPrefix(name, ".") || !validOrder(order) {
			continue
		}
		i, seen := byOrder[order]
		if !seen {
			i = len(all)
			byOrder[order] = i
			all = append(all, sheaf{order: order})
		}
		all[i].names = append(all[i].names, name)
	}
	return all
}

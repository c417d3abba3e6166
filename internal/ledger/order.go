package ledger

// Status is the state of an order as a whole.
type Status string

// The states that follow from the facts.
const (
	StatusPending Status = "pending"
	StatusPaid    Status = "paid"
	StatusFailed  Status = "failed"
)

// Order is all that the ledger knows of an order. Absent facts are nil.
type Order struct {
	ID       string
	Intent   Intent
	Prepared *Prepared
	Paid     *Paid
	Failed   *Failed
}

// Status folds the facts into a state. It is monotone: more facts never lead
// back, and paid outranks failed whichever came first.
func (o Order) Status() Status {
	switch {
	case o.Paid != nil:
		return StatusPaid
	case o.Failed != nil:
		return StatusFailed
	default:
		return StatusPending
	}
}

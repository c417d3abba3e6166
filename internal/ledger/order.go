package ledger

// Status is the state of an order as a whole.
type Status string

// The states that follow from the facts.
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

// Order is what is known of an order. Absent facts are nil.
type Order struct {
	ID                string
	Intent            Intent
	Prepared          *Prepared
	Paid              *Paid
	Failed            *Failed
	Closed            *Closed
	PartiallyRefunded *PartiallyRefunded
	Refunded          *Refunded

	// Entered says that there are no facts yet: the callback that asks for the
	// payment is at work, or died.
	Entered bool
}

// countsInStatus reports whether a fact is one of those that an [Order] is made
// of.
func countsInStatus(fact string) bool {
	switch fact {
	case "intent", "prepared", "paid", "failed", "closed", "partially_refunded", "refunded":
		return true
	default:
		return false
	}
}

// Status folds the facts into a state. It is monotone: more facts never lead
// back, and paid outranks failed and closed whichever came first.
func (o Order) Status() Status {
	switch {
	case o.Refunded != nil:
		return StatusRefunded
	case o.PartiallyRefunded != nil:
		return StatusPartiallyRefunded
	case o.Paid != nil:
		return StatusPaid
	case o.Closed != nil:
		return StatusClosed
	case o.Failed != nil:
		return StatusFailed
	default:
		return StatusPending
	}
}

// Late reports whether the order was paid although it had been called over:
// the shop should look at it.
func (o Order) Late() bool {
	return o.Paid != nil && (o.Closed != nil || o.Failed != nil)
}

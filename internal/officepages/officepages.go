// Package officepages renders what the shop's owner sees: lists of orders with
// their sums, one order with all that is known of it, and the question before
// money goes back. Pages are whole without any script and carry a
// Content-Security-Policy that allows none. Links lead to the page's own
// address, whatever it is, and say all they want in the query.
package officepages

import "time"

// Page is one of the page types of this package.
type Page interface {
	// file names the page's template.
	file() string
}

// Money is an amount in minor units of a currency.
type Money struct {
	Minor    int64
	Currency string
}

// List is the orders of a period.
type List struct {
	Search  Search
	Presets []Preset
	Totals  []Total // by currency
	Charts  []Chart // one per currency
	Rows    []Row
	// Found is how many orders the search finds, those on other pages included.
	Found int
	// Ledgers says that orders of several ledgers are shown.
	Ledgers bool
	// Where to go on; "" for nowhere.
	NewestURL, OlderURL, CSVURL string
}

// Search is what the form above a list holds.
type Search struct{ From, To, Status, Text, Ledger string }

// Preset is a period that is often looked at: today, yesterday, month or
// last_month.
type Preset struct {
	Name, URL string
	Current   bool
}

// Total is what the orders of one currency come to.
type Total struct {
	Orders, Paid          int
	Taken, Refunded, Kept Money
}

// Row is an order in a list.
type Row struct {
	Order, URL, Ledger        string
	Status                    string
	At                        time.Time
	Amount, Refunded          Money
	Description, Ref          string
	Late, Disputed, Refunding bool
}

// Order is all that is known of one order.
type Order struct {
	Row     Row
	PaidAt  time.Time
	Syssn   string
	Invoice string
	Items   []Item
	// Fields are what the payer told the shop.
	Fields  []Pair
	Refunds []Refund
	Facts   []Fact
	// Notice says what has just been done: asked, closed, refund_done,
	// refund_pending or refund_refused; "" for nothing.
	Notice string
	// Left is what can still be refunded, zero for nothing.
	Left Money
	// Refund is what stands in the form. Wrong says why it cannot be taken:
	// amount or too_much; Typed is what was written then.
	Typed, Wrong string
	// Closable says that the order can be closed.
	Closable bool
	// Ask is what the button posts that has the gateway asked.
	Ask     []Pair
	URL     string
	BackURL string
}

// Pair is a name and what belongs to it.
type Pair struct{ Name, Value string }

// Item is one thing that was bought, with what all of it costs.
type Item struct {
	Name     string
	Quantity int
	Sum      Money
}

// Refund is one refund that was asked for. Status is done, pending or refused.
type Refund struct {
	ID, Status, Syssn, Reason string
	Amount                    Money
}

// Fact is one thing that happened to an order. Kind is the fact's name up to the
// number in it, which About is.
type Fact struct {
	Kind, About string
	At          time.Time
	Data        []Pair
}

// Confirm asks whether to do what cannot be undone.
type Confirm struct {
	Row Row
	// Do is refund or close.
	Do           string
	Amount, Rest Money // of a refund, and what stays of the order after it
	Hidden       []Pair
	URL, BackURL string
}

// Problem explains why the owner does not get a page. Detail is in English and
// may name what is wrong.
type Problem struct {
	Kind    Kind
	Detail  string
	BackURL string // "" for the list
}

func (List) file() string    { return "list.html" }
func (Order) file() string   { return "order.html" }
func (Confirm) file() string { return "confirm.html" }
func (Problem) file() string { return "problem.html" }

// Package pages renders what the shop's owner sees: lists of orders with their
// sums, one order with all that is known of it, and the question before money
// goes back. Pages are whole without any script and carry a
// Content-Security-Policy that allows none. Links lead to the page's own
// address, whatever it is, and say all they want in the query.
//
// It is given what to show and reads nothing itself: it knows neither the
// ledger nor the order service. Times are shown in the zone that they are given in.
package pages

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
	Shares  *Shares // nil if they are not wanted
	Rows    []Row
	// Found is how many orders the search finds, those on other pages included.
	Found int64
	// Shops says that orders of several shops are shown.
	Shops bool
	// Zone names the time zone of the days and times.
	Zone string
	// Where to go on; "" for nowhere.
	NewestURL, OlderURL, CSVURL, SharesURL string
	// ToldCSVURL is the file with what payers told the shop.
	ToldCSVURL string
}

// Search is what the form above a list holds.
type Search struct{ From, To, Status, Method, Fulfilled, Text, Shop string }

// Preset is a view that is often looked at: todo, today, yesterday, month,
// last_month or stock.
type Preset struct {
	Name, URL string
	Current   bool
}

// Total is what the orders of one currency come to.
type Total struct {
	Orders, Paid         int64
	Gross, Refunded, Net Money
	// GivenBack is what went back in the period, of orders of whatever day; nil where
	// that is not known.
	GivenBack *Money
}

// Shares are what orders come to by item, before refunds, and by way of paying.
type Shares struct {
	Items   []ItemShare
	Methods []MethodShare
}

// ItemShare is what was sold of an item; Item is "" for orders without any, as those
// of invoices.
type ItemShare struct {
	Item, Name string
	Pieces     int64
	Gross      Money
}

// MethodShare is what came in in one way of paying and one currency.
type MethodShare struct {
	Method string
	Total
}

// Row is an order in a list.
type Row struct {
	Order, URL, Shop          string
	Status, Method            string
	At                        time.Time
	Amount, Refunded          Money
	Refunding                 Money // what is on its way back
	Description, Ref          string
	Late, Disputed, Fulfilled bool
	Damaged                   bool // what is shown may be wrong
}

// Order is all that is known of one order.
type Order struct {
	Row     Row
	PaidAt  time.Time
	Syssn   string
	Invoice string
	Items   []Item
	// Fields are what the payer told the shop.
	Fields     []Pair
	Refunds    []Refund
	Deliveries []Delivery
	Events     []Event
	// Notice says what has just been done: asked, closed, fulfilled, unfulfilled,
	// refund_done, refund_pending or refund_refused; or changed, which kept it from
	// being done; "" for nothing.
	Notice string
	// Left is what can still be refunded, zero for nothing.
	Left Money
	// Typed is what was written as the amount of a refund, and Wrong says why it
	// cannot be taken: amount or too_much.
	Typed, Wrong string
	// Closable says that the order can be closed.
	Closable bool
	// FulfilledAt is when the shop said that it has done its part, and Note what it
	// told the payer with that.
	FulfilledAt time.Time
	Note        string
	TypedNote   string // what is in the form of the note
	// Was is how the order stands, for the forms that lead to a question.
	Was string
	// Short says that it is paid, and not enough was left of what it is for.
	Short bool
	// Fulfil and Undo are what the forms post that say so, beside the note, and
	// that take it back; none where that cannot be.
	Fulfil, Undo []Pair
	PrintURL     string // of the sheet for packing; "" for none
	// Ask is what the button posts that has the gateway asked.
	Ask     []Pair
	URL     string
	BackURL string
	// Zone names the time zone of the times.
	Zone string
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
	At                        time.Time // when it ended; until then, when it was asked for
}

// Event is one thing that happened to an order. About is the refund or the
// gateway's number that it is about.
type Event struct {
	Kind, About string
	At          time.Time
	Data        []Pair
}

// Delivery is what became of telling one endpoint of one event. Status is due,
// delivered or gave_up.
type Delivery struct {
	Event, Endpoint, Status string
	Attempts, LastStatus    int       // LastStatus is HTTP; 0 without an answer
	NextAt                  time.Time // when it is tried next; zero for never
}

// Confirm asks whether to do what cannot be undone.
type Confirm struct {
	Row Row
	// Do is refund or close.
	Do           string
	Amount, Rest Money // of a refund, and what stays after it and those before it
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
func (ToDo) file() string    { return "todo.html" }
func (Sheets) file() string  { return "sheets.html" }
func (Order) file() string   { return "order.html" }
func (Confirm) file() string { return "confirm.html" }
func (Problem) file() string { return "problem.html" }

// Package pages renders what the payer sees: small, self-contained HTML pages
// in the payer's language, under a Content-Security-Policy that allows nothing
// but the page's own style and, where there is one, its own script.
package pages

import "time"

// Page is one of the page types of this package.
type Page interface {
	// file names the page's template.
	file() string
	// order is what the page is about, the zero value for none.
	order() Order
}

// Amount is money as people write it: Decimal "128.00" and Currency "HKD". The
// zero value is not shown.
type Amount struct{ Decimal, Currency string }

// Order is what a page says about an order. Empty fields are not shown.
type Order struct {
	ID, Merchant, Description string
	Quantity                  int
	// Lines are those of a cart; none for a single thing, which Description and
	// Quantity say.
	Lines  []Line
	Amount Amount
	Ref    string
}

// Line is one thing in a cart, with what all of it costs.
type Line struct {
	Name     string
	Quantity int
	Sum      Amount
}

// Handoff leads a payer whose browser is not WeChat into WeChat: by a QR code,
// or, on a phone, by a link to copy.
type Handoff struct {
	// Order is what will be paid; its ID is empty while there is no order yet.
	Order Order
	// Link is the absolute pay link to open in WeChat.
	Link string
	// Phone says that the page is shown on a phone, which cannot scan its own
	// screen.
	Phone bool
	// WatchURL is an address on this site that says what became of the order: to
	// a script {"status":"waiting"}, or {"location"} to go to; to a browser this
	// page again, or that place. "" for a page that watches nothing.
	WatchURL string
	// Refresh is how often a browser without script loads WatchURL.
	Refresh time.Duration
}

// Sheet opens WeChat's own pay sheet, for a shop with an official account of
// its own.
type Sheet struct {
	Order Order
	// PayParams are the parameters of getBrandWCPayRequest, as a JSON object.
	PayParams string
	// ReturnURL is where to go when the sheet is closed.
	ReturnURL string
	// FallbackURL is where to go in a browser that has no such sheet, "" for
	// nowhere.
	FallbackURL string
}

// Form asks the payer for what has still to be told, and posts it.
type Form struct {
	Order Order
	// Action is the address that the form posts to.
	Action string
	// Hidden is posted along.
	Hidden []Pair
	Inputs []Input
	// Min and Max bound the amount that is asked for, if one is.
	Min, Max Amount
}

// Pair is a parameter.
type Pair struct{ Name, Value string }

// Input is one thing that a form asks for. Those that many shops ask for have
// labels in the payer's language; others are called by their name.
type Input struct {
	Name, Value string
	Required    bool
	// Wrong says that what was given cannot be taken.
	Wrong bool
}

// Confirm asks the payer to press Pay.
type Confirm struct {
	Order Order
	// Action is the address that the button posts to.
	Action string
}

// Confirming is shown after the payer comes back and before the gateway has
// confirmed the payment.
type Confirming struct {
	Order Order
	// Check counts how often the gateway has been asked, from 1.
	Check int
	// Refresh is the time until the page loads CheckURL by itself; 0 leaves that
	// to the payer.
	Refresh time.Duration
	// CheckURL is where this page is looked at next.
	CheckURL string
	// ContinueURL leads back to the payment, "" for no such link.
	ContinueURL string
}

// Checking is shown when the outcome of the payment call is unknown. It claims
// neither success nor failure.
type Checking struct {
	Order    Order
	CheckURL string
	Refresh  time.Duration
	StartURL string
}

// Receipt is shown for a paid order.
type Receipt struct {
	Order Order
	// PaidAt is shown in UTC+8; the zero time is not shown.
	PaidAt  time.Time
	ShopURL string
}

// Failed is shown when a payment did not go through and no money was taken.
type Failed struct {
	Order    Order
	StartURL string
	ShopURL  string
}

// Problem explains why a request could not be served and what to do next. URLs
// that are empty are not offered.
type Problem struct {
	Kind     Kind
	StartURL string
	ShopURL  string
	RetryURL string
}

func (Handoff) file() string    { return "handoff.html" }
func (Sheet) file() string      { return "sheet.html" }
func (Confirm) file() string    { return "confirm.html" }
func (Form) file() string       { return "form.html" }
func (Confirming) file() string { return "confirming.html" }
func (Checking) file() string   { return "checking.html" }
func (Receipt) file() string    { return "receipt.html" }
func (Failed) file() string     { return "failed.html" }
func (Problem) file() string    { return "problem.html" }

func (p Handoff) order() Order    { return p.Order }
func (p Sheet) order() Order      { return p.Order }
func (p Confirm) order() Order    { return p.Order }
func (p Form) order() Order       { return p.Order }
func (p Confirming) order() Order { return p.Order }
func (p Checking) order() Order   { return p.Order }
func (p Receipt) order() Order    { return p.Order }
func (p Failed) order() Order     { return p.Order }
func (Problem) order() Order      { return Order{} }

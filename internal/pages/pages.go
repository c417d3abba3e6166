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
	// InApp says that an app shows the page in a browser of its own, which may be
	// unable to open a wallet.
	InApp bool
	// Paying says that a phone has taken the order over, and may be paying it.
	Paying bool
	// Until is when the time to pay is over, shown in its own time zone; the zero
	// time is not shown.
	Until   time.Time
	ShopURL string
}

// PaySheet opens WeChat's own pay sheet, for a shop with an official account of
// its own.
type PaySheet struct {
	Order Order
	// PayParams are the parameters of getBrandWCPayRequest, as a JSON object.
	PayParams string
	// ReturnURL is where to go when the sheet is closed.
	ReturnURL string
	// FallbackURL is where to go in a browser that has no such sheet, "" for
	// nowhere.
	FallbackURL string
	ShopURL     string
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
	// Wrong says why what was given cannot be taken; "" for what can.
	Wrong Wrong
}

// Wrong is what is wrong with one input. It is a part of the names of texts.
type Wrong string

// What can be wrong with an input.
const (
	Missing     Wrong = "missing"   // nothing was given
	TooLong     Wrong = "long"      // more than 500 characters
	TooManyOf   Wrong = "many"      // more than 20 values
	NotText     Wrong = "text"      // control characters
	NotEmail    Wrong = "email"     // not an email address
	NotNumber   Wrong = "number"    // an amount that cannot be read
	OutOfRange  Wrong = "range"     // an amount that is less or more than the form's bounds
	NotRealName Wrong = "real_name" // not a full name
	NotIDCard   Wrong = "id_card"   // not the number of an identity card
)

// Confirm asks the payer to press Pay, or to choose a wallet.
type Confirm struct {
	Order Order
	// Action is the address that the buttons post to.
	Action string
	// Wallets are the names that the buttons post as wallet: wechat, alipayhk,
	// unionpay or payme. Without any, there is one button that posts none.
	Wallets []string
	// Handoff leads into WeChat, for those who would rather pay there; nil for no
	// such way. Its Order is not used.
	Handoff *Handoff
	ShopURL string
}

// Unpaid is shown to a payer who comes back while the gateway knows of no payment:
// most of them have cancelled.
type Unpaid struct {
	Order Order
	// PayURL leads back to the payment, "" for no such way.
	PayURL string
	// Refresh is the time until the page loads CheckURL by itself; 0 leaves that
	// to the payer.
	Refresh time.Duration
	// CheckURL is where this page is looked at next.
	CheckURL string
	ShopURL  string
}

// Confirming is shown after the payer comes back while something may have been paid
// and the gateway has not said so yet.
type Confirming struct {
	Order Order
	// Refresh is the time until the page loads CheckURL by itself; 0 leaves that
	// to the payer.
	Refresh time.Duration
	// CheckURL is where this page is looked at next.
	CheckURL string
	// ContinueURL leads back to the payment, "" for no such link.
	ContinueURL string
	ShopURL     string
}

// Checking is shown when the outcome of the payment call is unknown. It claims
// neither success nor failure.
type Checking struct {
	Order    Order
	CheckURL string
	Refresh  time.Duration
	StartURL string
	ShopURL  string
}

// Receipt is shown for a paid order.
type Receipt struct {
	Order Order
	// PaidAt is shown in its own time zone; the zero time is not shown.
	PaidAt time.Time
	// SentAt is when the shop said that it has done its part, likewise, and Note what
	// it says with that, such as a tracking number.
	SentAt time.Time
	Note   string
	// Refunded is what went back to the payer so far.
	Refunded Amount
	ShopURL  string
}

// Failed is shown when a payment did not go through and no money was taken.
type Failed struct {
	Order    Order
	StartURL string
	ShopURL  string
	// Refresh is the time until the page loads CheckURL, as some are paid late; 0
	// leaves it as it is.
	Refresh  time.Duration
	CheckURL string
}

// Problem explains why a request could not be served and what to do next. URLs
// that are empty are not offered. Of the order it shows whose it is and its number.
type Problem struct {
	Order    Order
	Kind     Kind
	StartURL string
	ShopURL  string
	RetryURL string
}

func (Handoff) file() string    { return "handoff.html" }
func (PaySheet) file() string   { return "sheet.html" }
func (Confirm) file() string    { return "confirm.html" }
func (Form) file() string       { return "form.html" }
func (Unpaid) file() string     { return "unpaid.html" }
func (Confirming) file() string { return "confirming.html" }
func (Checking) file() string   { return "checking.html" }
func (Receipt) file() string    { return "receipt.html" }
func (Failed) file() string     { return "failed.html" }
func (Problem) file() string    { return "problem.html" }

func (p Handoff) order() Order    { return p.Order }
func (p PaySheet) order() Order   { return p.Order }
func (p Confirm) order() Order    { return p.Order }
func (p Form) order() Order       { return p.Order }
func (p Unpaid) order() Order     { return p.Order }
func (p Confirming) order() Order { return p.Order }
func (p Checking) order() Order   { return p.Order }
func (p Receipt) order() Order    { return p.Order }
func (p Failed) order() Order     { return p.Order }
func (p Problem) order() Order    { return p.Order }

package doctor

import (
	"context"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// Shop is one block of a configuration, with what the checks look at. Its functions
// end with their contexts.
type Shop struct {
	Title string // how findings name the block
	Name  string // the shop's, in the ledger
	Now   func() time.Time

	// The gateway, and the shop's official account at WeChat.
	Gateway string // base URL
	Enquire func(context.Context, qfpay.Query) ([]qfpay.Trade, error)
	AppID   string // of the official account; "" for none of the shop's own
	OpenID  func(ctx context.Context, code string) (string, error)

	// Where the shop lives.
	PublicURL  string   // scheme and host; "" if it follows each request
	Hosts      []string // the site's own names; nil if they are not known
	Path       string   // below which the plugin answers
	NotifyPath string
	NotifyURL  string // where the gateway is asked to report; "" for nowhere
	NotifyOff  bool   // nowhere, because the owner wants it so

	// Arrive has the running site answer a request for a path. Nil if it cannot.
	Arrive func(ctx context.Context, path string) Arrival

	// What is sold.
	Currency     string
	Catalog      *shop.CatalogFile
	OtherwisePay bool // an amount or an invoice can be paid, without any item

	// What is remembered, and who is told.
	Ledger    ledger.Ledger
	LostShops func(context.Context) ([]string, error) // with open orders in the ledger, and without a block
	Webhooks  []Webhook
	Mail      Mail // nil for a shop that sends none
}

// Arrival is what became of a request for a path of the shop's.
type Arrival struct {
	As     string // the path with which it came to the plugin; "" if it did not
	Status int    // of what answered it; 0 if nothing did
}

// Mail is the server that takes the shop's mails.
type Mail interface {
	// Check connects and authenticates as mails do, and sends nothing. The error
	// names the server.
	Check(context.Context) error
}

// Webhook is an endpoint that is told what happens to orders.
type Webhook interface {
	// Dial opens a connection and closes it. The error names the host.
	Dial(context.Context) error
}

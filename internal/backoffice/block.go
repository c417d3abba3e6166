package backoffice

import "time"

// Block is what programs are told of one qfpay_jsapi block of the running
// configuration.
type Block struct {
	Name         string `json:"name"` // the shop's, in the ledger
	MerchantName string `json:"merchant_name"`
	Currency     string `json:"currency"`
	Path         string `json:"path"`
	PublicURL    string `json:"public_url,omitempty"`
	Invoices     bool   `json:"invoices"` // whether it takes them
}

// BlocksAnswer lists the blocks of the running configuration.
type BlocksAnswer struct {
	Shops []Block `json:"shops"`
}

// InvoiceRequest asks for a signed link that asks for a payment.
type InvoiceRequest struct {
	ID        string    `json:"id,omitempty"`       // default: a new ULID
	Amount    int64     `json:"amount"`             // minor units of Currency
	Currency  string    `json:"currency,omitempty"` // default: the shop's
	Text      string    `json:"text"`
	Ref       string    `json:"ref,omitempty"`
	Expires   time.Time `json:"expires,omitzero"`     // RFC 3339; default: never
	Uses      *int      `json:"uses,omitempty"`       // default 1; 0 without limit
	Name      string    `json:"name,omitempty"`       // of the shop, where several take invoices
	Path      string    `json:"path,omitempty"`       // of one of the shop's blocks; default: the first
	PublicURL string    `json:"public_url,omitempty"` // default: that of the configuration
}

// InvoiceAnswer is the link that was made, and the token in it.
type InvoiceAnswer struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

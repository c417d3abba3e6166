package checkout

import (
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// What can be wrong with an invoice link.
var (
	ErrInvoice        = errors.New("invoice not valid")
	ErrInvoiceExpired = errors.New("invoice expired")
)

// Limits of invoices, in bytes.
const (
	MinInvoiceKey   = 32 // of HS256, by RFC 7518
	MaxInvoiceToken = 1500
	MaxInvoiceUses  = 1000
)

// Invoice is what a signed link asks to be paid. Its token is a JSON Web Token
// signed with HS256, so that any program of the shop can make one.
type Invoice struct {
	ID       string           `json:"jti"`            // names the invoice: 1 to 64 of A-Z a-z 0-9 _ -
	Amount   int64            `json:"amount"`         // minor units of Currency
	Currency string           `json:"currency"`       // the shop's
	Text     string           `json:"text"`           // what the payer reads, at most 256 bytes
	Ref      string           `json:"ref,omitempty"`  // the shop's reference, at most 64 characters
	Expires  *jwt.NumericDate `json:"exp,omitempty"`  // seconds since 1970; without it, never
	Uses     *int             `json:"uses,omitempty"` // how often it may be paid, at most 1000; default 1, 0 without limit
}

// MaxUses is how often the invoice may be paid; 0 means without limit.
func (i Invoice) MaxUses() int {
	if i.Uses == nil {
		return 1
	}
	return *i.Uses
}

var invoiceID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Check reports what is wrong with the invoice in a shop of the currency.
func (i Invoice) Check(currency string) error {
	switch {
	case !invoiceID.MatchString(i.ID):
		return errors.New("jti must be 1 to 64 of A-Z a-z 0-9 _ -")
	case i.Amount < 1 || i.Amount > MaxAmount:
		return fmt.Errorf("amount is out of range 1 to %d", int64(MaxAmount))
	case i.Currency != currency:
		return fmt.Errorf("currency must be %s, the shop's", currency)
	case i.Text == "" || len(i.Text) > MaxNameBytes || !isText(i.Text, MaxNameBytes):
		return fmt.Errorf("text must be one line of 1 to %d bytes of UTF-8", MaxNameBytes)
	case !isText(i.Ref, MaxRefRunes):
		return fmt.Errorf("ref must be one line of at most %d characters", MaxRefRunes)
	case i.MaxUses() < 0 || i.MaxUses() > MaxInvoiceUses:
		return fmt.Errorf("uses is out of range 0 to %d", MaxInvoiceUses)
	default:
		return nil
	}
}

// InvoiceKey signs and opens invoice links.
type InvoiceKey struct {
	key []byte
	now func() time.Time
}

// NewInvoiceKey takes a secret of at least [MinInvoiceKey] bytes.
func NewInvoiceKey(secret string, now func() time.Time) (*InvoiceKey, error) {
	if len(secret) < MinInvoiceKey {
		return nil, fmt.Errorf("shorter than %d bytes", MinInvoiceKey)
	}
	return &InvoiceKey{[]byte(secret), now}, nil
}

// Sign returns the token of an invoice, at most [MaxInvoiceToken] bytes.
func (k *InvoiceKey) Sign(invoice Invoice) (string, error) {
	if err := invoice.Check(invoice.Currency); err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: k.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	token, err := jwt.Signed(signer).Claims(invoice).Serialize()
	if err == nil && len(token) > MaxInvoiceToken {
		err = fmt.Errorf("the link would have %d bytes; shorten the text", len(token))
	}
	return token, err
}

// Open returns the invoice of a token. The error is [ErrInvoice] for any that
// this key did not sign for the currency, and [ErrInvoiceExpired].
func (k *InvoiceKey) Open(token, currency string) (Invoice, error) {
	if len(token) > MaxInvoiceToken || !utf8.ValidString(token) {
		return Invoice{}, ErrInvoice
	}
	signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return Invoice{}, ErrInvoice
	}
	var invoice Invoice
	if err := signed.Claims(k.key, &invoice); err != nil || invoice.Check(currency) != nil {
		return Invoice{}, ErrInvoice
	}
	if invoice.Expires != nil && !k.now().Before(invoice.Expires.Time()) {
		return invoice, ErrInvoiceExpired
	}
	return invoice, nil
}

// intend is the intent to pay an invoice.
func (k *InvoiceKey) intend(token, currency string) (ledger.Intent, error) {
	invoice, err := k.Open(token, currency)
	if err != nil {
		return ledger.Intent{}, err
	}
	return ledger.Intent{
		Amount: invoice.Amount, Description: invoice.Text, Ref: invoice.Ref,
		Invoice: &ledger.Invoice{ID: invoice.ID, Uses: invoice.MaxUses(), Token: token},
	}, nil
}

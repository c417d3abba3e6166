package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// What can be wrong with an invoice link.
var (
	ErrInvoice        = errors.New("invoice not signed with the shop's key")
	ErrInvoiceExpired = errors.New("invoice expired")
	ErrInvoiceEarly   = errors.New("invoice not payable yet")
)

// ClaimError is what is wrong with an invoice that the shop did sign: its own program
// makes it so.
type ClaimError struct {
	Claim  string // jti, amount, currency, text, ref, exp, nbf or uses; "" for the token as a whole
	Reason string // without what the claim holds
}

func (e *ClaimError) Error() string {
	return strings.TrimSpace(e.Claim + " " + e.Reason)
}

func wrongClaim(claim, reason string, args ...any) error {
	return &ClaimError{claim, fmt.Sprintf(reason, args...)}
}

// Limits of invoices, in bytes.
const (
	MinInvoiceKey   = 32 // of HS256, by RFC 7518
	MaxInvoiceToken = 1500
	MaxInvoiceUses  = 1000
)

// Invoice is what a signed link asks to be paid. Its token is a JSON Web Token
// signed with HS256, so that any program of the shop can make one.
type Invoice struct {
	ID        string           `json:"jti"`            // names the invoice: 1 to 64 of A-Z a-z 0-9 _ -
	Amount    int64            `json:"amount"`         // minor units of Currency
	Currency  string           `json:"currency"`       // the shop's
	Text      string           `json:"text"`           // what the payer reads, at most 256 bytes
	Ref       string           `json:"ref,omitempty"`  // the shop's reference, at most 64 characters
	NotBefore *jwt.NumericDate `json:"nbf,omitempty"`  // when it can first be paid, in seconds since 1970; without it, at once
	Expires   *jwt.NumericDate `json:"exp,omitempty"`  // when it ends, likewise; without it, never
	Uses      *int             `json:"uses,omitempty"` // how often it may be paid, at most 1000; default 1, 0 without limit
}

// MaxUses is how often the invoice may be paid; 0 means without limit.
func (i Invoice) MaxUses() int {
	if i.Uses == nil {
		return 1
	}
	return *i.Uses
}

var invoiceID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Check reports what is wrong with the invoice in a shop of the currency, as a
// [ClaimError].
func (i Invoice) Check(currency string) error {
	switch {
	case !invoiceID.MatchString(i.ID):
		return wrongClaim("jti", "must be 1 to 64 of A-Z a-z 0-9 _ -")
	case i.Amount < 1 || i.Amount > MaxAmount:
		return wrongClaim("amount", "is out of range 1 to %d", int64(MaxAmount))
	case i.Currency != currency:
		return wrongClaim("currency", "must be %s, the shop's", currency)
	case i.Text == "" || len(i.Text) > MaxNameBytes || !isText(i.Text, MaxNameBytes):
		return wrongClaim("text", "must be one line of 1 to %d bytes of UTF-8", MaxNameBytes)
	case !isText(i.Ref, MaxRefRunes):
		return wrongClaim("ref", "must be one line of at most %d characters", MaxRefRunes)
	case i.MaxUses() < 0 || i.MaxUses() > MaxInvoiceUses:
		return wrongClaim("uses", "is out of range 0 to %d", MaxInvoiceUses)
	case !isPossible(i.NotBefore):
		return wrongClaim("nbf", impossibleTime)
	case !isPossible(i.Expires):
		return wrongClaim("exp", impossibleTime)
	case i.NotBefore != nil && i.Expires != nil && *i.Expires <= *i.NotBefore:
		return wrongClaim("exp", "is not after nbf")
	default:
		return nil
	}
}

// Times of invoices lie from 2000 to 9999: a time in milliseconds is after that, and
// a span in the place of a time before.
const (
	firstTime      = 946_684_800
	lastTime       = 253_402_300_799
	impossibleTime = "must be a time in seconds since 1970, from the year 2000 to 9999"
)

func isPossible(at *jwt.NumericDate) bool {
	return at == nil || *at >= firstTime && *at <= lastTime
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
	if !IsLine(invoice.Text) {
		return "", wrongClaim("text", "must be one line, without invisible characters")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: k.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	token, err := jwt.Signed(signer).Claims(invoice).Serialize()
	if err == nil && len(token) > MaxInvoiceToken {
		err = fmt.Errorf("the link would be %d bytes long: shorten the text", len(token))
	}
	return token, err
}

// Open returns the invoice of a token. The error is [ErrInvoice] for any that this
// key did not sign; for one that it did, a [ClaimError], [ErrInvoiceEarly] or
// [ErrInvoiceExpired].
func (k *InvoiceKey) Open(token, currency string) (Invoice, error) {
	if len(token) > MaxInvoiceToken || !utf8.ValidString(token) {
		return Invoice{}, ErrInvoice
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return Invoice{}, ErrInvoice
	}
	claims, err := signed.Verify(k.key)
	if err != nil {
		return Invoice{}, ErrInvoice
	}
	invoice, err := readClaims(claims)
	if err != nil {
		return Invoice{}, err
	}
	if err := invoice.Check(currency); err != nil {
		return Invoice{}, err
	}
	switch now := k.now(); {
	case invoice.Expires != nil && !now.Before(invoice.Expires.Time()):
		return invoice, ErrInvoiceExpired
	case invoice.NotBefore != nil && now.Before(invoice.NotBefore.Time()):
		return invoice, ErrInvoiceEarly
	default:
		return invoice, nil
	}
}

// readClaims reads each claim by its own name, so that the error can say which it is
// that does not have the right form.
func readClaims(text []byte) (invoice Invoice, err error) {
	var claims map[string]json.RawMessage
	if !utf8.Valid(text) || json.Unmarshal(text, &claims) != nil {
		return invoice, wrongClaim("", "the token holds no JSON object in UTF-8")
	}
	for _, claim := range []struct {
		name  string
		value any
		form  string
	}{
		{"jti", &invoice.ID, "must be a string"},
		{"amount", &invoice.Amount, "must be a whole number of minor units, without a decimal point and quotes"},
		{"currency", &invoice.Currency, "must be a string"},
		{"text", &invoice.Text, "must be a string"},
		{"ref", &invoice.Ref, "must be a string"},
		{"nbf", &invoice.NotBefore, impossibleTime},
		{"exp", &invoice.Expires, impossibleTime},
		{"uses", &invoice.Uses, "must be a whole number"},
	} {
		if value, given := claims[claim.name]; given && json.Unmarshal(value, claim.value) != nil {
			return invoice, wrongClaim(claim.name, "%s", claim.form)
		}
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

// Package mail tells the shop's owner, and the payer who asked for a receipt, about
// one event, once, and knows when to try again. What happened and what has been
// delivered is remembered elsewhere.
//
// Whoever is told is an endpoint of its own, so that one address that does not work
// delays no other, and a second attempt at one tells no other twice. A mail is sent
// at most once per event as long as the server answers; where its answer is lost,
// the mail is sent again, under the same Message-ID.
package mail

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// The events that mails are written about.
const (
	KindPaid      = "order.paid"
	KindFulfilled = "order.fulfilled"
	KindDisputed  = "payment.disputed"
	KindOrphaned  = "payment.orphaned"
	KindStuck     = "refund.stuck"
	KindCompared  = "payments.compared"
	KindGaveUp    = "delivery.gave_up"
)

var (
	ownersKinds = []string{KindPaid, KindDisputed, KindOrphaned, KindStuck, KindCompared, KindGaveUp}
	payersKinds = []string{KindPaid, KindFulfilled}
)

// MaxTo is how many addresses of the owner are told at most.
const MaxTo = 10

// Config is what a mailer works with.
type Config struct {
	URL  redact.Secret // the server, as [CheckURL] wants it
	From string        // who sends, as [CheckAddress] wants it
	To   []string      // the owner, 1 to [MaxTo] such addresses

	// Receipt is the field in which the payer gives an address; "" sends payers
	// nothing.
	Receipt string

	Merchant string         // the shop's name for people
	Language string         // of the owner, such as zh-Hant; "" is English
	Zone     *time.Location // whose times mails show; nil is UTC+8
	Set      *Set           // nil is [Builtin]

	// OrderURL and ReceiptURL lead to an order on the owner's page, and to the
	// payer's receipt. They may be nil, and return "" for no link.
	OrderURL, ReceiptURL func(order string) string

	// Roots vouch for the server's certificate; nil are the system's.
	Roots *x509.CertPool
}

// Message is one event for one endpoint. All attempts to send it carry the same.
type Message struct {
	ID   string    // the same over all attempts: 1 to 256 of A-Z a-z 0-9 _ . -
	Kind string    // one of the events above
	At   time.Time // when the event happened
	Data json.RawMessage
}

// Mailer sends the mails of one shop. It is safe for concurrent use.
type Mailer struct {
	config    Config
	from      *mail.Address
	server    server
	endpoints []*Endpoint
}

// New returns the mailer of a shop. It calls nobody. Its errors show neither the
// URL nor an address.
func New(config Config) (*Mailer, error) {
	m := &Mailer{config: config}
	if m.config.Set == nil {
		m.config.Set = Builtin()
	}
	if m.config.Zone == nil {
		m.config.Zone = time.FixedZone("UTC+8", 8*60*60)
	}
	var err error
	if m.from, err = parseAddress(config.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if m.server, err = parseURL(string(config.URL)); err != nil {
		return nil, err
	}
	m.server.roots, m.server.helo = config.Roots, domainOf(m.from)
	m.config.URL = "" // the server has it, in a form that nothing prints
	return m, m.addEndpoints()
}

func (m *Mailer) addEndpoints() error {
	if len(m.config.To) == 0 || len(m.config.To) > MaxTo {
		return fmt.Errorf("to: needs 1 to %d addresses of the owner", MaxTo)
	}
	language := words.Preferred([]string{m.config.Language})
	for i, text := range m.config.To {
		to, err := parseAddress(text)
		if err != nil {
			return fmt.Errorf("to[%d]: %w", i, err)
		}
		m.endpoints = append(m.endpoints, &Endpoint{mailer: m, to: to, language: language, id: ownersID(to)})
	}
	if m.config.Receipt != "" {
		m.endpoints = append(m.endpoints, &Endpoint{mailer: m, id: payersID})
	}
	for i, e := range m.endpoints {
		if slices.ContainsFunc(m.endpoints[:i], func(other *Endpoint) bool { return other.id == e.id }) {
			return fmt.Errorf("to[%d]: the same address is given twice", i)
		}
	}
	return nil
}

// Languages are the tags of those that mails can be written in, English first.
func Languages() []string { return locale.Tags() }

// Endpoints are all whom the mailer tells.
func (m *Mailer) Endpoints() []*Endpoint { return slices.Clone(m.endpoints) }

// EndpointsFor returns the ids of those who are told of an event. The address is
// what the payer gave in the receipt's field; no mail can be sent to one that
// [CheckPayer] refuses, and none is tried.
func (m *Mailer) EndpointsFor(kind, address string) (ids []string) {
	for _, e := range m.endpoints {
		if e.wants(kind) && (e.isOwner() || CheckPayer(address) == nil) {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// ReceiptField is the field in which the payer gives an address; "" for none.
func (m *Mailer) ReceiptField() string { return m.config.Receipt }

// Endpoint is one who is told by mail. It is safe for concurrent use.
type Endpoint struct {
	mailer   *Mailer
	id       string
	to       *mail.Address  // nil for the payer, whose address comes with the event
	language *locale.Locale // likewise
}

// payersID is the id of the payers' endpoint.
const payersID = "mail-payer"

// ownersID follows from the address alone: what waits is sent when the server, the
// sender or the templates have been corrected.
func ownersID(to *mail.Address) string {
	sum := sha256.Sum256([]byte(strings.ToLower(to.Address)))
	return "mail-" + hex.EncodeToString(sum[:4])
}

func (e *Endpoint) isOwner() bool { return e.to != nil }

func (e *Endpoint) wants(kind string) bool {
	if e.isOwner() {
		return slices.Contains(ownersKinds, kind)
	}
	return slices.Contains(payersKinds, kind)
}

// ID names the endpoint in the ledger. It shows no address.
func (e *Endpoint) ID() string { return e.id }

// String names the endpoint for logs: whom it tells and by which server, without
// addresses, user and password.
func (e *Endpoint) String() string {
	whom := "payer"
	if e.isOwner() {
		whom = "owner"
	}
	return "mail to the " + whom + " by " + e.mailer.server.String()
}

// CloseIdle does nothing: no connection outlives its mail.
func (e *Endpoint) CloseIdle() {}

var errNothing = errors.New("there is no mail about this event")

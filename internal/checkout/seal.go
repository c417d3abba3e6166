package checkout

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// MaxSealed is the longest sealed ticket in bytes: browsers drop cookies over
// 4096 bytes, name and attributes included.
const MaxSealed = 3800

// ErrForged says that a sealed ticket was altered, sealed with another key,
// or belongs to another order, shop, site or path.
var ErrForged = errors.New("the ticket is not one of ours")

// ErrTooLarge says that an order holds more than a browser's cookie does.
var ErrTooLarge = fmt.Errorf("the order needs a cookie of more than %d bytes", MaxSealed)

// Seal hides tickets from the browsers that carry them and makes altered ones
// worthless: AES-256-GCM under a key derived from the merchant's client_key,
// so that every node of a cluster opens what another one sealed. What one block
// sealed opens at no other: shops may share a client_key.
type Seal struct {
	shop  string
	path  string
	aead  cipher.AEAD
	state []byte // key of [Seal.State]
	payer []byte // key of [Seal.Payer]
	form  []byte // key of [Seal.Form]
}

// NewSeal derives the keys of a block: of the shop with that name, at that path.
func NewSeal(clientKey, shop, path string) (*Seal, error) {
	key, err := hkdf.Key(sha256.New, []byte(clientKey), nil, "qfpay_jsapi ticket v1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	state, err := hkdf.Key(sha256.New, []byte(clientKey), nil, "qfpay_jsapi state v1", 32)
	if err != nil {
		return nil, err
	}
	payer, err := hkdf.Key(sha256.New, []byte(clientKey), nil, "qfpay_jsapi payer v1", 32)
	if err != nil {
		return nil, err
	}
	form, err := hkdf.Key(sha256.New, []byte(clientKey), nil, "qfpay_jsapi form v1", 32)
	if err != nil {
		return nil, err
	}
	return &Seal{shop, path, aead, state, payer, form}, nil
}

// Payer returns what the log calls the payer with an openid, or "" for none: 16
// hexadecimal digits, the same for every order. Without the client_key nobody
// can find the openid from them, not even by trying all.
func (s *Seal) Payer(openID string) string {
	if openID == "" {
		return ""
	}
	mac := hmac.New(sha256.New, s.payer)
	mac.Write([]byte(openID))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// State returns what ties an authorization by WeChat to an order of the shop: 64
// hexadecimal digits that nobody else can make up.
func (s *Seal) State(order string) string {
	mac := hmac.New(sha256.New, s.state)
	mac.Write(bind(s.shop, order))
	return hex.EncodeToString(mac.Sum(nil))
}

// IsState reports in constant time whether a state is that of the order.
func (s *Seal) IsState(order, state string) bool {
	return subtle.ConstantTimeCompare([]byte(s.State(order)), []byte(state)) == 1
}

// Form returns what ties a form of the owner's pages to the browser that it was
// made for, to the shop and to what it does: 64 hexadecimal digits that nobody
// else can make up.
func (s *Seal) Form(parts ...string) string {
	mac := hmac.New(sha256.New, s.form)
	mac.Write(bind(append([]string{s.shop}, parts...)...))
	return hex.EncodeToString(mac.Sum(nil))
}

// IsForm reports in constant time whether a token is that of the form.
func (s *Seal) IsForm(token string, parts ...string) bool {
	return subtle.ConstantTimeCompare([]byte(s.Form(parts...)), []byte(token)) == 1
}

// Close seals a ticket into text fit for a cookie of the site, at most
// [MaxSealed] bytes.
// The error is [ErrTooLarge] if the ticket does not fit.
func (s *Seal) Close(site Origin, ticket Ticket) (string, error) {
	return s.close(s.binding("ticket", site, ticket.Order), ticket)
}

// Open returns the ticket of an order. The error is [ErrForged] for anything
// that was not closed for this order, by this shop, for this site and path.
func (s *Seal) Open(site Origin, order, sealed string) (Ticket, error) {
	ticket := Ticket{Order: order}
	if !ledger.ValidID(order) {
		return Ticket{}, ErrForged
	}
	if err := s.open(s.binding("ticket", site, order), sealed, &ticket); err != nil {
		return Ticket{}, err
	}
	return ticket, nil
}

// CloseHandoff seals a handoff into text fit for an address of the site.
func (s *Seal) CloseHandoff(site Origin, handoff Handoff) (string, error) {
	sealed, err := s.close(s.binding("handoff", site, handoff.Order), handoff)
	return handoff.Order + "." + sealed, err
}

// OpenHandoff returns what [Seal.CloseHandoff] sealed. The error is
// [ErrForged] for anything else, and for what another shop, site or path sealed.
func (s *Seal) OpenHandoff(site Origin, text string) (Handoff, error) {
	order, sealed, _ := strings.Cut(text, ".")
	handoff := Handoff{Order: order}
	if !ledger.ValidID(order) {
		return Handoff{}, ErrForged
	}
	if err := s.open(s.binding("handoff", site, order), sealed, &handoff); err != nil {
		return Handoff{}, err
	}
	return handoff, nil
}

// binding is all that sealed content belongs to. The kind keeps tickets and
// handoffs of one order apart.
func (s *Seal) binding(kind string, site Origin, order string) []byte {
	return bind(kind, s.shop, string(site), s.path, order)
}

// bind joins parts so that no other parts come to the same bytes.
func bind(parts ...string) []byte {
	var joined []byte
	for _, part := range parts {
		joined = strconv.AppendInt(joined, int64(len(part)), 10)
		joined = append(joined, ':')
		joined = append(joined, part...)
	}
	return joined
}

// close seals content so that it opens only with the same binding.
func (s *Seal) close(binding []byte, content any) (string, error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	sealed := s.encode(binding, plain)
	if len(sealed) > MaxSealed {
		sealed = s.encode(binding, deflate(plain))
	}
	if len(sealed) > MaxSealed {
		return "", ErrTooLarge
	}
	return sealed, nil
}

func (s *Seal) encode(binding, plain []byte) string {
	box := s.aead.Seal(make([]byte, 0, len(plain)+s.aead.Overhead()), nil, plain, binding)
	return base64.RawURLEncoding.EncodeToString(box)
}

func (s *Seal) open(binding []byte, sealed string, content any) error {
	if len(sealed) > MaxSealed {
		return ErrForged
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return ErrForged
	}
	plain, err := s.aead.Open(nil, nil, box, binding)
	if err != nil || json.Unmarshal(inflate(plain), content) != nil {
		return ErrForged
	}
	return nil
}

// deflated is the first byte of content that was too long for a cookie as it
// is, such as a full cart with long names. JSON never begins with it.
const deflated = 1

func deflate(plain []byte) []byte {
	short := bytes.NewBuffer([]byte{deflated})
	w, _ := flate.NewWriter(short, flate.BestCompression) // fails for unknown levels only
	_, _ = w.Write(plain)
	_ = w.Close()
	return short.Bytes()
}

// maxInflated is far above what fits into a cookie.
const maxInflated = 1 << 20

// inflate returns content as it was, or less of it than JSON takes if it cannot
// be read.
func inflate(content []byte) []byte {
	if len(content) == 0 || content[0] != deflated {
		return content
	}
	plain, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(content[1:])), maxInflated))
	return plain
}

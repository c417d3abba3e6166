package checkout

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxSealed is the longest sealed ticket in bytes: browsers drop cookies over
// 4096 bytes, name and attributes included.
const MaxSealed = 3800

// ErrForged says that a sealed ticket was altered, sealed with another key,
// or belongs to another order.
var ErrForged = errors.New("the ticket is not one of ours")

// Seal hides tickets from the browsers that carry them and makes altered ones
// worthless: AES-256-GCM under a key derived from the merchant's client_key,
// so that every node of a cluster opens what another one sealed.
type Seal struct{ aead cipher.AEAD }

// NewSeal derives the key.
func NewSeal(clientKey string) (*Seal, error) {
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
	return &Seal{aead}, nil
}

// Close seals a ticket into text fit for a cookie, at most [MaxSealed] bytes.
func (s *Seal) Close(ticket Ticket) (string, error) {
	plain, err := json.Marshal(ticket)
	if err != nil {
		return "", err
	}
	sealed := base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(ticket.Order)))
	if len(sealed) > MaxSealed {
		return "", fmt.Errorf("the order needs a cookie of %d bytes; browsers keep %d", len(sealed), MaxSealed)
	}
	return sealed, nil
}

// Open returns the ticket of an order. The error is [ErrForged] for anything
// that this seal did not close for this order.
func (s *Seal) Open(order, sealed string) (Ticket, error) {
	if len(sealed) > MaxSealed || !IsOrder(order) {
		return Ticket{}, ErrForged
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return Ticket{}, ErrForged
	}
	plain, err := s.aead.Open(nil, nil, box, []byte(order))
	if err != nil {
		return Ticket{}, ErrForged
	}
	ticket := Ticket{Order: order}
	if err := json.Unmarshal(plain, &ticket); err != nil {
		return Ticket{}, ErrForged
	}
	return ticket, nil
}

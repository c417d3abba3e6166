package checkout

import "strings"

// Handoff is a purchase on its way from a screen to the phone that pays it,
// small enough for a QR code: it names what is bought as the pay link does.
type Handoff struct {
	Order  string            `json:"-"` // bound to the seal, not inside it
	At     int64             `json:"t"` // when the payer started, seconds since 1970
	Link   string            `json:"l"` // the pay link
	Amount int64             `json:"a"` // the total that the screen showed, minor units
	Fields map[string]string `json:"f,omitempty"`
}

// CloseHandoff seals a handoff into text fit for an address.
func (s *Seal) CloseHandoff(handoff Handoff) (string, error) {
	sealed, err := s.close(handoffName(handoff.Order), handoff)
	return handoff.Order + "." + sealed, err
}

// OpenHandoff returns what [Seal.CloseHandoff] sealed. The error is
// [ErrForged] for anything else.
func (s *Seal) OpenHandoff(text string) (Handoff, error) {
	order, sealed, _ := strings.Cut(text, ".")
	handoff := Handoff{Order: order}
	if !IsOrder(order) {
		return Handoff{}, ErrForged
	}
	if err := s.open(handoffName(order), sealed, &handoff); err != nil {
		return Handoff{}, err
	}
	return handoff, nil
}

// handoffName keeps tickets and handoffs of one order apart.
func handoffName(order string) string { return "handoff " + order }

package orders

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Mail knows who is told of an event by mail.
type Mail interface {
	// EndpointsFor returns the ids of those who are told of an event, given the
	// address that the payer named for a receipt, or "".
	EndpointsFor(event, address string) []string

	// ReceiptField is the field in which payers name it; "" for none.
	ReceiptField() string
}

// notForWebhooks are the events that people alone are told of, and this server's
// event handlers.
var notForWebhooks = []string{EventStuck, EventCompared, EventGaveUp}

// message is what others are told of an event.
type message struct {
	subject string // the order, the orphan, or what else it is about
	event   string
	id      string
	data    map[string]any
	fields  ledger.Fields // what the payer told the shop
}

// endpointsFor returns the ids of those who are told of an event of the shop.
func (s *Service) endpointsFor(event string, fields ledger.Fields) (ids []string) {
	if !slices.Contains(notForWebhooks, event) {
		ids = slices.Clone(s.Endpoints)
	}
	if s.Mail == nil {
		return ids
	}
	address := ""
	if given := fields[s.Mail.ReceiptField()]; len(given) > 0 {
		address = given[0]
	}
	return append(ids, s.Mail.EndpointsFor(event, address)...)
}

// tell puts an event of the shop into the outbox, in the step in which it happens,
// for everybody who is to hear of it.
func (s *Service) tell(tx *ledger.Tx, m message, now time.Time) (told bool, err error) {
	endpoints := s.endpointsFor(m.event, m.fields)
	if len(endpoints) == 0 {
		return false, nil
	}
	body, err := json.Marshal(m.data)
	if err != nil {
		return false, err
	}
	for _, endpoint := range endpoints {
		err := tx.AddDelivery(ledger.Delivery{
			Shop: s.Shop, Subject: m.subject, Endpoint: endpoint, MessageID: m.id, Kind: m.event, At: now, Body: body, NextAt: now,
		})
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// TellGivenUp tells a shop's owner, in the step in which it is given up, of a delivery
// that is lost. The endpoint is named as people know it. Of a mail to the owner that
// did not arrive, no other mail is sent, and of a webhook that loses one event after
// the other, one a day.
func (all *Shops) TellGivenUp(tx *ledger.Tx, lost ledger.Delivery, endpoint string, now time.Time) error {
	s := all.Named(lost.Shop)
	if s == nil || slices.Contains(s.endpointsFor(EventGaveUp, nil), lost.Endpoint) {
		return nil
	}
	data := map[string]any{
		"shop": lost.Shop, "endpoint": endpoint, "event": lost.Kind, "attempts": lost.Attempts, "error": lost.LastError,
	}
	if ledger.ValidID(lost.Subject) {
		data["order"] = lost.Subject
	}
	id := lost.MessageID + "_gave_up_" + lost.Endpoint
	if slices.Contains(s.Endpoints, lost.Endpoint) {
		id = MessageID(lost.Shop, "gave_up_"+segment(lost.Endpoint)+"_"+ledger.DayOf(now).String())
	}
	_, err := s.tell(tx, message{subject: lost.Subject, event: EventGaveUp, id: id, data: data}, now)
	return err
}

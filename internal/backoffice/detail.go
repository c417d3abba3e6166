package backoffice

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Detail is all that the owner sees of an order, with its times in the shop's zone.
type Detail struct {
	Row
	Items      []ledger.Line  `json:"items"`
	Fields     ledger.Fields  `json:"fields"` // what the payer told the shop; lists have none
	Invoice    string         `json:"invoice,omitempty"`
	Note       string         `json:"note,omitempty"`  // what the payer was told when it was fulfilled
	Short      bool           `json:"short,omitempty"` // it is paid, and not enough was left of what it is for
	Left       int64          `json:"left"`            // what can still be refunded
	Refunds    []RefundView   `json:"refunds"`
	Events     []EventView    `json:"events"`
	Deliveries []DeliveryView `json:"deliveries"`
}

// EventView is one thing that happened to an order.
type EventView struct {
	Event string         `json:"event"`
	About string         `json:"about,omitempty"` // the refund or the gateway's number that it is about
	At    time.Time      `json:"at"`
	Data  map[string]any `json:"data"`
}

// DeliveryView is what became of telling one endpoint of one event.
type DeliveryView struct {
	Event      string    `json:"event"` // order.paid, …
	Endpoint   string    `json:"endpoint"`
	Status     string    `json:"status"` // due, delivered or gave_up
	Attempts   int       `json:"attempts"`
	LastStatus int       `json:"last_status"` // HTTP; 0 without an answer
	NextAt     time.Time `json:"next_at,omitzero"`
}

// Detail returns all that is known of an order. The error is [ledger.ErrUnknown]
// if the shops have no such order.
func (o *Office) Detail(ctx context.Context, id string) (detail Detail, err error) {
	err = o.find(ctx, id, func(tx *ledger.Tx, row ledger.Row) (err error) {
		detail, err = o.detail(tx, row)
		return err
	})
	if err != nil {
		return Detail{}, err
	}
	return detail, nil
}

func (o *Office) detail(tx *ledger.Tx, row ledger.Row) (Detail, error) {
	order, err := readOrder(tx, &row)
	if err != nil {
		return Detail{}, err
	}
	refunds, err := tx.Refunds(row.Order)
	if err != nil {
		return Detail{}, err
	}
	events, err := tx.Events(row.Order)
	if err != nil {
		return Detail{}, err
	}
	deliveries, err := tx.Deliveries(row.Order)
	if err != nil {
		return Detail{}, err
	}
	zone := row.At.Location()
	detail := Detail{
		Row: newRow(row), Note: order.Note, Short: order.LacksStock(), Items: order.Intent.Lines, Fields: order.Intent.Fields, Refunds: []RefundView{},
		Events: viewEvents(events, zone), Deliveries: o.viewDeliveries(deliveries, zone),
	}
	if detail.Items == nil {
		detail.Items = []ledger.Line{}
	}
	if detail.Fields == nil {
		detail.Fields = ledger.Fields{}
	}
	if order.Intent.Invoice != nil {
		detail.Invoice = order.Intent.Invoice.ID
	}
	detail.RefundPending = 0
	for _, refund := range refunds.Open() {
		detail.RefundPending += refund.Amount
	}
	detail.Refunding = detail.RefundPending > 0
	if !detail.Damaged {
		detail.Left = refunds.Left(order)
	}
	for _, refund := range refunds {
		view := viewRefund(refund)
		view.At = view.At.In(zone)
		detail.Refunds = append(detail.Refunds, view)
	}
	return detail, nil
}

// readOrder reads the whole of an order. If that cannot be, although its row can
// be read, the row is marked as damaged and shown alone.
func readOrder(tx *ledger.Tx, row *ledger.Row) (ledger.Order, error) {
	order, damage := tx.Order(row.Order)
	if damage == nil || errors.Is(damage, ledger.ErrUnknown) {
		return order, damage
	}
	again, err := tx.RowOf(row.Order)
	if err != nil { // it is the database
		return ledger.Order{}, damage
	}
	*row = inZone(again, row.At.Location())
	row.Damaged = true
	return ledger.Order{}, nil
}

func viewEvents(events []ledger.Event, zone *time.Location) []EventView {
	views := make([]EventView, len(events))
	for i, event := range events {
		views[i] = EventView{Event: event.Kind, About: event.About, At: event.At.In(zone), Data: event.Data}
		if event.Data == nil {
			views[i].Data = map[string]any{}
		}
	}
	return views
}

func (o *Office) viewDeliveries(deliveries []ledger.Delivery, zone *time.Location) []DeliveryView {
	views := make([]DeliveryView, len(deliveries))
	for i, d := range deliveries {
		views[i] = DeliveryView{d.Kind, o.endpoint(d), string(d.Status), d.Attempts, d.LastStatus, d.NextAt.In(zone)}
	}
	return views
}

func (o *Office) endpoint(d ledger.Delivery) string {
	if o.Endpoint != nil {
		if shown := o.Endpoint(d.Shop, d.Endpoint); shown != "" {
			return shown
		}
	}
	return d.Endpoint
}

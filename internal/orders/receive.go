package orders

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// Received is what became of a notification.
type Received int

// What may become of a notification.
const (
	Stored  Received = iota + 1
	Ignored          // it is about neither a payment nor a refund
)

// Receive stores what a notification says, whose signature is good. It may be
// about an order of another shop of the same account: some accounts have one
// notification address. An error means that nothing is stored.
func (s *Service) Receive(ctx context.Context, n qfpay.Notification) (Received, error) {
	began := s.Now()
	if !n.Refund() && !n.Paid() {
		s.Log.Warn("a notification about neither a payment nor a refund was ignored", NotificationFields(n)...)
		return Ignored, nil
	}
	order, err := s.receive(ctx, n)
	if err != nil {
		return 0, err
	}
	var fields []zap.Field
	if order.ID != "" {
		fields = OrderFields(order)
	}
	s.Log.Info("notify", append(append(fields, NotificationFields(n)...), s.seconds(began))...)
	return Stored, nil
}

// receive settles a notification, and returns the order that it is about; an empty
// one if no ledger of the account knows it.
func (s *Service) receive(ctx context.Context, n qfpay.Notification) (ledger.Order, error) {
	for _, peer := range s.Shops.withAccountOf(s) {
		order, err := update(ctx, peer, func(st *step) (ledger.Order, error) { return st.receive(n) })
		if !errors.Is(err, ledger.ErrUnknown) {
			return order, err
		}
	}
	return update(ctx, s, func(st *step) (ledger.Order, error) { return ledger.Order{}, st.orphan(n) })
}

// receive settles a notification, and returns the order that it is about. The error
// is [ledger.ErrUnknown] if it is about none.
func (st *step) receive(n qfpay.Notification) (ledger.Order, error) {
	o, err := st.orderOf(n)
	if err != nil {
		return o, err
	}
	if st.Shops.Named(o.Shop) == nil { // who is to be told of it is not known here
		return o, fmt.Errorf("order %s belongs to the shop %s, which no block of this configuration names", o.ID, o.Shop)
	}
	if n.Refund() {
		_, err = st.settleRefund(&o, refundReport{number: n.OutTradeNo, syssn: n.Syssn, payment: n.OrigSyssn, amount: n.Amount, source: "notification"})
	} else {
		err = st.settle(&o, reportOfNotification(n))
	}
	if err != nil {
		return o, err
	}
	return o, st.save(&o)
}

// orderOf finds the order that a notification is about: a refund names its payment
// by its own number, by our number for it, or by the gateway's.
func (st *step) orderOf(n qfpay.Notification) (ledger.Order, error) {
	number := n.OutTradeNo
	if n.Refund() {
		number = refundedOrder(n.OutTradeNo)
		if n.OrigOutTradeNo != "" {
			number = n.OrigOutTradeNo
		}
	}
	o, err := st.Order(number)
	if errors.Is(err, ledger.ErrUnknown) && n.Refund() && n.OrigSyssn != "" {
		if number, err = st.OrderOfSyssn(st.Account, n.OrigSyssn); err != nil {
			return ledger.Order{}, err
		}
		o, err = st.Order(number)
	}
	if err == nil && o.Account != st.Account {
		return ledger.Order{}, ledger.ErrUnknown
	}
	return o, err
}

// orphan keeps a payment that is no order of ours.
func (st *step) orphan(n qfpay.Notification) error {
	orphan := ledger.Orphan{
		Account: st.Account, Shop: st.Shop, Syssn: n.Syssn, At: st.now, NotifyType: n.NotifyType,
		OutTradeNo: n.OutTradeNo, OrigSyssn: n.OrigSyssn, OrigOutTradeNo: n.OrigOutTradeNo, Amount: n.Amount, Currency: n.Currency,
	}
	isNew, err := st.AddOrphan(orphan)
	if err != nil || !isNew {
		return err
	}
	data := orphanData(orphan)
	subject := "orphan_" + segment(orphan.Syssn)
	if err := st.tell(st.Shop, message{subject: subject, event: EventOrphaned, id: MessageID(subject, "orphaned"), data: data}); err != nil {
		return err
	}
	st.changes = append(st.changes, Change{
		Kind: "orphaned", Event: EventOrphaned, Shop: st.Shop, Orphan: &orphan, Data: data,
		log: alarm("the gateway reports a payment that is no order of ours", orphanFields(orphan)...),
	})
	return nil
}

// NotificationFields name a notification in the log.
func NotificationFields(n qfpay.Notification) []zap.Field {
	return []zap.Field{
		zap.String("out_trade_no", n.OutTradeNo), zap.String("syssn", n.Syssn),
		zap.String("notify_type", n.NotifyType), zap.String("respcd", n.Respcd),
	}
}

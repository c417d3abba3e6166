package orders

import (
	"context"
	"errors"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// sourceComparison is who says so, of what a comparison settles.
const sourceComparison = "comparison"

// compareListed lays trades of the gateway's list beside the ledgers. Most are known,
// and are only read.
func (c *comparing) compareListed(ctx context.Context, trades []qfpay.Trade) error {
	rest := c.made(trades)
	for _, peer := range c.peers {
		if len(rest) == 0 {
			break
		}
		looked, err := ledger.View(ctx, peer.Ledger, func(tx *ledger.Tx) (*look, error) {
			return (&step{Tx: tx, Service: peer, now: peer.Now()}).look(rest)
		})
		if err != nil {
			return err
		}
		for _, trade := range looked.differ {
			if err := c.settle(ctx, peer, trade); err != nil {
				return err
			}
		}
		for _, trade := range looked.cancelled {
			c.cancelled = append(c.cancelled, listed{trade, peer})
		}
		rest = looked.unknown
	}
	for _, trade := range rest {
		if err := c.keepOrphan(ctx, trade); err != nil {
			return err
		}
	}
	return nil
}

// made are the trades by which money has moved. Others are in the reconciler's care.
func (c *comparing) made(trades []qfpay.Trade) (made []qfpay.Trade) {
	for _, trade := range trades {
		if hasMoved(trade) {
			c.found.Trades++
			c.shown[names{trade.Syssn, trade.OutTradeNo}] = true
			c.shown[names{trade.Syssn, ""}] = true
			made = append(made, trade)
		}
	}
	return made
}

func hasMoved(trade qfpay.Trade) bool {
	state := trade.State()
	return state == qfpay.TradePaid || state == qfpay.TradeReversed || trade.RefundState() == qfpay.RefundDone
}

func isPayment(trade qfpay.Trade) bool { return trade.OrderType == "payment" }

// look is what a ledger says of trades.
type look struct {
	unknown   []qfpay.Trade // no order of it
	differ    []qfpay.Trade // not as the ledger has them
	cancelled []qfpay.Trade // money went back of them, as far as they say
}

func (st *step) look(trades []qfpay.Trade) (*look, error) {
	found := new(look)
	for _, trade := range trades {
		o, err := st.orderOf(notificationOf(trade))
		if errors.Is(err, ledger.ErrUnknown) {
			found.unknown = append(found.unknown, trade)
			continue
		}
		if err != nil {
			return nil, err
		}
		same, err := st.isAsKnown(o, trade)
		if err != nil {
			return nil, err
		}
		if !same {
			found.differ = append(found.differ, trade)
		}
		if isPayment(trade) && lacksRefund(o, trade) {
			found.cancelled = append(found.cancelled, trade)
		}
	}
	return found, nil
}

// isAsKnown reports whether the ledger has a trade as the gateway lists it. What a
// payment says of refunds is looked at when they are known.
func (st *step) isAsKnown(o ledger.Order, trade qfpay.Trade) (bool, error) {
	if isPayment(trade) {
		return o.Status.Paid() && isItsPayment(o, trade) || !reportOfTrade(trade).saysPaid(), nil
	}
	refunds, err := st.Refunds(o.ID)
	if err != nil {
		return false, err
	}
	refund, known := match(refunds, reportOfRefund(trade))
	return known && refund.Status == ledger.RefundDone && refund.Amount == trade.Amount, nil
}

// isItsPayment reports whether a payment is the order's own, over what was ordered.
func isItsPayment(o ledger.Order, trade qfpay.Trade) bool {
	return (o.Syssn == "" || o.Syssn == trade.Syssn) && o.Intent.Amount == trade.Amount && (trade.Currency == "" || trade.Currency == o.Intent.Currency)
}

// lacksRefund reports whether money went back by the payment's own row of which the
// order knows nothing.
func lacksRefund(o ledger.Order, trade qfpay.Trade) bool {
	if trade.State() == qfpay.TradeReversed {
		return o.Status != ledger.StatusRefunded
	}
	return trade.Cancel == qfpay.CancelPartlyRefunded && o.Status != ledger.StatusPartiallyRefunded && o.Status != ledger.StatusRefunded
}

// settle settles what the ledger does not have as the gateway lists it.
func (c *comparing) settle(ctx context.Context, peer *Service, trade qfpay.Trade) error {
	settle := (*step).compareRefund
	if isPayment(trade) {
		settle = (*step).comparePayment
	}
	return c.change(ctx, peer, trade, settle)
}

// change does something about a trade in a ledger, and keeps what was found by it.
func (c *comparing) change(ctx context.Context, peer *Service, trade qfpay.Trade, do func(*step, qfpay.Trade) (*Finding, error)) error {
	found, err := update(ctx, peer, func(st *step) (*Finding, error) { return do(st, trade) })
	if err == nil && found != nil {
		c.found.add(*found)
	}
	return err
}

// comparePayment settles a payment of an order. What went back of it, its refunds
// say, which are trades of their own.
func (st *step) comparePayment(trade qfpay.Trade) (*Finding, error) {
	o, err := st.orderOf(notificationOf(trade))
	if err != nil {
		return nil, err
	}
	if st.Shops.Named(o.Shop) == nil {
		found := findingOfTrade(PaidThere, o.Shop, trade).saying("nothing was settled: no block of this configuration names the shop")
		found.Order = o.ID
		return &found, nil
	}
	r := reportOfTrade(trade)
	r.source = sourceComparison
	if r.refunded {
		r.state, r.refunded = qfpay.TradePaid, false
	}
	before := o.Status
	if err := st.settle(&o, r); err != nil {
		return nil, err
	}
	return findingOfPayment(before, o, trade), st.save(&o)
}

// findingOfPayment is what a payment, settled now, says beside what was known before.
func findingOfPayment(before ledger.Status, o ledger.Order, trade qfpay.Trade) *Finding {
	found := findingOfTrade(PaidThere, o.Shop, trade)
	found.Order = o.ID
	if found.Currency == "" {
		found.Currency = o.Intent.Currency
	}
	switch {
	case !before.Paid() && o.Status.Paid() && o.Late:
		found = found.saying("the payer has paid, and the order was %s here: it counts as paid now, late; deliver or refund it", before)
	case !before.Paid() && o.Status.Paid():
		found = found.saying("the payer has paid, and the order was %s here: it counts as paid now", before)
	case o.Status.Paid() && isItsPayment(o, trade):
		return nil // somebody else was faster
	default:
		found.Kind, found.Here = AmountDiffers, o.Intent.Amount
		found = found.saying("%s", differenceOf(o, trade))
	}
	return &found
}

// differenceOf says in what a payment is another than was ordered.
func differenceOf(o ledger.Order, trade qfpay.Trade) string {
	switch {
	case trade.Currency != "" && trade.Currency != o.Intent.Currency:
		return "the gateway has a payment in " + trade.Currency + ", but the order is in " + o.Intent.Currency
	case trade.Amount != o.Intent.Amount:
		return "the gateway has a different amount than was ordered"
	case o.Status.Paid() && o.Syssn != "":
		return "the gateway has another payment under the order's number, besides " + o.Syssn
	default:
		return "the gateway has a payment under the order's number that belongs to another order"
	}
}

// compareRefund settles a refund of an order.
func (st *step) compareRefund(trade qfpay.Trade) (*Finding, error) {
	o, err := st.orderOf(notificationOf(trade))
	if err != nil {
		return nil, err
	}
	refunds, err := st.Refunds(o.ID)
	if err != nil {
		return nil, err
	}
	before, known := match(refunds, reportOfRefund(trade))
	found := findingOfTrade(RefundThere, o.Shop, trade)
	found.Order, found.Currency = o.ID, o.Intent.Currency
	switch {
	case known && before.Status == ledger.RefundDone && before.Amount > 0:
		if before.Amount == trade.Amount {
			return nil, nil // somebody else was faster
		}
		found.Kind, found.Here = AmountDiffers, before.Amount
		found = found.saying("the gateway refunded a different amount than is known here")
		return &found, nil
	case st.Shops.Named(o.Shop) == nil:
		found = found.saying("nothing was recorded: no block of this configuration names the shop")
		return &found, nil
	case known && before.Status == ledger.RefundDone:
		found = found.saying("the refunded amount was not known here: it is recorded now")
	case known:
		found = found.saying("the gateway has made the refund, which was %s here: it counts as done now", before.Status)
	default:
		found = found.saying("a refund that was made elsewhere, as in QFPay's portal: it is recorded now")
	}
	isNews := o.Status != ledger.StatusRefunded // else the payment's own row was found before it
	settled, err := st.settleRefund(&o, reportOfRefund(trade))
	switch {
	case err != nil:
		return nil, err
	case settled.Status != ledger.RefundDone:
		found.Kind = AmountDiffers
		found = found.saying("the gateway has a refund under numbers that belong to another order or refund: it is not recorded here")
		return &found, st.save(&o)
	case !isNews:
		return nil, st.save(&o)
	default:
		return &found, st.save(&o)
	}
}

// compareCancelled settles what the rows of payments say of refunds that are in none
// of the lists: they were made on another day.
func (c *comparing) compareCancelled(ctx context.Context) error {
	for _, trade := range c.cancelled {
		if err := c.change(ctx, trade.peer, trade.Trade, (*step).compareCancel); err != nil {
			return err
		}
	}
	return nil
}

func (st *step) compareCancel(trade qfpay.Trade) (*Finding, error) {
	o, err := st.orderOf(notificationOf(trade))
	if err != nil || st.Shops.Named(o.Shop) == nil || !o.Status.Paid() || !lacksRefund(o, trade) {
		return nil, err
	}
	before := o
	r := reportOfTrade(trade)
	r.source = sourceComparison
	if err := st.settle(&o, r); err != nil {
		return nil, err
	}
	if o.Status == before.Status {
		return nil, nil // a refund of it is at the gateway
	}
	found := findingOf(RefundThere, o)
	found.There, found.Here = o.Refunded, before.Refunded
	found = found.saying("some of the payment was refunded on another day, which was not known here: the order is now %s", o.Status)
	return &found, st.save(&o)
}

// keepOrphan keeps a payment that no ledger of the account has an order of. A refund
// of one is not a payment, and one that went back as a whole is over.
func (c *comparing) keepOrphan(ctx context.Context, trade qfpay.Trade) error {
	if trade.State() != qfpay.TradePaid {
		return nil
	}
	found := findingOfTrade(UnknownThere, c.Shop, trade).saying(
		"a payment without an order here: another program uses the account, or the ledger was restored from a backup")
	return c.change(ctx, c.Service, trade, func(st *step, trade qfpay.Trade) (*Finding, error) {
		return &found, st.orphan(notificationOf(trade))
	})
}

// notificationOf is the notification of a trade that is listed, as far as it matters
// whose it is.
func notificationOf(trade qfpay.Trade) qfpay.Notification {
	n := qfpay.Notification{
		NotifyType: "payment", Syssn: trade.Syssn, OutTradeNo: trade.OutTradeNo, OrigSyssn: trade.OrigSyssn,
		Amount: trade.Amount, Currency: trade.Currency,
	}
	if !isPayment(trade) {
		n.NotifyType = "refund"
	}
	return n
}

func reportOfRefund(trade qfpay.Trade) refundReport {
	return refundReport{number: trade.OutTradeNo, syssn: trade.Syssn, payment: trade.OrigSyssn, amount: trade.Amount, source: sourceComparison}
}

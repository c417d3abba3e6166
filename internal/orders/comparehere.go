package orders

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

const (
	hereLimit = 1000 // rows of the ledger that are read at once

	// mostAsked bounds the payments and refunds of a day about which the gateway
	// is asked one by one, because its list does not show them.
	mostAsked = 1000

	// twiceWithin is how soon a payer who pays for the same again may not have
	// meant to.
	twiceWithin = 30 * time.Minute
)

// compareOrders asks the gateway about the paid orders of the day that its list does
// not show, and points at those that one payer paid twice.
func (c *comparing) compareOrders(ctx context.Context, peer *Service) error {
	lateYesterday := c.day.Start().Add(-twiceWithin)
	err := c.paidOrders(ctx, peer, c.day.Previous(), func(o ledger.PaidOrder) error {
		if !o.PaidAt.Before(lateYesterday) {
			c.purchasedAgain(o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.paidOrders(ctx, peer, c.day, func(o ledger.PaidOrder) error {
		c.found.Here++
		if other, again := c.purchasedAgain(o); again {
			c.found.add(findingOfSale(o, other))
		}
		if c.shown[names{o.Syssn, o.ID}] {
			return nil
		}
		return c.askAbout(ctx, peer, o)
	})
}

// paidOrders has each order looked at whose payment the gateway made on a day.
func (c *comparing) paidOrders(ctx context.Context, peer *Service, day ledger.Day, look func(ledger.PaidOrder) error) error {
	return eachHere(ctx, peer, func(tx *ledger.Tx, after string) ([]ledger.PaidOrder, error) {
		return tx.PaidOrders(c.Account, day, after, hereLimit)
	}, func(o ledger.PaidOrder) string { return o.Syssn }, look)
}

// eachHere has each row of a ledger looked at, read in pieces: those that follow a
// row of which the gateway's number is known.
func eachHere[Row any](
	ctx context.Context, peer *Service, read func(tx *ledger.Tx, after string) ([]Row, error), syssn func(Row) string, look func(Row) error,
) error {
	for after := ""; ; {
		rows, err := ledger.View(ctx, peer.Ledger, func(tx *ledger.Tx) ([]Row, error) { return read(tx, after) })
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := look(row); err != nil {
				return err
			}
		}
		if len(rows) < hereLimit {
			return nil
		}
		after = syssn(rows[len(rows)-1])
	}
}

// askAbout asks the gateway about a paid order. Nothing that it does not find changes
// an order: it may look in another month only.
func (c *comparing) askAbout(ctx context.Context, peer *Service, paid ledger.PaidOrder) error {
	o, said, err := c.ask(ctx, peer, paid.ID, names{paid.Syssn, paid.ID})
	if err != nil || said == "" {
		return err
	}
	found := findingOf(PaidHere, o)
	found.Here = paid.Amount
	c.found.add(found.saying("%s: look up the payment in QFPay's portal before delivering the order", said))
	return nil
}

// names are the gateway's number of a payment or refund, and its out_trade_no; "" for
// any. A gateway that numbers from the beginning again may give one number twice.
type names struct{ syssn, number string }

// namesOfRefund has no out_trade_no for a refund of which none is known.
func namesOfRefund(refund ledger.Refund) names {
	if refund.Number == refund.Syssn {
		return names{refund.Syssn, ""}
	}
	return names{refund.Syssn, refund.Number}
}

// ask asks the gateway about a payment or refund of an order, by the gateway's
// number. What it returns says what is wrong with it; nothing if it was made.
func (c *comparing) ask(ctx context.Context, peer *Service, order string, of names) (o ledger.Order, said string, err error) {
	if c.asked++; c.asked > mostAsked {
		return o, "", fmt.Errorf("the gateway's list lacks more than %d payments and refunds of the ledger", mostAsked)
	}
	if o, err = peer.read(ctx, order); err != nil {
		return o, "", err
	}
	trades, err := c.patiently(ctx, func() ([]qfpay.Trade, error) { return c.query(ctx, o, bySyssn(of.syssn, c.Now())) })
	if err != nil {
		return o, "", err
	}
	said = "the gateway does not find it"
	for _, trade := range trades {
		switch {
		case trade.Syssn != of.syssn || of.number != "" && trade.OutTradeNo != of.number:
		case hasMoved(trade):
			return o, "", nil
		default:
			said = fmt.Sprintf("the gateway says %q about it (respcd %s)", inWords(trade.Meaning(), trade.ErrMsg), trade.Respcd)
		}
	}
	return o, said, nil
}

// compareRefunds asks the gateway about the refunds of the day that its list does not
// show.
func (c *comparing) compareRefunds(ctx context.Context, peer *Service) error {
	return eachHere(ctx, peer, func(tx *ledger.Tx, after string) ([]ledger.Refund, error) {
		return tx.DoneRefunds(c.Account, c.day, after, hereLimit)
	}, func(refund ledger.Refund) string { return refund.Syssn }, func(refund ledger.Refund) error {
		c.found.Here++
		if c.shown[namesOfRefund(refund)] {
			return nil
		}
		return c.askAboutRefund(ctx, peer, refund)
	})
}

func (c *comparing) askAboutRefund(ctx context.Context, peer *Service, refund ledger.Refund) error {
	o, said, err := c.ask(ctx, peer, refund.Order, namesOfRefund(refund))
	if err != nil || said == "" {
		return err
	}
	found := findingOf(RefundHere, o)
	found.Syssn, found.OutTradeNo, found.Here = refund.Syssn, refund.Number, refund.Amount
	c.found.add(found.saying("%s: check in QFPay's portal whether the refund was paid out", said))
	return nil
}

// sale is what one payer bought.
type sale [sha256.Size]byte

func saleOf(o ledger.PaidOrder) sale {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %d %q %q %q", o.Shop, o.Payer, o.Amount, o.Currency, o.Description, o.Lines))
}

// purchasedAgain remembers what a payer bought. It returns another order by which the
// payer paid for the same minutes before or after, if no money went back of either.
// The gateway's numbers, in whose order orders come, need not be in that of time.
func (c *comparing) purchasedAgain(o ledger.PaidOrder) (other ledger.PaidOrder, again bool) {
	if o.Payer == "" || o.Status != ledger.StatusPaid {
		return other, false
	}
	what := saleOf(o)
	others := c.bought[what]
	c.bought[what] = append(others, ledger.PaidOrder{ID: o.ID, PaidAt: o.PaidAt})
	for _, other := range others {
		if o.PaidAt.Sub(other.PaidAt).Abs() <= twiceWithin {
			return other, true
		}
	}
	return other, false
}

func findingOfSale(o, other ledger.PaidOrder) Finding {
	found := Finding{
		Kind: PaidTwice, Shop: o.Shop, Order: o.ID, Other: other.ID, OutTradeNo: o.ID, Syssn: o.Syssn,
		There: o.Amount, Here: o.Amount, Currency: o.Currency,
	}
	return found.saying("the same payer has paid for the same within %d minutes, as order %s: ask whether both were meant, or refund one",
		int(twiceWithin.Minutes()), other.ID)
}

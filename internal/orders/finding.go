package orders

import (
	"fmt"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// FindingKind is in what the gateway's list of trades and the ledger differ.
type FindingKind string

// The kinds of findings.
const (
	PaidThere     FindingKind = "paid_there"     // an order, paid at the gateway and not here; it is paid here now
	UnknownThere  FindingKind = "unknown_there"  // a payment at the gateway that is no order here
	PaidHere      FindingKind = "paid_here"      // an order, paid here, whose payment the gateway does not show
	AmountDiffers FindingKind = "amount_differs" // the gateway has another amount, currency or payment
	RefundThere   FindingKind = "refund_there"   // a refund at the gateway and not here; it is noted here now
	RefundHere    FindingKind = "refund_here"    // a refund, done here, that the gateway does not show
	PaidTwice     FindingKind = "paid_twice"     // the same, paid twice by one payer within minutes
)

// FindingKinds returns all kinds.
func FindingKinds() []FindingKind {
	return []FindingKind{PaidThere, UnknownThere, PaidHere, AmountDiffers, RefundThere, RefundHere, PaidTwice}
}

// IsSettled reports whether the comparison itself has brought the ledger up to date,
// so that nobody has to.
func (k FindingKind) IsSettled() bool { return k == PaidThere || k == RefundThere }

// Finding is one difference.
type Finding struct {
	Kind FindingKind
	Shop string // of the order, or the one at which it was found

	// Order is "" for what is no order here. Other is the other order of a
	// payment that was made twice.
	Order, Other string

	// Syssn is the gateway's number of the payment or refund, OutTradeNo the
	// shop's; "" where there is none.
	Syssn, OutTradeNo string

	// There and Here are what the gateway and the ledger have, in minor units of
	// Currency; 0 where one has nothing, or does not say how much.
	There, Here int64
	Currency    string

	Text string // for people
}

// mostFindings bounds how many findings a comparison keeps. It counts the others.
const mostFindings = 1000

// Comparison is what was found when the gateway's list of trades of some days was
// laid beside the ledger.
type Comparison struct {
	ledger.Period

	// Trades is how many payments and refunds that were made the gateway lists;
	// Here is how many the ledger has.
	Trades, Here int

	Findings []Finding // the first of them
	More     int       // how many there are besides

	// Problem says why the comparison is not complete; "" if it is.
	Problem string
}

// Differences is how many findings there are.
func (c *Comparison) Differences() int { return len(c.Findings) + c.More }

func (c *Comparison) add(found Finding) {
	if len(c.Findings) == mostFindings {
		c.More++
		return
	}
	c.Findings = append(c.Findings, found)
}

func (f Finding) saying(format string, args ...any) Finding {
	f.Text = fmt.Sprintf(format, args...)
	return f
}

// findingOf is a finding about an order.
func findingOf(kind FindingKind, o ledger.Order) Finding {
	return Finding{Kind: kind, Shop: o.Shop, Order: o.ID, OutTradeNo: o.ID, Syssn: o.Syssn, Currency: o.Intent.Currency}
}

// findingOfTrade is a finding about a payment or refund of the gateway's.
func findingOfTrade(kind FindingKind, shop string, trade qfpay.Trade) Finding {
	return Finding{Kind: kind, Shop: shop, Syssn: trade.Syssn, OutTradeNo: trade.OutTradeNo, There: trade.Amount, Currency: trade.Currency}
}

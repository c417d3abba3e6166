package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// What keeps an order from being claimed, beside [ledger.ErrSoldOut].
var (
	ErrInvoiceUsed  = errors.New("the invoice has been paid as many times as allowed")
	ErrInvoiceTaken = errors.New("somebody else is paying the invoice")
)

// Claim makes an order ours, durably, before the gateway hears of it. Whoever
// claims it asks for its payment, once; for everybody else claimed is false, and
// the order is returned as it is known. The order's ID, Intent and Expires are
// required; its Method is jsapi unless it says otherwise. The stock that it asks for is
// reserved in the same step.
func (s *Service) Claim(ctx context.Context, o ledger.Order) (known ledger.Order, claimed bool, err error) {
	claim, err := update(ctx, s, func(st *step) (*claim, error) {
		order, claimed, err := st.claim(o)
		return &claim{order, claimed}, err
	})
	switch {
	case err != nil:
		return ledger.Order{}, false, err
	case claim.Shop != s.Shop:
		return ledger.Order{}, false, fmt.Errorf("order %s belongs to another shop", o.ID)
	default:
		return claim.Order, claim.isOurs, nil
	}
}

// claim is an order, and whether this step claimed it.
type claim struct {
	ledger.Order
	isOurs bool
}

func (st *step) claim(o ledger.Order) (known ledger.Order, claimed bool, err error) {
	if known, err = st.Order(o.ID); !errors.Is(err, ledger.ErrUnknown) {
		return known, false, err
	}
	o.Method = cmp.Or(o.Method, string(qfpay.MethodJSAPI))
	o.Shop, o.Account, o.Claimed, o.Status = st.Shop, st.Account, st.now, ledger.StatusPending
	o.CheckAt = o.Claimed.Add(st.callTime())
	if err := st.claimInvoice(o); err != nil {
		return o, false, err
	}
	if err := st.makeRoom(o); err != nil {
		return o, false, err
	}
	if claimed, err = st.Tx.Claim(o); err != nil {
		return o, false, err
	}
	if !claimed { // another node was faster
		known, err = st.Order(o.ID)
		return known, false, err
	}
	if _, err := st.TakeCalls(o.Account, st.now, 2, callBurst, callInterval, true); err != nil { // openid and payment
		return o, false, err
	}
	_, err = st.happened(o, happening{kind: "claimed", statusChanged: true})
	return o, true, err
}

// claimInvoice lets an order pay its invoice, unless others do.
func (st *step) claimInvoice(o ledger.Order) error {
	invoice := o.Intent.Invoice
	if invoice == nil || invoice.Uses == 0 {
		return nil
	}
	if err := st.LockInvoice(st.Shop, invoice.ID); err != nil {
		return err
	}
	return st.checkInvoice(st.Tx, *invoice, o.ID)
}

func (s *Service) checkInvoice(tx *ledger.Tx, invoice ledger.Invoice, except string) error {
	paid, payable, err := tx.InvoiceUses(s.Shop, invoice.ID, except, s.Now().Add(-s.callTime()))
	switch {
	case err != nil:
		return err
	case paid >= invoice.Uses:
		return ErrInvoiceUsed
	case paid+payable >= invoice.Uses:
		return ErrInvoiceTaken
	default:
		return nil
	}
}

// CheckInvoice says whether one more order could pay an invoice now: nil,
// [ErrInvoiceUsed] or [ErrInvoiceTaken]. What counts is [Service.Claim].
func (s *Service) CheckInvoice(ctx context.Context, invoice *ledger.Invoice, except string) error {
	if invoice == nil || invoice.Uses == 0 {
		return nil
	}
	return s.Ledger.View(ctx, func(tx *ledger.Tx) error { return s.checkInvoice(tx, *invoice, except) })
}

// Prepared is what makes an order payable.
type Prepared struct {
	Syssn     string
	PayURL    string // where the payer pays
	PayParams []byte // of WeChat's pay sheet, where our own page opens it

	Took time.Duration // how long the gateway was asked, for the log
}

// Prepare makes an order payable that the gateway took. It is durable before the
// payer's browser learns where to pay: an order that we forgot cannot be paid. The
// order is returned as it is known then; it may have been paid or closed.
func (s *Service) Prepare(ctx context.Context, id string, p Prepared) (*ledger.Order, error) {
	return s.change(ctx, id, func(st *step, o *ledger.Order) error { return st.prepare(o, p) })
}

func (st *step) prepare(o *ledger.Order, p Prepared) error {
	if o.IsPrepared() {
		return nil
	}
	o.Prepared, o.PayURL, o.PayParams = st.now, p.PayURL, p.PayParams
	taken, err := st.isTaken(*o, p.Syssn)
	switch {
	case err != nil:
		return err
	case taken && p.Syssn != "":
		// The order goes on under our number alone.
		err := st.dispute(o, report{syssn: p.Syssn, amount: o.Intent.Amount, currency: o.Intent.Currency, state: qfpay.TradePaid, source: "reply"})
		if err != nil {
			return err
		}
	case o.Syssn == "":
		o.Syssn = p.Syssn
	}
	_, err = st.happened(*o, happening{
		kind: "prepared", data: map[string]any{"syssn": p.Syssn},
		log: info("payment", zap.String("syssn", p.Syssn), zap.String("respcd", "0000"), zap.Float64("seconds", p.Took.Seconds())),
	})
	return err
}

// Refused ends an order whose payment the gateway refused: a clear no. If the
// reason was that the number is taken, whatever the gateway reports under it is
// somebody else's.
func (s *Service) Refused(ctx context.Context, id string, failure *qfpay.Error) error {
	_, err := s.changeOrder(ctx, id, func(st *step, o *ledger.Order) error {
		if o.Status != ledger.StatusPending || o.IsPrepared() {
			return nil
		}
		o.ForeignTrade = failure.Duplicate()
		return st.fail(o, happening{data: map[string]any{"call": failure.Call, "respcd": failure.Respcd, "message": failure.Message}})
	})
	return err
}

// Unconfirmed notes that nobody knows whether the gateway took an order. It is
// asked about, and never sent again.
func (s *Service) Unconfirmed(ctx context.Context, id string, failure error) error {
	data := map[string]any{}
	if answer, ok := errors.AsType[*qfpay.Error](failure); ok {
		data["respcd"], data["message"] = answer.Respcd, answer.Message
	}
	_, err := s.changeOrder(ctx, id, func(st *step, o *ledger.Order) error {
		if o.Status != ledger.StatusPending || o.IsPrepared() {
			return nil
		}
		o.Unconfirmed = st.now
		_, err := st.happened(*o, happening{kind: "unconfirmed", data: data})
		return err
	})
	return err
}

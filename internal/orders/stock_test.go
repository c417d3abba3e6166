package orders_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// claimBowls begins an order of some bowls, of which no more is sold than there is.
func (a *account) claimBowls(s *orders.Service, pieces int) (ledger.Order, error) {
	return a.claimBowlsFor(s, "", pieces)
}

func (a *account) claimBowlsFor(s *orders.Service, payer string, pieces int) (ledger.Order, error) {
	intent := a.intent()
	intent.Lines = []ledger.Line{{Item: "bowl", Name: "Bowl", Quantity: pieces, Price: intent.Amount, Stock: true}}
	o, claimed, err := s.Claim(a.t.Context(), ledger.Order{ID: a.newID(), Payer: payer, Intent: intent, Expires: a.clock().Add(15 * time.Minute)})
	if err == nil && !claimed {
		err = errors.New("claimed before")
	}
	return o, err
}

// prepareBowls begins an order of some bowls that a payer can pay.
func (a *account) prepareBowls(s *orders.Service, pieces int) (ledger.Order, error) {
	return a.prepareBowlsFor(s, "", pieces)
}

func (a *account) prepareBowlsFor(s *orders.Service, payer string, pieces int) (ledger.Order, error) {
	o, err := a.claimBowlsFor(s, payer, pieces)
	if err != nil {
		return o, err
	}
	answer, err := a.ask(s, o)
	require.NoError(a.t, err)
	prepared, err := s.Prepare(a.t.Context(), o.ID, orders.Prepared{Syssn: answer.Syssn, PayURL: "https://pay.example/" + o.ID})
	require.NoError(a.t, err)
	return *prepared, nil
}

// bowls are what there is of them: to be sold, and reserved.
func (a *account) bowls(s *orders.Service) (available, reserved int64) {
	a.t.Helper()
	all, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) (map[string]ledger.Stock, error) { return tx.Stock(s.Shop) })
	require.NoError(a.t, err)
	return all["bowl"].Available, all["bowl"].Reserved
}

func (a *account) haveBowls(s *orders.Service, wantAvailable, wantReserved int64, when string) {
	a.t.Helper()
	available, reserved := a.bowls(s)
	assert.Equal(a.t, wantAvailable, available, "to be sold "+when)
	assert.Equal(a.t, wantReserved, reserved, "reserved "+when)
}

func TestStockIsReservedUntilTheOrderEnds(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	_, err := a.claimBowls(s, 1)
	require.ErrorIs(t, err, ledger.ErrSoldOut, "nobody said how many there are")
	require.NoError(t, s.SetStock(t.Context(), "bowl", 3))
	unpaid, err := a.prepareBowls(s, 2)
	require.NoError(t, err)
	a.haveBowls(s, 1, 2, "while the payer may pay")
	require.ErrorIs(t, s.CheckStock(t.Context(), unpaid.Intent, ""), ledger.ErrSoldOut)
	require.NoError(t, s.CheckStock(t.Context(), unpaid.Intent, unpaid.ID), "the payer's own order has it")
	_, err = a.claimBowls(s, 2)
	require.ErrorIs(t, err, ledger.ErrSoldOut)
	a.reconcile(20 * time.Minute)
	require.Equal(t, ledger.StatusClosed, a.find(s, unpaid.ID).Status)
	a.haveBowls(s, 3, 0, "when it was closed")
}

func TestStockOfAPaidOrderIsGone(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	require.NoError(t, s.SetStock(t.Context(), "bowl", 3))
	o, err := a.prepareBowls(s, 2)
	require.NoError(t, err)
	_, err = s.Receive(t.Context(), notification(o, nil))
	require.NoError(t, err)
	a.haveBowls(s, 1, 0, "when it was paid")
	assert.NotContains(t, a.told(o.ID, "order.paid"), "stock")
	require.NoError(t, a.gateway.Pay(o.ID))
	_, err = s.Refund(t.Context(), o.ID, "r1", 0)
	require.NoError(t, err)
	a.reconcile(time.Minute)
	require.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
	a.haveBowls(s, 1, 0, "when it was refunded: the owner counts what comes back")
}

func TestAnOrderThatNobodyCanPayGivesItsStockBack(t *testing.T) {
	for why, end := range map[string]func(*account, *orders.Service, ledger.Order){
		"its node died": func(a *account, _ *orders.Service, _ ledger.Order) { a.reconcile(time.Minute) },
		"the gateway refused it": func(a *account, s *orders.Service, o ledger.Order) {
			require.NoError(a.t, s.Refused(a.t.Context(), o.ID, &qfpay.Error{Call: "payment", Respcd: "1108", Outcome: qfpay.Refused}))
		},
	} {
		t.Run(why, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			require.NoError(t, s.SetStock(t.Context(), "bowl", 1))
			o, err := a.claimBowls(s, 1)
			require.NoError(t, err)
			a.haveBowls(s, 0, 1, "while the gateway is asked for the payment")
			end(a, s, o)
			assert.NotEqual(t, ledger.StatusPending, a.find(s, o.ID).Status)
			a.haveBowls(s, 1, 0, "when it has ended")
		})
	}
}

func TestALatePaymentTakesWhatIsLeft(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	require.NoError(t, s.SetStock(t.Context(), "bowl", 2))
	late, err := a.prepareBowls(s, 2)
	require.NoError(t, err)
	a.reconcile(20 * time.Minute)
	for range 2 {
		_, err = s.Receive(t.Context(), notification(late, nil))
		require.NoError(t, err)
	}
	a.haveBowls(s, 0, 0, "after it was paid late, which was reported twice")
	assert.True(t, a.find(s, late.ID).Late)
	assert.NotContains(t, a.told(late.ID, "order.paid"), "stock")
}

func TestALatePaymentThatFindsNothingLeftIsToldSo(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	require.NoError(t, s.SetStock(t.Context(), "bowl", 2))
	late, err := a.prepareBowls(s, 2)
	require.NoError(t, err)
	a.reconcile(20 * time.Minute)
	other, err := a.prepareBowls(s, 1)
	require.NoError(t, err)
	_, err = s.Receive(t.Context(), notification(other, nil))
	require.NoError(t, err)
	_, err = s.Receive(t.Context(), notification(late, nil))
	require.NoError(t, err)
	a.haveBowls(s, 1, 0, "of which it has none")
	o := a.find(s, late.ID)
	assert.Equal(t, ledger.StatusPaid, o.Status, "the money is there all the same")
	assert.True(t, o.LacksStock())
	assert.Equal(t, "short", a.told(late.ID, "order.paid")["stock"])
	assert.Equal(t, "short", a.happened(late.ID, "paid")[0].Data["stock"])
	assert.Equal(t, 1, a.log.FilterLevelExact(zap.ErrorLevel).FilterField(zap.String("stock", "short")).Len())
}

func TestOneOfManyPayersGetsTheLastPiece(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	require.NoError(t, s.SetStock(t.Context(), "bowl", 1))
	var won atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			switch _, err := a.claimBowls(s, 1); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ledger.ErrSoldOut):
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	assert.Equal(t, int32(1), won.Load())
	a.haveBowls(s, 0, 1, "after the race")
}

func TestStockIsAWholeNumberOfPieces(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	for _, pieces := range []int64{-1, ledger.MaxStock + 1} {
		var refused *orders.Refusal
		require.ErrorAs(t, s.SetStock(t.Context(), "bowl", pieces), &refused)
		assert.Equal(t, orders.Invalid, refused.Kind)
	}
}

// Whatever payers do, however late the gateway tells of it: every piece that was
// counted can be sold, is reserved, or was sold, and none twice.
func TestPropertyNoMoreIsSoldThanThereIs(t *testing.T) {
	a, shops := openAccount(t), 0
	rapid.Check(t, func(r *rapid.T) {
		shops++
		m := &market{account: a, Service: a.openShop(fmt.Sprintf("shop-%d", shops))}
		r.Repeat(map[string]func(*rapid.T){
			"": m.check, "buy": m.buy, "pay": m.pay, "wait": m.wait, "refund": m.refund, "count": m.count, "look": m.look,
		})
	})
}

// market is a shop that sells bowls.
type market struct {
	*account
	*orders.Service
	orders  []ledger.Order // as they were prepared
	counted int64          // all bowls that were counted, less what counting again took away
}

func (m *market) one(r *rapid.T) ledger.Order {
	if len(m.orders) == 0 {
		r.Skip("there is none")
	}
	return rapid.SampledFrom(m.orders).Draw(r, "order")
}

func (m *market) buy(r *rapid.T) {
	pieces := rapid.IntRange(1, 3).Draw(r, "pieces")
	payer := rapid.SampledFrom([]string{"", "", "ann"}).Draw(r, "payer")
	available, _ := m.bowls(m.Service)
	for _, o := range m.orders {
		o = m.find(m.Service, o.ID)
		if payer != "" && o.Payer == payer && o.Status == ledger.StatusPending && o.HoldsStock && o.Intent.Lines[0].Quantity == pieces {
			available += int64(pieces) // of another order of the same payer
		}
	}
	o, err := m.prepareBowlsFor(m.Service, payer, pieces)
	if enough := available >= int64(pieces); enough != (err == nil) || !enough && !errors.Is(err, ledger.ErrSoldOut) {
		r.Fatalf("of %d, %d are bought: %v", available, pieces, err)
	}
	if err == nil {
		m.orders = append(m.orders, o)
	}
}

// pay has the gateway report a payment: in time, late, or again.
func (m *market) pay(r *rapid.T) {
	o := m.one(r)
	_ = m.gateway.Pay(o.ID) // which it does not take of a trade that was closed
	_, err := m.Receive(m.t.Context(), notification(o, nil))
	require.NoError(r, err)
}

// look has the gateway asked, which may know of a payment, of one that failed, or of
// none.
func (m *market) look(r *rapid.T) {
	o := m.one(r)
	switch rapid.IntRange(0, 2).Draw(r, "at the gateway") {
	case 1:
		_ = m.gateway.Pay(o.ID)
	case 2:
		_ = m.gateway.Fail(o.ID)
	}
	m.pass(5 * time.Second)
	_, err := m.LookUp(m.t.Context(), o.ID)
	require.NoError(r, err)
}

func (m *market) wait(r *rapid.T) {
	m.reconcile(time.Duration(rapid.IntRange(1, 20).Draw(r, "minutes")) * time.Minute)
}

func (m *market) refund(r *rapid.T) {
	_, _ = m.Refund(m.t.Context(), m.one(r).ID, "all", 0) // as far as it is paid
}

func (m *market) count(r *rapid.T) {
	pieces := rapid.Int64Range(0, 5).Draw(r, "pieces")
	available, _ := m.bowls(m.Service)
	require.NoError(r, m.SetStock(m.t.Context(), "bowl", pieces))
	m.counted += pieces - available
}

func (m *market) check(r *rapid.T) {
	var reserved, sold int64
	for _, o := range m.orders {
		o = m.find(m.Service, o.ID)
		pieces := int64(o.Intent.Lines[0].Quantity)
		switch {
		case o.Status == ledger.StatusPending && o.HoldsStock:
			reserved += pieces
		case o.Status.Paid() && o.HoldsStock:
			sold += pieces
		case o.Status.Paid() && !((o.Late || o.Payer != "") && m.told(o.ID, "order.paid")["stock"] == "short"):
			r.Fatalf("%s was paid and has no bowl, and nobody is told", o.ID)
		case slices.Contains([]ledger.Status{ledger.StatusClosed, ledger.StatusFailed}, o.Status) && o.HoldsStock, o.Status == ledger.StatusPending && o.Payer == "":
			r.Fatalf("%s is %s and has stock: %v", o.ID, o.Status, o.HoldsStock)
		}
	}
	available, found := m.bowls(m.Service)
	if available < 0 || found != reserved || available+reserved+sold != m.counted {
		r.Fatalf("%d to be sold and %d reserved, and orders have reserved %d and sold %d of %d", available, found, reserved, sold, m.counted)
	}
}

func TestOnePayersOrdersForTheSameThingHoldOnePieceWhereThereIsNoOther(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	require.NoError(t, s.SetStock(t.Context(), "bowl", 1))
	try := func(payer string, pieces int) (ledger.Order, error) { return a.claimBowlsFor(s, payer, pieces) }
	pay := func(o ledger.Order) ledger.Order {
		answer, err := a.ask(s, o)
		require.NoError(t, err)
		_, err = s.Prepare(t.Context(), o.ID, orders.Prepared{Syssn: answer.Syssn, PayURL: "https://pay.example/" + o.ID})
		require.NoError(t, err)
		_, err = s.Receive(t.Context(), notification(a.find(s, o.ID), nil))
		require.NoError(t, err)
		return a.find(s, o.ID)
	}
	first, err := try("ann", 1)
	require.NoError(t, err)
	for _, payer := range []string{"ben", ""} {
		_, err = try(payer, 1)
		require.ErrorIs(t, err, ledger.ErrSoldOut, "another payer %q", payer)
	}
	second, err := try("ann", 1)
	require.NoError(t, err, "the payer tries another wallet")
	a.haveBowls(s, 0, 1, "for the second order")
	assert.False(t, a.find(s, first.ID).HoldsStock)
	assert.Len(t, a.happened(first.ID, "stock_released"), 1)

	assert.False(t, pay(first).LacksStock(), "the payer went back to the first wallet")
	a.haveBowls(s, 0, 0, "sold once")
	assert.True(t, pay(second).LacksStock(), "and paid by the second one too")
	a.haveBowls(s, 0, 0, "of which there was one")
	_, err = try("ann", 1)
	require.ErrorIs(t, err, ledger.ErrSoldOut, "what is sold is gone for the same payer too")
}

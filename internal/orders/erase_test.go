package orders_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

func TestWhatThePayerToldIsErasedSoLongAfterTheOrdersEnd(t *testing.T) {
	a := openAccount(t)
	s, forever := a.openShop("peaks"), a.openShop("shores")
	s.KeepFields = 90 * 24 * time.Hour
	r := orders.NewReconciler(a.ledger, a.shops, a, a.logger, a.clock)
	told := a.intent().Fields
	kept := a.pay(forever)
	paid, packed, unpaid := a.pay(s), a.pay(s), a.prepare(s)
	_, err := s.Close(t.Context(), unpaid.ID)
	require.NoError(t, err)
	a.pass(10 * 24 * time.Hour)
	_, err = s.Fulfil(t.Context(), packed.ID, "")
	require.NoError(t, err)

	a.pass(s.KeepFields - 10*24*time.Hour - time.Minute)
	assert.False(t, r.Erase(t.Context()))
	assert.Equal(t, told, a.find(s, paid.ID).Intent.Fields, "its time is not over")
	a.pass(2 * time.Minute)
	assert.False(t, r.Erase(t.Context()))
	for _, o := range []ledger.Order{paid, unpaid} {
		assert.Empty(t, a.find(s, o.ID).Intent.Fields)
		assert.Len(t, a.happened(o.ID, "fields_erased"), 1)
	}
	assert.Equal(t, told, a.find(s, packed.ID).Intent.Fields, "it counts from when the order was fulfilled")
	a.pass(10 * 24 * time.Hour)
	r.Erase(t.Context())
	r.Erase(t.Context())
	assert.Empty(t, a.find(s, packed.ID).Intent.Fields)
	assert.Len(t, a.happened(packed.ID, "fields_erased"), 1)
	assert.Equal(t, told, a.find(forever, kept.ID).Intent.Fields, "its shop keeps it")
	assert.Empty(t, a.happened(kept.ID, "fields_erased"))

	assert.NotContains(t, a.told(paid.ID, "order.paid"), "fields", "nobody delivers that any more")
	assert.Contains(t, a.told(kept.ID, "order.paid"), "fields")
	_, err = s.Refund(t.Context(), paid.ID, "r1", 0)
	require.NoError(t, err)
	assert.NotContains(t, a.told(paid.ID, "order.refunded"), "fields")
	for _, line := range a.log.All() {
		text, err := json.Marshal(line.ContextMap())
		require.NoError(t, err)
		assert.NotContains(t, string(text), "Peak Road")
	}
}

// A shop that was down learns of a payment days after it was made.
func TestThePayersAddressIsThereWhenTheShopLearnsOfThePayment(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	s.KeepFields = 24 * time.Hour
	r := orders.NewReconciler(a.ledger, a.shops, a, a.logger, a.clock)
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	a.pass(3 * 24 * time.Hour)
	o, err := s.LookUp(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, ledger.StatusPaid, o.Status)
	r.Erase(t.Context())
	assert.Equal(t, a.intent().Fields, a.find(s, o.ID).Intent.Fields)
	a.pass(s.KeepFields + time.Minute)
	r.Erase(t.Context())
	assert.Empty(t, a.find(s, o.ID).Intent.Fields)
}

func TestAnOrderThatIsToBeFulfilledAgainKeepsWhatThePayerTold(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	s.KeepFields = 90 * 24 * time.Hour
	o := a.pay(s)
	a.pass(80 * 24 * time.Hour)
	_, err := s.Fulfil(t.Context(), o.ID, "")
	require.NoError(t, err)
	a.pass(20 * 24 * time.Hour) // the parcel came back
	_, err = s.Unfulfil(t.Context(), o.ID)
	require.NoError(t, err)
	r := orders.NewReconciler(a.ledger, a.shops, a, a.logger, a.clock)
	r.Erase(t.Context())
	assert.Equal(t, a.intent().Fields, a.find(s, o.ID).Intent.Fields, "where to send it again")
	a.pass(s.KeepFields + time.Minute)
	r.Erase(t.Context())
	assert.Empty(t, a.find(s, o.ID).Intent.Fields)
}

func TestWhatIsStillToBeDeliveredKeepsWhatThePayerTold(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	s.KeepFields = time.Hour
	o := a.pay(s)
	r := orders.NewReconciler(a.ledger, a.shops, a, a.logger, a.clock)
	a.pass(4 * 24 * time.Hour) // as long as a webhook is tried
	r.Erase(t.Context())
	assert.Empty(t, a.find(s, o.ID).Intent.Fields)
	told := a.told(o.ID, "order.paid")
	assert.Contains(t, told, "fields")
	a.pass(24*time.Hour + time.Minute)
	r.Erase(t.Context())
	delete(told, "fields")
	assert.Equal(t, told, a.told(o.ID, "order.paid"), "nothing else is erased")
}

func TestFieldsAreErasedInSmallSteps(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	s.KeepFields = time.Hour
	for range 101 {
		_, err := s.Close(t.Context(), a.prepare(s).ID)
		require.NoError(t, err)
	}
	a.pass(2 * time.Hour)
	r := orders.NewReconciler(a.ledger, a.shops, a, a.logger, a.clock)
	assert.True(t, r.Erase(t.Context()), "there is more")
	assert.False(t, r.Erase(t.Context()))
}

func TestWhatIsHandedToAPhoneIsErasedWhenItHasExpired(t *testing.T) {
	a := openAccount(t)
	s, other := a.openShop("peaks"), a.openShop("shores")
	r := orders.NewReconciler(a.ledger, a.shops, a, a.logger, a.clock)
	soon, later := ledger.NewID(a.clock()), ledger.NewID(a.clock())
	require.NoError(t, s.KeepHandoff(t.Context(), soon, "sealed", a.clock().Add(time.Hour)))
	require.NoError(t, s.KeepHandoff(t.Context(), later, "sealed", a.clock().Add(2*time.Hour)))
	a.pass(time.Hour)
	assert.False(t, r.Erase(t.Context()))
	sealed, err := s.Handoff(t.Context(), soon)
	require.NoError(t, err)
	assert.Equal(t, "sealed", sealed)
	_, err = other.Handoff(t.Context(), soon)
	require.ErrorIs(t, err, ledger.ErrUnknown, "it is the other shop's")
	a.pass(time.Minute)
	assert.False(t, r.Erase(t.Context()))
	_, err = s.Handoff(t.Context(), soon)
	require.ErrorIs(t, err, ledger.ErrUnknown)
	_, err = s.Handoff(t.Context(), later)
	assert.NoError(t, err)
}

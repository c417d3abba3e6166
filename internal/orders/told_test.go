package orders_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// writesMails lets a shop tell its owner and its payers by mail. It returns the
// owner's endpoint.
func writesMails(t *testing.T, s *orders.Service, owner string) string {
	t.Helper()
	mailer, err := mail.New(mail.Config{URL: "smtp://localhost", From: "shop@example.com", To: []string{owner}, Receipt: "email"})
	require.NoError(t, err)
	s.Mail = mailer
	return mailer.Endpoints()[0].ID()
}

// payFrom is an order that is paid, whose payer gave an address.
func (a *account) payFrom(s *orders.Service, address string) ledger.Order {
	a.t.Helper()
	return a.buy(s, "payer", func(intent *ledger.Intent) {
		intent.Fields, intent.Locale = ledger.Fields{"email": {address}}, "zh-Hant"
	})
}

func TestAPaidOrderIsToldToOwnerAndPayerByMail(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	owner := writesMails(t, s, "owner@example.com")
	o := a.payFrom(s, "payer@example.com")
	assert.Equal(t, []string{"order.paid hook-of-peaks", "order.paid " + owner, "order.paid mail-payer"}, a.outbox(o.ID))
	assert.Equal(t, "zh-Hant", a.told(o.ID, "order.paid")["locale"])

	_, err := s.Fulfil(t.Context(), o.ID, "SF 1234")
	require.NoError(t, err)
	assert.Equal(t, []string{"order.fulfilled hook-of-peaks", "order.fulfilled mail-payer"}, a.outbox(o.ID)[3:], "the owner knows")
}

func TestNoMailIsPutAsideForAPayerWithoutAnAddress(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	owner := writesMails(t, s, "owner@example.com")
	for _, address := range []string{"", "payer", "payer@example.com, other@example.com"} {
		o := a.payFrom(s, address)
		assert.Equal(t, []string{"order.paid hook-of-peaks", "order.paid " + owner}, a.outbox(o.ID), address)
	}
}

func TestWhatIsNotPaidIsToldToNobodyByMail(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	writesMails(t, s, "owner@example.com")
	o := a.prepare(s)
	a.reconcile(time.Hour)
	require.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
	assert.Equal(t, []string{"order.closed hook-of-peaks"}, a.outbox(o.ID))
}

func TestTheOwnerIsToldOfARefundThatIsStuckByMailAlone(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	owner := writesMails(t, s, "owner@example.com")
	o := a.pay(s)
	a.gateway.SetSlowRefunds(true)
	a.refund(s, o.ID, "r1", 0)
	a.reconcile(50 * time.Hour)
	assert.Equal(t, []string{"order.paid hook-of-peaks", "order.paid " + owner, "refund.stuck " + owner}, a.outbox(o.ID))
}

func TestAComparisonIsToldByMailWhereItDiffers(t *testing.T) {
	a := openAccount(t)
	peaks, hills := a.openShop("peaks"), a.openShop("hills")
	one, other := writesMails(t, peaks, "owner@example.com"), writesMails(t, hills, "other@example.com")
	n := a.comparer()
	a.pay(peaks)
	require.NoError(t, a.gateway.PayElsewhere("TILL-1", 500, "HKD"))
	a.until(24, 3, 0)
	n.Work(t.Context())
	n.Work(t.Context())
	assert.ElementsMatch(t, []string{"payments.compared " + one, "payments.compared " + other}, a.outbox("2026-11-23"), "both shops are the account's")
	data := a.told("2026-11-23", "payments.compared")
	assert.EqualValues(t, 1, data["differences"])
	assert.Contains(t, data["findings"].([]any)[0].(map[string]any)["text"], "there HKD 5.00, here nothing: a payment without an order here")

	a.until(25, 3, 0)
	n.Work(t.Context())
	assert.Len(t, n.told, 2)
	assert.Empty(t, a.outbox("2026-11-24"), "nothing differs")
}

func TestADayThatCannotBeComparedIsToldOnce(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	owner := writesMails(t, s, "owner@example.com")
	a.pay(s)
	n := a.comparer()
	a.until(24, 3, 0)
	for range 3 {
		for range 20 {
			a.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropBefore})
		}
		n.Work(t.Context())
		a.pass(36 * time.Minute)
	}
	require.Len(t, n.told, 3)
	assert.Equal(t, []string{"payments.compared " + owner}, a.outbox("2026-11-23"))
	assert.NotEmpty(t, a.told("2026-11-23", "payments.compared")["problem"])
}

func TestTheOwnerIsToldOfWhatWasGivenUpButNotOfMailsToTheOwner(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	owner := writesMails(t, s, "owner@example.com")
	o := a.payFrom(s, "payer@example.com")
	lost, err := ledger.View(t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Delivery, error) { return tx.Deliveries(o.ID) })
	require.NoError(t, err)
	for _, d := range lost {
		d.Attempts, d.LastError = 10, "answered 500"
		for range 2 {
			require.NoError(t, a.ledger.Update(t.Context(), func(tx *ledger.Tx) error {
				return a.shops.TellGivenUp(tx, d, "the name of "+d.Endpoint, a.clock())
			}))
		}
	}
	assert.Equal(t, []string{"delivery.gave_up " + owner, "delivery.gave_up " + owner}, a.outbox(o.ID)[3:], "of the webhook and the receipt, once each")
	data := a.told(o.ID, "delivery.gave_up")
	for name, want := range map[string]any{"shop": "peaks", "order": o.ID, "endpoint": "the name of hook-of-peaks", "event": "order.paid", "error": "answered 500"} {
		assert.Equal(t, want, data[name], name)
	}
	assert.False(t, strings.Contains(strings.Join(a.heard(), " "), "gave_up"), "event handlers are not told")
}

func TestOfAWebhookThatIsDownTheOwnerIsToldOnceADay(t *testing.T) {
	a := openAccount(t)
	s, other := a.openShop("peaks"), a.openShop("shores")
	writesMails(t, s, "owner@example.com")
	writesMails(t, other, "owner@example.com")
	lose := func(s *orders.Service, endpoint string) (told int) {
		o := a.payFrom(s, "payer@example.com")
		lost := ledger.Delivery{Shop: s.Shop, Subject: o.ID, Endpoint: endpoint, MessageID: orders.MessageID(o.ID, "paid"), Kind: orders.EventPaid}
		require.NoError(t, a.ledger.Update(t.Context(), func(tx *ledger.Tx) error { return a.shops.TellGivenUp(tx, lost, "its name", a.clock()) }))
		return len(a.outbox(o.ID)) - 3
	}
	assert.Equal(t, 1, lose(s, "hook-of-peaks"))
	assert.Zero(t, lose(s, "hook-of-peaks"), "of hundreds that it loses")
	other.Endpoints = s.Endpoints
	assert.Equal(t, 1, lose(other, "hook-of-peaks"), "another shop")
	assert.Equal(t, 1, lose(s, "mail-payer"))
	assert.Equal(t, 1, lose(s, "mail-payer"), "every payer is somebody else")
	a.pass(24 * time.Hour)
	assert.Equal(t, 1, lose(s, "hook-of-peaks"))
}

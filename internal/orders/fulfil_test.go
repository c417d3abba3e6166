package orders_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// happened are the things of one kind that happened to an order.
func (a *account) happened(subject, kind string) (events []ledger.Event) {
	a.t.Helper()
	all, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Event, error) { return tx.Events(subject) })
	require.NoError(a.t, err)
	for _, event := range all {
		if event.Kind == kind {
			events = append(events, event)
		}
	}
	return events
}

// messages are the ids of the messages about an order of one kind.
func (a *account) messages(subject, kind string) (ids []string) {
	a.t.Helper()
	all, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Delivery, error) { return tx.Deliveries(subject) })
	require.NoError(a.t, err)
	for _, d := range all {
		if d.Kind == kind {
			ids = append(ids, d.MessageID)
		}
	}
	return ids
}

func TestAnOrderThatIsFulfilledSaysSo(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	assert.True(t, o.ToDo())
	a.pass(time.Hour)
	fulfilled, err := s.Fulfil(t.Context(), o.ID, "  SF 1234 顺丰 ")
	require.NoError(t, err)
	assert.Equal(t, a.find(s, o.ID).FulfilledAt, fulfilled.FulfilledAt)
	assert.Equal(t, a.clock(), fulfilled.FulfilledAt)
	assert.Equal(t, "SF 1234 顺丰", a.find(s, o.ID).Note)
	assert.False(t, a.find(s, o.ID).ToDo())
	assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status, "it is fulfilled beside that")
	assert.Equal(t, []string{"order.paid peaks", "order.fulfilled peaks"}, a.heard())

	told := a.told(o.ID, "order.fulfilled")
	assert.Equal(t, "2026-11-23T05:00:05Z", told["fulfilled_at"])
	assert.Equal(t, "SF 1234 顺丰", told["note"])
	assert.Equal(t, []any{o.ID, "peaks", "paid"}, []any{told["order"], told["shop"], told["status"]})
}

func TestFulfillingAgainChangesTheNoteAlone(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	for _, note := range []string{"one", "two", "two", "one"} {
		a.pass(time.Minute)
		_, err := s.Fulfil(t.Context(), o.ID, note)
		require.NoError(t, err)
	}
	assert.Equal(t, "one", a.find(s, o.ID).Note)
	var notes []any
	for _, event := range a.happened(o.ID, "fulfilled") {
		notes = append(notes, event.Data["note"])
	}
	assert.Equal(t, []any{"one", "two", "one"}, notes)
	assert.Equal(t, []string{
		"msg_" + o.ID + "_fulfilled", "msg_" + o.ID + "_fulfilled-2", "msg_" + o.ID + "_fulfilled-3",
	}, a.messages(o.ID, "order.fulfilled"))
}

func TestFulfillingIsTakenBackAndNobodyIsTold(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	_, err := s.Fulfil(t.Context(), o.ID, "one")
	require.NoError(t, err)
	for range 2 {
		undone, err := s.Unfulfil(t.Context(), o.ID)
		require.NoError(t, err)
		assert.True(t, undone.ToDo())
		assert.Empty(t, undone.Note)
	}
	_, err = s.Fulfil(t.Context(), o.ID, "")
	require.NoError(t, err)
	_, err = s.Unfulfil(t.Context(), o.ID)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(a.history(o.ID), " paid fulfilled unfulfilled fulfilled unfulfilled"), a.history(o.ID))
	assert.Equal(t, []string{"order.paid peaks", "order.fulfilled peaks", "order.fulfilled peaks"}, a.heard())
}

func TestWhatCannotBeFulfilledIsSaid(t *testing.T) {
	a := openAccount(t)
	s, other := a.openShop("peaks"), a.openShop("shores")
	unpaid, partly, refunded := a.prepare(s), a.pay(s), a.pay(s)
	a.refund(s, partly.ID, "r1", 2800)
	a.refund(s, refunded.ID, "r1", 0)
	for _, test := range []struct {
		shop        *orders.Service
		order, note string
		want        string
	}{
		{s, unpaid.ID, "", "the order is pending: only one that is paid can be fulfilled"},
		{s, refunded.ID, "", "the order was refunded: there is nothing to fulfil"},
		{s, partly.ID, strings.Repeat("字", 201), "a note is one line of at most 200 characters"},
		{s, partly.ID, "two\nlines", "a note is one line"},
		{s, partly.ID, "two\u2028lines", "a note is one line"},
		{s, partly.ID, "\x1b[31m", "a note is one line"},
		{s, partly.ID, "\xff", "a note is one line"},
		{s, a.newID(), "", "unknown order"},
		{other, partly.ID, "", "unknown order"},
	} {
		_, err := test.shop.Fulfil(t.Context(), test.order, test.note)
		assert.ErrorContains(t, err, test.want)
	}
	_, err := other.Unfulfil(t.Context(), partly.ID)
	assert.ErrorIs(t, err, ledger.ErrUnknown)
	assert.Empty(t, a.messages(partly.ID, "order.fulfilled"))
	_, err = s.Fulfil(t.Context(), partly.ID, strings.Repeat("字", 200))
	assert.NoError(t, err, "one of which a part went back can be")
}

func TestARefundAfterwardsLeavesAnOrderFulfilled(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	_, err := s.Fulfil(t.Context(), o.ID, "one")
	require.NoError(t, err)
	a.pass(time.Hour)
	a.refund(s, o.ID, "r1", 0)
	o = a.find(s, o.ID)
	assert.Equal(t, ledger.StatusRefunded, o.Status)
	assert.Equal(t, "one", o.Note)
	assert.Equal(t, a.clock(), o.RefundedAt)
	undone, err := s.Unfulfil(t.Context(), o.ID)
	require.NoError(t, err)
	assert.False(t, undone.ToDo(), "all of it went back")
}

package ledgertest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func eraseFields(t *testing.T, f fixture) {
	told := ledger.Fields{"name": {"Ann"}, "extra": {"ribbon", "card"}}
	ended := func(how func(*ledger.Order)) string {
		o := newOrder(start)
		o.Intent.Fields = told
		claim(t, f.first, o)
		update(t, f.first, change(o.ID, how))
		return o.ID
	}
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	open := ended(func(*ledger.Order) {})
	closed := ended(func(o *ledger.Order) { o.Status, o.Ended = ledger.StatusClosed, hour(1) })
	paid := ended(func(o *ledger.Order) { o.Status, o.PaidAt, o.Ended = ledger.StatusPaid, hour(0), hour(2) })
	late := ended(func(o *ledger.Order) { o.Status, o.PaidAt, o.Ended, o.Late = ledger.StatusPaid, hour(0), hour(3), true })
	fulfilled := ended(func(o *ledger.Order) { o.Status, o.Ended, o.FulfilledAt = ledger.StatusPaid, hour(0), hour(4) })
	refunded := ended(func(o *ledger.Order) {
		o.Status, o.Ended, o.FulfilledAt, o.RefundedAt = ledger.StatusRefunded, hour(0), hour(1), hour(5)
	})
	fulfilledLast := ended(func(o *ledger.Order) {
		o.Status, o.Ended, o.FulfilledAt, o.RefundedAt = ledger.StatusPartiallyRefunded, hour(0), hour(6), hour(1)
	})
	foreign := newOrder(start)
	foreign.Shop, foreign.Intent.Fields = "another", told
	claim(t, f.first, foreign)
	update(t, f.first, change(foreign.ID, func(o *ledger.Order) { o.Status, o.Ended = ledger.StatusClosed, start }))
	nothing := newOrder(start)
	claim(t, f.first, nothing)
	update(t, f.first, change(nothing.ID, func(o *ledger.Order) { o.Status, o.Ended = ledger.StatusClosed, start }))

	erase := func(before time.Time, limit int) (erased []string) {
		t.Helper()
		update(t, f.second, func(tx *ledger.Tx) (err error) {
			erased, err = tx.EraseFields("shop", before, limit)
			return err
		})
		return erased
	}
	assert.Empty(t, erase(hour(1), 10), "what ended then has not ended before")
	all := []string{closed, paid, late, fulfilled, refunded, fulfilledLast}
	for i, id := range all {
		assert.Equal(t, []string{id}, erase(hour(i+1).Add(time.Microsecond), 10))
		assert.Empty(t, order(t, f.first, id).Intent.Fields)
		assert.EqualValues(t, 10000, order(t, f.first, id).Intent.Amount, "nothing else is erased")
	}
	for _, kept := range []string{open, foreign.ID} {
		assert.Equal(t, told, order(t, f.first, kept).Intent.Fields)
	}
	for range 3 {
		ended(func(o *ledger.Order) { o.Status, o.Ended = ledger.StatusClosed, hour(1) })
	}
	assert.Len(t, erase(hour(2), 2), 2)
	assert.Len(t, erase(hour(2), 2), 1)

	view(t, f.first, func(tx *ledger.Tx) error {
		contents, err := tx.ContentsOf([]string{open, closed, foreign.ID})
		require.NoError(t, err)
		for id, fields := range map[string]ledger.Fields{open: told, foreign.ID: told, closed: nil} {
			assert.Equal(t, ledger.Content{Lines: order(t, f.first, id).Intent.Lines, Fields: fields}, contents[id])
		}
		contents, err = tx.ContentsOf(nil)
		assert.Empty(t, contents)
		return err
	})
}

func eraseTold(t *testing.T, f fixture) {
	for i, message := range []string{"old", "new", "bare", "done", "damaged"} {
		d := newDelivery(message)
		d.Body = json.RawMessage(`{"amount":1,"fields":{"name":"Ann"},"note":"\"fields\":"}`)
		switch message {
		case "new":
			d.At = start.Add(time.Hour)
		case "bare":
			d.Body = json.RawMessage(`{"note":"the \"fields\":"}`)
		case "damaged":
			d.Body = json.RawMessage(`"fields":`)
		}
		update(t, f.first, func(tx *ledger.Tx) error { return tx.AddDelivery(d) })
		if message == "done" {
			d.ID, d.Status = deliveries(t, f.first)[i].ID, ledger.DeliveryGaveUp
			saveDelivery(t, f, d, true)
		}
	}
	erase := func(shop string, limit int) (erased int) {
		update(t, f.second, func(tx *ledger.Tx) (err error) {
			erased, err = tx.EraseTold(shop, start.Add(time.Minute), limit)
			return err
		})
		return erased
	}
	assert.Zero(t, erase("another", 10))
	assert.Equal(t, 1, erase("shop", 1), "bounded")
	assert.Equal(t, 1, erase("shop", 10))
	assert.Zero(t, erase("shop", 10), "once")
	var bodies []string
	for _, d := range deliveries(t, f.first) {
		bodies = append(bodies, string(d.Body))
	}
	assert.Equal(t, []string{`{"amount":1,"note":"\"fields\":"}`, `{"amount":1,"fields":{"name":"Ann"},"note":"\"fields\":"}`, `{"note":"the \"fields\":"}`, "", "{}"}, bodies)
}

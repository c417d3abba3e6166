package ledgertest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func claimRace(t *testing.T, f fixture) {
	o := newOrder(start)
	var winners atomic.Int32
	atOnce(races, func(i int) {
		var claimed bool
		mine := o
		mine.Intent.Description = fmt.Sprint(i)
		err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
			claimed, err = tx.Claim(mine)
			return err
		})
		if assert.NoError(t, err) && claimed {
			winners.Add(1)
		}
	})
	assert.EqualValues(t, 1, winners.Load())
	view(t, f.first, func(tx *ledger.Tx) error {
		sums, err := tx.Sums(everything())
		require.Len(t, sums, 1)
		assert.EqualValues(t, 1, sums[0].Orders)
		return err
	})
}

func orderRoundTrip(t *testing.T, f fixture) {
	o := newOrder(start)
	o.Intent.Ref = "R-1"
	o.Intent.Lines = []ledger.Line{{Item: "tea", Name: "茶", Quantity: 2, Price: 2500}, {Item: "cup", Name: "Cup", Quantity: 1, Price: 5000}}
	o.Intent.Fields = ledger.Fields{"name": {"Ann"}, "address": {"1 Road\nCentral"}, "extra": {"ribbon", "card"}}
	o.Intent.Invoice = &ledger.Invoice{ID: "1001", Uses: 3, Token: "token"}
	claim(t, f.first, o)

	read := order(t, f.second, o.ID)
	assert.Equal(t, o.Intent, read.Intent)
	assert.Equal(t, ledger.StatusPending, read.Status)
	assert.Equal(t, []any{o.Shop, o.Account, o.Claimed, o.Expires, o.CheckAt}, []any{read.Shop, read.Account, read.Claimed, read.Expires, read.CheckAt})
	assert.Zero(t, []any{read.Syssn, read.PayURL, read.PayParams, read.Late}[0])
	assert.False(t, read.IsPrepared())

	update(t, f.first, change(o.ID, func(o *ledger.Order) {
		o.Status, o.Syssn, o.Prepared, o.PayURL = ledger.StatusPartiallyRefunded, "20261123", start.Add(2*time.Second), "https://pay.example/?a=b&c"
		o.PayParams = json.RawMessage(`{"package":"p=1"}`)
		o.PaidAt, o.Ended = start.Add(time.Minute), start.Add(2*time.Minute)
		o.Late, o.Disputed, o.ForeignTrade = true, true, true
		o.Refunded, o.CheckAt, o.AskedAt = 4000, time.Time{}, start.Add(3*time.Minute)
		o.RefundedAt, o.FulfilledAt, o.Note = start.Add(4*time.Minute), start.Add(5*time.Minute), "SF 1234 顺丰"
	}))
	read = order(t, f.second, o.ID)
	assert.Equal(t, ledger.StatusPartiallyRefunded, read.Status)
	assert.Equal(t, []any{"20261123", start.Add(2 * time.Second), "https://pay.example/?a=b&c", `{"package":"p=1"}`},
		[]any{read.Syssn, read.Prepared, read.PayURL, string(read.PayParams)})
	assert.Equal(t, []any{start.Add(time.Minute), start.Add(2 * time.Minute), start.Add(3 * time.Minute)}, []any{read.PaidAt, read.Ended, read.AskedAt})
	assert.Equal(t, []any{start.Add(4 * time.Minute), start.Add(5 * time.Minute), "SF 1234 顺丰"}, []any{read.RefundedAt, read.FulfilledAt, read.Note})
	assert.True(t, read.Late && read.Disputed && read.ForeignTrade)
	assert.True(t, read.CheckAt.IsZero())
	assert.EqualValues(t, 4000, read.Refunded)
	assert.Equal(t, o.Intent, read.Intent, "what was ordered does not change")
}

func unknownOrders(t *testing.T, f fixture) {
	claim(t, f.first, newOrder(start))
	for _, id := range []string{"", "x", ulid.Make().String(), strings.ToLower(ulid.Make().String()), "' OR 1=1 --"} {
		for name, do := range map[string]func(func(*ledger.Tx) error) error{
			"view":   func(step func(*ledger.Tx) error) error { return f.first.View(t.Context(), step) },
			"update": func(step func(*ledger.Tx) error) error { return f.first.Update(t.Context(), step) },
		} {
			err := do(func(tx *ledger.Tx) error {
				_, err := tx.Order(id)
				return err
			})
			assert.ErrorIs(t, err, ledger.ErrUnknown, "%s of %q", name, id)
		}
	}
	assert.Error(t, f.first.Update(t.Context(), func(tx *ledger.Tx) error {
		o := newOrder(start)
		o.ID = "not-an-id"
		_, err := tx.Claim(o)
		return err
	}))
}

func times(t *testing.T, f fixture) {
	for _, at := range []time.Time{
		time.Date(2026, 11, 23, 23, 59, 59, 999999999, time.FixedZone("", 8*60*60)),
		time.Date(2026, 2, 28, 0, 0, 0, 1000, time.FixedZone("", -11*60*60)),
		time.Date(2024, 2, 29, 12, 0, 0, 120000000, time.UTC),
		time.Date(2199, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		o := newOrder(start)
		o.CheckAt = at
		claim(t, f.first, o)
		read := order(t, f.second, o.ID).CheckAt
		assert.Equal(t, at.UTC().Truncate(time.Microsecond), read)
		assert.Equal(t, time.UTC, read.Location())
	}
}

// hostile are texts that have broken programs.
var hostile = []string{
	`'; DROP TABLE orders; --`, `"quoted"`, `back\slash`, `100%`, `under_score`, `what?`, `$1 :name @p ?1`, `!`, `[a-z]*`, "tab\tand\nline",
	`茶葉 普洱`, `😀👨‍👩‍👧`, `Ä ß İ ı`, `e` + "\u0301", "\u202eright to left", `<script>`, `{"json":null}`, "\u00a0", `NULL`,
}

func hostileText(t *testing.T, f fixture) {
	ids := map[string]string{}
	for _, text := range hostile {
		o := newOrder(start)
		o.Intent.Description, o.Intent.Ref = text, "ref"
		o.Intent.Fields = ledger.Fields{text: {text}}
		o.Intent.Lines = []ledger.Line{{Item: text, Name: text, Quantity: 1}}
		claim(t, f.first, o)
		ids[text] = o.ID
		assert.Equal(t, o.Intent, order(t, f.second, o.ID).Intent)
	}
	for _, text := range hostile {
		view(t, f.first, func(tx *ledger.Tx) error {
			search := everything()
			search.Text = text
			rows, err := tx.Rows(search, ledger.Page{Limit: 100})
			var found []string
			for _, row := range rows {
				found = append(found, row.Order)
				assert.Contains(t, strings.ToLower(row.Description), strings.ToLower(text))
			}
			assert.Contains(t, found, ids[text], "a search for %q", text)
			return err
		})
	}
	// PostgreSQL has no NUL in texts. One that somebody sent keeps no step from
	// being written.
	o := newOrder(start)
	o.Intent.Description = "a\x00b"
	claim(t, f.first, o)
	assert.Contains(t, []string{"a\x00b", "a\uFFFDb"}, order(t, f.second, o.ID).Intent.Description)
}

func uniqueSyssn(t *testing.T, f fixture) {
	orders := make([]ledger.Order, 16)
	for i := range orders {
		orders[i] = claim(t, f.first, newOrder(start))
	}
	var winners atomic.Int32
	atOnce(len(orders), func(i int) {
		if f.handle(i).Update(t.Context(), change(orders[i].ID, func(o *ledger.Order) { o.Syssn = "1" })) == nil {
			winners.Add(1)
		}
	})
	assert.EqualValues(t, 1, winners.Load())

	elsewhere := newOrder(start)
	elsewhere.Account = "another account"
	claim(t, f.first, elsewhere)
	update(t, f.first, change(elsewhere.ID, func(o *ledger.Order) { o.Syssn = "1" }))
	view(t, f.first, func(tx *ledger.Tx) error {
		id, err := tx.OrderOfSyssn("another account", "1")
		assert.Equal(t, elsewhere.ID, id)
		require.NoError(t, err)
		id, err = tx.OrderOfSyssn("account", "2")
		assert.Empty(t, id)
		return err
	})
}

func newRefund(o ledger.Order, number string, amount int64) ledger.Refund {
	return ledger.Refund{
		Order: o.ID, Number: number, Account: o.Account, RefundID: number, Amount: amount, Currency: o.Intent.Currency,
		Status: ledger.RefundWaiting, Requested: start.Add(time.Hour),
	}
}

func refundRace(t *testing.T, f fixture) {
	o := claim(t, f.first, newOrder(start))
	update(t, f.first, change(o.ID, func(o *ledger.Order) { o.Status, o.PaidAt = ledger.StatusPaid, start }))
	var accepted atomic.Int32
	atOnce(races, func(i int) {
		taken := false
		err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) error {
			taken = false
			o, err := tx.Order(o.ID)
			if err != nil {
				return err
			}
			refunds, err := tx.Refunds(o.ID)
			if err != nil || refunds.Left(o) < 700 {
				return err
			}
			taken = true
			return tx.SaveRefund(newRefund(o, fmt.Sprint("r", i), 700))
		})
		if assert.NoError(t, err) && taken {
			accepted.Add(1)
		}
	})
	assert.EqualValues(t, 10000/700, accepted.Load())
	view(t, f.second, func(tx *ledger.Tx) error {
		refunds, err := tx.Refunds(o.ID)
		assert.Len(t, refunds, 10000/700)
		return err
	})
}

func refundRoundTrip(t *testing.T, f fixture) {
	o := claim(t, f.first, newOrder(start))
	refund := newRefund(o, "r1", 700)
	update(t, f.first, func(tx *ledger.Tx) error { return tx.SaveRefund(refund) })
	refund.Status, refund.Sent, refund.Ended, refund.Syssn = ledger.RefundDone, start.Add(2*time.Hour), start.Add(3*time.Hour), "9"
	refund.Source, refund.Respcd, refund.Message = "reply", "0000", "好"
	update(t, f.first, func(tx *ledger.Tx) error { return tx.SaveRefund(refund) })
	view(t, f.second, func(tx *ledger.Tx) error {
		refunds, err := tx.Refunds(o.ID)
		assert.Equal(t, ledger.Refunds{refund}, refunds)
		require.NoError(t, err)
		return err
	})
	again := newRefund(o, "r2", 100)
	again.Syssn = "9"
	assert.Error(t, f.first.Update(t.Context(), func(tx *ledger.Tx) error { return tx.SaveRefund(again) }), "one syssn, one refund")
	again.Syssn, again.RefundID = "", "r1"
	assert.Error(t, f.first.Update(t.Context(), func(tx *ledger.Tx) error { return tx.SaveRefund(again) }), "one id of the shop, one refund")
	stray := newRefund(newOrder(start), "r3", 1)
	assert.Error(t, f.first.Update(t.Context(), func(tx *ledger.Tx) error { return tx.SaveRefund(stray) }), "a refund of no order")
}

// uniqueRefund has refunds of two orders come by one number, at once and later.
func uniqueRefund(t *testing.T, f fixture) {
	one, other := claim(t, f.first, newOrder(start)), claim(t, f.first, newOrder(start))
	for _, number := range []string{"portal-1", "portal-2"} {
		var winners atomic.Int32
		atOnce(races, func(i int) {
			refund := newRefund([]ledger.Order{one, other}[i%2], number, 1)
			refund.RefundID, refund.Syssn = fmt.Sprint(number, i%2), "syssn of "+number
			if number == "portal-1" { // one number, and one of the gateway's for each order
				refund.Syssn += fmt.Sprint(i % 2)
			}
			taken := false
			err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) error {
				taken = false
				if _, err := tx.Order(refund.Order); err != nil { // which locks its refunds
					return err
				}
				named, err := tx.RefundsNamed("account", refund.Number, refund.Syssn)
				if err != nil || len(named) > 0 {
					return err
				}
				taken = true
				return tx.SaveRefund(refund)
			})
			if assert.NoError(t, err) && taken {
				winners.Add(1)
			}
		})
		assert.EqualValues(t, 1, winners.Load(), number)
	}
	for what, named := range map[string][2]string{"number": {"portal-2", ""}, "the gateway's number": {"", "syssn of portal-2"}, "both": {"portal-2", "syssn of portal-2"}} {
		view(t, f.second, func(tx *ledger.Tx) error {
			found, err := tx.RefundsNamed("account", named[0], named[1])
			if assert.Len(t, found, 1, what) {
				assert.Equal(t, "portal-2", found[0].Number)
			}
			require.NoError(t, err)
			found, err = tx.RefundsNamed("another account", named[0], named[1])
			assert.Empty(t, found)
			return err
		})
	}
	blind := newRefund(one, "portal-1", 1)
	for _, order := range []ledger.Order{one, other} {
		blind.Order, blind.RefundID = order.ID, "blind"
		view(t, f.first, func(tx *ledger.Tx) error {
			named, err := tx.RefundsNamed("account", "portal-1", "")
			if err != nil || len(named) == 1 && named[0].Order == order.ID {
				return err
			}
			assert.Error(t, f.second.Update(t.Context(), func(tx *ledger.Tx) error { return tx.SaveRefund(blind) }), "one number, one order")
			return nil
		})
	}
}

func invoiceRace(t *testing.T, f fixture) {
	const uses = 3
	var claimed atomic.Int32
	atOnce(races, func(i int) {
		taken := false
		o := newOrder(start)
		o.Intent.Invoice = &ledger.Invoice{ID: "1001", Uses: uses}
		err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) error {
			taken = false
			if err := tx.LockInvoice("shop", "1001"); err != nil {
				return err
			}
			paid, payable, err := tx.InvoiceUses("shop", "1001", o.ID, start)
			if err != nil || paid+payable >= uses {
				return err
			}
			taken, err = tx.Claim(o)
			return err
		})
		if assert.NoError(t, err) && taken {
			claimed.Add(1)
		}
	})
	assert.EqualValues(t, uses, claimed.Load())
	view(t, f.first, func(tx *ledger.Tx) error {
		_, payable, err := tx.InvoiceUses("another shop", "1001", "", start)
		assert.Zero(t, payable, "invoices are the shop's own")
		return err
	})
}

func eventsOnce(t *testing.T, f fixture) {
	o := claim(t, f.first, newOrder(start))
	var added atomic.Int32
	atOnce(races, func(i int) {
		var mine bool
		err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
			mine, err = tx.AddEvent(ledger.Event{Subject: o.ID, Shop: "shop", At: start, Kind: "paid", Data: map[string]any{"amount": 1.0, "by": "a \"b\""}})
			return err
		})
		if assert.NoError(t, err) && mine {
			added.Add(1)
		}
	})
	assert.EqualValues(t, 1, added.Load())
	update(t, f.first, func(tx *ledger.Tx) error {
		_, err := tx.AddEvent(ledger.Event{Subject: o.ID, Shop: "shop", At: start.Add(-time.Hour), Kind: "refunded", About: "r1"})
		return err
	})
	view(t, f.second, func(tx *ledger.Tx) error {
		events, err := tx.Events(o.ID)
		assert.Equal(t, []ledger.Event{
			{Subject: o.ID, Shop: "shop", At: start, Kind: "paid", Data: map[string]any{"amount": 1.0, "by": "a \"b\""}},
			{Subject: o.ID, Shop: "shop", At: start.Add(-time.Hour), Kind: "refunded", About: "r1"},
		}, events)
		return err
	})
}

func orphansOnce(t *testing.T, f fixture) {
	orphan := ledger.Orphan{
		Account: "account", Shop: "shop", Syssn: "7", At: start, NotifyType: "payment", OutTradeNo: "?",
		OrigSyssn: "6", OrigOutTradeNo: "o", Amount: 5, Currency: "HKD",
	}
	var added atomic.Int32
	atOnce(races, func(i int) {
		var mine bool
		err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
			mine, err = tx.AddOrphan(orphan)
			return err
		})
		if assert.NoError(t, err) && mine {
			added.Add(1)
		}
	})
	assert.EqualValues(t, 1, added.Load())
	view(t, f.second, func(tx *ledger.Tx) error {
		orphans, err := tx.Orphans([]string{"shop", "x"}, 10)
		assert.Equal(t, []ledger.Orphan{orphan}, orphans)
		require.NoError(t, err)
		orphans, err = tx.Orphans([]string{"x"}, 10)
		assert.Empty(t, orphans)
		return err
	})
}

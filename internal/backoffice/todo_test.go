package backoffice

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// fulfilled is an order that the shop has done its part of.
func (d *desk) fulfilled(ledgerNumber int, order, note string) {
	d.t.Helper()
	d.update(ledgerNumber, func(tx *ledger.Tx) error {
		o, err := tx.Order(order)
		if err != nil {
			return err
		}
		o.FulfilledAt, o.Note = november.Add(time.Hour), note
		return tx.Save(o)
	})
}

func TestWhatIsToBeFulfilledIsTheFirstPage(t *testing.T) {
	d := openDesk(t, "harbour peak", "other")
	old, second := d.paid(0, "harbour", -50*24*time.Hour), d.paid(1, "other", time.Minute)
	done, unpaid := d.paid(0, "peak", 2*time.Minute), d.pending(0, "harbour", 3*time.Minute)
	d.fulfilled(0, done, "SF 1")
	page := d.page("").Body.String()
	for _, part := range []string{"To do", "to fulfil: 2,", "sentinel-of-a-phone", "INV-7", "× 2", `aria-current="page">To do`} {
		assert.Contains(t, page, part)
	}
	assert.Less(t, strings.Index(page, old), strings.Index(page, second), "the oldest first, however old")
	assert.NotContains(t, page, done)
	assert.NotContains(t, page, unpaid)
	assert.NotContains(t, d.page("name=other").Body.String(), old)
	assert.Contains(t, d.page("fulfilled=false").Body.String(), old)
	assert.NotContains(t, d.page("day=2026-11-01&fulfilled=false").Body.String(), old)
	of, _ := d.listed("fulfilled=false")
	assert.Equal(t, []string{second, old}, of, "without a day, of any day")
	of, _ = d.listed("fulfilled=true")
	assert.Equal(t, []string{done}, of)
	_, text := d.ask((*Office).ListOrders, "/orders?fulfilled=true", "")
	assert.Contains(t, text, `"fulfilled_at":"2026-11-01T01:00:00+08:00"`)
	assert.Contains(t, d.page("fulfilled=true").Body.String(), `<option value="true" selected>Fulfilled</option>`)
	for _, query := range []string{"fulfilled=maybe", "after=x"} {
		assert.Equal(t, http.StatusBadRequest, d.page(query).Code, query)
	}
	d.fulfilled(0, old, "")
	d.fulfilled(1, second, "")
	assert.Contains(t, d.page("").Body.String(), "Nothing to do")
}

func TestAnOrderForWhichNotEnoughIsLeftIsPointedOut(t *testing.T) {
	d := openDesk(t, "harbour")
	order := started(time.Minute)
	d.update(0, func(tx *ledger.Tx) error {
		if err := tx.SetStock("harbour", "bowl", 1, november); err != nil {
			return err
		}
		intent := ledger.Intent{At: november, Amount: 100, Currency: "HKD", Lines: []ledger.Line{{Item: "bowl", Name: "Bowl", Quantity: 1, Price: 100, Stock: true}}}
		if _, err := tx.Claim(ledger.Order{ID: order, Shop: "harbour", Account: "account", Claimed: november, Expires: november, Intent: intent}); err != nil {
			return err
		}
		o, err := tx.Order(order)
		if err != nil {
			return err
		}
		o.Status, o.PaidAt, o.Late, o.HoldsStock = ledger.StatusPaid, november, true, false
		return tx.Save(o)
	})
	for _, query := range []string{"", "order=" + order} {
		assert.Contains(t, d.page(query).Body.String(), "Not enough left", query)
	}
}

func TestWhatIsToBeFulfilledIsShownPieceByPiece(t *testing.T) {
	d := openDesk(t, "harbour")
	var all []string
	d.update(0, func(tx *ledger.Tx) error {
		for i := range 130 {
			all = append(all, started(time.Duration(i)*time.Second))
			if err := putPaid(tx, "harbour", all[i], november); err != nil {
				return err
			}
		}
		return nil
	})
	b := &browser{desk: d}
	first, second := b.get(""), b.get("?after="+all[49])
	assert.Contains(t, first, `href="?after=`+all[49]+`" rel="next"`)
	assert.Contains(t, first, all[49])
	assert.NotContains(t, second, `order=`+all[49]+`"`)
	assert.Contains(t, second, `order=`+all[50]+`"`)
	assert.Contains(t, second, "print=1")
	sheets := b.get("?print=1")
	assert.Equal(t, 100, strings.Count(sheets, `<article class="sheet">`), "bounded")
	assert.Contains(t, sheets, "There are more orders")
	assert.NotContains(t, b.get("?print=1&after="+all[49]), "There are more orders")
}

func TestAnOrderIsFulfilledFromTheListAndFromItsPage(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	s, b := d.served(), &browser{desk: d}
	page := b.get("?name=harbour")
	_, action, _ := strings.Cut(page, `method="post" action="`)
	action, _, _ = strings.Cut(action, `"`)
	assert.Equal(t, "?name=harbour&amp;order="+order+"&amp;view=todo", action)
	form := hiddenOf(t, page, "fulfil")
	form.Set("note", " SF 1 ")
	done := b.send(http.MethodPost, strings.ReplaceAll(action, "&amp;", "&"), form)
	assert.Equal(t, http.StatusSeeOther, done.Code)
	assert.Equal(t, "?done="+order+"&name=harbour", done.Header().Get("Location"))
	assert.Equal(t, []string{"fulfil " + order + " SF 1"}, s.asked)
	assert.NotContains(t, b.get("?done="+order), `role="status"`, "unless it is so")
	d.fulfilled(0, order, "SF 1")
	assert.Contains(t, b.get("?done="+order), "The order is fulfilled.")

	s.asked = nil
	assert.Equal(t, http.StatusSeeOther, b.send(http.MethodPost, "?order="+order, form).Code, "a second click")
	form.Set("note", "SF 2")
	stale := b.send(http.MethodPost, "?order="+order, form)
	assert.Equal(t, http.StatusConflict, stale.Code)
	assert.Contains(t, stale.Body.String(), nothingDone)
	assert.Empty(t, s.asked)

	own := b.get("?order=" + order)
	for _, part := range []string{`value="SF 1"`, "Change the note", "Mark as not fulfilled", `<span class="flag done">Fulfilled</span>`, "&amp;print=1"} {
		assert.Contains(t, own, part)
	}
	change, undo := hiddenOf(t, own, "fulfil"), hiddenOf(t, own, "unfulfil")
	change.Set("note", "SF 2")
	assert.Equal(t, "?order="+order+"&done=fulfil", b.send(http.MethodPost, "?order="+order, change).Header().Get("Location"))
	assert.Equal(t, "?order="+order+"&done=unfulfil", b.send(http.MethodPost, "?order="+order, undo).Header().Get("Location"))
	assert.Equal(t, []string{"fulfil " + order + " SF 2", "unfulfil " + order}, s.asked)
	assert.Contains(t, b.get("?order="+order+"&done=fulfil"), "The order is fulfilled.")

	s.err = &orders.Refusal{Kind: orders.Conflict, Text: "the order was refunded: there is nothing to fulfil"}
	refused := b.send(http.MethodPost, "?order="+order, change)
	assert.Equal(t, http.StatusConflict, refused.Code)
	assert.Contains(t, refused.Body.String(), "there is nothing to fulfil")
}

func TestFormsThatFulfilAreMadeForOneOrderAndState(t *testing.T) {
	d := openDesk(t, "harbour")
	order, other := d.paid(0, "harbour", time.Minute), d.paid(0, "harbour", 2*time.Minute)
	s, b := d.served(), &browser{desk: d}
	form := hiddenOf(t, b.get("?order="+order), "fulfil")
	for name, post := range map[string]*httptest.ResponseRecorder{
		"another order":   b.send(http.MethodPost, "?order="+other, form),
		"another state":   b.send(http.MethodPost, "?order="+order, url.Values{"do": {"fulfil"}, "was": {"x"}, "token": form["token"]}),
		"another act":     b.send(http.MethodPost, "?order="+order, url.Values{"do": {"unfulfil"}, "was": form["was"], "token": form["token"]}),
		"another browser": (&browser{desk: d}).send(http.MethodPost, "?order="+order, form),
	} {
		assert.Equal(t, http.StatusForbidden, post.Code, name)
	}
	assert.Empty(t, s.asked)
	for _, unpaid := range []string{d.pending(0, "harbour", 3*time.Minute)} {
		page := b.get("?order=" + unpaid)
		assert.NotContains(t, page, `value="fulfil"`)
		assert.NotContains(t, page, "print=1")
	}
}

func TestASheetHoldsWhatIsPacked(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	sheet := d.page("order=" + order + "&print=1")
	require.Equal(t, http.StatusOK, sheet.Code)
	for _, part := range []string{"<bdi>" + order + "</bdi>", "<tr><td><bdi>Cat food 猫粮</bdi></td><td>2</td></tr>", "INV-7", "sentinel-of-a-phone", "2026-11-01 00:02", `class="unprinted"`} {
		assert.Contains(t, sheet.Body.String(), part)
	}
	assert.NotContains(t, sheet.Body.String(), "256.00", "what it cost is for the receipt")
	assert.NotContains(t, sheet.Body.String(), "harbour", "one shop needs no name")
	several := openDesk(t, "harbour peak")
	assert.Contains(t, several.page("order="+several.paid(0, "peak", time.Minute)+"&print=1").Body.String(), "<bdi>peak</bdi>")
	d.damage(0, "UPDATE orders SET lines = 'x' WHERE id = ?", order)
	assert.Equal(t, http.StatusOK, d.page("").Code, "a damaged order keeps nobody from the others")
	assert.Contains(t, d.page("").Body.String(), "Damaged")
}

func TestTheListSaysWhenNotAllIsCounted(t *testing.T) {
	d := openDesk(t, "harbour")
	d.update(0, func(tx *ledger.Tx) error {
		for i := range 1001 {
			if err := putPaid(tx, "harbour", started(time.Duration(i)*time.Second), november); err != nil {
				return fmt.Errorf("order %d: %w", i, err)
			}
		}
		return nil
	})
	assert.Contains(t, d.page("").Body.String(), "more than 1,000,")
}

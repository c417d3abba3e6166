package backoffice

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func TestARefundCountsOnItsOwnDayBesideThatOfItsOrder(t *testing.T) {
	d := openDesk(t, "harbour", "other")
	order, later := d.paid(0, "harbour", time.Minute), november.AddDate(0, 0, 9)
	d.paid(1, "other", time.Minute)
	d.update(0, func(tx *ledger.Tx) error {
		o, err := tx.Order(order)
		if err != nil {
			return err
		}
		o.Status, o.Refunded, o.RefundedAt = ledger.StatusPartiallyRefunded, 5600, later
		return tx.Save(o)
	})
	month := d.page("from=2026-11-01&to=2026-11-30").Body.String()
	for _, part := range []string{
		"<dt>Refunds by refund date</dt><dd>HK$56.00</dd>", `<th scope="col">Refunds by refund date</th>`,
		`<th scope="row">2026-11-01</th><td>2</td><td>HK$512.00</td><td>HK$56.00</td><td>HK$456.00</td><td>HK$0.00</td>`,
		`<th scope="row">2026-11-10</th><td>0</td><td>HK$0.00</td><td>HK$0.00</td><td>HK$0.00</td><td>HK$56.00</td>`,
	} {
		assert.Contains(t, month, part)
	}
	day := d.page("day=2026-11-10").Body.String()
	assert.Contains(t, day, "<dt>Refunds by refund date</dt><dd>HK$56.00</dd>", "of a day on which nothing was ordered too")
	assert.NotContains(t, d.page("from=2026-11-01&to=2026-11-30&status=paid").Body.String(), "Refunds by refund date", "it is not known of some orders alone")
	year := d.page("from=2026-01-01&to=2026-12-31").Body.String()
	assert.Contains(t, year, `<th scope="row">2026-11</th><td>2</td><td>HK$512.00</td><td>HK$56.00</td><td>HK$456.00</td><td>HK$56.00</td>`)
}

func TestOrdersAreSummedUpByItemAndWayOfPaying(t *testing.T) {
	d := openDesk(t, "harbour")
	d.paid(0, "harbour", time.Minute)
	inAlipay := d.paid(0, "harbour", 2*time.Minute)
	d.damage(0, "UPDATE orders SET method = 'alipayhk', lines = '' WHERE id = ?", inAlipay)
	d.pending(0, "harbour", 3*time.Minute)
	assert.Contains(t, d.page("day=2026-11-01").Body.String(), `href="?day=2026-11-01&amp;sums=1"`)
	page := d.page("day=2026-11-01&sums=1").Body.String()
	for _, part := range []string{
		`<bdi>Cat food 猫粮</bdi> <small><bdi>cat-food</bdi></small></th><td>2</td><td>HK$256.00</td>`,
		`Invoices and amounts without items</th><td>1</td><td>HK$256.00</td>`,
		`<bdi>Inside WeChat</bdi></th><td>1</td><td>HK$256.00</td><td>HK$0.00</td><td>HK$256.00</td>`,
		`<bdi>AlipayHK</bdi></th><td>1</td><td>HK$256.00</td>`,
	} {
		assert.Contains(t, page, part)
	}
	assert.NotContains(t, d.page("day=2026-11-01&sums=1&method=alipayhk").Body.String(), "<small><bdi>cat-food")
}

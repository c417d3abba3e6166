package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// cart is a new order of a shop for some pieces of stocked items.
func cart(shop string, pieces ...any) ledger.Order {
	o := newOrder(start)
	o.Shop = shop
	for i := 0; i < len(pieces); i += 2 {
		o.Intent.Lines = append(o.Intent.Lines, ledger.Line{Item: pieces[i].(string), Name: "Bowl", Quantity: pieces[i+1].(int), Price: 100, Stock: true})
	}
	return o
}

func count(t *testing.T, l ledger.Ledger, shop, item string, available int64) {
	t.Helper()
	update(t, l, func(tx *ledger.Tx) error { return tx.SetStock(shop, item, available, start) })
}

// tryClaim claims an order, and returns the error of a ledger that does not take it.
func tryClaim(t assert.TestingT, l ledger.Ledger, o ledger.Order) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := l.Update(ctx, mustClaim(o))
	if err != nil && !errors.Is(err, ledger.ErrSoldOut) {
		assert.NoError(t, err)
	}
	return err
}

func stockIn(t *testing.T, l ledger.Ledger, shop, item string) (s ledger.Stock) {
	t.Helper()
	view(t, l, func(tx *ledger.Tx) error {
		all, err := tx.Stock(shop)
		s = all[item]
		return err
	})
	return s
}

// end is a step in which an order comes to a status, with its stock.
func end(id string, status ledger.Status, move func(*ledger.Tx, *ledger.Order) error) func(*ledger.Tx) error {
	return func(tx *ledger.Tx) error {
		o, err := tx.Order(id)
		if err != nil {
			return err
		}
		o.Status = status
		if err := move(tx, &o); err != nil {
			return err
		}
		return tx.Save(o)
	}
}

func stockOfOrders(t *testing.T, f fixture) {
	sold := cart("shop", "bowl", 2, "food", 1)
	require.ErrorIs(t, tryClaim(t, f.first, sold), ledger.ErrSoldOut, "of what was never counted there is none")
	assert.False(t, has(t, f.first, sold.ID))
	count(t, f.first, "shop", "bowl", 3)
	require.ErrorIs(t, tryClaim(t, f.first, sold), ledger.ErrSoldOut, "all or nothing")
	assert.Equal(t, ledger.Stock{Item: "bowl", Available: 3, Counted: start}, stockIn(t, f.second, "shop", "bowl"))
	count(t, f.first, "shop", "food", 1)
	require.NoError(t, tryClaim(t, f.first, sold))
	assert.True(t, order(t, f.second, sold.ID).HoldsStock)
	assert.Equal(t, ledger.Stock{Item: "bowl", Available: 1, Reserved: 2, Counted: start}, stockIn(t, f.second, "shop", "bowl"))
	assert.Empty(t, stockIn(t, f.second, "other", "bowl"), "a shop has its own")

	count(t, f.second, "shop", "bowl", 5)
	assert.Equal(t, int64(2), stockIn(t, f.first, "shop", "bowl").Reserved, "counting leaves what is reserved")
	update(t, f.second, end(sold.ID, ledger.StatusPaid, (*ledger.Tx).SellStock))
	assert.True(t, order(t, f.first, sold.ID).HoldsStock)
	assert.Equal(t, ledger.Stock{Item: "bowl", Available: 5, Counted: start}, stockIn(t, f.first, "shop", "bowl"))

	count(t, f.first, "shop", "food", 1)
	late := cart("shop", "food", 1, "bowl", 5)
	require.NoError(t, tryClaim(t, f.first, late))
	update(t, f.first, end(late.ID, ledger.StatusClosed, (*ledger.Tx).ReturnStock))
	assert.Equal(t, ledger.Stock{Item: "bowl", Available: 5, Counted: start}, stockIn(t, f.first, "shop", "bowl"))
	assert.False(t, order(t, f.first, late.ID).HoldsStock)
	require.NoError(t, tryClaim(t, f.first, cart("shop", "food", 1)))
	update(t, f.first, end(late.ID, ledger.StatusPaid, (*ledger.Tx).SellStock))
	assert.True(t, order(t, f.first, late.ID).LacksStock(), "the last of the food is gone")
	assert.Equal(t, int64(5), stockIn(t, f.first, "shop", "bowl").Available, "and so none of it was taken")
}

func stockOfPayers(t *testing.T, f fixture) {
	count(t, f.first, "shop", "bowl", 4)
	of := func(payer string, o ledger.Order) string {
		o.Payer = payer
		return claim(t, f.first, o).ID
	}
	first, second := of("ann", cart("shop", "bowl", 1)), of("ann", cart("shop", "bowl", 1))
	paid := of("ann", cart("shop", "bowl", 1))
	of("ben", cart("shop", "bowl", 1))
	of("ann", newOrder(start))
	update(t, f.second, end(paid, ledger.StatusPaid, (*ledger.Tx).SellStock))
	holding := func(shop string) (orders []string) {
		view(t, f.second, func(tx *ledger.Tx) (err error) {
			orders, err = tx.HoldingStock(shop, "ann")
			return err
		})
		return orders
	}
	assert.ElementsMatch(t, []string{first, second}, holding("shop"))
	assert.Empty(t, holding("another"))
	update(t, f.second, end(first, ledger.StatusPending, (*ledger.Tx).ReturnStock))
	assert.Equal(t, []string{second}, holding("shop"))
	assert.Equal(t, int64(1), stockIn(t, f.first, "shop", "bowl").Available)
	update(t, f.second, end(first, ledger.StatusClosed, (*ledger.Tx).ReturnStock))
	assert.Equal(t, int64(1), stockIn(t, f.first, "shop", "bowl").Available, "given back once")
}

func lastPieceRace(t *testing.T, f fixture) {
	const pieces = 3
	count(t, f.first, "shop", "bowl", pieces)
	orders, errs := make([]ledger.Order, races), make([]error, races)
	for i := range orders {
		orders[i] = cart("shop", "bowl", 1)
	}
	atOnce(races, func(i int) { errs[i] = tryClaim(t, f.handle(i), orders[i]) })
	won := 0
	for i, err := range errs {
		assert.Equal(t, err == nil, has(t, f.first, orders[i].ID), "an order that found nothing is not there")
		if err == nil {
			won++
		}
	}
	assert.Equal(t, pieces, won)
	assert.Equal(t, ledger.Stock{Item: "bowl", Reserved: pieces, Counted: start}, stockIn(t, f.first, "shop", "bowl"))
}

// cartRace has carts name their items in any order, while others are paid or end.
func cartRace(t *testing.T, f fixture) {
	items := []string{"a", "b", "c", "d"}
	for _, item := range items {
		count(t, f.first, "shop", item, races)
	}
	atOnce(races, func(i int) {
		var pieces []any
		for j := range items {
			pieces = append(pieces, items[(i+j*(1+i%2*2))%len(items)], 1)
		}
		o := cart("shop", pieces...)
		if !assert.NoError(t, tryClaim(t, f.handle(i), o)) {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		done := end(o.ID, ledger.StatusPaid, (*ledger.Tx).SellStock)
		if i%3 == 0 {
			done = end(o.ID, ledger.StatusClosed, (*ledger.Tx).ReturnStock)
		}
		assert.NoError(t, f.handle(i+1).Update(ctx, done))
	})
	closed := int64((races + 2) / 3)
	for _, item := range items {
		assert.Equal(t, ledger.Stock{Item: item, Available: closed, Counted: start}, stockIn(t, f.first, "shop", item))
	}
}

// neverTooMany searches for a way to sell more than there is.
func neverTooMany(t *testing.T, f fixture) {
	shops := 0
	rapid.Check(t, func(r *rapid.T) {
		shops++
		m := &market{t: t, f: f, shop: fmt.Sprintf("shop-%d", shops), counted: map[string]int64{}}
		r.Repeat(map[string]func(*rapid.T){
			"claim": m.claim, "time out": m.timeOut, "pay": m.pay, "refund": m.refund, "count": m.count, "": m.check,
		})
	})
}

// market is a shop with two items, and what should be so by what happened.
type market struct {
	t       *testing.T
	f       fixture
	shop    string
	step    int
	orders  []ledger.Order   // as they were read last
	counted map[string]int64 // of each item: all that was counted, less what counting again took away
}

var marketItems = []string{"bowl", "food"}

func (m *market) ledger() ledger.Ledger {
	m.step++
	return m.f.handle(m.step)
}

// one picks an order of some statuses.
func (m *market) one(r *rapid.T, statuses ...ledger.Status) *ledger.Order {
	var those []int
	for i, o := range m.orders {
		if slices.Contains(statuses, o.Status) {
			those = append(those, i)
		}
	}
	if len(those) == 0 {
		r.Skip("there is none")
	}
	return &m.orders[rapid.SampledFrom(those).Draw(r, "order")]
}

func (m *market) claim(r *rapid.T) {
	var pieces []any
	for _, item := range rapid.Permutation(marketItems).Draw(r, "items") {
		if n := rapid.IntRange(0, 3).Draw(r, item); n > 0 {
			pieces = append(pieces, item, n)
		}
	}
	o := cart(m.shop, pieces...)
	o.ID = ulid.Make().String()
	enough := true
	for _, line := range o.Intent.Lines {
		enough = enough && stockIn(m.t, m.ledger(), m.shop, line.Item).Available >= int64(line.Quantity)
	}
	err := tryClaim(m.t, m.ledger(), o)
	if enough != (err == nil) {
		r.Fatalf("enough: %v, but %v", enough, err)
	}
	if err == nil {
		m.orders = append(m.orders, order(m.t, m.ledger(), o.ID))
	}
}

func (m *market) end(o *ledger.Order, status ledger.Status, move func(*ledger.Tx, *ledger.Order) error) {
	update(m.t, m.ledger(), end(o.ID, status, move))
	*o = order(m.t, m.ledger(), o.ID)
}

func (m *market) timeOut(r *rapid.T) {
	o := m.one(r, ledger.StatusPending)
	m.end(o, rapid.SampledFrom([]ledger.Status{ledger.StatusClosed, ledger.StatusFailed}).Draw(r, "status"), (*ledger.Tx).ReturnStock)
}

func (m *market) pay(r *rapid.T) {
	m.end(m.one(r, ledger.StatusPending, ledger.StatusClosed, ledger.StatusFailed), ledger.StatusPaid, (*ledger.Tx).SellStock)
}

func (m *market) refund(r *rapid.T) {
	m.end(m.one(r, ledger.StatusPaid), ledger.StatusRefunded, func(*ledger.Tx, *ledger.Order) error { return nil })
}

func (m *market) count(r *rapid.T) {
	item, n := rapid.SampledFrom(marketItems).Draw(r, "item"), rapid.Int64Range(0, 6).Draw(r, "pieces")
	m.counted[item] += n - stockIn(m.t, m.ledger(), m.shop, item).Available
	count(m.t, m.ledger(), m.shop, item, n)
}

// check lays what orders have beside what there is: every piece that was counted can
// be sold, is reserved, or was sold.
func (m *market) check(r *rapid.T) {
	for _, item := range marketItems {
		var reserved, sold int64
		for _, o := range m.orders {
			for _, line := range o.Intent.Lines {
				switch {
				case line.Item != item || !o.HoldsStock:
				case o.Status == ledger.StatusPending:
					reserved += int64(line.Quantity)
				case o.Status.Paid():
					sold += int64(line.Quantity)
				default:
					r.Fatalf("an order that is %s holds stock", o.Status)
				}
			}
		}
		found := stockIn(m.t, m.ledger(), m.shop, item)
		if found.Available < 0 || found.Reserved != reserved || found.Available+reserved+sold != m.counted[item] {
			r.Fatalf("%s: %+v, orders have reserved %d and sold %d of %d", item, found, reserved, sold, m.counted[item])
		}
	}
}

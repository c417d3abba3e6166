// Package ledgertest is what every engine of the ledger must hold: the same cases,
// races included.
package ledgertest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Create makes an empty database, and returns what opens a ledger on it. What it
// opens it also closes when the test has ended.
type Create func(t *testing.T) (open func() ledger.Ledger)

// Run tests an engine.
func Run(t *testing.T, create Create) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, fixture)
	}{
		{"a step that fails leaves nothing, and its neighbours stay", failingSteps},
		{"a statement that fails fails the step that ignores it", ignoredFailure},
		{"what was acknowledged is read by the next view of another handle", readAfterWrite},
		{"a view sees one state", consistentView},
		{"a view cannot write", viewWrites},
		{"a step whose context has ended never runs", endedContext},
		{"a step whose context ends while it runs is whole or nothing", endingContext},
		{"a panic reaches the caller and undoes the step alone", panickingStep},
		{"a transaction ends with its step", keptTx},
		{"a closed ledger refuses steps", closedLedger},

		{"one of many claims of an order wins", claimRace},
		{"an order comes back as it was written", orderRoundTrip},
		{"unknown orders are unknown", unknownOrders},
		{"times keep microseconds and are UTC", times},
		{"any text comes back and is found", hostileText},
		{"a number of the gateway belongs to one order", uniqueSyssn},
		{"refunds never exceed what was paid", refundRace},
		{"a refund comes back as it was written", refundRoundTrip},
		{"a refund belongs to one order", uniqueRefund},
		{"an invoice is claimed as often as it may be", invoiceRace},
		{"a handoff is kept until it expires", handoffs},
		{"stock goes with its orders", stockOfOrders},
		{"who holds stock is found by payer", stockOfPayers},
		{"the last pieces are claimed once each", lastPieceRace},
		{"carts of the same items all come through", cartRace},
		{"no more is sold than there is", neverTooMany},
		{"an event happens once", eventsOnce},
		{"an orphan is kept once", orphansOnce},

		{"no two lease the same order", leaseRace},
		{"an order is leased when it is due", leaseTimes},
		{"one of many may ask the gateway", askRace},
		{"an account calls the gateway as often as it may", callRace},
		{"a delivery is added once", deliveriesOnce},
		{"no two lease the same delivery", deliveryRace},
		{"a delivery that is done with keeps no body", deliveryEnd},

		{"no two make the same comparison", comparisonRace},
		{"the first order of an account is the one that was started first", firstOrder},
		{"what the gateway made on a day is read by its numbers", paidOrders},

		{"the sums of a day are those of its rows", sumsOfRows},
		{"days follow any zone, the longest and the shortest too", daysOfZones},
		{"fields are erased when their time is over, the oldest first", eraseFields},
		{"a delivery that nobody makes keeps nothing of the payer", eraseTold},
		{"pages hold every order once", pages},
		{"a search finds what it names and nothing else", searches},
		{"what is to be fulfilled is found", ordersToDo},
		{"what went back counts on the day on which it did", givenBackOnItsDay},
		{"sums by item and way of paying are those of the rows", sumsByItemAndMethod},
		{"open shops and orders are named", openShops},
	} {
		t.Run(c.name, func(t *testing.T) {
			open := create(t)
			c.run(t, fixture{open(), open()})
		})
	}
}

// fixture is two handles on one database that was empty.
type fixture struct{ first, second ledger.Ledger }

// handle is one of the two.
func (f fixture) handle(i int) ledger.Ledger {
	if i%2 == 0 {
		return f.first
	}
	return f.second
}

// patience bounds every step of a test.
const patience = 30 * time.Second

var errOnPurpose = errors.New("the step fails on purpose")

func update(t *testing.T, l ledger.Ledger, step func(*ledger.Tx) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, l.Update(ctx, step))
}

func view(t *testing.T, l ledger.Ledger, step func(*ledger.Tx) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, l.View(ctx, step))
}

// atOnce calls f n times at the same moment and waits for all.
func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
}

// races is how many take part in a race.
const races = 64

// start is when the tests' orders are started: at noon of a day in UTC+8.
var start = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// newOrder is an order of 100.00 that was started at a time.
func newOrder(at time.Time) ledger.Order {
	return ledger.Order{
		ID:      ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String(),
		Shop:    "shop",
		Account: "account",
		Intent:  ledger.Intent{At: at, Amount: 10000, Currency: "HKD", Description: "Tea"},
		Claimed: at.Add(time.Second),
		Expires: at.Add(15 * time.Minute),
		CheckAt: at.Add(5 * time.Second),
	}
}

// claim puts an order into the ledger.
func claim(t *testing.T, l ledger.Ledger, o ledger.Order) ledger.Order {
	t.Helper()
	update(t, l, mustClaim(o))
	return o
}

// mustClaim is a step that fails if the order was claimed before.
func mustClaim(o ledger.Order) func(*ledger.Tx) error {
	return func(tx *ledger.Tx) error {
		claimed, err := tx.Claim(o)
		if err == nil && !claimed {
			err = errors.New("claimed before")
		}
		return err
	}
}

// change reads an order, changes and writes it.
func change(id string, how func(*ledger.Order)) func(*ledger.Tx) error {
	return func(tx *ledger.Tx) error {
		o, err := tx.Order(id)
		if err != nil {
			return err
		}
		how(&o)
		return tx.Save(o)
	}
}

func order(t *testing.T, l ledger.Ledger, id string) (o ledger.Order) {
	t.Helper()
	view(t, l, func(tx *ledger.Tx) (err error) {
		o, err = tx.Order(id)
		return err
	})
	return o
}

func has(t *testing.T, l ledger.Ledger, id string) bool {
	t.Helper()
	found := false
	view(t, l, func(tx *ledger.Tx) error {
		_, err := tx.Order(id)
		found = err == nil
		if errors.Is(err, ledger.ErrUnknown) {
			return nil
		}
		return err
	})
	return found
}

// everything is all orders of the shop.
func everything() ledger.Search {
	day := ledger.DayOf(start)
	return ledger.Search{Period: ledger.Period{First: day.Previous(), Last: day.Next()}, Shops: []string{"shop"}}
}

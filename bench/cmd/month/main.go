// Command month fills a ledger with the sales of a small shop from the first of last
// month until now, for the pictures in the documents:
//
//	go run ./cmd/month <ledger.db> <shop>
package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: month <ledger.db> <shop>")
		os.Exit(2)
	}
	if err := fill(context.Background(), os.Args[1], os.Args[2], time.Now().In(ledger.GatewayZone)); err != nil {
		fmt.Fprintln(os.Stderr, "month:", err)
		os.Exit(1)
	}
}

func fill(ctx context.Context, file, shop string, now time.Time) error {
	opened, err := ledger.OpenSQLite(ctx, file, nil)
	if err != nil {
		return err
	}
	defer opened.Close()
	m := &month{shop: shop, now: now, chance: rand.New(rand.NewPCG(7, 11))}
	first := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, now.Location())
	return opened.Update(ctx, func(tx *ledger.Tx) error {
		for day := first; day.Before(now); day = day.AddDate(0, 0, 1) {
			if err := m.fillDay(tx, day); err != nil {
				return err
			}
		}
		return nil
	})
}

type month struct {
	shop   string
	now    time.Time
	chance *rand.Rand
	count  int
}

var things = []ledger.Line{
	{Item: "cat-food", Name: "Cat food 猫粮", Price: 12800},
	{Item: "dog-treats", Name: "Dog treats 狗零食", Price: 4650},
	{Item: "goldfish-bowl", Name: "Goldfish bowl 金鱼缸", Price: 32000},
}

var people = []ledger.Fields{
	{"name": {"陈大文"}, "address": {"1 Harbour Road, Wan Chai"}, "note": {"Please ring twice."}},
	{"name": {"Ann Lee"}, "address": {"Flat 12B, 8 Peak Street"}},
	{"name": {"黃小玲"}, "address": {"九龍彌敦道 100 號"}},
	{"name": {"Ravi Kumar"}, "address": {"Shop 3, Star Ferry Pier"}, "note": {"For Bella, a beagle"}},
}

// fillDay sells more towards the weekend.
func (m *month) fillDay(tx *ledger.Tx, day time.Time) error {
	orders := 4 + m.chance.IntN(5)
	if weekday := day.Weekday(); weekday == time.Friday || weekday == time.Saturday {
		orders += 5
	}
	for i := range orders {
		at := day.Add(9*time.Hour + time.Duration(i)*13*time.Hour/time.Duration(orders) + time.Duration(m.chance.IntN(1500))*time.Second)
		if at.After(m.now.Add(-2 * time.Minute)) {
			return nil
		}
		if err := m.sell(tx, at); err != nil {
			return err
		}
	}
	return nil
}

func (m *month) sell(tx *ledger.Tx, at time.Time) error {
	m.count++
	line := things[m.chance.IntN(len(things))]
	line.Quantity = 1
	if line.Item != "goldfish-bowl" && m.chance.IntN(4) == 0 {
		line.Quantity = 2
	}
	description := line.Name
	if line.Quantity > 1 {
		description += fmt.Sprintf(" × %d", line.Quantity)
	}
	o := ledger.Order{
		ID: ledger.NewID(at), Shop: m.shop, Account: "pictures", Method: []string{"jsapi", "jsapi", "alipayhk", "payme"}[m.chance.IntN(4)],
		Claimed: at, Expires: at.Add(15 * time.Minute),
		Intent: ledger.Intent{
			At: at, Amount: line.Price * int64(line.Quantity), Currency: "HKD", Description: description, Ref: fmt.Sprintf("INV-%d", 1000+m.count),
			Lines: []ledger.Line{line}, Fields: people[m.chance.IntN(len(people))],
		},
	}
	if _, err := tx.Claim(o); err != nil {
		return err
	}
	kept, err := tx.Order(o.ID)
	if err != nil {
		return err
	}
	if m.chance.IntN(12) == 0 {
		kept.Status, kept.Ended = ledger.StatusClosed, kept.Expires
		return tx.Save(kept)
	}
	return m.pay(tx, kept)
}

// pay has the order paid; all but the last ones are fulfilled, and some are refunded.
func (m *month) pay(tx *ledger.Tx, o ledger.Order) error {
	o.Status, o.Prepared, o.PaidAt = ledger.StatusPaid, o.Claimed.Add(time.Second), o.Claimed.Add(40*time.Second)
	o.Syssn = fmt.Sprintf("%s%012d", o.PaidAt.Format("20060102"), 200_000_000+m.count)
	events := []ledger.Event{
		{Kind: "claimed", At: o.Claimed},
		{Kind: "prepared", At: o.Prepared, Data: map[string]any{"syssn": o.Syssn}},
		{Kind: "paid", At: o.PaidAt, Data: map[string]any{"syssn": o.Syssn, "source": "notification", "late": false}},
	}
	if m.now.Sub(o.PaidAt) > 30*time.Hour {
		o.FulfilledAt, o.Note = o.PaidAt.Add(20*time.Hour), fmt.Sprintf("SF %d %d", 1000+m.count*7%9000, 1000+m.count*13%9000)
		events = append(events, ledger.Event{Kind: "fulfilled", At: o.FulfilledAt, Data: map[string]any{"note": o.Note}})
	}
	if m.count%9 == 0 {
		refund := ledger.Refund{
			Order: o.ID, Number: o.ID + "REFUND", Account: o.Account, RefundID: "page-1", Amount: o.Intent.Amount / 4, Currency: "HKD", Status: ledger.RefundDone,
			Requested: o.PaidAt.Add(time.Minute), Sent: o.PaidAt.Add(time.Minute), Ended: o.PaidAt.Add(2 * time.Minute), Syssn: o.Syssn + "9", Source: "reply",
		}
		o.Refunded, o.RefundedAt, o.Status = refund.Amount, refund.Ended, ledger.StatusPartiallyRefunded
		if err := tx.SaveRefund(refund); err != nil {
			return err
		}
		events = append(events,
			ledger.Event{Kind: "refund_requested", About: "page-1", At: refund.Requested, Data: map[string]any{"amount": refund.Amount}},
			ledger.Event{Kind: "refunded", About: "page-1", At: refund.Ended, Data: map[string]any{"amount": refund.Amount, "syssn": refund.Syssn, "source": "reply"}})
	}
	for _, event := range events {
		event.Subject, event.Shop = o.ID, m.shop
		if _, err := tx.AddEvent(event); err != nil {
			return err
		}
	}
	return tx.Save(o)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// archive is a shop whose ledger holds settled orders.
type archive struct {
	*shop
	name   string
	folder string
	starts []figures
	turns  map[string][]figures
}

const (
	// manyOrders is the most that a ledger is filled with, over archiveDays.
	manyOrders  = 1_000_000
	archiveDays = 300

	// seedBatch is how many orders are committed together.
	seedBatch = 5000
)

// openArchives fills ledgers. Of equal sizes the second is called so.
func (b *bench) openArchives(sizes []int) (all []*archive, err error) {
	for i, size := range sizes {
		a := &archive{name: thousands(size), turns: make(map[string][]figures)}
		if i > 0 && sizes[i-1] == size {
			a.name += ", second process"
		}
		if a.folder, err = b.filledFolder(size, i); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, settleDisk(all[0].folder)
}

// filledFolder is the folder of a ledger with so many orders. The largest is
// filled once and serves several measurements.
func (b *bench) filledFolder(size, number int) (string, error) {
	key := fmt.Sprint(size)
	if size < 1000 {
		key += fmt.Sprint("-", number)
	}
	if known, ok := b.filled[key]; ok {
		return known, nil
	}
	folder, err := b.folder(b.work)
	if err == nil {
		err = fill(ledgerIn(folder), size)
	}
	if err != nil {
		return "", err
	}
	if b.filled == nil {
		b.filled = make(map[string]string)
	}
	b.filled[key] = folder
	return folder, nil
}

// fill writes a ledger of settled orders, the oldest first, through the ledger
// itself, many to a transaction.
func fill(file string, size int) error {
	ctx := context.Background()
	l, err := ledger.OpenSQLite(ctx, file, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	newest := time.Now().Add(-time.Minute)
	oldest := newest.AddDate(0, 0, -archiveDays)
	gap := newest.Sub(oldest) / time.Duration(size)
	for first := 0; first < size; first += seedBatch {
		err := l.Update(ctx, func(tx *ledger.Tx) error {
			for n := first; n < min(first+seedBatch, size); n++ {
				if err := settled(tx, oldest.Add(time.Duration(n+1)*gap), n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return l.Close()
}

// settled leaves what a paid order leaves of which one endpoint was told.
func settled(tx *ledger.Tx, at time.Time, number int) error {
	o := ledger.Order{
		ID: ledger.NewID(at), Shop: shopName, Account: appCode, Claimed: at.Add(2 * time.Second), Expires: at.Add(15 * time.Minute),
		Intent: ledger.Intent{
			At: at, Amount: 12800, Currency: "HKD", Description: "Cat food 猫粮",
			Lines: []ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 1, Price: 12800}},
		},
	}
	if _, err := tx.Claim(o); err != nil {
		return err
	}
	o, err := tx.Order(o.ID)
	if err != nil {
		return err
	}
	o.Syssn = fmt.Sprintf("%s%012d", at.UTC().Format("20060102"), number)
	o.Prepared, o.PayURL = at.Add(3*time.Second), "http://127.0.0.1/q/direct?"+strings.Repeat("x", 600)
	o.Status, o.PaidAt = ledger.StatusPaid, at.Add(19*time.Second)
	if err := tx.Save(o); err != nil {
		return err
	}
	for i, kind := range []string{"claimed", "prepared", "paid"} {
		event := ledger.Event{Subject: o.ID, Shop: o.Shop, At: at.Add(time.Duration(2+i) * time.Second), Kind: kind}
		if kind != "claimed" {
			event.Data = map[string]any{"syssn": o.Syssn}
		}
		if _, err := tx.AddEvent(event); err != nil {
			return err
		}
	}
	return delivered(tx, o)
}

func delivered(tx *ledger.Tx, o ledger.Order) error {
	err := tx.AddDelivery(ledger.Delivery{
		Shop: o.Shop, Subject: o.ID, Endpoint: "0123456789abcdef", MessageID: "msg_" + o.ID, Kind: "order.paid",
		At: o.PaidAt, Body: json.RawMessage(`{}`), NextAt: o.PaidAt,
	})
	if err != nil {
		return err
	}
	all, err := tx.Deliveries(o.ID)
	if err != nil {
		return err
	}
	for _, d := range all {
		d.Status, d.Attempts, d.Attempted, d.LastStatus = ledger.DeliveryDelivered, 1, o.PaidAt.Add(time.Second), http.StatusNoContent
		if _, err := tx.SaveDelivery(d); err != nil {
			return err
		}
	}
	return nil
}

// settleDisk waits until what was written is on the disk, so that nothing of it
// is measured.
func settleDisk(folder string) error {
	file, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Syncfs(int(file.Fd()))
}

// thousands writes 10000 as 10,000.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

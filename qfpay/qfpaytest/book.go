package qfpaytest

import (
	"fmt"
	"time"
)

// book holds the trades, found by either number or by what the wallet knows.
type book struct {
	trades   *shelf[*Trade]    // by out_trade_no
	bySyssn  map[string]string // to out_trade_no
	byPrepay map[string]string // to out_trade_no
	entries  int               // ever made
}

func newBook(limit int) *book {
	return &book{
		trades:   newShelf[*Trade](limit),
		bySyssn:  make(map[string]string),
		byPrepay: make(map[string]string),
	}
}

func (b *book) add(t *Trade) {
	if dropped, full := b.trades.put(t.OutTradeNo, t); full {
		delete(b.bySyssn, dropped.Syssn)
		delete(b.byPrepay, dropped.prepayID)
	}
	b.bySyssn[t.Syssn] = t.OutTradeNo
	if t.prepayID != "" {
		b.byPrepay[t.prepayID] = t.OutTradeNo
	}
}

func (b *book) find(outTradeNo string) (*Trade, bool) { return b.trades.get(outTradeNo) }

func (b *book) findSyssn(syssn string) (*Trade, bool) { return b.trades.get(b.bySyssn[syssn]) }

func (b *book) findPrepay(prepayID string) (*Trade, bool) { return b.trades.get(b.byPrepay[prepayID]) }

// number counts an entry and gives its 26-digit serial number: the day in UTC+8, a
// prefix, the time, four digits of the seed, and the end of the count. A simulator
// that is started again, and counts from the beginning, gives no number twice.
func (b *book) number(d dice, now time.Time) (count int, syssn string) {
	b.entries++
	now = now.In(gatewayZone)
	return b.entries, fmt.Sprintf("%s0002%s%s%04d",
		now.Format("20060102"), now.Format("150405"), letters(d.roll("syssn", b.entries), digits, 4), b.entries%10_000)
}

package ledger

import (
	"database/sql"
	"time"
)

// Orphan is a payment that the gateway reported and that is no order of the
// ledger.
type Orphan struct {
	Account        string    `json:"-"`
	Shop           string    `json:"name"` // the block at which it was reported
	Syssn          string    `json:"syssn"`
	At             time.Time `json:"at"`
	NotifyType     string    `json:"notify_type"`
	OutTradeNo     string    `json:"out_trade_no"`
	OrigSyssn      string    `json:"orig_syssn,omitempty"`
	OrigOutTradeNo string    `json:"orig_out_trade_no,omitempty"`
	Amount         int64     `json:"amount"` // minor units of Currency
	Currency       string    `json:"currency"`
}

// AddOrphan keeps an orphan. It reports false, and adds nothing, if the ledger
// has it.
func (tx *Tx) AddOrphan(o Orphan) (added bool, err error) {
	rows, err := tx.exec(`INSERT INTO orphans (account, syssn, shop, at, notify_type, out_trade_no, orig_syssn, orig_out_trade_no, amount, currency)
		VALUES (`+marks(10)+`) ON CONFLICT (account, syssn) DO NOTHING`,
		o.Account, o.Syssn, o.Shop, stamp{o.At}, o.NotifyType, o.OutTradeNo, o.OrigSyssn, o.OrigOutTradeNo, o.Amount, o.Currency)
	return rows > 0, err
}

// Orphans returns the newest orphans of the shops.
func (tx *Tx) Orphans(shops []string, limit int) (orphans []Orphan, err error) {
	if len(shops) == 0 {
		return nil, nil
	}
	err = tx.query(func(rows *sql.Rows) error {
		var o Orphan
		err := rows.Scan(&o.Account, &o.Syssn, &o.Shop, into(&o.At), &o.NotifyType, &o.OutTradeNo, &o.OrigSyssn, &o.OrigOutTradeNo, &o.Amount, &o.Currency)
		orphans = append(orphans, o)
		return err
	}, `SELECT account, syssn, shop, at, notify_type, out_trade_no, orig_syssn, orig_out_trade_no, amount, currency FROM orphans
		WHERE shop IN (`+marks(len(shops))+`) ORDER BY at DESC, syssn LIMIT ?`, append(texts(shops), limit)...)
	return orphans, err
}

package ledger

import "time"

// AddHandoff keeps what a screen hands to a phone, sealed, until a time. One that is
// there already stays as it is.
func (tx *Tx) AddHandoff(shop, order, sealed string, until time.Time) error {
	_, err := tx.exec(`INSERT INTO handoffs (order_id, shop, sealed, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (order_id) DO NOTHING`,
		order, shop, sealed, stamp{until})
	return err
}

// Handoff returns what is handed over for an order, sealed, or [ErrUnknown].
func (tx *Tx) Handoff(shop, order string) (sealed string, err error) {
	found, err := tx.scanInto([]any{&sealed}, `SELECT sealed FROM handoffs WHERE shop = ? AND order_id = ?`, shop, order)
	if err == nil && !found {
		err = ErrUnknown
	}
	return sealed, err
}

// HasOldHandoffs reports whether some handoffs expired before a time.
func (tx *Tx) HasOldHandoffs(before time.Time) (bool, error) {
	var order string
	return tx.scanInto([]any{&order}, `SELECT order_id FROM handoffs WHERE expires_at < ? LIMIT 1`, stamp{before})
}

// EraseHandoffs erases up to limit handoffs that expired before a time, the oldest
// first, and returns how many.
func (tx *Tx) EraseHandoffs(before time.Time, limit int) (erased int64, err error) {
	return tx.exec(`DELETE FROM handoffs WHERE order_id IN (SELECT order_id FROM handoffs WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`,
		stamp{before}, limit)
}

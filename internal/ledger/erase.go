package ledger

import (
	"encoding/json"
	"time"
)

// orderEnd is when nothing more was to be expected of an order: when the shop had
// done its part or the last money went back, else when we learned that it was paid,
// else when it failed or was closed; NULL before. The schema has an index on it.
const orderEnd = `COALESCE(CASE WHEN fulfilled_at > refunded_at THEN fulfilled_at ELSE COALESCE(refunded_at, fulfilled_at) END, ended_at)`

// EraseFields erases what payers told a shop with up to limit orders that ended
// before a time, the oldest first, and returns their ids. Deliveries that are under
// way keep it: see [Tx.EraseTold].
func (tx *Tx) EraseFields(shop string, before time.Time, limit int) (erased []string, err error) {
	err = tx.query(collectTexts(&erased), `SELECT id FROM orders WHERE shop = ? AND fields <> '' AND `+orderEnd+` < ? ORDER BY `+orderEnd+` LIMIT ?`+tx.skipLocked(),
		shop, stamp{before}, limit)
	for _, order := range erased {
		if err == nil {
			_, err = tx.exec(`UPDATE orders SET fields = '' WHERE id = ?`, order)
		}
	}
	return erased, err
}

// EraseTold erases what payers told a shop from up to limit deliveries that are still
// due although their events happened before a time, and returns how many. Nobody
// makes them any more, as where their endpoint was taken out of the configuration.
func (tx *Tx) EraseTold(shop string, before time.Time, limit int) (erased int, err error) {
	var due []Delivery
	err = tx.query(collectDeliveries(&due), `SELECT `+deliveryColumns+` FROM deliveries
		WHERE next_at IS NOT NULL AND shop = ? AND at < ? AND body LIKE '%"fields":%' ORDER BY id LIMIT ?`+tx.skipLocked(),
		shop, stamp{before}, limit)
	for _, d := range due {
		if err == nil {
			_, err = tx.exec(`UPDATE deliveries SET body = ? WHERE id = ?`, withoutFields(d.Body), d.ID)
		}
	}
	return len(due), err
}

// withoutFields is the body of a delivery without what the payer told.
func withoutFields(body json.RawMessage) string {
	said := make(map[string]json.RawMessage)
	_ = json.Unmarshal(body, &said) // one that somebody has damaged loses all
	delete(said, "fields")
	text, err := json.Marshal(said)
	if err != nil {
		return "{}"
	}
	return string(text)
}

package ledger

import "time"

// LockInvoice makes other steps that claim uses of an invoice wait until this one
// has ended.
func (tx *Tx) LockInvoice(shop, invoice string) error {
	_, err := tx.exec(`INSERT INTO invoices (shop, invoice) VALUES (?, ?)
		ON CONFLICT (shop, invoice) DO UPDATE SET invoice = excluded.invoice`, shop, invoice)
	return err
}

// InvoiceUses returns how many orders, but for one, have paid an invoice, and how
// many can still be paid: those that the gateway took, and those that it may have
// taken because they were claimed after a time.
func (tx *Tx) InvoiceUses(shop, invoice, except string, claimedAfter time.Time) (paid, payable int, err error) {
	_, err = tx.scanInto([]any{&paid, &payable}, `SELECT COUNT(paid_at),
		COUNT(CASE WHEN status = 'pending' AND (prepared_at IS NOT NULL OR claimed_at > ? AND unconfirmed_at IS NULL) THEN 1 END)
		FROM orders WHERE shop = ? AND invoice = ? AND invoice <> '' AND id <> ?`, stamp{claimedAfter}, shop, invoice, except)
	return paid, payable, err
}

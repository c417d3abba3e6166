package mail

import "time"

// writeToPayer writes the receipt, and the note that the shop has sent the order.
func (m *Mailer) writeToPayer(l *letter, kind string, at time.Time, e event) error {
	l.buy(e)
	switch kind {
	case KindPaid:
		l.file = "mail-receipt"
		l.Subject = l.t("receipt.subject", l.Merchant, l.Sum)
		l.Title, l.Lead = l.t("receipt.title"), l.t("receipt.lead", l.Merchant)
		l.add("paid_at", l.clock(e.PaidAt))
	case KindFulfilled:
		l.file = "mail-sent"
		l.Subject = l.t("sent.subject", l.Merchant)
		l.Title, l.Lead = l.t("sent.title"), l.t("sent.lead", l.Merchant)
		l.Note = prose(e.Note)
		l.add("note", e.Note)
		l.add("sent_at", l.clock(at))
	default:
		return errNothing
	}
	l.add("ref", e.Ref)
	l.add("order", e.Order)
	l.Foot = l.t("payer.foot", l.Merchant)
	l.link(m.config.ReceiptURL, e.Order, "link.receipt")
	return nil
}

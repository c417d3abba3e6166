package mail

import (
	"maps"
	"slices"
	"strconv"
)

// mostNotes bounds how many differences a mail names.
const mostNotes = 50

// writeToOwner writes what happened, and what to do about it.
func (m *Mailer) writeToOwner(l *letter, kind string, e event) error {
	write, ok := map[string]func(*letter, event){
		KindPaid: writePaid, KindDisputed: writeDisputed, KindOrphaned: writeOrphaned,
		KindStuck: writeStuck, KindCompared: writeCompared, KindGaveUp: writeGaveUp,
	}[kind]
	if !ok {
		return errNothing
	}
	l.file = "mail-owner"
	write(l, e)
	l.Foot = l.t("owner.foot", l.Merchant)
	l.link(m.config.OrderURL, e.Order, "link.order")
	return nil
}

// say sets what the mail is about.
func (l *letter) say(about string, args ...any) {
	l.Subject = l.t("owner."+about+".subject", args...)
	l.Title, l.Lead = l.t("owner."+about+".title"), l.t("owner."+about+".lead")
}

func writePaid(l *letter, e event) {
	l.buy(e)
	about := "paid"
	switch {
	case e.Stock == "short":
		about = "short"
	case e.Late:
		about = "late"
	}
	l.say(about, l.Sum, l.Description)
	l.Fields = make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		l.Fields[name] = prose(e.Fields[name].String())
		l.Rows = append(l.Rows, row{l.locale.Field(name), l.Fields[name]})
	}
	l.add("ref", e.Ref)
	l.add("paid_at", l.clock(e.PaidAt))
	l.add("method", l.method(e.Method))
	l.add("order", e.Order)
	l.add("syssn", e.Syssn)
}

func writeDisputed(l *letter, e event) {
	l.say("disputed", l.money(e.Amount, e.Currency))
	l.add("ordered", l.money(e.Amount, e.Currency))
	l.add("reported", l.money(e.Gateway.Amount, e.Gateway.Currency))
	l.add("description", e.Description)
	l.add("order", e.Order)
	l.add("syssn", e.Gateway.Syssn)
}

func writeOrphaned(l *letter, e event) {
	l.say("orphaned", l.money(e.Amount, e.Currency))
	l.Sum = l.money(e.Amount, e.Currency)
	l.add("syssn", e.Syssn)
	l.add("out_trade_no", e.OutTradeNo)
	l.add("orig_syssn", e.OrigSyssn)
	l.add("orig_out_trade_no", e.OrigOutTradeNo)
	l.add("notify_type", e.NotifyType)
}

func writeStuck(l *letter, e event) {
	sum := l.money(e.Refund.Amount, e.Currency)
	l.say("stuck", sum)
	l.Sum = sum
	l.add("refund", e.Refund.ID)
	l.add("respcd", e.Refund.Respcd)
	l.add("out_trade_no", e.Refund.OutTradeNo)
	l.add("order", e.Order)
	l.add("syssn", e.Syssn)
}

func writeCompared(l *letter, e event) {
	day := l.locale.Day(e.Day)
	about, args := "differs", []any{e.Differences, day}
	if e.Problem != "" {
		about, args = "incomplete", []any{day}
	}
	l.say(about, args...)
	l.add("problem", e.Problem)
	for _, found := range e.Findings[:min(len(e.Findings), mostNotes)] {
		l.Notes = append(l.Notes, prose(found.Text))
	}
	if more := e.Differences - len(l.Notes); more > 0 && len(l.Notes) > 0 {
		l.Notes = append(l.Notes, l.t("owner.differs.more", more))
	}
}

func writeGaveUp(l *letter, e event) {
	l.say("gave_up", e.Event)
	l.add("event", e.Event)
	l.add("endpoint", e.Endpoint)
	if e.Attempts > 0 {
		l.add("attempts", strconv.Itoa(e.Attempts))
	}
	l.add("error", e.Error)
	l.add("order", e.Order)
}

// method is how it was paid: by the name of the method, unless there are words for it.
func (l *letter) method(method string) string {
	if text, ok := l.locale.Texts["method."+method]; ok {
		return text
	}
	return method
}

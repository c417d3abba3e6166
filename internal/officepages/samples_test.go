package officepages

import "time"

const hostile = `"><script>alert(1)</script>'&`

// samples are pages of every type in every state, with text wherever text of
// others can stand.
func samples(text string) map[string]Page {
	money := func(minor int64) Money { return Money{minor, "HKD"} }
	row := Row{
		Order: "01KAR4ZV8N6Q2W3E4R5T6Y7X8J", URL: "?order=01KAR4ZV8N6Q2W3E4R5T6Y7X8J", Ledger: text, Status: "partially_refunded",
		At: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), Amount: money(25600), Refunded: money(5600), Description: text, Ref: text,
		Late: true, Disputed: true, Refunding: true,
	}
	spans := []Span{
		{Name: "2026-11-22", Kept: money(0), Taken: money(0), Refunded: money(0)},
		{Name: "2026-11-23", Paid: 2, Taken: money(25600), Refunded: money(5600), Kept: money(20000)},
	}
	list := List{
		Search: Search{From: "2026-11-22", To: "2026-11-23", Status: "paid", Text: text, Ledger: text},
		Totals: []Total{{Orders: 1234567, Paid: 2, Taken: money(25600), Refunded: money(5600), Kept: money(20000)}},
		Charts: []Chart{{Currency: "HKD", Spans: spans}, {Currency: "JPY", Monthly: true, Spans: []Span{{Name: "2026-11", Taken: Money{1, "JPY"}, Kept: Money{1, "JPY"}}}}},
		Found:  2, Ledgers: true, NewestURL: "?from=2026-11-22", OlderURL: "?before=01KAR4ZV8N6Q2W3E4R5T6Y7X8J", CSVURL: "?format=csv",
	}
	for _, name := range []string{"today", "yesterday", "month", "last_month"} {
		list.Presets = append(list.Presets, Preset{Name: name, URL: "?from=2026-11-23", Current: name == "today"})
	}
	for _, status := range []string{"pending", "failed", "closed", "paid", "partially_refunded", "refunded"} {
		row.Status = status
		list.Rows = append(list.Rows, row)
	}
	order := Order{
		Row: row, PaidAt: row.At, Syssn: text, Invoice: text, Items: []Item{{text, 2, money(25600)}}, Fields: []Pair{{"name", text}, {text, text}},
		Refunds: []Refund{{text, "done", text, "", money(1)}, {"b", "pending", "", "", money(1)}, {"c", "refused", "", text, money(1)}},
		Left:    money(100), Typed: text, Wrong: "amount", Closable: true, Ask: []Pair{{"do", "query"}, {"token", text}}, URL: "?order=1", BackURL: "?day=2026-11-23",
	}
	for _, kind := range []string{
		"intent", "prepared", "paid", "failed", "closed", "refunding", "refund", "refused", "partially_refunded", "refunded", "disputed", "attempt", "delivered", text,
	} {
		order.Facts = append(order.Facts, Fact{kind, text, row.At, []Pair{{text, text}}})
	}
	all := map[string]Page{
		"list": list, "list empty": List{}, "order": order, "order bare": Order{Row: Row{Status: "paid", Amount: money(1)}, Wrong: "too_much", Left: money(1)},
		"confirm refund": Confirm{Row: row, Do: "refund", Amount: money(5600), Rest: money(20000), Hidden: []Pair{{"token", text}}, URL: "?order=1", BackURL: "?order=1"},
		"confirm close":  Confirm{Row: row, Do: "close", URL: "?order=1", BackURL: "?order=1"},
	}
	for _, notice := range []string{"asked", "closed", "refund_done", "refund_pending", "refund_refused"} {
		with := order
		with.Notice = notice
		all["order "+notice] = with
	}
	for kind := range statuses {
		all["problem "+string(kind)] = Problem{Kind: kind, Detail: text}
		all["problem of an order "+string(kind)] = Problem{Kind: kind, BackURL: "?order=1"}
	}
	return all
}

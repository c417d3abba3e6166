package pages

import "time"

const hostile = `"><script>alert(1)</script>'&`

// samples are pages of every type in every state, with text wherever text of
// others can stand.
func samples(text string) map[string]Page {
	money := func(minor int64) Money { return Money{minor, "HKD"} }
	row := Row{
		Order: "01KAR4ZV8N6Q2W3E4R5T6Y7X8J", URL: "?order=01KAR4ZV8N6Q2W3E4R5T6Y7X8J", Shop: text, Status: "partially_refunded", Method: "jsapi",
		At: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), Amount: money(25600), Refunded: money(5600), Description: text, Ref: text,
		Late: true, Disputed: true, Refunding: money(100), Fulfilled: true, Damaged: true,
	}
	spans := []Span{
		{Name: "2026-11-22", Net: money(0), Gross: money(0), Refunded: money(0)},
		{Name: "2026-11-23", Paid: 2, Gross: money(25600), Refunded: money(5600), Net: money(20000)},
	}
	list := List{
		Search: Search{From: "2026-11-22", To: "2026-11-23", Status: "paid", Method: "alipayhk", Fulfilled: "false", Text: text, Shop: text},
		Totals: []Total{{Orders: 1234567, Paid: 2, Gross: money(25600), Refunded: money(5600), Net: money(20000), GivenBack: &Money{5600, "HKD"}}, {Orders: 1, Paid: 1, Gross: Money{1, "JPY"}, Net: Money{1, "JPY"}}},
		Charts: []Chart{{Currency: "HKD", Spans: spans, GivesBack: true}, {Currency: "JPY", Monthly: true, Spans: []Span{{Name: "2026-11", Gross: Money{1, "JPY"}, Net: Money{1, "JPY"}}}}},
		Found:  2, Shops: true, NewestURL: "?from=2026-11-22", OlderURL: "?before=01KAR4ZV8N6Q2W3E4R5T6Y7X8J", CSVURL: "?format=csv", ToldCSVURL: "?format=csv&fields=true",
		SharesURL: "?sums=1", Shares: &Shares{
			Items:   []ItemShare{{text, text, 2, money(1)}, {"", "", 1, money(2)}},
			Methods: []MethodShare{{text, Total{Paid: 2, Gross: money(3), Net: money(3)}}},
		},
	}
	for _, name := range []string{"todo", "today", "yesterday", "month", "last_month", "stock"} {
		list.Presets = append(list.Presets, Preset{Name: name, URL: "?from=2026-11-23", Current: name == "today"})
	}
	for _, status := range []string{"pending", "failed", "closed", "paid", "partially_refunded", "refunded", text} {
		row.Status = status
		row.Method = text
		list.Rows = append(list.Rows, row)
	}
	order := Order{
		Row: row, PaidAt: row.At, Syssn: text, Invoice: text, Items: []Item{{text, 2, money(25600)}}, Fields: []Pair{{"name", text}, {text, text}},
		Refunds: []Refund{{text, "done", text, "", money(1), row.At}, {"b", "pending", "", "", money(1), row.At}, {"c", "refused", "", text, money(1), row.At}},
		Deliveries: []Delivery{
			{"order.paid", text, "due", 2, 503, row.At}, {"order.paid", text, "delivered", 1, 200, time.Time{}}, {"order.refunded", text, "gave_up", 16, 0, time.Time{}},
		},
		FulfilledAt: row.At, Note: text, Short: true, TypedNote: text, Was: text, Fulfil: []Pair{{"do", "fulfil"}, {"token", text}}, Undo: []Pair{{"do", "unfulfil"}}, PrintURL: "?order=1&print=1",
		Left: money(100), Typed: text, Wrong: "amount", Closable: true, Ask: []Pair{{"do", "query"}, {"token", text}}, URL: "?order=1", BackURL: "?day=2026-11-23", Zone: text,
	}
	for _, kind := range []string{
		"claimed", "prepared", "unconfirmed", "paid", "failed", "closed", "disputed", "refund_requested", "refund_sent", "refunded", "refund_refused", "refund_stuck", "fulfilled", "unfulfilled", "fields_erased", "stock_released", text,
	} {
		order.Events = append(order.Events, Event{kind, text, row.At, []Pair{{text, text}, {"late", "true"}}})
	}
	toDo := ToDo{
		Presets: list.Presets, Count: 1234, Done: row, Shops: true, FirstURL: "?", NextURL: "?after=1", PrintURL: "?print=1",
		Packs: []Pack{{Row: row, PaidAt: row.At, Short: true, Items: order.Items, Fields: order.Fields, Fulfil: order.Fulfil, URL: "?order=1"}},
	}
	bare := Pack{Row: Row{Order: "01KAR4ZV8N6Q2W3E4R5T6Y7X8K", Status: "paid", Amount: money(1)}}
	toDo.Packs = append(toDo.Packs, bare)
	uncounted := toDo
	uncounted.Uncounted = true
	stock := Stock{Presets: list.Presets, Shops: true, URL: "?stock=1", Items: []StockItem{
		{Item: "bowl", Name: text, Shop: text, Available: 1234, Reserved: 2, Counted: row.At, Done: true, Hidden: []Pair{{"item", text}}}, {Item: "food", Name: text, Changed: true, Typed: text},
	}}
	all := map[string]Page{
		"stock": stock, "stock empty": Stock{},
		"list": list, "list empty": List{}, "order": order, "order bare": Order{Row: Row{Status: "paid", Amount: money(1)}, Wrong: "too_much", Left: money(1), Fulfil: []Pair{{"do", "fulfil"}}},
		"todo": toDo, "todo uncounted": uncounted, "todo empty": ToDo{}, "todo end": ToDo{FirstURL: "?"},
		"sheets": Sheets{Packs: toDo.Packs, More: true, Shops: true, BackURL: "?"}, "sheets empty": Sheets{BackURL: "?"},
		"confirm refund":        Confirm{Row: row, Do: "refund", Amount: money(5600), Rest: money(20000), Hidden: []Pair{{"token", text}}, URL: "?order=1", BackURL: "?order=1"},
		"confirm refund of all": Confirm{Row: row, Do: "refund", Amount: row.Amount, URL: "?order=1", BackURL: "?order=1"},
		"confirm close":         Confirm{Row: row, Do: "close", URL: "?order=1", BackURL: "?order=1"},
	}
	for _, notice := range []string{"asked", "changed", "closed", "fulfilled", "unfulfilled", "refund_done", "refund_pending", "refund_refused"} {
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

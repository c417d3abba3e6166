package mail

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Samples renders every mail in every language, and returns the HTML by the mail's name
// and the language's tag, such as "paid late en".
func (set *Set) Samples() (map[string]string, error) {
	all, html := samples(), make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, language := range words.Locales {
			l, err := sampleLetter(all[name], language.Tag)
			if err == nil {
				_, html[name+" "+language.Tag], err = set.render(l)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return html, nil
}

// sample is a mail to either, about an event.
type sample struct {
	kind    string
	toPayer bool
	data    string
}

const sampleOrder = `"shop":"main","order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","status":"paid","method":"jsapi","amount":25600,"currency":"HKD",` +
	`"description":"Cat food and 1 more","ref":"INV-42","syssn":"20261123000200020081234567","paid_at":"2026-11-23T10:04:00Z","late":false,` +
	`"fields":{"name":"陳大文","address":"8 Queen’s Road\nCentral","email":"payer@example.com"},` +
	`"items":[{"item":"cat-food","name":"Cat food","quantity":2,"price":10000},{"item":"toy","name":"Toy mouse 玩具老鼠","quantity":1,"price":5600}]`

// samples is every mail in every state, by name.
func samples() map[string]sample {
	return map[string]sample{
		"receipt":       {KindPaid, true, `{` + sampleOrder + `}`},
		"receipt plain": {KindPaid, true, `{"order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","amount":500,"currency":"JPY","fields":{"email":"payer@example.com"}}`},
		"sent":          {KindFulfilled, true, `{` + sampleOrder + `,"note":"SF Express 1234567890","fulfilled_at":"2026-11-24T02:00:00Z"}`},
		"paid":          {KindPaid, false, `{` + sampleOrder + `}`},
		"paid late":     {KindPaid, false, `{"order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","amount":1250,"currency":"HKD","description":"Donation","late":true,"method":"payme"}`},
		"paid short":    {KindPaid, false, `{"order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","amount":1250,"currency":"HKD","description":"Bowl","late":true,"stock":"short","method":"payme"}`},
		"disputed":      {KindDisputed, false, `{` + sampleOrder + `,"gateway":{"syssn":"20261123000200020081234568","amount":100,"currency":"HKD"}}`},
		"orphaned": {KindOrphaned, false, `{"shop":"main","syssn":"20261123000200020081234569","out_trade_no":"shop-77","amount":8800,"currency":"HKD",` +
			`"notify_type":"refund","orig_syssn":"20261122000200020081234569","orig_out_trade_no":"shop-76"}`},
		"stuck": {KindStuck, false, `{` + sampleOrder + `,"refund":{"refund_id":"r1","out_trade_no":"01KAR4ZV8N6Q2W3E4R5T6Y7X8JR1","amount":5000,"respcd":"1143"}}`},
		"differs": {KindCompared, false, `{"shop":"main","day":"2026-11-23","differences":60,"findings":[{"kind":"paid_here","text":"order 01KAR4ZV8N6Q2W3E4R5T6Y7X8J is paid here, ` +
			`and the gateway does not show its payment"},{"kind":"unknown_there","text":"payment 20261123000200020081234569 of HKD 88.00 is no order here"}]}`},
		"incomplete": {KindCompared, false, `{"shop":"main","day":"2026-11-23","differences":0,"findings":[],"problem":"stopped on 2026-11-23: it took too long"}`},
		"gave up":    {KindGaveUp, false, `{"shop":"main","order":"01KAR4ZV8N6Q2W3E4R5T6Y7X8J","event":"order.paid","endpoint":"https://programs.example.com/paid","attempts":10,"error":"answered 500"}`},
	}
}

func sampleMailer(language string) (*Mailer, error) {
	link := func(order string) string { return "https://shop.example/orders/" + order }
	return New(Config{
		URL: "smtp://localhost", From: "shop@example.com", To: []string{"owner@example.com"}, Receipt: "email",
		Merchant: "Harbour Pets 海港宠物", Language: language, OrderURL: link, ReceiptURL: link,
	})
}

func sampleLetter(s sample, language string) (*letter, error) {
	m, err := sampleMailer(language)
	if err != nil {
		return nil, err
	}
	var told event
	if err := json.Unmarshal([]byte(s.data), &told); err != nil {
		return nil, err
	}
	told.Locale = language
	e := m.endpoints[0]
	if s.toPayer {
		e = m.endpoints[1]
	}
	return e.write(Message{Kind: s.kind, At: time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)}, told)
}

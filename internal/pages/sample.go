package pages

import "time"

// sampleOrder is an order with every field filled.
func sampleOrder() Order {
	return Order{
		ID:          "01KAR4ZV8N6Q2W3E4R5T6Y7X8J",
		Merchant:    "Harbour Pets 海港宠物",
		Description: "Cat food",
		Quantity:    2,
		Amount:      Amount{"256.00", "HKD"},
		Ref:         "INV-42",
	}
}

// samples returns every page in every state, about o.
func samples(o Order) map[string]Page {
	all := map[string]Page{
		"handoff":       Handoff{Order: o, Link: "https://shop.example/pay/cat-food?quantity=2"},
		"handoff phone": Handoff{Order: o, Link: "https://shop.example/pay/cat-food", Phone: true},
		"handoff watch": Handoff{Order: o, Link: "https://shop.example/pay?handoff=1", WatchURL: "/pay?handoff=1", Refresh: 5 * time.Second},
		"sheet":         Sheet{Order: o, PayParams: `{"appId":"wx1","package":"prepay_id=1"}`, ReturnURL: "/pay/return/1", FallbackURL: "https://gate.example/q"},
		"form": Form{Order: o, Action: "/pay/cat-food", Hidden: []Pair{{"quantity", "2"}}, Inputs: []Input{
			{Name: "name", Required: true}, {Name: "phone", Value: "1", Wrong: true}, {Name: "dog_size", Value: o.Merchant},
		}},
		"form amount":     Form{Order: Order{Merchant: o.Merchant}, Action: "/pay", Inputs: []Input{{Name: "amount", Required: true}}, Min: Amount{"5.00", "HKD"}, Max: Amount{"1000.00", "HKD"}},
		"confirm":         Confirm{Order: o, Action: "/pay/callback/1"},
		"confirming":      Confirming{Order: o, Check: 3, Refresh: 3 * time.Second, CheckURL: "/pay/return/1", ContinueURL: "/pay/go"},
		"confirming rest": Confirming{Order: o, Check: 9, CheckURL: "/pay/return/1"},
		"checking":        Checking{Order: o, CheckURL: "/pay/callback/1", Refresh: 2500 * time.Millisecond, StartURL: "/pay/cat-food"},
		"checking rest":   Checking{Order: o, CheckURL: "/pay/callback/1", StartURL: "/pay/cat-food"},
		"receipt":         Receipt{Order: o, PaidAt: time.Date(2026, 11, 23, 18, 4, 0, 0, time.UTC), ShopURL: "/"},
		"receipt cart":    Receipt{Order: sampleCart(o), ShopURL: "/"},
		"confirm cart":    Confirm{Order: sampleCart(o), Action: "/pay/callback/1"},
		"receipt plain":   Receipt{Order: Order{ID: o.ID}},
		"failed":          Failed{Order: o, StartURL: "/pay/cat-food", ShopURL: "https://shop.example/"},
	}
	for _, k := range append(Kinds(), "no_such_kind") {
		all["problem "+string(k)] = Problem{Kind: k, StartURL: "/pay/a", ShopURL: "/", RetryURL: "/pay/b"}
	}
	return all
}

// sampleCart is o with three things in it.
func sampleCart(o Order) Order {
	o.Quantity = 1
	o.Lines = []Line{
		{Name: o.Description, Quantity: 2, Sum: Amount{"200.00", "HKD"}},
		{Name: "Goldfish bowl 金鱼缸", Quantity: 1, Sum: Amount{"46.00", "HKD"}},
		{Name: o.Merchant, Quantity: 1, Sum: Amount{"10.00", "HKD"}},
	}
	return o
}

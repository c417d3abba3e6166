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

// sampleZone is that of the times of the samples.
var sampleZone = time.FixedZone("UTC+8", 8*60*60)

// samples returns every page in every state, about o.
func samples(o Order) map[string]Page {
	all := map[string]Page{
		"handoff":       Handoff{Order: o, Link: "https://shop.example/pay/cat-food?quantity=2"},
		"handoff phone": Handoff{Order: o, Link: "https://shop.example/pay/cat-food", Phone: true},
		"handoff watch": sampleHandoff(o, false, false), "handoff watch phone": sampleHandoff(o, true, false),
		"handoff paying": sampleHandoff(o, false, true), "handoff paying phone": sampleHandoff(o, true, true),
		"handoff cart": sampleHandoff(sampleCart(o), false, false),
		"sheet":        PaySheet{Order: o, PayParams: `{"appId":"wx1","package":"prepay_id=1"}`, ReturnURL: "/pay/return/1", FallbackURL: "https://gate.example/q", ShopURL: "/"},
		"form": Form{Order: o, Action: "/pay/cat-food", Hidden: []Pair{{"quantity", "2"}}, Inputs: []Input{
			{Name: "name", Required: true}, {Name: "address", Value: "2/F, 1 Harbour Road\nWan Chai"}, {Name: "dog_size", Value: o.Merchant},
		}},
		"form wrong": Form{Order: o, Action: "/pay/cat-food", Inputs: []Input{
			{Name: "name", Required: true, Wrong: Missing}, {Name: "phone", Value: "1\x00", Wrong: NotText}, {Name: "email", Value: "cat", Wrong: NotEmail},
			{Name: "address", Value: o.Merchant, Wrong: TooLong}, {Name: "dog_size", Wrong: TooManyOf},
			{Name: "user_truename", Wrong: NotRealName}, {Name: "user_creid", Wrong: NotIDCard},
		}},
		"form amount": sampleAmount(o, ""), "form amount range": sampleAmount(o, OutOfRange), "form amount number": sampleAmount(o, NotNumber),
		"confirm":         Confirm{Order: o, Action: "/pay/callback/1", ShopURL: "/"},
		"wallets":         sampleWallets(o, false),
		"wallets in app":  sampleWallets(o, true),
		"wallet":          Confirm{Order: o, Action: "/pay/callback/1", Wallets: []string{"payme"}},
		"unpaid":          Unpaid{Order: o, PayURL: "/pay/go", Refresh: 3 * time.Second, CheckURL: "/pay/return/1", ShopURL: "/"},
		"unpaid rest":     Unpaid{Order: o, CheckURL: "/pay/return/1", ShopURL: "/"},
		"confirming":      Confirming{Order: o, Refresh: 3 * time.Second, CheckURL: "/pay/return/1", ContinueURL: "/pay/go", ShopURL: "/"},
		"confirming rest": Confirming{Order: o, CheckURL: "/pay/return/1", ShopURL: "/"},
		"checking":        Checking{Order: o, CheckURL: "/pay/callback/1", Refresh: 2500 * time.Millisecond, StartURL: "/pay/cat-food", ShopURL: "/"},
		"checking rest":   Checking{Order: o, CheckURL: "/pay/callback/1", StartURL: "/pay/cat-food"},
		"receipt":         Receipt{Order: o, PaidAt: time.Date(2026, 11, 24, 2, 4, 0, 0, sampleZone), ShopURL: "/"},
		"receipt sent":    Receipt{Order: o, PaidAt: time.Date(2026, 11, 24, 2, 4, 0, 0, sampleZone), SentAt: time.Date(2026, 11, 24, 10, 30, 0, 0, sampleZone), Note: "SF 1234 5678", ShopURL: "/"},
		"receipt refund":  Receipt{Order: o, PaidAt: time.Date(2026, 11, 24, 2, 4, 0, 0, sampleZone), Refunded: Amount{"28.00", "HKD"}, ShopURL: "/"},
		"receipt cart":    Receipt{Order: sampleCart(o), ShopURL: "/"},
		"confirm cart":    Confirm{Order: sampleCart(o), Action: "/pay/callback/1"},
		"receipt plain":   Receipt{Order: Order{ID: o.ID}},
		"failed":          Failed{Order: o, StartURL: "/pay/cat-food", ShopURL: "https://shop.example/", Refresh: 10 * time.Second, CheckURL: "/pay/return/1"},
		"failed rest":     Failed{Order: o, StartURL: "/pay/cat-food", ShopURL: "https://shop.example/"},
	}
	for _, k := range append(Kinds(), "no_such_kind") {
		all["problem "+string(k)] = Problem{Order: o, Kind: k, StartURL: "/pay/a", ShopURL: "/", RetryURL: "/pay/b"}
	}
	return all
}

// sampleHandoff is a page that watches what becomes of its order.
func sampleHandoff(o Order, phone, paying bool) Handoff {
	return Handoff{
		Order: o, Link: "https://shop.example/pay?handoff=1", WatchURL: "/pay?handoff=1", Refresh: 5 * time.Second, Phone: phone, Paying: paying,
		Until: time.Date(2026, 11, 24, 2, 19, 0, 0, sampleZone), ShopURL: "/",
	}
}

// sampleAmount asks how much is to be paid.
func sampleAmount(o Order, wrong Wrong) Form {
	input := Input{Name: "amount", Required: true, Wrong: wrong}
	if wrong != "" {
		input.Value = "4"
	}
	return Form{Order: Order{Merchant: o.Merchant}, Action: "/pay", Inputs: []Input{input}, Min: Amount{"5.00", "HKD"}, Max: Amount{"1000.00", "HKD"}}
}

// sampleWallets is the choice of all wallets.
func sampleWallets(o Order, inApp bool) Confirm {
	return Confirm{
		Order: o, Action: "/pay/callback/1", Wallets: []string{"wechat", "alipayhk", "unionpay", "payme"}, ShopURL: "/",
		Handoff: &Handoff{Link: "https://shop.example/pay?handoff=1", Phone: true, WatchURL: "/pay?handoff=1", InApp: inApp},
	}
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

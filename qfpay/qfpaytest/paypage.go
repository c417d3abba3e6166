package qfpaytest

import (
	"html/template"
	"net/http"
	"strings"
)

// payPage opens the wallet for a payment. Nothing in its address is signed, but
// all of it has to be what the payment's reply said.
func (s *Simulator) payPage(r *http.Request) answer {
	if !s.inWeChat(r) {
		return outsideWeChat()
	}
	p, wrong := requestParams(r, s.cfg.Strict)
	if wrong != nil {
		return wrongPage(wrong)
	}
	if wrong := s.check(payPageRules, p); wrong != nil {
		return wrongPage(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, found := s.book.findPrepay(strings.TrimPrefix(p["package"], "prepay_id="))
	if !found {
		return wrongPage(refuse(respcdNotFound, "package: no such prepay_id"))
	}
	if wrong := payPageOf(t).apply(p); wrong != nil {
		return wrongPage(wrong)
	}
	if t.State != Open {
		return endedPage(http.StatusOK, t, p["redirect_url"])
	}
	return walletPage(t, p["mchntnm"], p["goods_name"], p["redirect_url"])
}

var payPageRules = rules{
	{name: "appId", required: true, check: visible(32)},
	{name: "timeStamp", required: true, check: visible(32)},
	{name: "nonceStr", required: true, check: visible(32)},
	{name: "package", required: true, check: visible(128)},
	{name: "signType", required: true, check: visible(32)},
	{name: "paySign", required: true, check: visible(64)},
	{name: "mchntnm", required: true, check: text(128)},
	{name: "txamt", required: true, check: amount},
	{name: "currency", required: true, check: currency},
	{name: "redirect_url", required: true, check: webAddress(maxRedirect)},
	{name: "goods_name", check: text(64)},
}

// payPageOf are the values that a payment's pay page has to be opened with. The
// names for people, and where to go back to, are free.
func payPageOf(t *Trade) rules {
	anything := text(maxBody)
	table := rules{
		{name: "txamt", check: equal(t.txamt())},
		{name: "currency", check: equal(t.Currency)},
		{name: "mchntnm", check: anything},
		{name: "redirect_url", check: anything},
		{name: "goods_name", check: anything},
	}
	for _, m := range t.PayParams.object() {
		table = append(table, rule{name: m.name, check: equal(m.value.(string))})
	}
	return table
}

func walletPage(t *Trade, merchant, goods, back string) answer {
	return showPage(http.StatusOK, "wallet.html", struct {
		Merchant, Currency, Amount, Goods, PrepayID, Back string
	}{merchant, t.Currency, decimal(t.Amount, t.Currency), goods, t.prepayID, back})
}

func wrongPage(r *refusal) answer {
	return notice{
		Title:        "无法打开支付页面",
		EnglishTitle: "This pay page cannot be opened",
		Detail:       r.reason,
	}.show(http.StatusBadRequest)
}

// endedPage is shown instead of the wallet when there is nothing left to pay.
func endedPage(status int, t *Trade, back string) answer {
	n := endedNotices[t.State]
	n.Back = template.URL(back)
	return n.show(status)
}

var endedNotices = map[State]notice{
	Paid:   {Title: "订单已支付", EnglishTitle: "Paid already"},
	Closed: {Title: "订单已关闭", EnglishTitle: "Order closed"},
	Failed: {Title: "支付失败", EnglishTitle: "Payment failed"},
}

// press is a button of the wallet page: it acts, and sends the payer back.
func (s *Simulator) press(w http.ResponseWriter, r *http.Request) {
	s.pressed(r).write(w)
}

func (s *Simulator) pressed(r *http.Request) answer {
	p, wrong := requestParams(r, s.cfg.Strict)
	if wrong != nil {
		return wrongPage(wrong)
	}
	if wrong := s.check(pressRules, p); wrong != nil {
		return wrongPage(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, found := s.book.findPrepay(p["prepay_id"])
	if !found {
		return wrongPage(refuse(respcdNotFound, "prepay_id: no such payment"))
	}
	if shown, refused := s.wrongBrowser(t, r); refused {
		return shown
	}
	if err := s.move(t, walletActions[p["action"]]); err != nil {
		return endedPage(http.StatusConflict, t, wayBack(t, p["redirect_url"]))
	}
	return redirected(http.StatusSeeOther, linkedBack(t, p["redirect_url"]))
}

var pressRules = rules{
	{name: "prepay_id", required: true, check: visible(128)},
	{name: "action", required: true, check: walletAction},
	{name: "redirect_url", required: true, check: webAddress(maxRedirect)},
}

// walletActions are the buttons, and the state that each leads to.
var walletActions = map[string]State{"pay": Paid, "cancel": Open, "fail": Failed}

func walletAction(value string) string {
	if _, known := walletActions[value]; !known {
		return "none of pay, cancel and fail"
	}
	return ""
}

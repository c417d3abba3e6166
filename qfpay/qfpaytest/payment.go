package qfpaytest

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// payTypeJSAPI is WeChat Pay inside WeChat's own browser.
const payTypeJSAPI = "800207"

// maxOutTradeNo is the documented length of out_trade_no, in bytes.
const maxOutTradeNo = 128

// maxReturnURL is the documented length of return_url, in characters, outside of
// Canada.
const maxReturnURL = 255

// payment opens a trade that the payer can then pay on the pay page.
func (s *Simulator) payment(r *http.Request) answer {
	p, wrong := s.authenticated(r)
	if wrong != nil {
		return refused(wrong)
	}
	now := s.cfg.Now()
	if wrong := s.check(s.paymentRules(p), p); wrong != nil {
		return refused(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wrong := s.admitPayment(p); wrong != nil {
		return refused(wrong)
	}
	t := s.openTrade(p, now)
	switch _, byWallet := walletOf(t.PayType); {
	case byWallet:
		s.link(t, originOf(r), wapPath)
	case s.cfg.Hosted:
		s.link(t, originOf(r), hostedPath)
	}
	s.keep()
	return replied(paymentReply(t))
}

// paymentRules are the table of step 3. The bounds of limit_pay and sub_openid
// are the simulator's own where the documentation gives none.
func (s *Simulator) paymentRules(p params) rules {
	return s.withMerchant(append(rules{
		{name: "txamt", required: true, check: amount},
		{name: "txcurrcd", required: true, check: currency},
		{name: "pay_type", required: true, check: s.payType},
		{name: "out_trade_no", required: true, check: visible(maxOutTradeNo)},
		{name: "txdtm", required: true, check: s.stamp(p)},
		{name: "txzone", check: timeZone},
		{name: "goods_name", check: s.title},
		{name: "notify_url", check: notifyAddress(s.cfg.AnyPort)},
		{name: "limit_pay", check: visible(32)},
		{name: "udid", check: visible(maxUdid)},
		{name: "rmb_tag", check: equal("Y")},
	}, s.payerRules(p["pay_type"])...))
}

// payerRules are those that depend on the way of paying and on the merchant: in
// Canada there is no openid, and real names are for those who may check them.
func (s *Simulator) payerRules(payType string) rules {
	if wallet, found := walletOf(payType); found {
		return wallet.rules()
	}
	table := rules{
		{name: "sub_openid", required: true, check: visible(64)},
		{name: "return_url", check: webAddress(maxReturnURL)},
	}
	if s.cfg.Hosted {
		table = rules{{name: "return_url", check: webAddress(maxRedirect)}}
	}
	if s.cfg.RealName {
		table = append(table, rule{name: "extend_info", check: realName})
	}
	return table
}

// admitPayment checks what depends on other parameters and on earlier calls.
func (s *Simulator) admitPayment(p params) *refusal {
	if p["rmb_tag"] != "" && p["txcurrcd"] != "CNY" {
		return refuse(respcdValue, "rmb_tag: only with txcurrcd CNY")
	}
	if wrong := s.refuseDuplicate(p["out_trade_no"]); wrong != nil {
		return wrong
	}
	if _, byWallet := walletOf(p["pay_type"]); byWallet || s.cfg.AnyOpenID || s.cfg.Hosted {
		return nil
	}
	return s.payers.admit(p["sub_openid"], s.gatewayAppID())
}

func (s *Simulator) refuseDuplicate(outTradeNo string) *refusal {
	if _, found := s.book.find(outTradeNo); found {
		return refuse(oneOf(s.dice.roll("duplicate", 0), respcdsDuplicate...), "out_trade_no: used before")
	}
	return nil
}

func (s *Simulator) openTrade(p params, now time.Time) *Trade {
	count, syssn := s.book.number(s.dice, now)
	payParams, prepayID := s.newPayParams(s.payers.appID(p["sub_openid"], s.gatewayAppID()), count, now)
	t := &Trade{
		OrderType:  Payment,
		State:      Open,
		OutTradeNo: p["out_trade_no"],
		Syssn:      syssn,
		Amount:     number(p["txamt"]),
		Currency:   p["txcurrcd"],
		PayType:    p["pay_type"],
		GoodsName:  p["goods_name"],
		NotifyURL:  p["notify_url"],
		TxDtm:      p["txdtm"],
		SysDtm:     now,
		PayParams:  payParams,
		Params:     p,
		openRespcd: oneOf(s.dice.roll("open", count), respcdsOpen...),
		prepayID:   prepayID,
	}
	s.book.add(t)
	s.payers.spend(p["sub_openid"])
	return t
}

// newPayParams makes parameters of the lengths that real ones have, except that
// the signature is base64 so that it holds "+", "/" and "=". The payer pays in the
// account that the openid belongs to.
func (s *Simulator) newPayParams(appID string, count int, now time.Time) (p PayParams, prepayID string) {
	r := s.dice.roll("pay_params", count)
	prepayID = "wx" + now.In(gatewayZone).Format("20060102150405") + letters(r, lowerHex, 20)
	signature := make([]byte, 32)
	for i := range signature {
		signature[i] = byte(r.UintN(256))
	}
	return PayParams{
		AppID:     appID,
		TimeStamp: strconv.FormatInt(now.Unix(), 10),
		NonceStr:  letters(r, lowerHex, 32),
		Package:   "prepay_id=" + prepayID,
		SignType:  signMD5,
		PaySign:   base64.StdEncoding.EncodeToString(signature),
	}, prepayID
}

func paymentReply(t *Trade) object {
	way := must("pay_params", t.PayParams.object())
	if t.PayURL != "" {
		way = must("pay_url", t.PayURL)
	}
	return object{
		must("respcd", respcdSuccess),
		may("respmsg", ""),
		may("resperr", "success"),
		must("syssn", t.Syssn),
		may("sysdtm", formatTime(t.SysDtm)),
		may("txdtm", t.TxDtm),
		must("out_trade_no", t.OutTradeNo),
		must("txamt", t.txamt()),
		must("txcurrcd", t.Currency),
		must("pay_type", t.PayType),
		may("chnlsn", t.ChnlSn),
		may("cardcd", ""),
		way,
	}
}

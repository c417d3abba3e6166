package qfpay

import (
	"cmp"
	"slices"
)

// Method is how the payer of a payment pays; "" stands for [MethodJSAPI].
type Method string

// The methods. The last four are wallets for a phone's own browser, outside
// WeChat; QFPay activates each of them for a merchant.
const (
	MethodJSAPI    Method = "jsapi"    // inside WeChat, as the payer of an openid
	MethodHosted   Method = "hosted"   // on a page of the gateway's, as in Canada
	MethodWeChat   Method = "wechat"   // WeChat Pay H5
	MethodAlipayHK Method = "alipayhk" // AlipayHK
	MethodUnionPay Method = "unionpay" // UnionPay
	MethodPayMe    Method = "payme"    // PayMe
)

// Methods returns all methods.
func Methods() []Method { return append([]Method{MethodJSAPI, MethodHosted}, Wallets()...) }

// Wallets returns the methods for a phone's own browser.
func Wallets() []Method {
	return []Method{MethodWeChat, MethodAlipayHK, MethodUnionPay, MethodPayMe}
}

func (m Method) isWallet() bool { return slices.Contains(Wallets(), m) }

// PayType returns the pay_type under which the gateway knows the method; "" for
// one that is not listed here.
func (m Method) PayType() string { return payTypes[cmp.Or(m, MethodJSAPI)] }

var payTypes = map[Method]string{
	MethodJSAPI:    PayTypeJSAPI,
	MethodHosted:   PayTypeJSAPI,
	MethodWeChat:   "800212",
	MethodAlipayHK: "801512",
	MethodUnionPay: "800712",
	MethodPayMe:    "805812",
}

// redirects reports whether the gateway answers with a pay_url, to which the
// browser is redirected, instead of pay_params.
func (m Method) redirects() bool { return cmp.Or(m, MethodJSAPI) != MethodJSAPI }

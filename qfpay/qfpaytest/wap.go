package qfpaytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// payTypeWeChatH5 is WeChat Pay in a phone's own browser.
const payTypeWeChatH5 = "800212"

// maxWAPAddress is the documented length of the addresses of a WAP payment, in
// characters.
const maxWAPAddress = 255

// wap is a wallet for a phone's own browser, outside WeChat.
type wap struct {
	name    string // in Config.Wallets
	payType string
	title   string // as its owner writes it

	opensInWeChat bool
}

var waps = []wap{
	{name: "wechat", payType: payTypeWeChatH5, title: "WeChat Pay"},
	{name: "alipayhk", payType: "801512", title: "AlipayHK"},
	{name: "unionpay", payType: "800712", title: "UnionPay", opensInWeChat: true},
	{name: "payme", payType: "805812", title: "PayMe", opensInWeChat: true},
}

func walletOf(payType string) (wap, bool) {
	return wapBy(func(w wap) bool { return w.payType == payType })
}

func wapBy(is func(wap) bool) (wap, bool) {
	i := slices.IndexFunc(waps, is)
	if i < 0 {
		return wap{}, false
	}
	return waps[i], true
}

// validateWallets wants names of wallets, each once.
func (c Config) validateWallets() error {
	for i, name := range c.Wallets {
		if _, known := wapBy(func(w wap) bool { return w.name == name }); !known {
			return fmt.Errorf("qfpaytest: Wallets: %q is none of wechat, alipayhk, unionpay and payme", name)
		}
		if slices.Contains(c.Wallets[:i], name) {
			return fmt.Errorf("qfpaytest: Wallets: %q is given twice", name)
		}
	}
	return nil
}

// payType is one that QFPay has activated for the merchant. Of another it says
// what the gateway says.
func (s *Simulator) payType(value string) string {
	wallet, found := walletOf(value)
	switch {
	case value == payTypeJSAPI || found && slices.Contains(s.cfg.Wallets, wallet.name):
		return ""
	case found:
		return "filter error"
	default:
		return "not one that the simulator plays"
	}
}

// wapRules are what a payment by a wallet has beside the common parameters.
func (w wap) rules() rules {
	table := rules{
		{name: "return_url", check: webAddress(maxWAPAddress)},
		{name: "notify_url", check: webAddress(maxWAPAddress)},
	}
	if w.payType == payTypeWeChatH5 {
		table = append(table, rule{name: "extend_info", required: true, check: h5Info})
	}
	return table
}

// h5 is what WeChat asks about the shop and the payer of an H5 payment.
type h5 struct {
	SceneInfo struct {
		H5Info struct {
			Type    string `json:"type"`
			WapURL  string `json:"wap_url"`
			WapName string `json:"wap_name"`
		} `json:"h5_info"`
	} `json:"scene_info"`
	SpbillCreateIP string `json:"spbill_create_ip"`
}

// h5Info checks the extend_info of WeChat's H5. What is wrong is said without the
// payer's address.
func h5Info(value string) string {
	var info h5
	decoder := json.NewDecoder(strings.NewReader(value))
	if err := decoder.Decode(&info); err != nil {
		return "not a JSON object of scene_info and spbill_create_ip"
	}
	if _, err := decoder.Token(); err != io.EOF {
		return "more than one JSON value"
	}
	shop := info.SceneInfo.H5Info
	payer, err := netip.ParseAddr(info.SpbillCreateIP)
	switch {
	case shop.Type != "Wap":
		return "scene_info.h5_info.type is not Wap"
	case webAddress(maxRedirect)(shop.WapURL) != "":
		return "scene_info.h5_info.wap_url is not an absolute http or https URL"
	case strings.TrimSpace(shop.WapName) == "" || printable(shop.WapName) != "":
		return "scene_info.h5_info.wap_name is missing or not printable"
	case err != nil || payer.Zone() != "":
		return "spbill_create_ip is not an IP address"
	}
	return ""
}

// ofWeChat reports whether a request comes from WeChat's own browser, or from
// WeCom's.
func ofWeChat(r *http.Request) bool { return strings.Contains(r.UserAgent(), wechatToken) }

// insideWeChat is what a wallet shows in WeChat that does not open there.
func insideWeChat(w wap) answer {
	return notice{
		Title:        "请在微信外打开订单，进行支付",
		EnglishTitle: w.title + " cannot be opened inside WeChat",
	}.show(http.StatusForbidden)
}

// noReferer is what WeChat's H5 shows to a browser that does not say which page
// it comes from: WeChat compares that with the domains that it has on file.
func noReferer() answer {
	return notice{
		Title:        "商家参数格式有误，请联系商家解决",
		EnglishTitle: "The request has no Referer",
		Detail:       "Referer: empty. The page before must send it: see Referrer-Policy.",
	}.show(http.StatusForbidden)
}

// walletTitle is what the page of a pay_url is headed.
func walletTitle(t *Trade) string {
	if wallet, found := walletOf(t.PayType); found {
		return wallet.title
	}
	return "微信支付 WeChat Pay"
}

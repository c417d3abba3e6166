package qfpay

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func someHosted() Payment {
	payment := somePayment()
	payment.OpenID, payment.Method, payment.Currency = "", MethodHosted, "CAD"
	return payment
}

func TestAHostedPaymentSendsNoOpenID(t *testing.T) {
	payment := someHosted()
	payment.ReturnURL = "https://pay.example.com/pay/return/N1?a=b%2Fc&d=é"
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, map[string]string{
			"txamt":        "12800",
			"txcurrcd":     "CAD",
			"pay_type":     "800207",
			"out_trade_no": "01JDCX0000000000000000TEST",
			"txdtm":        "2026-11-24 00:04:05",
			"return_url":   "https://pay.example.com/pay/return/N1?a=b%2Fc&d=é",
		}, signedParams(t, r, MD5))
		says(200, `{"respcd":"0000","syssn":1,"sysdtm":"2026-11-24 00:04:06","pay_url":"https://gateway.example.com/p?a=1&b=2"}`)(w, r)
	}))
	got, err := client.Pay(t.Context(), payment)
	require.NoError(t, err)
	assert.Equal(t, &Prepared{
		Syssn:   "1",
		SysTime: time.Date(2026, 11, 24, 0, 4, 6, 0, HongKong),
		PayURL:  "https://gateway.example.com/p?a=1&b=2",
	}, got)
}

func someWallet(method Method) Payment {
	payment := somePayment()
	payment.OpenID, payment.Method = "", method
	payment.ReturnURL, payment.NotifyURL = "https://pay.example.com/pay/return/N1", "https://pay.example.com/pay/notify"
	if method == MethodWeChat {
		payment.Site, payment.SiteName, payment.ClientIP = "https://shop.example.com/?a=1&b=2", `Tea & "Co" <茶>`, "203.0.113.7"
	}
	return payment
}

func TestAWalletsPaymentSendsItsPayType(t *testing.T) {
	for method, payType := range map[Method]string{MethodAlipayHK: "801512", MethodUnionPay: "800712", MethodPayMe: "805812"} {
		client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, map[string]string{
				"txamt":        "12800",
				"txcurrcd":     "HKD",
				"pay_type":     payType,
				"out_trade_no": "01JDCX0000000000000000TEST",
				"txdtm":        "2026-11-24 00:04:05",
				"return_url":   "https://pay.example.com/pay/return/N1",
				"notify_url":   "https://pay.example.com/pay/notify",
			}, signedParams(t, r, MD5))
			says(200, walletReply("https://wallet.example.com/pay?x=1"))(w, r)
		}))
		got, err := client.Pay(t.Context(), someWallet(method))
		require.NoError(t, err, method)
		assert.Equal(t, &Prepared{
			Syssn:   "20261124000200020000000001",
			SysTime: time.Date(2026, 11, 24, 0, 4, 6, 0, HongKong),
			PayURL:  "https://wallet.example.com/pay?x=1",
		}, got, method)
	}
}

func walletReply(payURL string) string {
	return `{"respcd": "0000", "respmsg": "", "resperr": "", "syssn": "20261124000200020000000001", "sysdtm": "2026-11-24 00:04:06", ` +
		`"txdtm": "2026-11-24 00:04:05", "txamt": "12800", "txcurrcd": "HKD", "out_trade_no": "01JDCX0000000000000000TEST", ` +
		`"pay_type": "800212", "cardcd": "", "chnlsn": "", "pay_url": "` + payURL + `"}`
}

func TestWeChatPayH5SaysWhoseSiteAndWhosePhoneItIs(t *testing.T) {
	for given, sent := range map[string]string{
		"203.0.113.7":         "203.0.113.7",
		"::ffff:203.0.113.7":  "203.0.113.7",
		"2001:0DB8:0::1":      "2001:db8::1",
		"fe80::1%eth0":        "fe80::1",
		"2001:db8:1:2:3:4::5": "2001:db8:1:2:3:4:0:5",
	} {
		client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			params := signedParams(t, r, MD5)
			assert.Equal(t, "800212", params["pay_type"])
			assert.Equal(t, `{"scene_info":{"h5_info":{"type":"Wap","wap_url":"https://shop.example.com/?a=1&b=2",`+
				`"wap_name":"Tea & \"Co\" <茶>"}},"spbill_create_ip":"`+sent+`"}`, params["extend_info"])
			assert.NotContains(t, params, "sub_openid")
			says(200, walletReply("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1"))(w, r)
		}))
		payment := someWallet(MethodWeChat)
		payment.ClientIP = given
		_, err := client.Pay(t.Context(), payment)
		assert.NoError(t, err, given)
	}
}

func TestWeChatPayH5LeadsBackToTheShop(t *testing.T) {
	const back = "redirect_url=https%3A%2F%2Fpay.example.com%2Fpay%2Freturn%2FN1%3Fa%3Db%2520c"
	for payURL, want := range map[string]string{
		"https://wx.tenpay.com/h5?prepay_id=wx1&package=2%2B": "https://wx.tenpay.com/h5?prepay_id=wx1&package=2%2B&" + back,
		"https://wx.tenpay.com/h5":                            "https://wx.tenpay.com/h5?" + back,
		"https://wx.tenpay.com/h5?prepay_id=wx1#wechat":       "https://wx.tenpay.com/h5?prepay_id=wx1&" + back + "#wechat",
		"https://wx.tenpay.com/h5?redirect_url=x&prepay_id=1": "https://wx.tenpay.com/h5?redirect_url=x&prepay_id=1",
	} {
		payment := someWallet(MethodWeChat)
		payment.ReturnURL = "https://pay.example.com/pay/return/N1?a=b%20c"
		got, err := newClient(t, says(200, walletReply(payURL))).Pay(t.Context(), payment)
		require.NoError(t, err)
		assert.Equal(t, want, got.PayURL)

		payment.ReturnURL = ""
		got, err = newClient(t, says(200, walletReply(payURL))).Pay(t.Context(), payment)
		require.NoError(t, err)
		assert.Equal(t, payURL, got.PayURL, "with nowhere to come back to")
	}
}

func TestWhatIsWrongWithAWalletsPaymentIsNotSent(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was asked") }))
	long := "https://pay.example.com/" + strings.Repeat("x", 232) // 256
	for name, test := range map[string]struct {
		method Method
		change func(*Payment)
		want   string
	}{
		"an openid":                    {MethodPayMe, func(p *Payment) { p.OpenID = "oTEST" }, "sub_openid"},
		"a real name":                  {MethodAlipayHK, func(p *Payment) { p.RealName = &RealName{"陈", "11010519491231002X"} }, "real name"},
		"a return_url of 256":          {MethodUnionPay, func(p *Payment) { p.ReturnURL = long }, "return_url"},
		"a notify_url of 256":          {MethodWeChat, func(p *Payment) { p.NotifyURL = long }, "notify_url"},
		"a site of another's":          {MethodPayMe, func(p *Payment) { p.SiteName = "Tea" }, "wap_name"},
		"no site":                      {MethodWeChat, func(p *Payment) { p.Site = "" }, "wap_url"},
		"a site with no scheme":        {MethodWeChat, func(p *Payment) { p.Site = "shop.example.com" }, "wap_url"},
		"a site of 256":                {MethodWeChat, func(p *Payment) { p.Site = long }, "wap_url"},
		"no name of a site":            {MethodWeChat, func(p *Payment) { p.SiteName = "" }, "wap_name"},
		"a name over two lines":        {MethodWeChat, func(p *Payment) { p.SiteName = "Tea\nCo" }, "wap_name"},
		"no address of the payer":      {MethodWeChat, func(p *Payment) { p.ClientIP = "" }, "spbill_create_ip"},
		"no address that is one":       {MethodWeChat, func(p *Payment) { p.ClientIP = "SENTINEL" }, "spbill_create_ip"},
		"an address with a port":       {MethodWeChat, func(p *Payment) { p.ClientIP = "203.0.113.7:443" }, "spbill_create_ip"},
		"an extend_info in two places": {MethodWeChat, func(p *Payment) { p.Params = map[string]string{"extend_info": "{}"} }, "extend_info"},
	} {
		payment := someWallet(test.method)
		test.change(&payment)
		_, err := client.Pay(t.Context(), payment)
		e := asError(t, err)
		assert.Equal(t, Refused, e.Outcome, name)
		assert.ErrorContains(t, e, test.want, name)
		assert.NotContains(t, e.Error(), "SENTINEL", name)
	}
}

func TestTheBoundsOfAWalletsPaymentAreAllowed(t *testing.T) {
	client := newClient(t, says(200, walletReply("https://wallet.example.com/")))
	long := "https://pay.example.com/" + strings.Repeat("x", 231) // 255
	for name, change := range map[string]func(*Payment){
		"URLs of 255":      func(p *Payment) { p.ReturnURL, p.NotifyURL, p.Site = long, long, long },
		"a long name":      func(p *Payment) { p.SiteName = strings.Repeat("店", 50) },
		"no way back":      func(p *Payment) { p.ReturnURL, p.NotifyURL = "", "" },
		"other parameters": func(p *Payment) { p.Params = map[string]string{"udid": "till 1"} },
	} {
		payment := someWallet(MethodWeChat)
		change(&payment)
		_, err := client.Pay(t.Context(), payment)
		assert.NoError(t, err, name)
	}
	payment := someWallet(MethodPayMe)
	payment.Params = map[string]string{"extend_info": "{}"}
	_, err := client.Pay(t.Context(), payment)
	assert.NoError(t, err, "an extend_info where none is ours")
}

func TestThePayersAddressIsInNoError(t *testing.T) {
	client := newClient(t, says(200, `{"respcd": "1104", "resperr": "spbill_create_ip 203.0.113.7 is wrong", "respmsg": "::ffff:203.0.113.7"}`))
	payment := someWallet(MethodWeChat)
	payment.ClientIP = "::ffff:203.0.113.7"
	_, err := client.Pay(t.Context(), payment)
	assert.NotContains(t, asError(t, err).Error(), "203.0.113.7")
}

func TestEachFormReadsItsOwnReply(t *testing.T) {
	const both = `{"respcd":"0000","pay_url":"http://gateway.example.com/p","pay_params":{"appId":"a",
		"timeStamp":"1","nonceStr":"n","package":"p","signType":"s","paySign":"s"}}`
	client := newClient(t, says(200, both))
	hosted, err := client.Pay(t.Context(), someHosted())
	require.NoError(t, err)
	assert.Empty(t, hosted.PayParams)
	assert.Equal(t, "http://gateway.example.com/p", hosted.PayURL)

	other, err := client.Pay(t.Context(), somePayment())
	require.NoError(t, err)
	assert.Empty(t, other.PayURL)
	assert.Equal(t, "a", other.PayParams.AppID)
}

func TestAYesWithoutAPayURLIsUnknown(t *testing.T) {
	for name, body := range map[string]string{
		"no pay_url":           preparedReply,
		"pay_url null":         `{"respcd":"0000","pay_url":null}`,
		"pay_url empty":        `{"respcd":"0000","pay_url":""}`,
		"pay_url an object":    `{"respcd":"0000","pay_url":{}}`,
		"a number":             `{"respcd":"0000","pay_url":1}`,
		"relative":             `{"respcd":"0000","pay_url":"/SENTINEL"}`,
		"without a scheme":     `{"respcd":"0000","pay_url":"gateway.example.com/SENTINEL"}`,
		"of any scheme":        `{"respcd":"0000","pay_url":"//gateway.example.com/SENTINEL"}`,
		"a script":             `{"respcd":"0000","pay_url":"javascript:alert('SENTINEL')"}`,
		"of another program":   `{"respcd":"0000","pay_url":"weixin://wxpay/SENTINEL"}`,
		"without a host":       `{"respcd":"0000","pay_url":"https:///SENTINEL"}`,
		"with a password":      `{"respcd":"0000","pay_url":"https://u:SENTINEL@gateway.example.com/"}`,
		"over two lines":       `{"respcd":"0000","pay_url":"https://gateway.example.com/\r\nSENTINEL: 1"}`,
		"white space in front": `{"respcd":"0000","pay_url":" https://gateway.example.com/SENTINEL"}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, says(200, body)).Pay(t.Context(), someHosted())
			assert.Nil(t, got)
			e := asError(t, err)
			assert.Equal(t, Unknown, e.Outcome)
			assert.Equal(t, FaultGateway, e.Fault)
			assert.NotContains(t, e.Error(), "SENTINEL")
		})
	}
}

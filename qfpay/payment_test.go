package qfpay

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func somePayment() Payment {
	return Payment{
		OutTradeNo: "01JDCX0000000000000000TEST",
		Amount:     12800,
		Currency:   "HKD",
		OpenID:     "oo3LTEST",
		Time:       time.Date(2026, 11, 23, 16, 4, 5, 0, time.UTC),
	}
}

func somePayParams() PayParams {
	return PayParams{
		AppID:     "wx0000000000000000",
		TimeStamp: "1795449845",
		NonceStr:  "NONCE",
		Package:   "prepay_id=wx23TEST",
		SignType:  "RSA",
		PaySign:   "a+b/c==",
	}
}

const preparedReply = `{"respcd": "0000", "respmsg": "", "syssn": "20261124000200020000000001",
	"sysdtm": "2026-11-24 00:04:06", "chnlsn": "", "pay_params": {"appId": "wx0000000000000000",
	"timeStamp": "1795449845", "nonceStr": "NONCE", "package": "prepay_id=wx23TEST", "signType": "RSA",
	"paySign": "a+b/c=="}}`

func TestPaySendsWhatIsNeededAndNothingEmpty(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "/trade/v1/payment", r.URL.Path)
		assert.Empty(t, r.URL.RawQuery)
		assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
		assert.Equal(t, map[string]string{
			"txamt":        "12800",
			"txcurrcd":     "HKD",
			"pay_type":     "800207",
			"out_trade_no": "01JDCX0000000000000000TEST",
			"txdtm":        "2026-11-24 00:04:05",
			"sub_openid":   "oo3LTEST",
		}, signedParams(t, r, MD5))
		says(200, preparedReply)(w, r)
	}))
	got, err := client.Pay(t.Context(), somePayment())
	require.NoError(t, err)
	assert.Equal(t, &Prepared{
		Syssn:     "20261124000200020000000001",
		SysTime:   time.Date(2026, 11, 24, 0, 4, 6, 0, HongKong),
		PayParams: somePayParams(),
	}, got)
}

func TestPaySendsTheRestAsItIs(t *testing.T) {
	payment := somePayment()
	payment.GoodsName = " 茶🍵 & + %20 "
	payment.NotifyURL = "https://pay.example.com/pay/notify?a=b"
	payment.LimitPay = "no_credit"
	payment.Params = map[string]string{"udid": "till 1", "extend_info": `{"user_truename":"陳"}`, "rmb_tag": ""}

	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		params := signedParams(t, r, SHA256)
		assert.Equal(t, " 茶🍵 & + %20 ", params["goods_name"])
		assert.Equal(t, "https://pay.example.com/pay/notify?a=b", params["notify_url"])
		assert.Equal(t, "no_credit", params["limit_pay"])
		assert.Equal(t, "till 1", params["udid"])
		assert.Equal(t, `{"user_truename":"陳"}`, params["extend_info"])
		assert.Equal(t, "MCH123", params["mchid"])
		assert.NotContains(t, params, "rmb_tag")
		says(200, preparedReply)(w, r)
	}), func(c *Config) { c.SignType, c.MchID = SHA256, "MCH123" })
	_, err := client.Pay(t.Context(), payment)
	assert.NoError(t, err)
}

func TestPayLeavesTheCallersParamsAlone(t *testing.T) {
	payment := somePayment()
	payment.Params = map[string]string{"udid": "1", "rmb_tag": ""}
	_, err := newClient(t, says(200, preparedReply)).Pay(t.Context(), payment)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"udid": "1", "rmb_tag": ""}, payment.Params)
}

func TestWhatIsWrongWithAPaymentIsNotSent(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was asked") }))
	for name, test := range map[string]struct {
		change func(*Payment)
		want   string
	}{
		"no amount":               {func(p *Payment) { p.Amount = 0 }, "txamt"},
		"a negative amount":       {func(p *Payment) { p.Amount = -100 }, "txamt"},
		"an amount of 12 digits":  {func(p *Payment) { p.Amount = 100_000_000_000 }, "txamt"},
		"no currency":             {func(p *Payment) { p.Currency = "" }, "txcurrcd"},
		"an unknown currency":     {func(p *Payment) { p.Currency = "hkd" }, "txcurrcd"},
		"no number":               {func(p *Payment) { p.OutTradeNo = "" }, "out_trade_no"},
		"a number of 129":         {func(p *Payment) { p.OutTradeNo = strings.Repeat("1", 129) }, "out_trade_no"},
		"a number with a space":   {func(p *Payment) { p.OutTradeNo = "1 2" }, "out_trade_no"},
		"a list of numbers":       {func(p *Payment) { p.OutTradeNo = "1,2" }, "out_trade_no"},
		"a number in Chinese":     {func(p *Payment) { p.OutTradeNo = "一" }, "out_trade_no"},
		"no openid":               {func(p *Payment) { p.OpenID = "" }, "sub_openid"},
		"a return_url for WeChat": {func(p *Payment) { p.ReturnURL = "https://pay.example.com/" }, "return_url"},
		"an openid, hosted":       {func(p *Payment) { p.Method = MethodHosted }, "sub_openid"},
		"a relative return_url":   {func(p *Payment) { p.Method, p.OpenID, p.ReturnURL = MethodHosted, "", "/pay/return" }, "return_url"},
		"a return_url of an app":  {func(p *Payment) { p.Method, p.OpenID, p.ReturnURL = MethodHosted, "", "weixin://dl" }, "return_url"},
		"a long return_url": {func(p *Payment) {
			p.Method, p.OpenID, p.ReturnURL = MethodHosted, "", "https://pay.example.com/"+strings.Repeat("x", 489)
		}, "return_url"},
		"return_url in two places":      {func(p *Payment) { p.Params = map[string]string{"return_url": "https://pay.example.com/"} }, "return_url"},
		"no time":                       {func(p *Payment) { p.Time = time.Time{} }, "txdtm"},
		"a name of 66 bytes":            {func(p *Payment) { p.GoodsName = strings.Repeat("茶", 22) }, "goods_name"},
		"a name over two lines":         {func(p *Payment) { p.GoodsName = "tea\nmilk" }, "goods_name"},
		"a name with a control of C1":   {func(p *Payment) { p.GoodsName = "tea\u0085" }, "goods_name"},
		"a limit over two lines":        {func(p *Payment) { p.LimitPay = "no_credit\n" }, "limit_pay"},
		"a parameter over two lines":    {func(p *Payment) { p.Params = map[string]string{"udid": "till\t1"} }, "udid"},
		"a parameter that is not UTF-8": {func(p *Payment) { p.Params = map[string]string{"udid": "\xff"} }, "udid"},
		"no method that exists":         {func(p *Payment) { p.Method = "cash" }, "method"},
		"the site of a shop":            {func(p *Payment) { p.Site = "https://shop.example.com/" }, "wap_url"},
		"the address of a payer":        {func(p *Payment) { p.ClientIP = "203.0.113.7" }, "spbill_create_ip"},
		"a name that is not UTF-8":      {func(p *Payment) { p.GoodsName = "\xff" }, "goods_name"},
		"a long notify_url":             {func(p *Payment) { p.NotifyURL = "https://pay.example.com/" + strings.Repeat("x", 233) }, "notify_url"},
		"a relative notify_url":         {func(p *Payment) { p.NotifyURL = "/pay/notify" }, "notify_url"},
		"another amount":                {func(p *Payment) { p.Params = map[string]string{"txamt": "1"} }, "txamt"},
		"another pay_type":              {func(p *Payment) { p.Params = map[string]string{"pay_type": "800201"} }, "pay_type"},
		"an mchid that is the client's": {func(p *Payment) { p.Params = map[string]string{"mchid": "1"} }, "mchid"},
		"goods_name in two places":      {func(p *Payment) { p.Params = map[string]string{"goods_name": "x"} }, "goods_name"},
		"a parameter without a name":    {func(p *Payment) { p.Params = map[string]string{"": "x"} }, "params"},
		"a parameter that hides others": {func(p *Payment) { p.Params = map[string]string{"udid=1&txamt": "1"} }, "params"},
	} {
		t.Run(name, func(t *testing.T) {
			payment := somePayment()
			test.change(&payment)
			_, err := client.Pay(t.Context(), payment)
			e := asError(t, err)
			assert.Equal(t, "payment", e.Call)
			assert.Equal(t, Refused, e.Outcome)
			assert.Equal(t, FaultRequest, e.Fault)
			assert.ErrorContains(t, e, test.want)
		})
	}
}

func TestTheBoundsOfAPaymentAreAllowed(t *testing.T) {
	client := newClient(t, says(200, strings.Replace(preparedReply, "{", `{"pay_url":"https://gateway.example.com/",`, 1)))
	for name, change := range map[string]func(*Payment){
		"the smallest amount": func(p *Payment) { p.Amount = 1 },
		"the largest amount":  func(p *Payment) { p.Amount = 99_999_999_999 },
		"a number of 128":     func(p *Payment) { p.OutTradeNo = strings.Repeat("1", 128) },
		"a name of 64 bytes":  func(p *Payment) { p.GoodsName = strings.Repeat("茶", 21) + "x" },
		"a notify_url of 256": func(p *Payment) { p.NotifyURL = "https://pay.example.com/" + strings.Repeat("x", 232) },
		"a return_url of 512": func(p *Payment) {
			p.Method, p.OpenID, p.ReturnURL = MethodHosted, "", "https://pay.example.com/"+strings.Repeat("x", 488)
		},
		"yen, without decimals": func(p *Payment) { p.Currency, p.Amount = "JPY", 128 },
	} {
		payment := somePayment()
		change(&payment)
		_, err := client.Pay(t.Context(), payment)
		assert.NoError(t, err, name)
	}
}

func TestAYesWithoutPayParamsIsUnknown(t *testing.T) {
	bodies := map[string]string{
		"no pay_params":      `{"respcd":"0000","syssn":"1"}`,
		"null pay_params":    `{"respcd":"0000","syssn":"1","pay_params":null}`,
		"empty pay_params":   `{"respcd":"0000","syssn":"1","pay_params":{}}`,
		"pay_params as text": `{"respcd":"0000","syssn":"1","pay_params":"{}"}`,
	}
	for _, name := range []string{"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"} {
		bodies["no "+name] = strings.Replace(preparedReply, `"`+name+`"`, `"other"`, 1)
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, says(200, body)).Pay(t.Context(), somePayment())
			assert.Nil(t, got)
			assert.Equal(t, Unknown, asError(t, err).Outcome)
			assert.Equal(t, FaultGateway, asError(t, err).Fault)
		})
	}
}

func TestARepliesScalarsMayBeOfAnyKind(t *testing.T) {
	body := strings.NewReplacer(
		`"0000"`, `0000`, // as the documentation prints it
		`"1795449845"`, `1795449845`,
		`"20261124000200020000000001"`, `20261124000200020000000001`,
		`"2026-11-24 00:04:06"`, `null`,
	).Replace(preparedReply)
	got, err := newClient(t, says(200, body)).Pay(t.Context(), somePayment())
	require.NoError(t, err)
	assert.Equal(t, "20261124000200020000000001", got.Syssn)
	assert.True(t, got.SysTime.IsZero())
	assert.Equal(t, somePayParams(), got.PayParams)
}

func TestPayParamsAreMarshalledForWeChat(t *testing.T) {
	marshalled, err := json.Marshal(somePayParams())
	require.NoError(t, err)
	assert.JSONEq(t, `{"appId":"wx0000000000000000","timeStamp":"1795449845","nonceStr":"NONCE",
		"package":"prepay_id=wx23TEST","signType":"RSA","paySign":"a+b/c=="}`, string(marshalled))

	var back PayParams
	require.NoError(t, json.Unmarshal(marshalled, &back))
	assert.Equal(t, somePayParams(), back)
}

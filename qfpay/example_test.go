package qfpay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func ExampleSign() {
	params := map[string]string{"abc": "value1", "bcd": "value2", "bad": "value3"}
	fmt.Println(qfpay.Sign(qfpay.MD5, params, "Key"))
	// Output: FE90E1859AF37371A06415CF19F6614F
}

// A whole payment, in the order in which it happens.
func Example() {
	gateway := httptest.NewServer(http.HandlerFunc(exampleGateway))
	defer gateway.Close()
	ctx := context.Background()

	client, err := qfpay.NewClient(qfpay.Config{
		Gateway:   gateway.URL, // in earnest: the first result of qfpay.Gateway("production")
		AppCode:   "APPCODE",
		ClientKey: "TESTKEY",
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// 1. The payer's browser goes to address, and comes back with a code.
	address, err := client.OAuthURL("https://shop.example.com/pay/callback/T1")
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _ := url.Parse(address)
	fmt.Println("go to", first.Path)

	// 2. The code tells who pays.
	openid, err := client.OpenID(ctx, "CODE")
	if err != nil {
		fmt.Println(err)
		return
	}

	// 3. The payment is made.
	prepared, err := client.Pay(ctx, qfpay.Payment{
		OutTradeNo: "T1",
		Amount:     12800, // 128.00
		Currency:   "HKD",
		OpenID:     openid,
		Time:       time.Now(),
	})
	if refusal, ok := errors.AsType[*qfpay.Error](err); ok && refusal.Outcome == qfpay.Unknown {
		fmt.Println("it may have been made: query T1, do not pay again")
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}

	// 4. The browser goes to the pay page.
	page, err := qfpay.PayPageRequest{
		Page:         qfpay.PayPage("production"),
		PayParams:    prepared.PayParams,
		MerchantName: "Tea & Co",
		Amount:       12800,
		Currency:     "HKD",
		RedirectURL:  "https://shop.example.com/pay/return/T1",
	}.URL()
	if err != nil {
		fmt.Println(err)
		return
	}
	last, _ := url.Parse(page)
	fmt.Println("go to", last.Host+last.Path)

	// Only the gateway knows whether it has been paid.
	trades, err := client.Query(ctx, qfpay.Query{Syssn: prepared.Syssn})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, trade := range trades {
		fmt.Println(trade.OutTradeNo, trade.State(), trade.Amount, trade.Currency)
	}

	// Output:
	// go to /tool/v1/get_weixin_oauth_code
	// go to o2-hk.qfapi.com/q/direct
	// T1 paid 12800 HKD
}

func exampleGateway(w http.ResponseWriter, r *http.Request) {
	replies := map[string]string{
		"/tool/v1/get_weixin_openid": `{"respcd": "0000", "openid": "oo3LTEST"}`,
		"/trade/v1/payment": `{"respcd": "0000", "syssn": "1", "pay_params": {"appId": "wx0000000000000000",
			"timeStamp": "1795449845", "nonceStr": "NONCE", "package": "prepay_id=TEST", "signType": "RSA", "paySign": "c2lnbg=="}}`,
		"/trade/v1/query": `{"respcd": "0000", "data": [{"syssn": "1", "out_trade_no": "T1", "order_type": "payment",
			"respcd": "0000", "cancel": "0", "txamt": "12800", "txcurrcd": "HKD"}]}`,
	}
	_, _ = io.WriteString(w, replies[r.URL.Path])
}

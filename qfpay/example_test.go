package qfpay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// exampleGateway is the simulator, and a client of it. In earnest, Gateway is
// the first result of [qfpay.Gateway] for "production".
func exampleGateway(config qfpaytest.Config) (client *qfpay.Client, gateway *qfpaytest.Simulator, closeAll func()) {
	config.Strict, config.AppCode, config.ClientKey, config.Seed = true, "APPCODE", "TESTKEY", 1
	gateway, err := qfpaytest.New(config)
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(gateway)
	client, err = qfpay.NewClient(qfpay.Config{Gateway: server.URL, AppCode: "APPCODE", ClientKey: "TESTKEY"})
	if err != nil {
		panic(err)
	}
	return client, gateway, func() {
		server.Close()
		_ = gateway.Close()
	}
}

// A whole payment, in the order in which it happens.
func Example() {
	client, gateway, closeAll := exampleGateway(qfpaytest.Config{NotifyOff: true})
	defer closeAll()
	ctx := context.Background()

	// 1. The payer's browser goes to this address, and comes back with a code.
	address, err := client.OAuthURL("https://shop.example.com/pay/callback/T1")
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _ := url.Parse(address)
	fmt.Println("go to", first.Path)
	code := gateway.Code()

	// 2. The code tells who pays.
	openid, err := client.OpenID(ctx, code)
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
	if failure, ok := errors.AsType[*qfpay.Error](err); ok && failure.Outcome == qfpay.Unknown {
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

	// The payer presses Pay. Only the gateway knows that it has been paid.
	if err := gateway.Pay("T1"); err != nil {
		fmt.Println(err)
		return
	}
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

// In a phone's own browser there is no openid: the gateway says where the wallet
// opens.
func ExampleClient_Pay_wallet() {
	client, gateway, closeAll := exampleGateway(qfpaytest.Config{NotifyOff: true, Wallets: []string{"wechat"}})
	defer closeAll()

	prepared, err := client.Pay(context.Background(), qfpay.Payment{
		OutTradeNo: "T1",
		Amount:     12800,
		Currency:   "HKD",
		Method:     qfpay.MethodWeChat,
		Site:       "https://shop.example.com/",
		SiteName:   "Tea & Co",
		ClientIP:   "203.0.113.7",
		ReturnURL:  "https://shop.example.com/pay/return/T1",
		Time:       time.Now(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	wallet, _ := url.Parse(prepared.PayURL)
	fmt.Println("go to", wallet.Path, "and come back to", wallet.Query().Get("redirect_url"))

	// The payer presses Pay. Only the gateway knows that it has been paid.
	if err := gateway.Pay("T1"); err != nil {
		fmt.Println(err)
		return
	}
	trades, err := client.Query(context.Background(), qfpay.Query{Syssn: prepared.Syssn})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(trades[0].OutTradeNo, trades[0].State())
	// Output:
	// go to /q/wap and come back to https://shop.example.com/pay/return/T1
	// T1 paid
}

func ExampleSign() {
	params := map[string]string{"abc": "value1", "bcd": "value2", "bad": "value3"}
	fmt.Println(qfpay.Sign(qfpay.MD5, params, "Key"))
	fmt.Println(qfpay.Sign(qfpay.SHA256, params, "Key"))
	// Output:
	// FE90E1859AF37371A06415CF19F6614F
	// 55BED8288586B02E3836BF0C4BAEC24C002B1C87E1C355F356A3547AB97A64B4
}

// The way back is signed as it is, and then encoded.
func ExampleClient_OAuthURL() {
	gateway, _ := qfpay.Gateway("production")
	client, err := qfpay.NewClient(qfpay.Config{Gateway: gateway, AppCode: "APPCODE", ClientKey: "TESTKEY"})
	if err != nil {
		fmt.Println(err)
		return
	}
	address, err := client.OAuthURL("https://shop.example.com/pay/callback/T1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(address)
	// Output:
	// https://openapi-hk.qfapi.com/tool/v1/get_weixin_oauth_code?app_code=APPCODE&redirect_uri=https%3A%2F%2Fshop.example.com%2Fpay%2Fcallback%2FT1&sign=80323371110DAC0F57D83844FE4A4487
}

// A code is good for one openid. What is refused is an error that says who has to
// act.
func ExampleClient_OpenID() {
	client, gateway, closeAll := exampleGateway(qfpaytest.Config{})
	defer closeAll()

	code := gateway.Code()
	for range 2 {
		_, err := client.OpenID(context.Background(), code)
		failure, refused := errors.AsType[*qfpay.Error](err)
		fmt.Println(err == nil, refused && failure.Outcome == qfpay.Refused)
	}
	// Output:
	// true false
	// false true
}

// A program that is told of payments checks the bytes as they came, and answers
// SUCCESS once it has stored what they say.
func ExampleVerifyNotification() {
	const clientKey = "TESTKEY0123456789TESTKEY01234567"
	program := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil || !qfpay.VerifyNotification(body, r.Header.Get("X-QF-SIGN"), clientKey, qfpay.MD5) {
			http.Error(w, "not the gateway's", http.StatusUnauthorized)
			return
		}
		notification, err := qfpay.ParseNotification(body)
		if err != nil {
			http.Error(w, "not understood", http.StatusBadRequest)
			return
		}
		fmt.Println(notification.OutTradeNo, notification.Paid(), notification.Amount, notification.Currency)
		_, _ = io.WriteString(w, "SUCCESS")
	})

	body := []byte(`{"status": "1", "notify_type": "payment", "out_trade_no": "T1", "syssn": "20250101000200020000000001", ` +
		`"txamt": "100", "txcurrcd": "HKD", "goods_name": "\u8336\ud83c\udf75/a"}`)
	for _, sent := range [][]byte{body, bytes.Replace(body, []byte(`"100"`), []byte(`"999"`), 1)} {
		request := httptest.NewRequest(http.MethodPost, "/paid", bytes.NewReader(sent))
		request.Header.Set("X-QF-SIGN", "31892407BCA814C83BA544DD876AD67D")
		answer := httptest.NewRecorder()
		program(answer, request)
		fmt.Println(answer.Code)
	}
	// Output:
	// T1 true 100 HKD
	// 200
	// 401
}

// A refund has a number of its own. One whose outcome is unknown is queried by
// that number, and not sent again.
func ExampleClient_Refund() {
	client, gateway, closeAll := exampleGateway(qfpaytest.Config{NotifyOff: true})
	defer closeAll()
	ctx := context.Background()
	openid, err := client.OpenID(ctx, gateway.Code())
	if err != nil {
		fmt.Println(err)
		return
	}
	prepared, err := client.Pay(ctx, qfpay.Payment{OutTradeNo: "T1", Amount: 12800, Currency: "HKD", OpenID: openid, Time: time.Now()})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := gateway.Pay("T1"); err != nil {
		fmt.Println(err)
		return
	}

	_, err = client.Refund(ctx, qfpay.Refund{Syssn: prepared.Syssn, OutTradeNo: "T1R1", Amount: 2800, Time: time.Now()})
	switch failure, ok := errors.AsType[*qfpay.Error](err); {
	case err == nil:
		fmt.Println("28.00 went back")
	case ok && failure.Outcome == qfpay.Unknown:
		fmt.Println("it may have gone back: query T1R1")
	case ok && failure.Tomorrow():
		fmt.Println("nothing went back today: tomorrow it may, under another number")
	default:
		fmt.Println("nothing went back")
	}
	// Output: 28.00 went back
}

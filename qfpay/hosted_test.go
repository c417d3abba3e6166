package qfpay_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestAHostedPaymentIsPaidAtTheAddressOfTheReply(t *testing.T) {
	gateway, err := qfpaytest.New(qfpaytest.Config{AppCode: "A", ClientKey: "K", Hosted: true, AnyBrowser: true})
	require.NoError(t, err)
	server := httptest.NewServer(gateway)
	defer server.Close()
	client, err := qfpay.NewClient(qfpay.Config{Gateway: server.URL, AppCode: "A", ClientKey: "K"})
	require.NoError(t, err)
	payment := qfpay.Payment{
		OutTradeNo: "T1", Amount: 12800, Currency: "CAD", Hosted: true, ReturnURL: server.URL + "/control/", Time: time.Now(),
	}
	prepared, err := client.Pay(t.Context(), payment)
	require.NoError(t, err)
	assert.NotEmpty(t, prepared.Syssn)
	assert.Empty(t, prepared.PayParams)
	wallet, err := http.Get(prepared.PayURL)
	require.NoError(t, err)
	page, err := io.ReadAll(wallet.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, wallet.StatusCode)
	assert.Contains(t, string(page), "128.00")

	t.Run("a payer is not named", func(t *testing.T) {
		payment := payment
		payment.OutTradeNo, payment.OpenID = "T2", "o1"
		_, err := client.Pay(t.Context(), payment)
		assert.ErrorContains(t, err, "sub_openid must be absent")
	})
	t.Run("elsewhere the simulator refuses return_url", func(t *testing.T) {
		now := time.Now()
		client, _ := simulated(t, &now)
		_, err := client.Pay(t.Context(), payment)
		assert.ErrorContains(t, err, "return_url")
	})
}

func TestAHostedReplyWithoutAnAddressIsUnknown(t *testing.T) {
	for _, address := range []string{"", "javascript:alert(1)", "/relative", "https://"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, strings.NewReader(`{"respcd":"0000","syssn":"1","pay_url":"`+address+`"}`))
		}))
		client, err := qfpay.NewClient(qfpay.Config{Gateway: server.URL, AppCode: "A", ClientKey: "K"})
		require.NoError(t, err)
		_, err = client.Pay(t.Context(), qfpay.Payment{OutTradeNo: "T1", Amount: 1, Currency: "CAD", Hosted: true, Time: time.Now()})
		var failure *qfpay.Error
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, qfpay.Unknown, failure.Outcome)
		server.Close()
	}
}

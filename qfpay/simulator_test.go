package qfpay_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// simulated is a client of a simulator whose clock is now.
func simulated(t *testing.T, now *time.Time, change ...func(*qfpaytest.Config)) (*qfpay.Client, *qfpaytest.Simulator) {
	t.Helper()
	const appCode, key, mchid = "SIMULATEDAPPCODE", "SIMULATEDKEY", "MCH123"
	config := qfpaytest.Config{
		Strict: true, AppCode: appCode, ClientKey: key, MchID: mchid, Seed: 7, Now: func() time.Time { return *now },
	}
	for _, change := range change {
		change(&config)
	}
	gateway, err := qfpaytest.New(config)
	require.NoError(t, err)
	server := httptest.NewServer(gateway)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, gateway.Close())
	})
	client, err := qfpay.NewClient(qfpay.Config{Gateway: server.URL, AppCode: appCode, ClientKey: key, MchID: mchid})
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	return client, gateway
}

// open makes a payment that nobody has paid yet.
func open(t *testing.T, client *qfpay.Client, gateway *qfpaytest.Simulator, number string, at time.Time) *qfpay.Prepared {
	t.Helper()
	openid, err := client.OpenID(t.Context(), gateway.Code())
	require.NoError(t, err)
	prepared, err := client.Pay(t.Context(), qfpay.Payment{
		OutTradeNo: number, Amount: 12800, Currency: "HKD", OpenID: openid, Time: at,
	})
	require.NoError(t, err)
	return prepared
}

func TestCloseAgainstTheSimulator(t *testing.T) {
	made := time.Date(2026, 11, 17, 4, 0, 0, 0, time.UTC)
	now := made
	client, gateway := simulated(t, &now)
	numbers := map[string]string{}
	for _, number := range []string{"BYSYSSN", "BYNUMBER", "PAID", "FAILED"} {
		numbers[number] = open(t, client, gateway, number, made).Syssn
	}
	require.NoError(t, gateway.Pay("PAID"))
	require.NoError(t, gateway.Fail("FAILED"))
	now = made.Add(2 * time.Hour)

	closing := func(number string, at time.Time) error {
		return client.Close(t.Context(), qfpay.Close{OutTradeNo: number, Amount: 12800, Time: at})
	}
	state := func(number string) qfpay.TradeState {
		trades, err := client.Query(t.Context(), qfpay.Query{Syssn: numbers[number]})
		require.NoError(t, err)
		require.Len(t, trades, 1)
		return trades[0].State()
	}

	require.Equal(t, qfpay.TradeOpen, state("BYSYSSN"))
	require.NoError(t, client.Close(t.Context(), qfpay.Close{
		Syssn: numbers["BYSYSSN"], OutTradeNo: "BYSYSSN", Amount: 12800, Time: made,
	}))
	assert.Equal(t, qfpay.TradeDead, state("BYSYSSN"))

	require.NoError(t, closing("BYNUMBER", now), "the time of the close will do")
	assert.Equal(t, qfpay.TradeDead, state("BYNUMBER"))
	require.ErrorIs(t, gateway.Pay("BYNUMBER"), qfpaytest.ErrNotOpen)
	require.NoError(t, closing("BYNUMBER", made), "it is closed already")
	require.NoError(t, closing("FAILED", made), "it can never be paid")

	paid, ok := errors.AsType[*qfpay.Error](closing("PAID", made))
	require.True(t, ok)
	assert.True(t, paid.Paid())
	assert.False(t, paid.NotFound())
	assert.Equal(t, qfpay.TradePaid, state("PAID"))

	unknown, ok := errors.AsType[*qfpay.Error](closing("NONE", made))
	require.True(t, ok)
	assert.True(t, unknown.NotFound())
	assert.False(t, unknown.Paid())
}

func TestWindowsAgainstTheSimulator(t *testing.T) {
	for name, made := range map[string]time.Time{
		"the last second": time.Date(2026, 11, 30, 15, 59, 59, 0, time.UTC),
		"the first":       time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			now := made
			client, gateway := simulated(t, &now)
			open(t, client, gateway, "N1", made)
			now = made.AddDate(0, 2, 0)

			trades, err := client.Query(t.Context(), qfpay.Query{OutTradeNo: "N1"})
			require.NoError(t, err)
			assert.Empty(t, trades, "not of this month")
			found := 0
			for _, w := range qfpay.Windows(made, now) {
				trades, err := client.Query(t.Context(), qfpay.Query{OutTradeNo: "N1", Start: w.Start, End: w.End})
				require.NoError(t, err)
				found += len(trades)
			}
			assert.Equal(t, 1, found)
		})
	}
}

func TestHostedPaymentsAgainstTheSimulator(t *testing.T) {
	now := time.Date(2026, 11, 17, 4, 0, 0, 0, time.UTC)
	client, gateway := simulated(t, &now, func(c *qfpaytest.Config) { c.Hosted = true })
	prepared, err := client.Pay(t.Context(), qfpay.Payment{
		OutTradeNo: "N1", Amount: 12800, Currency: "CAD", Time: now,
		Method: qfpay.MethodHosted, ReturnURL: "https://pay.example.com/pay/return/N1",
	})
	require.NoError(t, err)
	assert.Contains(t, prepared.PayURL, "/q/hosted?")
	assert.Empty(t, prepared.PayParams)

	require.NoError(t, gateway.Pay("N1"))
	trades, err := client.Query(t.Context(), qfpay.Query{Syssn: prepared.Syssn})
	require.NoError(t, err)
	require.Len(t, trades, 1)
	assert.Equal(t, qfpay.TradePaid, trades[0].State())

	gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.MissingPayParams})
	_, err = client.Pay(t.Context(), qfpay.Payment{OutTradeNo: "N2", Amount: 1, Currency: "CAD", Time: now, Method: qfpay.MethodHosted})
	unknown, ok := errors.AsType[*qfpay.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, qfpay.Unknown, unknown.Outcome)
}

func TestWalletsAgainstTheSimulator(t *testing.T) {
	now := time.Date(2026, 11, 17, 4, 0, 0, 0, time.UTC)
	client, gateway := simulated(t, &now, func(c *qfpaytest.Config) {
		for _, method := range qfpay.Wallets() {
			c.Wallets = append(c.Wallets, string(method))
		}
	})
	for _, method := range qfpay.Wallets() {
		prepared, err := client.Pay(t.Context(), wallet(method, "PAID"+string(method), now))
		require.NoError(t, err, method)
		assert.Contains(t, prepared.PayURL, "/q/wap?", method)
		assert.Equal(t, method == qfpay.MethodWeChat, strings.Contains(prepared.PayURL, "&redirect_url=https%3A%2F%2Fpay.example.com"), method)
		require.NoError(t, gateway.Pay("PAID"+string(method)))
		trades, err := client.Query(t.Context(), qfpay.Query{Syssn: prepared.Syssn})
		require.NoError(t, err)
		require.Len(t, trades, 1)
		assert.Equal(t, qfpay.TradePaid, trades[0].State(), method)
		assert.Equal(t, method.PayType(), trades[0].PayType)

		prepared, err = client.Pay(t.Context(), wallet(method, "OPEN"+string(method), now))
		require.NoError(t, err, method)
		err = client.Close(t.Context(), qfpay.Close{Syssn: prepared.Syssn, Amount: 12800, Time: now})
		unknown, ok := errors.AsType[*qfpay.Error](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, qfpay.Unknown, unknown.Outcome, "it cannot be closed")
		require.NoError(t, gateway.Pay("OPEN"+string(method)))
	}
}

func wallet(method qfpay.Method, number string, at time.Time) qfpay.Payment {
	payment := qfpay.Payment{
		OutTradeNo: number, Amount: 12800, Currency: "HKD", Time: at,
		Method: method, ReturnURL: "https://pay.example.com/pay/return/" + number,
	}
	if method == qfpay.MethodWeChat {
		payment.Site, payment.SiteName, payment.ClientIP = "https://pay.example.com/", "Tea & Co", "203.0.113.7"
	}
	return payment
}

func TestAWalletThatIsNotActivatedSaysSo(t *testing.T) {
	now := time.Date(2026, 11, 17, 4, 0, 0, 0, time.UTC)
	client, _ := simulated(t, &now)
	_, err := client.Pay(t.Context(), wallet(qfpay.MethodPayMe, "N1", now))
	refused, ok := errors.AsType[*qfpay.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, qfpay.FaultShop, refused.Fault)
	assert.Equal(t, "this way of paying is not activated for your account: ask QFPay", refused.Meaning())
}

func TestAWrongMchIDIsToldFromAWrongKey(t *testing.T) {
	now := time.Date(2026, 11, 17, 4, 0, 0, 0, time.UTC)
	gateway, err := qfpaytest.New(qfpaytest.Config{AppCode: "A", ClientKey: "K", MchID: "M", Now: func() time.Time { return now }, Strict: true})
	require.NoError(t, err)
	server := httptest.NewServer(gateway)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, gateway.Close())
	})
	for want, config := range map[string]qfpay.Config{
		"wrong mchid":          {AppCode: "A", ClientKey: "K", MchID: "another"},
		"bad signature or key": {AppCode: "A", ClientKey: "another", MchID: "M"},
	} {
		config.Gateway = server.URL
		client, err := qfpay.NewClient(config)
		require.NoError(t, err)
		_, err = client.OpenID(t.Context(), gateway.Code())
		refused, ok := errors.AsType[*qfpay.Error](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, qfpay.FaultShop, refused.Fault)
		assert.Equal(t, want, refused.Meaning())
	}
}

func TestReplySignaturesAgainstTheSimulator(t *testing.T) {
	gateway, err := qfpaytest.New(qfpaytest.Config{AppCode: "A", ClientKey: "K", Strict: true})
	require.NoError(t, err)
	server := httptest.NewServer(gateway)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, gateway.Close())
	})
	wrong := 0
	client, err := qfpay.NewClient(qfpay.Config{
		Gateway: server.URL, AppCode: "A", ClientKey: "K", WrongReplySignature: func() { wrong++ },
	})
	require.NoError(t, err)
	_, err = client.OpenID(t.Context(), gateway.Code())
	require.NoError(t, err)
	_, err = client.OpenID(t.Context(), "no code")
	require.Error(t, err)
	require.Zero(t, wrong, "the simulator signs what it says, refusals too")

	gateway.Inject(qfpaytest.Fault{Call: "openid", Kind: qfpaytest.BadSign})
	_, err = client.OpenID(t.Context(), gateway.Code())
	require.NoError(t, err)
	assert.Equal(t, 1, wrong)
}

func TestRealNamesAgainstTheSimulator(t *testing.T) {
	now := time.Date(2026, 11, 17, 4, 0, 0, 0, time.UTC)
	pay := func(client *qfpay.Client, gateway *qfpaytest.Simulator) error {
		openid, err := client.OpenID(t.Context(), gateway.Code())
		require.NoError(t, err)
		_, err = client.Pay(t.Context(), qfpay.Payment{
			OutTradeNo: "N1", Amount: 12800, Currency: "CNY", OpenID: openid, Time: now,
			RealName: &qfpay.RealName{Name: "买买提·\"A\" & <B>", IDCard: "11010519491231002X"},
		})
		return err
	}
	client, gateway := simulated(t, &now, func(c *qfpaytest.Config) { c.RealName = true })
	require.NoError(t, pay(client, gateway))
	trade, _ := gateway.Trade("N1")
	assert.Equal(t, `{"user_creid":"11010519491231002X","user_truename":"买买提·\"A\" & <B>"}`, trade.Params["extend_info"])

	refused, ok := errors.AsType[*qfpay.Error](pay(simulated(t, &now)))
	require.True(t, ok)
	assert.Equal(t, "1103", refused.Respcd)
	assert.Equal(t, qfpay.Refused, refused.Outcome)
}

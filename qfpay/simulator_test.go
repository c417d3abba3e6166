package qfpay_test

import (
	"errors"
	"net/http/httptest"
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
		AppCode: appCode, ClientKey: key, MchID: mchid, Seed: 7, Now: func() time.Time { return *now },
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
		Hosted: true, ReturnURL: "https://pay.example.com/pay/return/N1",
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
	_, err = client.Pay(t.Context(), qfpay.Payment{OutTradeNo: "N2", Amount: 1, Currency: "CAD", Time: now, Hosted: true})
	unknown, ok := errors.AsType[*qfpay.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, qfpay.Unknown, unknown.Outcome)
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

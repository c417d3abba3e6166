package qfpaytest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func keptIn(file string) func(*qfpaytest.Config) {
	return func(c *qfpaytest.Config) { c.File = file }
}

func TestASimulatorThatIsStartedAgainKnowsItsTrades(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "gateway.json")
	before := newShop(t, keptIn(file))
	syssn := before.paid("PAID")
	before.opened("OPEN")
	before.opened("CLOSED")
	closed := before.post("/trade/v1/close", map[string]string{"out_trade_no": "CLOSED", "txamt": "12800", "txdtm": noonText})
	require.Equal(t, "0000", closed.respcd(), closed.body)
	refund := map[string]string{"syssn": syssn, "out_trade_no": "R1", "txamt": "2800", "txdtm": noonText}
	require.Equal(t, "0000", before.post("/trade/v1/refund", refund).respcd())
	rows := map[string]map[string]any{}
	for _, number := range []string{"PAID", "OPEN", "CLOSED", "R1"} {
		rows[number] = before.row(number)
	}

	after := newShop(t, keptIn(file))
	for number, row := range rows {
		assert.Equal(t, row, after.row(number))
	}
	assert.Equal(t, "0000", after.post("/trade/v1/refund", with(with(refund, "out_trade_no", "R2"), "txamt", "10000")).respcd(), "the rest goes back")
	assert.NotEqual(t, "0000", after.post("/trade/v1/refund", with(with(refund, "out_trade_no", "R3"), "txamt", "1")).respcd(), "and no more")
	require.NoError(t, after.gateway.Pay("OPEN"))
	assert.NotEqual(t, "0000", after.post("/trade/v1/payment", after.order("PAID")).respcd(), "a number that was used before")
}

func TestAWalletThatWasOpenedBeforeARestartStillPays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.json")
	wap := func(c *qfpaytest.Config) { c.Wallets = []string{"alipayhk"} }
	before := newShop(t, keptIn(file), wap)
	order := without(before.order("N1"), "sub_openid")
	got := before.post("/trade/v1/payment", with(with(order, "pay_type", "801512"), "return_url", "https://shop.example/back"))
	require.Equal(t, "0000", got.respcd(), got.body)
	after := newShop(t, keptIn(file), wap)
	page := after.as("Mozilla/5.0 (iPhone)", strings.TrimPrefix(got.reply["pay_url"].(string), before.url))
	assert.Equal(t, http.StatusOK, page.status)
	assert.Contains(t, page.body, "https://shop.example/back")
}

func TestTheFileIsPrivateSmallAndWrittenAsAWhole(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "gateway.json")
	before := make([]qfpaytest.Trade, 1010)
	for i := range before {
		before[i].OutTradeNo = fmt.Sprint("N", i)
	}
	text, err := json.Marshal(map[string]any{"app_code": appCode, "trades": before})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
	s := newShop(t, keptIn(file))
	require.NoError(t, s.gateway.PayElsewhere("NEW", 100, "HKD"))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing is left beside it")

	text, err = os.ReadFile(file)
	require.NoError(t, err)
	var state struct{ Trades []qfpaytest.Trade }
	require.NoError(t, json.Unmarshal(text, &state))
	require.Len(t, state.Trades, 1000)
	assert.Equal(t, "NEW", state.Trades[999].OutTradeNo, "the newest")
	assert.NotContains(t, string(text), key)
}

func TestThePayersOpenIDIsNotKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.json")
	s := newShop(t, keptIn(file))
	order := s.order("N1")
	require.Equal(t, "0000", s.post("/trade/v1/payment", order).respcd())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"N1"`)
	assert.NotContains(t, string(text), order["sub_openid"])
}

func TestAFileOfSomethingElseIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a shopping list":                 "does not hold a simulator's trades: remove it",
		`{"app_code":"ANOTHER"}`:          "another app_code",
		`{"app_code":"` + appCode + `","`: "does not hold",
	} {
		file := filepath.Join(t.TempDir(), "gateway.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := qfpaytest.New(qfpaytest.Config{AppCode: appCode, ClientKey: key, File: file})
		require.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, file)
	}
}

func TestAFileThatCannotBeWrittenStopsNoPayment(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "file"), nil, 0o600))
	s := newShop(t, keptIn(filepath.Join(folder, "new", "gateway.json")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "new"), nil, 0o600))
	s.paid("N1")
	assert.Equal(t, "0000", s.row("N1")["respcd"])
}

// A demo that is started again has forgotten how far it had counted. Its seed may be
// the same.
func TestASerialNumberIsNotGivenTwiceAcrossRestarts(t *testing.T) {
	given := map[string]bool{}
	for restart := range 5 {
		s := newShop(t)
		s.now = noon.Add(time.Duration(restart) * time.Second)
		for i := range 20 {
			syssn := s.opened(fmt.Sprint("N", i))["syssn"].(string)
			assert.Len(t, syssn, 26)
			assert.False(t, given[syssn], syssn)
			given[syssn] = true
		}
	}
}

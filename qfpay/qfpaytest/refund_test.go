package qfpaytest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// refund asks for a part of a payment back.
func (s *shop) refund(syssn, number, amount string) response {
	s.Helper()
	return s.post("/trade/v1/refund", map[string]string{
		"syssn": syssn, "out_trade_no": number, "txamt": amount,
		"txdtm": s.now.In(time.FixedZone("", 8*60*60)).Format(time.DateTime),
	})
}

func TestARefusedRefundNamesItsPaymentAndHasNoSyssn(t *testing.T) {
	text := "已超過可退款時限"
	for name, c := range map[string]struct {
		fault  qfpaytest.Fault // of the next refund; none if its kind is empty
		amount string
		respcd string
		words  string
	}{
		"not today":           {qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1269"}, "1", "1269", "injected"},
		"after the period":    {qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1265", Respmsg: text}, "1", "1265", text},
		"another payment":     {qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1267"}, "1", "1267", "injected"},
		"of its own accord":   {qfpaytest.Fault{}, "12801", "1266", "more than was paid"},
		"a lie: it was taken": {qfpaytest.Fault{Kind: qfpaytest.RespcdAfter, Respcd: "1124"}, "1", "1124", "injected"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			syssn := s.paid("N1")
			if c.fault.Kind != "" {
				c.fault.Call = "refund"
				s.gateway.Inject(c.fault)
			}
			got := s.refund(syssn, "R1", c.amount)
			assert.Equal(t, c.respcd, got.respcd(), got.body)
			assert.Contains(t, got.reply["respmsg"], c.words)
			assert.Equal(t, "R1", got.reply["out_trade_no"])
			assert.Equal(t, syssn, got.reply["orig_syssn"])
			assert.Equal(t, "HKD", got.reply["txcurrcd"])
			assert.NotContains(t, got.reply, "syssn")
			_, taken := s.gateway.Trade("R1")
			assert.Equal(t, c.fault.Kind == qfpaytest.RespcdAfter, taken)
		})
	}
}

func TestARefundThatTheChannelIsAtWorkOnHasASyssn(t *testing.T) {
	s := newShop(t)
	syssn := s.paid("N1")
	s.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.RespcdAfter, Respcd: "2999"})
	done := s.refund(syssn, "R1", "1")
	s.gateway.SetSlowRefunds(true)
	slow := s.refund(syssn, "R2", "1")
	assert.Equal(t, "2999", done.respcd())
	for number, got := range map[string]response{"R1": done, "R2": slow} {
		refund, _ := s.gateway.Trade(number)
		assert.Equal(t, refund.Syssn, got.reply["syssn"], got.body)
	}
	assert.Equal(t, "0000", s.row("R1")["respcd"])
	assert.Equal(t, slow.respcd(), s.row("R2")["respcd"])
}

func TestASecondRefundOfAPaymentWithinASecondIsRefused(t *testing.T) {
	s := newShop(t, func(c *qfpaytest.Config) { c.RefundGap = time.Second })
	syssn, other := s.paid("N1"), s.paid("N2")
	assert.Equal(t, "0000", s.refund(syssn, "R1", "1").respcd())
	assert.Equal(t, "1155", s.refund(syssn, "R2", "1").respcd())
	assert.Equal(t, "0000", s.refund(other, "R3", "1").respcd(), "of another payment")
	s.now = s.now.Add(time.Second)
	assert.Equal(t, "0000", s.refund(syssn, "R2", "1").respcd())
}

func TestAStuckRefundIsShownByItsPaymentOrNot(t *testing.T) {
	for _, shown := range []bool{true, false} {
		s := newShop(t)
		syssn := s.paid("N1")
		s.gateway.SetSlowRefunds(true)
		s.gateway.SetRefundsShown(shown)
		open := s.refund(syssn, "R1", "12800").respcd()
		assert.Equal(t, "1264", s.refund(syssn, "R2", "1").respcd(), "nothing is left either way")
		s.now = s.now.Add(24 * time.Hour)
		assert.Equal(t, open, s.row("R1")["respcd"], "a day later")
		assert.Equal(t, map[bool]string{true: "3", false: "0"}[shown], s.row("N1")["cancel"])

		require.NoError(t, s.gateway.Pay("R1"))
		assert.Equal(t, "3", s.row("N1")["cancel"], "done")
		assert.Equal(t, "1264", s.refund(syssn, "R3", "1").respcd())
	}
}

func TestAStuckRefundThatFailsLeavesThePaymentAsItWas(t *testing.T) {
	for _, shown := range []bool{true, false} {
		s := newShop(t)
		syssn := s.paid("N1")
		s.gateway.SetSlowRefunds(true)
		s.gateway.SetRefundsShown(shown)
		s.refund(syssn, "R1", "12800")
		require.NoError(t, s.gateway.Fail("R1"))
		assert.Equal(t, "0", s.row("N1")["cancel"])
		s.gateway.SetSlowRefunds(false)
		assert.Equal(t, "0000", s.refund(syssn, "R2", "12800").respcd())
	}
}

func TestAMonthsEndHidesARefundButNotThatItWasMade(t *testing.T) {
	s := newShop(t)
	syssn := s.paid("N1")
	s.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropAfter})
	_, err := s.client.Do(s.signed(http.MethodPost, "/trade/v1/refund", map[string]string{
		"syssn": syssn, "out_trade_no": "R1", "txamt": "12800", "txdtm": noonText,
	}))
	require.Error(t, err, "the reply is lost")
	_, taken := s.gateway.Trade("R1")
	require.True(t, taken)
	s.now = time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC) // midnight in UTC+8
	assert.Empty(t, s.post("/trade/v1/query", map[string]string{"out_trade_no": "R1"}).rows())
	paid := s.post("/trade/v1/query", map[string]string{
		"syssn": syssn, "start_time": "2026-11-01 00:00:00", "end_time": "2026-11-30 23:59:59",
	}).rows()
	require.Len(t, paid, 1)
	assert.Equal(t, "3", paid[0]["cancel"])
}

func TestWhatARefundsNotificationHolds(t *testing.T) {
	for name, c := range map[string]struct {
		of2019          bool
		holds, holdsNot []string
	}{
		"2025": {false, []string{"status", "orig_syssn"}, []string{"pay_type", "paydtm", "cancel", "goods_name", "orig_out_trade_no"}},
		"2019": {true, []string{"pay_type", "orig_syssn", "orig_out_trade_no"}, []string{"status"}},
	} {
		t.Run(name, func(t *testing.T) {
			box := newInbox(t, "SUCCESS")
			s := newShop(t, box.registered, func(cfg *qfpaytest.Config) { cfg.MchID, cfg.Refunds2019 = "M1", c.of2019 })
			s.gateway.SetNotifications(false)
			require.NoError(t, s.gateway.PayElsewhere("N1", 12800, "HKD"))
			s.gateway.SetNotifications(true)
			trade, _ := s.gateway.Trade("N1")
			refund := map[string]string{"syssn": trade.Syssn, "out_trade_no": "R1", "txamt": "1", "txdtm": noonText, "mchid": "M1"}
			require.Equal(t, "0000", s.post("/trade/v1/refund", refund).respcd())
			var told map[string]string
			require.NoError(t, json.Unmarshal([]byte(box.wait(1)[0].body), &told))
			for _, member := range c.holds {
				assert.NotEmpty(t, told[member], member)
			}
			for _, member := range c.holdsNot {
				assert.NotContains(t, told, member)
			}
			assert.Equal(t, map[bool]string{false: "cancel", true: "refund"}[c.of2019], told["notify_type"])
			assert.Equal(t, "M1", told["mchid"])
			assert.Equal(t, told["notify_type"], s.delivered(1)[0].NotifyType)
		})
	}
}

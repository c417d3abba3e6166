package qfpaytest

import (
	"errors"
	"fmt"
	"strconv"
)

// payTypeAtTheTill is WeChat Pay by a code that the payer shows or scans.
const payTypeAtTheTill = "800201"

// ErrNotRefundable is why a refund made elsewhere is not made.
var ErrNotRefundable = errors.New("the payment is not paid, or has less than that left")

// RefundElsewhere gives money of a payment back as the merchant's owner does in
// QFPay's portal: under a number of the gateway's, which it returns, and without a
// notification. amount is in minor units. It fails with ErrUnknownTrade or
// ErrNotRefundable.
func (s *Simulator) RefundElsewhere(outTradeNo string, amount int64) (number string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	paid, found := s.book.find(outTradeNo)
	switch {
	case !found || paid.OrderType != Payment:
		return "", fmt.Errorf("qfpaytest: %q: %w", outTradeNo, ErrUnknownTrade)
	case paid.State != Paid || amount < 1 || amount > paid.left():
		return "", fmt.Errorf("qfpaytest: %q: %w", outTradeNo, ErrNotRefundable)
	}
	now := s.cfg.Now()
	number = fmt.Sprintf("%s%07d", now.In(gatewayZone).Format("20060102150405"), s.book.entries+1)
	s.openRefund(paid, params{
		"syssn":        paid.Syssn,
		"out_trade_no": number,
		"txamt":        strconv.FormatInt(amount, 10),
		"txdtm":        formatTime(now),
	})
	return number, nil
}

// PayElsewhere makes a paid payment that no call asked for, as at the till of the
// same merchant. The address registered by email, if any, is notified. It fails if
// the number was used before, or for a value that a payment could not have.
func (s *Simulator) PayElsewhere(outTradeNo string, amountInMinor int64, currencyCode string) error {
	now := s.cfg.Now()
	p := params{
		"txamt":        strconv.FormatInt(amountInMinor, 10),
		"txcurrcd":     currencyCode,
		"pay_type":     payTypeAtTheTill,
		"out_trade_no": outTradeNo,
		"txdtm":        formatTime(now),
	}
	wrong := rules{
		{name: "txamt", required: true, check: amount},
		{name: "txcurrcd", required: true, check: currency},
		{name: "out_trade_no", required: true, check: visible(maxOutTradeNo)},
	}.apply(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if wrong == nil {
		wrong = s.refuseDuplicate(outTradeNo)
	}
	if wrong != nil {
		return errors.New("qfpaytest: " + wrong.reason)
	}
	return s.move(s.openTrade(p, now), Paid)
}

// SetListed says whether enquiries and lists show a payment or refund; at first
// they do. It fails with ErrUnknownTrade.
func (s *Simulator) SetListed(outTradeNo string, listed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, found := s.book.find(outTradeNo)
	if !found {
		return fmt.Errorf("qfpaytest: %q: %w", outTradeNo, ErrUnknownTrade)
	}
	t.unlisted = !listed
	s.keep()
	return nil
}

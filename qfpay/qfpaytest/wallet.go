package qfpaytest

import (
	"errors"
	"fmt"
)

// The wallet's buttons refuse a trade for one of these reasons.
var (
	ErrUnknownTrade = errors.New("no such payment")
	ErrNotOpen      = errors.New("the payment can no longer be paid")
)

// Pay presses Pay for the payment with the merchant's number: it is paid, and the
// merchant is notified. Pressing it again changes nothing. A slow refund is done
// by it.
func (s *Simulator) Pay(outTradeNo string) error {
	return s.pressFor(outTradeNo, Paid)
}

// Cancel presses Cancel: the payer leaves, and the payment stays open.
func (s *Simulator) Cancel(outTradeNo string) error {
	return s.pressFor(outTradeNo, Open)
}

// Fail ends the payment unpaid, as when the wallet refuses it for good. A slow
// refund is refused by it.
func (s *Simulator) Fail(outTradeNo string) error {
	return s.pressFor(outTradeNo, Failed)
}

func (s *Simulator) pressFor(outTradeNo string, to State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, found := s.book.find(outTradeNo)
	if !found {
		return fmt.Errorf("qfpaytest: %q: %w", outTradeNo, ErrUnknownTrade)
	}
	return s.move(t, to)
}

// move brings an open payment to a state. A payment that is there already stays.
func (s *Simulator) move(t *Trade, to State) error {
	switch {
	case t.State == to:
		return nil
	case t.State != Open:
		return fmt.Errorf("qfpaytest: %q is %s: %w", t.OutTradeNo, t.State, ErrNotOpen)
	}
	t.State = to
	if t.OrderType == Refund {
		s.endRefund(t)
	}
	if to == Paid {
		t.PayDtm = s.cfg.Now()
		t.ChnlSn = s.channelNumber(t.Syssn)
		s.notify(t)
	}
	s.keep()
	return nil
}

// channelNumber is WeChat's own number of a transaction: 28 digits.
func (s *Simulator) channelNumber(syssn string) string {
	return "4200" + letters(s.dice.roll("chnlsn "+syssn, 0), digits, 24)
}

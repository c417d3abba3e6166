package qfpaytest

import (
	"net/http"
	"time"
)

// maxReply bounds how much of the merchant's answer is read, in bytes.
const maxReply = 64

// accepted is the answer that ends the deliveries.
const accepted = "SUCCESS"

// retryAfter is the documented schedule after a delivery that was not accepted:
// the wait before each further attempt. After the last one there is none.
var retryAfter = []time.Duration{
	2 * time.Minute,
	10 * time.Minute,
	10 * time.Minute,
	60 * time.Minute,
	2 * time.Hour,
	6 * time.Hour,
	15 * time.Hour,
}

// Delivery records one attempt to notify the merchant.
type Delivery struct {
	NotifyType string    `json:"notify_type"` // payment, or for a refund cancel or refund
	OutTradeNo string    `json:"out_trade_no"`
	Syssn      string    `json:"syssn"`
	URL        string    `json:"url"`
	Attempt    int       `json:"attempt"` // from 1 to 8
	At         time.Time `json:"at"`

	// Body and Sign are what was sent.
	Body string `json:"body"`
	Sign string `json:"sign"`

	// Status and Reply are the merchant's answer, the reply cut to 64 bytes.
	// Status is 0 if there was none; Error then says why.
	Status   int    `json:"status"`
	Reply    string `json:"reply"`
	Error    string `json:"error,omitempty"`
	Accepted bool   `json:"accepted"`
}

// Notifications returns all attempts to notify the merchant, in order.
func (s *Simulator) Notifications() []Delivery { return s.courier.deliveries() }

// SetNotifications switches notifications on or off. What happens while they are
// off is never notified; retries that are already scheduled go on.
func (s *Simulator) SetNotifications(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notifyOff = !on
}

func (s *Simulator) notificationsOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.notifyOff
}

// notify tells the merchant of a success. The caller holds the lock.
func (s *Simulator) notify(t *Trade) {
	address := t.NotifyURL
	if address == "" {
		address = s.cfg.NotifyURL
	}
	if s.notifyOff || address == "" {
		return
	}
	kind, told := s.notification(t)
	body := told.encode(pythonSpacing)
	s.courier.send(Delivery{
		NotifyType: kind,
		OutTradeNo: t.OutTradeNo,
		Syssn:      t.Syssn,
		URL:        address,
		Attempt:    1,
		Body:       string(body),
		Sign:       s.sign(signMD5, body),
	})
}

// notification is what the merchant is told of a success, and of which type.
func (s *Simulator) notification(t *Trade) (notifyType string, body object) {
	notifyType, body = "payment", toldOf(t)
	switch {
	case t.OrderType == Payment:
	case s.cfg.Refunds2019:
		notifyType = "refund"
		body = append(body.without("status"), must("orig_syssn", t.OrigSyssn), must("orig_out_trade_no", t.OrigOutTradeNo))
	default:
		notifyType = "cancel"
		body = append(body.without("pay_type", "paydtm", "cancel", "goods_name"), must("orig_syssn", t.OrigSyssn))
	}
	if s.cfg.MchID != "" {
		body = append(body, must("mchid", s.cfg.MchID))
	}
	return notifyType, append(body, must("notify_type", notifyType))
}

func toldOf(t *Trade) object {
	return object{
		must("status", "1"),
		must("pay_type", t.PayType),
		must("sysdtm", formatTime(t.SysDtm)),
		must("paydtm", formatTime(t.PayDtm)),
		must("txcurrcd", t.Currency),
		must("txdtm", t.TxDtm),
		must("txamt", t.txamt()),
		must("out_trade_no", t.OutTradeNo),
		must("syssn", t.Syssn),
		must("cancel", t.Cancel()),
		must("respcd", t.Respcd()),
		must("goods_name", t.GoodsName),
		must("chnlsn", t.ChnlSn),
		must("cardcd", ""),
	}
}

// header are the headers of a delivery.
func (d Delivery) header() http.Header {
	return http.Header{
		"Content-Type": {"application/json"},
		headerSign:     {d.Sign},
	}
}

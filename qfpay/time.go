package qfpay

import (
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// HongKong is the zone of every time on the wire. The wire does not name it:
// QFPay stores a sent time unchanged, and its own clock was seen to be UTC+8. A
// fixed zone needs no time zone database, and Hong Kong has no summer time.
var HongKong = time.FixedZone("HKT", 8*60*60)

func formatTime(t time.Time) string {
	return t.In(HongKong).Format(time.DateTime)
}

// moment is a time in a reply. Absent, empty or unreadable ones are zero: a
// clock that cannot be read must not hide a payment.
type moment time.Time

func (m *moment) UnmarshalJSON(raw []byte) error {
	s, err := remote.Scalar(raw)
	if err != nil {
		return err
	}
	*m = moment(parseTime(s))
	return nil
}

func parseTime(s string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, s, HongKong)
	if err != nil {
		return time.Time{}
	}
	return t
}

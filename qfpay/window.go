package qfpay

import "time"

// Window is a span of time, both ends included, in whole seconds of [HongKong].
type Window struct {
	Start, End time.Time
}

// Windows returns, in their order, the spans of time in which the gateway must be
// asked about an order made at the given time when only its own number is known:
// without a syssn, [Client.Query] searches one calendar month. There are two
// around the end of a month in [HongKong], otherwise one, and the second starts
// in the second after the first.
//
// Together they reach from an hour before the order, as clocks differ, until a
// day after it, but no further than an hour from now. An order that is yet to
// come, by a clock that was put back, is searched until an hour after it.
func Windows(made, now time.Time) []Window {
	latest := now
	if made.After(now) {
		latest = made
	}
	start, end := wire(made.Add(-time.Hour)), wire(latest.Add(time.Hour))
	if day := wire(made.Add(24 * time.Hour)); day.Before(end) {
		end = day
	}
	next := nextMonth(start)
	if end.Before(next) {
		return []Window{{start, end}}
	}
	return []Window{{start, next.Add(-time.Second)}, {next, end}}
}

// MonthOf returns the calendar month in [HongKong] in which the gateway made the
// trade with this number, whose first eight digits are that day; false if they are
// no day from 2000 to 2099.
//
// Where that is not the current month, send it beside [Query.Syssn]: some editions
// of QFPay's documentation want it, and others say that it does no harm. That
// nothing is found in another month then proves nothing.
func MonthOf(syssn string) (Window, bool) {
	if len(syssn) < len(dayDigits) {
		return Window{}, false
	}
	day, err := time.ParseInLocation(dayDigits, syssn[:len(dayDigits)], HongKong)
	if err != nil || day.Year() < 2000 || day.Year() > 2099 {
		return Window{}, false
	}
	next := nextMonth(day)
	return Window{next.AddDate(0, -1, 0), next.Add(-time.Second)}, true
}

// dayDigits is how a syssn begins.
const dayDigits = "20060102"

// wire is t as it is sent: in Hong Kong, without a fraction of a second.
func wire(t time.Time) time.Time {
	return t.In(HongKong).Truncate(time.Second)
}

// nextMonth is the beginning of the month after that of t.
func nextMonth(t time.Time) time.Time {
	year, month, _ := t.Date()
	return time.Date(year, month+1, 1, 0, 0, 0, 0, t.Location())
}

package qfpay

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sent are the windows as the gateway gets them.
func sent(windows []Window) [][2]string {
	var times [][2]string
	for _, w := range windows {
		times = append(times, [2]string{formatTime(w.Start), formatTime(w.End)})
	}
	return times
}

func TestWindows(t *testing.T) {
	at := func(s string) time.Time {
		t.Helper()
		parsed := parseTime(s)
		require.False(t, parsed.IsZero(), s)
		return parsed
	}
	const later = 72 * time.Hour
	for name, test := range map[string]struct {
		made string
		now  time.Duration // after made
		want [][2]string
	}{
		"in mid-month": {
			"2026-11-17 12:00:00", later,
			[][2]string{{"2026-11-17 11:00:00", "2026-11-18 12:00:00"}},
		},
		"just now": {
			"2026-11-17 12:00:00", time.Minute,
			[][2]string{{"2026-11-17 11:00:00", "2026-11-17 13:01:00"}},
		},
		"23 hours ago": {
			"2026-11-17 12:00:00", 23 * time.Hour,
			[][2]string{{"2026-11-17 11:00:00", "2026-11-18 12:00:00"}},
		},
		"by a clock that was put back": {
			"2026-11-17 12:00:00", -5 * time.Hour,
			[][2]string{{"2026-11-17 11:00:00", "2026-11-17 13:00:00"}},
		},
		"in the last second of a month": {
			"2026-11-30 23:59:59", later,
			[][2]string{{"2026-11-30 22:59:59", "2026-11-30 23:59:59"}, {"2026-12-01 00:00:00", "2026-12-01 23:59:59"}},
		},
		"in the last second of a month, just now": {
			"2026-11-30 23:59:59", 0,
			[][2]string{{"2026-11-30 22:59:59", "2026-11-30 23:59:59"}, {"2026-12-01 00:00:00", "2026-12-01 00:59:59"}},
		},
		"in the first second of a month": {
			"2026-11-01 00:00:00", later,
			[][2]string{{"2026-10-31 23:00:00", "2026-10-31 23:59:59"}, {"2026-11-01 00:00:00", "2026-11-02 00:00:00"}},
		},
		"an hour after a month began": {
			"2026-11-01 01:00:00", later,
			[][2]string{{"2026-11-01 00:00:00", "2026-11-02 01:00:00"}},
		},
		"a second less": {
			"2026-11-01 00:59:59", later,
			[][2]string{{"2026-10-31 23:59:59", "2026-10-31 23:59:59"}, {"2026-11-01 00:00:00", "2026-11-02 00:59:59"}},
		},
		"a day before a month ends": {
			"2026-11-29 23:59:59", later,
			[][2]string{{"2026-11-29 22:59:59", "2026-11-30 23:59:59"}},
		},
		"a second more": {
			"2026-11-30 00:00:00", later,
			[][2]string{{"2026-11-29 23:00:00", "2026-11-30 23:59:59"}, {"2026-12-01 00:00:00", "2026-12-01 00:00:00"}},
		},
		"a day before a month ends, that evening": {
			"2026-11-30 00:00:00", 22 * time.Hour,
			[][2]string{{"2026-11-29 23:00:00", "2026-11-30 23:00:00"}},
		},
		"on New Year's Eve": {
			"2026-12-31 20:00:00", later,
			[][2]string{{"2026-12-31 19:00:00", "2026-12-31 23:59:59"}, {"2027-01-01 00:00:00", "2027-01-01 20:00:00"}},
		},
		"on the last day of a short February": {
			"2027-02-28 12:00:00", later,
			[][2]string{{"2027-02-28 11:00:00", "2027-02-28 23:59:59"}, {"2027-03-01 00:00:00", "2027-03-01 12:00:00"}},
		},
		"on the last but one of a long February": {
			"2028-02-28 12:00:00", later,
			[][2]string{{"2028-02-28 11:00:00", "2028-02-29 12:00:00"}},
		},
		"on the last day of a long February": {
			"2028-02-29 12:00:00", later,
			[][2]string{{"2028-02-29 11:00:00", "2028-02-29 23:59:59"}, {"2028-03-01 00:00:00", "2028-03-01 12:00:00"}},
		},
		"on the 31st of January": {
			"2027-01-31 12:00:00", later,
			[][2]string{{"2027-01-31 11:00:00", "2027-01-31 23:59:59"}, {"2027-02-01 00:00:00", "2027-02-01 12:00:00"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := at(test.made)
			for _, zone := range []*time.Location{HongKong, time.UTC, time.FixedZone("", -10*60*60), time.FixedZone("", 14*60*60)} {
				for _, fraction := range []time.Duration{0, time.Second - 1} {
					got := Windows(made.Add(fraction).In(zone), made.Add(test.now+fraction).In(zone))
					assert.Equal(t, test.want, sent(got), "%s, %s", zone, fraction)
				}
			}
		})
	}
}

func TestAQueryTakesEveryWindowAndNoSecondIsLeftOut(t *testing.T) {
	client := newClient(t, http.HandlerFunc(says(200, `{"respcd":"0000","data":[]}`)))
	newYork := time.FixedZone("", -5*60*60)
	first := time.Date(2027, 12, 30, 0, 0, 0, 0, newYork)
	for made := first; made.Before(first.AddDate(0, 3, 0)); made = made.Add(7*time.Hour + 7*time.Second) {
		windows := Windows(made, made.AddDate(0, 1, 0))
		assert.True(t, windows[0].Start.Equal(made.Add(-time.Hour)), made)
		assert.True(t, windows[len(windows)-1].End.Equal(made.Add(24*time.Hour)), made)
		if len(windows) == 2 {
			assert.Equal(t, time.Second, windows[1].Start.Sub(windows[0].End), made)
		}
		for _, w := range windows {
			_, err := client.Query(t.Context(), Query{OutTradeNo: "A", Start: w.Start, End: w.End})
			assert.NoError(t, err, made)
		}
	}
}

func TestTheMonthOfATradeIsInItsNumber(t *testing.T) {
	for syssn, want := range map[string][2]string{
		"20261130000200020000000001": {"2026-11-01 00:00:00", "2026-11-30 23:59:59"},
		"20261231000200020000000001": {"2026-12-01 00:00:00", "2026-12-31 23:59:59"},
		"20280229":                   {"2028-02-01 00:00:00", "2028-02-29 23:59:59"},
		"20000101x":                  {"2000-01-01 00:00:00", "2000-01-31 23:59:59"},
		"20991231":                   {"2099-12-01 00:00:00", "2099-12-31 23:59:59"},
	} {
		got, ok := MonthOf(syssn)
		assert.True(t, ok, syssn)
		assert.Equal(t, [][2]string{want}, sent([]Window{got}), syssn)
	}
	for _, syssn := range []string{
		"", "1", "2026113", "20261301000200020000000001", "20260229", "20260000", "19991231", "21000101", "99999999", "2026-11-30", "２０２６１１３０", "trade0001",
	} {
		got, ok := MonthOf(syssn)
		assert.False(t, ok, syssn)
		assert.Zero(t, got, syssn)
	}
}

func TestAQueryTakesTheMonthOfANumber(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, map[string]string{
			"syssn": "20261031000200020000000001", "start_time": "2026-10-01 00:00:00", "end_time": "2026-10-31 23:59:59",
		}, signedParams(t, r, MD5))
		says(200, `{"respcd":"0000","data":[]}`)(w, r)
	}))
	month, _ := MonthOf("20261031000200020000000001")
	_, err := client.Query(t.Context(), Query{Syssn: "20261031000200020000000001", Start: month.Start, End: month.End})
	assert.NoError(t, err)
}

package ledger

import (
	"fmt"
	"iter"
	"sort"
	"time"

	"github.com/oklog/ulid/v2"
)

// GatewayZone is the zone of the gateway's days: UTC+8, without summer time.
var GatewayZone = time.FixedZone("UTC+8", 8*60*60)

// Day is a date in a time zone.
type Day struct {
	date time.Time // midnight UTC of the date
	zone *time.Location
}

// DayOf returns the gateway's day on which t lies.
func DayOf(t time.Time) Day { return DayIn(GatewayZone, t) }

// DayIn returns the day of a zone on which t lies.
func DayIn(zone *time.Location, t time.Time) Day {
	year, month, day := t.In(zone).Date()
	return Day{time.Date(year, month, day, 0, 0, 0, 0, time.UTC), zone}
}

// ParseDay reads a day written as 2026-11-23, of the gateway's zone.
func ParseDay(text string) (Day, error) {
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Day{}, fmt.Errorf("%q is not a day such as 2026-11-23", text)
	}
	return Day{date, GatewayZone}, nil
}

// In returns the day of the same date in a zone.
func (d Day) In(zone *time.Location) Day { return Day{d.date, zone} }

// String writes the day as 2026-11-23.
func (d Day) String() string { return d.date.Format(time.DateOnly) }

// Next and Previous are the days beside d.
func (d Day) Next() Day     { return Day{d.date.AddDate(0, 0, 1), d.zone} }
func (d Day) Previous() Day { return Day{d.date.AddDate(0, 0, -1), d.zone} }

// FirstOfMonth is the first day of the month of d, or of one that is some months
// later.
func (d Day) FirstOfMonth(later int) Day {
	year, month, _ := d.date.Date()
	return Day{time.Date(year, month+time.Month(later), 1, 0, 0, 0, 0, time.UTC), d.zone}
}

// Before reports whether the date of d is before another one.
func (d Day) Before(other Day) bool { return d.date.Before(other.date) }

// farthestZone is more than any zone is off UTC.
const farthestZone = 15 * time.Hour

// Start is when the day begins: mostly at midnight, but not where clocks are set
// then.
func (d Day) Start() time.Time {
	earliest := d.date.Add(-farthestZone)
	seconds := sort.Search(int(2*farthestZone/time.Second), func(n int) bool {
		return !DayIn(d.zone, earliest.Add(time.Duration(n)*time.Second)).Before(d)
	})
	return earliest.Add(time.Duration(seconds) * time.Second).In(d.zone)
}

// digits writes the day as 20261123, with which the gateway's numbers of its trades
// begin.
func (d Day) digits() string { return d.date.Format("20060102") }

// firstID is before the id of every order that was started on the day or later,
// and after those of all earlier ones.
func (d Day) firstID() string {
	var first ulid.ULID
	_ = first.SetTime(uint64(max(d.Start().UnixMilli(), 0)))
	return first.String()
}

// StartedAt is when an order was started, which its id says.
func StartedAt(id string) time.Time {
	parsed, _ := ulid.ParseStrict(id)
	return ulid.Time(parsed.Time())
}

// Period is the days from First to Last, both included.
type Period struct{ First, Last Day }

// In returns the period of the same dates in a zone.
func (p Period) In(zone *time.Location) Period { return Period{p.First.In(zone), p.Last.In(zone)} }

// Length is how many days the period has.
func (p Period) Length() int { return int(p.Last.date.Sub(p.First.date)/(24*time.Hour)) + 1 }

// Days yields the days of the period, the first one first.
func (p Period) Days() iter.Seq[Day] {
	return func(yield func(Day) bool) {
		for day := p.First; !p.Last.Before(day) && yield(day); day = day.Next() {
		}
	}
}

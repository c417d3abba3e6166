package locale

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Moment is a time for people and for machines.
type Moment struct{ Human, Machine string }

// dates are how a language writes them: layouts of package time, in which January
// and 2006 are the language's own month and year.
type dates struct {
	Time   string `json:"time"`   // a time as a sentence has it, with its zone, as MST
	Hour   string `json:"hour"`   // a time of today, with its zone, as MST
	Minute string `json:"minute"` // a time in a table
	Second string `json:"second"` // the same to the second
	Day    string `json:"day"`    // a day in a table
	Month  string `json:"month"`  // a month in a table
	// Months are the names of the months; English ones if there are none.
	Months []string `json:"months"`
	// YearsAhead is by how many years the calendar is ahead of 2006.
	YearsAhead int `json:"years_ahead"`
}

// Clock writes when in its own time zone; the zero time gives nil.
func (l *Locale) Clock(when time.Time) *Moment { return l.moment(when, l.dates.Time) }

// Hour is Clock without the day, for a time within the next hours.
func (l *Locale) Hour(when time.Time) *Moment { return l.moment(when, l.dates.Hour) }

func (l *Locale) moment(when time.Time, layout string) *Moment {
	if when.IsZero() {
		return nil
	}
	return &Moment{Human: l.dates.write(withOffset(when), layout), Machine: when.Format(time.RFC3339)}
}

// Minute writes when in its own time zone, short and without naming it.
func (l *Locale) Minute(when time.Time) string { return l.dates.write(when, l.dates.Minute) }

// Second is Minute with seconds.
func (l *Locale) Second(when time.Time) string { return l.dates.write(when, l.dates.Second) }

// Day writes 2026-11-23, or 2026-11 for the month. What is neither stays as it is.
func (l *Locale) Day(iso string) string {
	if day, err := time.Parse(time.DateOnly, iso); err == nil {
		return l.dates.write(day, l.dates.Day)
	}
	if month, err := time.Parse("2006-01", iso); err == nil {
		return l.dates.write(month, l.dates.Month)
	}
	return iso
}

// The places of a month and a year while package time writes the rest: the name of
// a month may look like a part of a layout.
const monthPlace, yearPlace = "\x00", "\x01"

var places = strings.NewReplacer("January", monthPlace, "2006", yearPlace)

func (d *dates) write(when time.Time, layout string) string {
	month := when.Month().String()
	if len(d.Months) > 0 {
		month = d.Months[when.Month()-1]
	}
	year := strconv.Itoa(when.Year() + d.YearsAhead)
	return strings.NewReplacer(monthPlace, month, yearPlace, year).Replace(when.Format(places.Replace(layout)))
}

// withOffset is the same time in a zone that layouts with MST write as UTC+8 or
// UTC+5:45. An abbreviation such as CST or IST means several zones.
func withOffset(when time.Time) time.Time {
	_, offset := when.Zone()
	name, minutes := "UTC", offset/60
	switch hours, rest := minutes/60, max(minutes, -minutes)%60; {
	case rest > 0:
		sign := "+"
		if minutes < 0 {
			sign = "-"
		}
		name = fmt.Sprintf("UTC%s%d:%02d", sign, max(hours, -hours), rest)
	case hours != 0:
		name = fmt.Sprintf("UTC%+d", hours)
	}
	return when.In(time.FixedZone(name, offset))
}

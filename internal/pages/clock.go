package pages

import "time"

// utc8 is the time zone of the gateway and of its merchants. It knows no
// summer time.
var utc8 = time.FixedZone("UTC+8", 8*60*60)

// moment is a time for people and for machines.
type moment struct{ Human, Machine string }

// clock writes when in UTC+8, in t's language; the zero time gives nil.
func (t *tongue) clock(when time.Time) (*moment, error) {
	if when.IsZero() {
		return nil, nil
	}
	layout, err := t.text("time_layout")
	if err != nil {
		return nil, err
	}
	when = when.In(utc8)
	return &moment{Human: when.Format(layout), Machine: when.Format(time.RFC3339)}, nil
}

// seconds rounds d up to whole seconds, as a refresh of a page needs them.
func seconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d-1)/time.Second) + 1
}

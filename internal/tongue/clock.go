package tongue

import "time"

// utc8 is the time zone of the gateway and of its merchants. It knows no
// summer time.
var utc8 = time.FixedZone("UTC+8", 8*60*60)

// Moment is a time for people and for machines.
type Moment struct{ Human, Machine string }

// Clock writes when in UTC+8; the zero time gives nil.
func (t *Tongue) Clock(when time.Time) (*Moment, error) {
	if when.IsZero() {
		return nil, nil
	}
	layout, err := t.Text("time_layout")
	if err != nil {
		return nil, err
	}
	when = when.In(utc8)
	return &Moment{Human: when.Format(layout), Machine: when.Format(time.RFC3339)}, nil
}

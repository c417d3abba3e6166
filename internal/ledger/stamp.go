package ledger

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// stampLayout writes points in time so that people can read them, that they sort
// as text, and that both engines take them. PostgreSQL keeps microseconds.
const stampLayout = "2006-01-02 15:04:05.000000Z"

// stamp is a point in time in the database, in UTC. The zero time is NULL.
type stamp struct{ time.Time }

// Value implements driver.Valuer.
func (s stamp) Value() (driver.Value, error) {
	if s.IsZero() {
		return nil, nil
	}
	return s.UTC().Format(stampLayout), nil
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		s.Time = time.Time{}
		return nil
	case time.Time:
		s.Time = value.UTC()
		return nil
	case string:
		at, err := time.Parse(stampLayout, value)
		s.Time = at
		return err
	default:
		return fmt.Errorf("%T is no point in time", value)
	}
}

// into scans a column into t.
func into(t *time.Time) *stampInto { return &stampInto{t} }

type stampInto struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s *stampInto) Scan(value any) error {
	var read stamp
	err := read.Scan(value)
	*s.t = read.Time
	return err
}

package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// lenient scans a column into a target and notes that it cannot be read, instead
// of failing.
type lenient struct {
	target  any
	damaged *bool
}

// Scan implements sql.Scanner.
func (l lenient) Scan(value any) error {
	if err := l.read(value); err != nil {
		*l.damaged = true
	}
	return nil
}

func (l lenient) read(value any) (err error) {
	switch target := l.target.(type) {
	case sql.Scanner:
		return target.Scan(value)
	case *string:
		if value == nil {
			return errors.New("no text")
		}
		*target = asText(value)
	case *int64:
		if number, ok := value.(int64); ok {
			*target = number
			return nil
		}
		*target, err = strconv.ParseInt(asText(value), 10, 64)
	case *bool:
		*target, err = strconv.ParseBool(asText(value))
	default:
		err = fmt.Errorf("%T is no column", target)
	}
	return err
}

func asText(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []byte:
		return string(value)
	default:
		return fmt.Sprint(value)
	}
}

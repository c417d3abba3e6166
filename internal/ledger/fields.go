package ledger

import (
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
)

// Fields are what a payer told the shop, by name.
type Fields map[string]Values

// Values are those of one field, in the order in which they were given; checkboxes
// of one name give several. In JSON, one is a string and several are an array.
type Values []string

// MarshalJSON implements json.Marshaler.
func (v Values) MarshalJSON() ([]byte, error) {
	if len(v) == 1 {
		return json.Marshal(v[0])
	}
	return json.Marshal([]string(v))
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Values) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*v = Values{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(v))
}

// Equal reports whether both say the same.
func (f Fields) Equal(other Fields) bool {
	return maps.EqualFunc(f, other, func(a, b Values) bool { return slices.Equal(a, b) })
}

// Content is what an order is for, and what its payer told the shop.
type Content struct {
	Lines   []Line
	Fields  Fields
	Damaged bool // somebody has made some of it unreadable
}

// ContentsOf returns the contents of some orders, by order.
func (tx *Tx) ContentsOf(orders []string) (map[string]Content, error) {
	all := make(map[string]Content)
	if len(orders) == 0 {
		return all, nil
	}
	err := tx.query(func(rows *sql.Rows) error {
		var order, lines, fields string
		if err := rows.Scan(&order, &lines, &fields); err != nil {
			return err
		}
		var content Content
		if decode(lines, &content.Lines) != nil {
			content.Lines, content.Damaged = nil, true
		}
		if decode(fields, &content.Fields) != nil {
			content.Fields, content.Damaged = nil, true
		}
		all[order] = content
		return nil
	}, `SELECT id, lines, fields FROM orders WHERE id IN (`+marks(len(orders))+`)`, texts(orders)...)
	return all, err
}

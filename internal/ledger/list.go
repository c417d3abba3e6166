package ledger

import (
	"database/sql"
	"strings"
	"time"
)

// Search is which orders are wanted. Without shops, none are.
type Search struct {
	Period
	Shops  []string
	Status []Status // empty for all
	Method []string // likewise
	Text   string   // in the order's number, description, reference or the gateway's number; "" for all

	// Fulfilled asks for orders that are fulfilled, or, if it is false, for those
	// that are to be: paid, not wholly refunded, and not fulfilled. Nil for all.
	Fulfilled *bool
}

// IsNarrow reports whether not all orders of the period are wanted.
func (s Search) IsNarrow() bool {
	return len(s.Status) > 0 || len(s.Method) > 0 || s.Text != "" || s.Fulfilled != nil
}

func (s Search) on(period Period) Search {
	s.Period = period
	return s
}

// where is the condition that the search puts on orders. Ids sort by when orders
// were started, so that a period is a range of ids.
func (s Search) where() (condition string, args []any) {
	return s.within(`id >= ? AND id < ?`, s.First.firstID(), s.Last.Next().firstID())
}

// beyond is the same, but for what pages before have shown. The range has one end
// on either side: of two, databases take the first to begin at.
func (s Search) beyond(page Page) (condition string, args []any) {
	first, last := s.First.firstID(), s.Last.Next().firstID()
	switch {
	case page.Ascending && page.After >= first:
		return s.within(`id > ? AND id < ?`, page.After, last)
	case !page.Ascending && page.After != "" && page.After < last:
		return s.within(`id >= ? AND id < ?`, first, page.After)
	default:
		return s.within(`id >= ? AND id < ?`, first, last)
	}
}

func (s Search) within(ids, first, last string) (condition string, args []any) {
	condition = ids + ` AND shop IN (` + marks(len(s.Shops)) + `)`
	args = append([]any{first, last}, texts(s.Shops)...)
	if len(s.Status) > 0 {
		condition += ` AND status IN (` + marks(len(s.Status)) + `)`
		for _, status := range s.Status {
			args = append(args, string(status))
		}
	}
	if len(s.Method) > 0 {
		condition += ` AND method IN (` + marks(len(s.Method)) + `)`
		args = append(args, texts(s.Method)...)
	}
	if s.Text != "" {
		condition += ` AND (LOWER(id) LIKE LOWER(?) ESCAPE '!' OR LOWER(description) LIKE LOWER(?) ESCAPE '!' OR LOWER(ref) LIKE LOWER(?) ESCAPE '!' OR LOWER(syssn) LIKE LOWER(?) ESCAPE '!')`
		pattern := `%` + likeLiteral.Replace(s.Text) + `%`
		args = append(args, pattern, pattern, pattern, pattern)
	}
	switch {
	case s.Fulfilled == nil:
	case *s.Fulfilled:
		condition += ` AND fulfilled_at IS NOT NULL`
	default:
		condition += ` AND ` + toDo
	}
	return condition, args
}

// toDo is the condition of orders that are to be fulfilled, and of the index that
// finds them: see [Order.ToDo].
const toDo = `paid_at IS NOT NULL AND fulfilled_at IS NULL AND status <> 'refunded'`

// CountToDo returns how many orders of some shops are to be fulfilled, counted up
// to a limit.
func (tx *Tx) CountToDo(shops []string, limit int) (orders int, err error) {
	if len(shops) == 0 {
		return 0, nil
	}
	_, err = tx.scanInto([]any{&orders}, `SELECT COUNT(*) FROM (SELECT id FROM orders WHERE shop IN (`+marks(len(shops))+`) AND `+toDo+` LIMIT ?) AS counted`,
		append(texts(shops), limit)...)
	return orders, err
}

// likeLiteral writes a text as a pattern that means nothing but itself.
var likeLiteral = strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`)

// Row is what a list of orders says of one.
type Row struct {
	Order       string    `json:"order"`
	Shop        string    `json:"name"`
	Status      Status    `json:"status"`
	Method      string    `json:"method"` // how it is paid: one of qfpay's methods
	At          time.Time `json:"at"`     // when the payer started
	PaidAt      time.Time `json:"paid_at,omitzero"`
	FulfilledAt time.Time `json:"fulfilled_at,omitzero"` // when the shop said that it has done its part
	Amount      int64     `json:"amount"`                // minor units of Currency
	Refunded    int64     `json:"refunded"`              // what went back of it
	Currency    string    `json:"currency"`
	Description string    `json:"description"`
	Ref         string    `json:"ref,omitempty"`
	Syssn       string    `json:"syssn,omitempty"` // the gateway's number of the payment
	Late        bool      `json:"late,omitempty"`  // paid after it had failed or was closed
	Disputed    bool      `json:"disputed,omitempty"`
	Refunding   bool      `json:"refunding,omitempty"` // a refund is on its way
	Damaged     bool      `json:"damaged,omitempty"`   // somebody has made a value of it unreadable

	// RefundPending is how much of it is on its way back.
	RefundPending int64 `json:"refund_pending,omitempty"`
}

// rowColumns are those of a Row. An order with a refund on its way is due some time,
// which spares most orders the look at their refunds.
const rowColumns = `id, shop, status, method, started_at, paid_at, fulfilled_at, amount, refunded, currency, description, ref, syssn, late, disputed,
	CASE WHEN check_at IS NULL THEN 0 ELSE (SELECT CAST(COALESCE(SUM(refunds.amount), 0) AS BIGINT) FROM refunds
		WHERE refunds.order_id = orders.id AND refunds.status IN ('waiting', 'sent')) END`

// Page is a piece of a list: at most Limit orders, the newest first, or with
// Ascending the oldest first, after the order called After.
type Page struct {
	After     string // "" begins
	Ascending bool
	Limit     int
}

// Rows returns a page of the orders of a search.
func (tx *Tx) Rows(s Search, page Page) (found []Row, err error) {
	if len(s.Shops) == 0 {
		return nil, nil
	}
	where, args := s.beyond(page)
	order := `DESC`
	if page.Ascending {
		order = `ASC`
	}
	args = append(args, page.Limit)
	scanner := newRowScanner()
	err = tx.query(func(rows *sql.Rows) error {
		row, err := scanner.scan(rows)
		found = append(found, row)
		return err
	}, `SELECT `+rowColumns+` FROM orders WHERE `+where+` ORDER BY id `+order+` LIMIT ?`, args...)
	return found, err
}

// RowOf returns what lists say of an order.
func (tx *Tx) RowOf(order string) (row Row, err error) {
	err = tx.query(func(rows *sql.Rows) (err error) {
		row, err = newRowScanner().scan(rows)
		return err
	}, `SELECT `+rowColumns+` FROM orders WHERE id = ?`, order)
	if err == nil && row.Order == "" {
		err = ErrUnknown
	}
	return row, err
}

// rowScanner reads rows of a list, one after the other, into the same place: an
// export reads a hundred thousand.
type rowScanner struct {
	row     Row
	syssn   sql.NullString
	columns []any
}

func newRowScanner() *rowScanner {
	s := new(rowScanner)
	row := &s.row
	s.columns = []any{
		&row.Order, &row.Shop, (*string)(&row.Status), &row.Method, into(&row.At), into(&row.PaidAt), into(&row.FulfilledAt), &row.Amount, &row.Refunded, &row.Currency,
		&row.Description, &row.Ref, &s.syssn, &row.Late, &row.Disputed, &row.RefundPending,
	}
	for i := range s.columns[1:] {
		s.columns[i+1] = lenient{s.columns[i+1], &row.Damaged}
	}
	return s
}

// scan reads the next row. One with a value that cannot be read is shown as
// damaged, so that the others of its list are shown.
func (s *rowScanner) scan(rows *sql.Rows) (Row, error) {
	s.row, s.syssn = Row{}, sql.NullString{}
	err := rows.Scan(s.columns...)
	s.row.Syssn, s.row.Refunding = s.syssn.String, s.row.RefundPending > 0
	return s.row, err
}

// unordered is the shop where SQLite would go through all orders in the order of
// their shops, rather than sort those few that are open.
const unordered = `shop || ''`

// OpenShops returns the names of the shops that have orders, refunds or
// deliveries with which something is left to do.
func (tx *Tx) OpenShops() (shops []string, err error) {
	err = tx.query(collectTexts(&shops), `SELECT `+unordered+` FROM orders WHERE check_at IS NOT NULL UNION SELECT shop FROM deliveries WHERE next_at IS NOT NULL ORDER BY 1`)
	return shops, err
}

// OpenOrders returns how many orders of each shop are to be asked about, and how
// many of them were started before a time.
func (tx *Tx) OpenOrders(before time.Time) (open, old map[string]int, err error) {
	open, old = make(map[string]int), make(map[string]int)
	err = tx.query(func(rows *sql.Rows) error {
		var shop string
		var all, started int
		err := rows.Scan(&shop, &all, &started)
		open[shop], old[shop] = all, started
		return err
	}, `SELECT `+unordered+`, COUNT(*), COUNT(CASE WHEN started_at < ? THEN 1 END) FROM orders WHERE check_at IS NOT NULL GROUP BY `+unordered, stamp{before})
	return open, old, err
}

// collectTexts reads rows of one text.
func collectTexts(all *[]string) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		*all = append(*all, text)
		return err
	}
}

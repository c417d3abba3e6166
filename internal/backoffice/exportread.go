package backoffice

import (
	"context"
	"errors"
	"maps"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

var errPanicked = errors.New("reading the ledger panicked")

// exportPage is how many orders an export reads at a time, so that it keeps no
// transaction open while it waits for its reader.
const exportPage = 1000

// exported is an order of an export.
type exported struct {
	Row
	Items  []ledger.Line `json:"items"`
	Fields ledger.Fields `json:"fields,omitempty"` // where they are wanted
}

// exportAfter reads a piece of an export.
func (o *Office) exportAfter(ctx context.Context, s Search, after string) ([]exported, error) {
	rows, err := o.Rows(ctx, s, ledger.Page{After: after, Ascending: true, Limit: exportPage})
	if err != nil {
		return nil, err
	}
	contents, err := o.contents(ctx, rows)
	if err != nil {
		return nil, err
	}
	piece := make([]exported, len(rows))
	for i, row := range rows {
		content := contents[row.Order]
		piece[i] = exported{Row: row, Items: content.Lines}
		if piece[i].Items == nil {
			piece[i].Items = []ledger.Line{}
		}
		piece[i].Damaged = row.Damaged || content.Damaged
		if s.Told {
			piece[i].Fields = content.Fields
		}
	}
	return piece, nil
}

// contents are what some orders are for, and what payers told with them.
func (o *Office) contents(ctx context.Context, rows []Row) (map[string]ledger.Content, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.Order
	}
	all := make(map[string]ledger.Content)
	for _, l := range o.Ledgers {
		var some map[string]ledger.Content
		err := l.view(ctx, func(tx *ledger.Tx) (err error) {
			some, err = tx.ContentsOf(ids)
			return err
		})
		if err != nil {
			return nil, err
		}
		maps.Copy(all, some)
	}
	return all, nil
}

// each calls do with the pieces of all that a search finds, the oldest order
// first. While one is written, the next is read.
func (o *Office) each(ctx context.Context, s Search, do func([]exported) error) error {
	type piece struct {
		rows []exported
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read := func(after string) <-chan piece {
		next := make(chan piece, 1)
		go func() {
			var p piece
			defer func() {
				if panicked := recover(); panicked != nil {
					p.err = errPanicked
				}
				next <- p
			}()
			p.rows, p.err = o.exportAfter(ctx, s, after)
		}()
		return next
	}
	for next := read(""); next != nil; {
		p := <-next
		next = nil
		if p.err != nil {
			return p.err
		}
		if len(p.rows) == exportPage {
			next = read(p.rows[exportPage-1].Order)
		}
		if err := do(p.rows); err != nil {
			return err
		}
	}
	return nil
}

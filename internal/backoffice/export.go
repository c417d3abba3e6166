package backoffice

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"time"
)

// writeTime is how long a reader may take for a piece of an export.
const writeTime = time.Minute

// export sends all that a search finds, the oldest order first, in pieces: begin
// sets the headers and returns how a piece is written. An error before the first
// piece is returned. After that the connection is cut, so that the reader does not
// take what it has for the whole.
func (o *Office) export(ctx context.Context, w http.ResponseWriter, s Search, begin func() func([]exported) ([]byte, error)) error {
	control := http.NewResponseController(w)
	var write func([]exported) ([]byte, error)
	gone := false // the reader
	err := o.each(ctx, s, func(rows []exported) error {
		if write == nil {
			write = begin()
		}
		text, err := write(rows)
		if err != nil {
			return err
		}
		_ = control.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := w.Write(text); err != nil {
			gone = true
			return err
		}
		_ = control.Flush() // where the writer can
		return nil
	})
	_ = control.SetWriteDeadline(time.Time{}) // the connection may go on to other requests
	switch {
	case err == nil || gone:
		return nil
	case write == nil:
		return err
	default:
		panic(http.ErrAbortHandler)
	}
}

// exportJSON sends JSON Lines.
func (o *Office) exportJSON(ctx context.Context, w http.ResponseWriter, s Search) error {
	return o.export(ctx, w, s, func() func([]exported) ([]byte, error) {
		w.Header().Set("Content-Type", "application/jsonl")
		var text bytes.Buffer
		lines := json.NewEncoder(&text)
		lines.SetEscapeHTML(false)
		return func(rows []exported) ([]byte, error) {
			text.Reset()
			for i := range rows {
				if err := lines.Encode(&rows[i]); err != nil {
					return nil, err
				}
			}
			return text.Bytes(), nil
		}
	})
}

// exportCSV sends a table. The mark in front tells spreadsheets that the text is
// UTF-8.
func (o *Office) exportCSV(ctx context.Context, w http.ResponseWriter, s Search) error {
	return o.export(ctx, w, s, func() func([]exported) ([]byte, error) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="orders-`+s.First.String()+`-`+s.Last.String()+`.csv"`)
		text := bytes.NewBufferString("\ufeff")
		table := csv.NewWriter(text)
		columns := o.columns(s)
		_ = table.Write(columns.header()) // into memory, which does not fail
		begun := false
		return func(rows []exported) ([]byte, error) {
			if begun {
				text.Reset()
			}
			begun = true
			for _, row := range rows {
				_ = table.Write(columns.cells(row))
			}
			table.Flush()
			return text.Bytes(), table.Error()
		}
	})
}

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

func (c *console) out() io.Writer { return c.cmd.OutOrStdout() }

// say prints a line of the result.
func (c *console) say(format string, args ...any) { fmt.Fprintf(c.out(), format+"\n", args...) }

// note prints a line that is not part of the result, for people.
func (c *console) note(format string, args ...any) {
	if !c.json {
		fmt.Fprintf(c.cmd.ErrOrStderr(), format+"\n", args...)
	}
}

func (c *console) printJSON(value any) error {
	lines := json.NewEncoder(c.out())
	lines.SetIndent("", "  ")
	lines.SetEscapeHTML(false)
	return lines.Encode(value)
}

// clock is a time of the shop's zone, as the answer has it.
func clock(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.DateTime)
}

func money(decimal, currency string) string { return currency + " " + decimal }

func moneyIf(shown bool, decimal, currency string) string {
	if !shown {
		return ""
	}
	return money(decimal, currency)
}

// table prints aligned columns; what does not fit on a line of the last one is folded.
// What comes from payers or the catalogue is stripped of control characters, which
// terminals obey.
func (c *console) table(rows [][]string) error {
	last := 0
	for _, row := range rows {
		last = max(last, len(row)-1)
	}
	widths := make([]int, last)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = backoffice.Printable(cell)
			if i < last {
				widths[i] = max(widths[i], columns(row[i]))
			}
		}
	}
	for _, row := range rows {
		line := ""
		for i, width := range widths {
			line += pad(row[i], width+2)
		}
		if err := c.fold(line, row[last]); err != nil {
			return err
		}
	}
	return nil
}

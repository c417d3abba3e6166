package qfpayjsapi

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

func exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [--from <day> --to <day>] [--status <status>]... [--format csv|jsonl] [--output <file>]",
		Short: "Writes the orders of a period as CSV or JSON Lines, the oldest first",
		Args:  cobra.NoArgs,
		RunE:  run((*console).export),
	}
	periodFlags(cmd)
	cmd.Flags().String("format", "csv", "csv, for spreadsheets, or jsonl, for programs")
	cmd.Flags().StringP("output", "o", "", "The file to write; default: standard output")
	return cmd
}

func (c *console) export([]string) error {
	format, _ := c.cmd.Flags().GetString("format")
	if c.json {
		format = "jsonl"
	}
	if format != "csv" && format != "jsonl" {
		return fmt.Errorf("--format is csv or jsonl, not %q", format)
	}
	body, err := c.stream(http.MethodGet, "export?"+c.wanted().Encode(), nil)
	if err != nil {
		return err
	}
	defer body.Close()
	name, _ := c.cmd.Flags().GetString("output")
	if name == "" {
		_, err := c.write(format, body, c.out())
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	count, err := c.write(format, body, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%s is not complete: %w", name, err)
	}
	c.note("Orders written to %s: %d.", name, count)
	return nil
}

// write copies row by row, whatever the length of the period.
func (c *console) write(format string, body io.Reader, to io.Writer) (count int, err error) {
	put := putJSON(to)
	if format == "csv" {
		table := csv.NewWriter(to)
		if err := table.Write(csvHeader); err != nil {
			return 0, err
		}
		put = func(row orderRow) error { return table.Write(csvRow(row)) }
		defer func() {
			table.Flush()
			err = errors.Join(err, table.Error())
		}()
	}
	for rows := json.NewDecoder(body); ; count++ {
		var row orderRow
		switch err := rows.Decode(&row); {
		case errors.Is(err, io.EOF):
			return count, nil
		case err != nil:
			return count, fmt.Errorf("the export broke off after %d orders: %w", count, err)
		}
		if err := put(row); err != nil {
			return count, err
		}
		if count > 0 && count%10_000 == 0 {
			c.note("%d orders, up to %s …", count, localTime(row.At))
		}
	}
}

func putJSON(to io.Writer) func(orderRow) error {
	lines := json.NewEncoder(to)
	lines.SetEscapeHTML(false)
	return func(row orderRow) error { return lines.Encode(row) }
}

var csvHeader = []string{
	"order", "status", "started", "paid_at", "currency", "amount", "refunded", "description", "ref", "syssn", "late", "disputed", "ledger",
}

// csvRow is an order for a spreadsheet: times in UTC, amounts as decimals.
func csvRow(row orderRow) []string {
	cells := []string{
		row.Order, string(row.Status), utc(row.At), utc(row.PaidAt), row.Currency, row.DisplayAmount, row.DisplayRefunded,
		row.Description, row.Ref, row.Syssn, yesIf(row.Late), yesIf(row.Disputed), row.Name,
	}
	for i, cell := range cells {
		cells[i] = harmless(printable(cell))
	}
	return cells
}

// harmless keeps spreadsheets from taking a cell for a formula.
func harmless(cell string) string {
	if first, _ := utf8.DecodeRuneInString(cell); strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}

func utc(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func yesIf(holds bool) string {
	if holds {
		return "yes"
	}
	return ""
}

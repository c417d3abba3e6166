package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"
)

func exportCommand(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [--day <day> | --from <day> --to <day>] [--status <status>]... [--method <method>]... [--format csv|jsonl] [--fields] [--output <file>]",
		Short: "Writes the orders of a period as CSV or JSON Lines, oldest first",
		Args:  cobra.NoArgs,
		RunE:  connect.run((*console).export),
	}
	periodFlags(cmd)
	cmd.Flags().String("format", "csv", "csv, for spreadsheets, or jsonl, for programs")
	cmd.Flags().Bool("fields", false, "Include what payers told the shop")
	cmd.Flags().StringP("output", "o", "", "File to write to; default: standard output")
	return cmd
}

func (c *console) export([]string) error {
	query, err := c.wantedExport()
	if err != nil {
		return err
	}
	body, err := c.stream(http.MethodGet, "export?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := &lineCounter{to: c.out(), told: func(lines int) { c.note("%d lines …", lines) }}
	name := c.text("output")
	if name == "" {
		return lines.copy(body)
	}
	file, err := createPrivate(name)
	if err != nil {
		return err
	}
	lines.to = file
	if err = errors.Join(lines.copy(body), file.Close()); err != nil {
		return fmt.Errorf("%s is incomplete: %w", name, err)
	}
	orders := lines.count
	if query.Get("format") == "csv" {
		orders-- // the names of the columns
	}
	c.note("Orders written to %s: %d.", name, orders)
	return nil
}

// createPrivate opens an empty file that only its owner can read, even if one that
// others could read is there already. What is no file, such as a pipe, stays as it is.
func createPrivate(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = file.Chmod(0o600)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// wantedExport reads the flags as a query.
func (c *console) wantedExport() (url.Values, error) {
	format := c.text("format")
	if c.json {
		format = "jsonl"
	}
	if format != "csv" && format != "jsonl" {
		return nil, fmt.Errorf("--format is csv or jsonl, not %q", format)
	}
	query, err := c.wanted()
	if err != nil {
		return nil, err
	}
	query.Set("format", format)
	if fields, _ := c.cmd.Flags().GetBool("fields"); fields {
		query.Set("fields", "true")
	}
	return query, nil
}

// lineCounter passes lines on and counts them.
type lineCounter struct {
	to    io.Writer
	told  func(lines int) // of every ten thousand
	count int
}

func (l *lineCounter) copy(from io.Reader) error {
	if _, err := io.Copy(l, from); err != nil {
		return fmt.Errorf("the export stopped after %d lines: %w", l.count, err)
	}
	return nil
}

// Write implements io.Writer.
func (l *lineCounter) Write(text []byte) (int, error) {
	const often = 10_000
	before := l.count / often
	l.count += bytes.Count(text, []byte("\n"))
	if l.count/often > before {
		l.told(l.count)
	}
	return l.to.Write(text)
}

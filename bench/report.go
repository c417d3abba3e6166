package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// section is what one measurement tells.
type section struct {
	name   string // as of -only
	title  string
	file   string // that it goes to, by itself; "" for results.md
	about  string // paragraphs, in Markdown
	tables []table
	claims []claim
	charts []chart
}

// table is one of Markdown: the first row is its head.
type table [][]string

// claim is a target and what was measured.
type claim struct {
	what   string
	target float64
	most   bool // the target is the most; otherwise it is the least
	value  float64
	floor  float64 // what the method says of the reference beside itself; 1 or 0 in theory, NaN without a reference
	unit   string  // "" for a ratio
}

func (c claim) met() bool {
	if c.most {
		return c.value <= c.target
	}
	return c.value >= c.target
}

func (c claim) row(short bool) []string {
	sign, met := "≥", "**not met**"
	if c.most {
		sign = "≤"
	}
	if c.met() {
		met = "met"
	}
	if short {
		met = "not judged"
	}
	return []string{c.what, sign + " " + c.show(c.target), c.show(c.value), c.show(c.floor), met}
}

func (c claim) show(value float64) string {
	switch {
	case math.IsNaN(value):
		return "–"
	case c.unit == "":
		return ratio(value)
	}
	return decimal(value) + " " + c.unit
}

// ratio has as many digits as tell it from 1.
func ratio(value float64) string {
	if value >= 20 {
		return fmt.Sprintf("%.0f ×", value)
	}
	return fmt.Sprintf("%.3f ×", value)
}

// decimal has about three digits that count.
func decimal(value float64) string {
	switch {
	case value >= 100 || value <= -100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10 || value <= -10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

// What follows are figures as people read them.
func micro(seconds float64) string { return decimal(seconds*1e6) + " µs" }
func milli(seconds float64) string { return decimal(seconds*1e3) + " ms" }
func megabytes(b float64) string   { return decimal(b/1e6) + " MB" }
func kilobytes(b float64) string   { return decimal(b/1e3) + " KB" }

// write puts the results and the charts into a folder.
func (b *bench) write(sections []section) error {
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return err
	}
	for _, s := range sections {
		for _, c := range s.charts {
			if err := os.WriteFile(filepath.Join(b.out, c.name+".svg"), []byte(c.svg()), 0o644); err != nil {
				return err
			}
		}
	}
	for file, some := range byFile(sections) {
		if err := os.WriteFile(filepath.Join(b.out, file), []byte(b.markdown(some)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// byFile are the sections of each file.
func byFile(sections []section) map[string][]section {
	files := make(map[string][]section)
	for _, s := range sections {
		file := cmp.Or(s.file, "results.md")
		files[file] = append(files[file], s)
	}
	return files
}

func (b *bench) markdown(sections []section) string {
	var text strings.Builder
	text.WriteString("# Measured side by side\n\n")
	if b.short {
		text.WriteString("**This is the short form, which shows that everything works. Its figures say nothing.**\n\n")
	}
	text.WriteString(b.conditions())
	targets := table{{"target", "is", "measured", "noise floor", ""}}
	for _, s := range sections {
		for _, c := range s.claims {
			targets = append(targets, c.row(b.short))
		}
	}
	fmt.Fprintf(&text, "## Targets\n\n%s\n%s\n", floorText, targets.markdown())
	for _, s := range sections {
		fmt.Fprintf(&text, "## %s\n\n%s\n\n", s.title, strings.TrimSpace(s.about))
		for _, c := range s.charts {
			fmt.Fprintf(&text, "![%s](%s.svg)\n\n", c.title, c.name)
		}
		for _, t := range s.tables {
			text.WriteString(t.markdown() + "\n")
		}
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}

const floorText = `Every figure is a ratio of medians over rounds in which the servers took turns, unless it has a unit. The noise floor is the
same figure of the reference beside a second process of itself: what differs from 1 (or 0) by no more than that says nothing.
`

func (t table) markdown() string {
	var text strings.Builder
	for i, row := range t {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			text.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return text.String()
}

// rateTable shows what rates were measured.
func rateTable(contenders []*contender, what string) table {
	t := table{{"", what + " per second", "median time", "p99", "processor time for each"}}
	for _, c := range contenders {
		t = append(t, []string{c.name, decimal(of(c.turns, rate)), milli(of(c.turns, p50)), milli(of(c.turns, p99)), milli(of(c.turns, cpu))})
	}
	return t
}

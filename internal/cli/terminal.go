package cli

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// width is how many columns the terminal has that shows the result; 0 if none does,
// because it goes into a file or to another program.
func (c *console) width() int {
	file, ok := c.out().(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// hasColours reports whether the terminal is to be told colours; see
// https://no-color.org.
func hasColours() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

// columns is how many columns a text takes on a terminal: two for each Chinese
// character.
func columns(text string) (n int) {
	for _, r := range text {
		n++
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

// pad fills a text up to some columns.
func pad(text string, to int) string { return text + strings.Repeat(" ", max(to-columns(text), 0)) }

// leastRoom is how many columns folded text has at least: on a terminal with fewer
// it is not folded.
const leastRoom = 20

// fold prints a text behind what stands on its first line, and the lines that do not
// fit on the terminal below the first.
func (c *console) fold(before, text string) error {
	indent := columns(before)
	room := c.width() - indent
	for line := range strings.SplitSeq(foldAt(text, room), "\n") {
		if _, err := fmt.Fprintln(c.out(), strings.TrimRight(before+line, " ")); err != nil {
			return err
		}
		before = strings.Repeat(" ", indent)
	}
	return nil
}

// foldAt breaks a text between words into lines of some columns. Longer words, such
// as links, are left whole.
func foldAt(text string, room int) string {
	if room < leastRoom || columns(text) <= room {
		return text
	}
	var folded strings.Builder
	used := 0
	for i, word := range strings.Split(text, " ") {
		long := columns(word)
		switch {
		case i == 0:
		case used+1+long > room:
			folded.WriteByte('\n')
			used = 0
		default:
			folded.WriteByte(' ')
			used++
		}
		folded.WriteString(word)
		used += long
	}
	return folded.String()
}

package qfpayjsapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Hints for mistakes that are made before this module's grammar sees anything:
// variables of a shell's kind, variables that are unset, quotes that are not closed.

var (
	shellVariable  = regexp.MustCompile(`^(\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|%[A-Za-z_][A-Za-z0-9_]*%)$`)
	bareVariable   = regexp.MustCompile(`\{[A-Z][A-Z0-9_]*\}`)
	parsedVariable = regexp.MustCompile(`\{\$([^{}:]+)\}`)
)

// errShellVariable does not show the value, which may be a secret after all.
var errShellVariable = errors.New("looks like a shell's variable, but Caddy would take it literally: write {env.NAME} with the variable's name")

// errOverLines says what a value that holds a line break mostly comes from.
var errOverLines = errors.New("the value goes on over several lines: the quote that begins here is not closed on its line")

// placeholderError says of a placeholder without env. what it lacks.
func placeholderError(written string, err error) error {
	if bareVariable.MatchString(written) {
		return fmt.Errorf("%w: environment variables are written {env.NAME}", err)
	}
	return err
}

// maxCaddyfile bounds in bytes how far a Caddyfile is read for a hint.
const maxCaddyfile = 1 << 20

// unsetVariable is the first variable, written as {$NAME}, of a line of a Caddyfile
// that is unset or empty: Caddy puts nothing in its place, before it parses the file.
// It is "" if there is none, or the line cannot be read.
func unsetVariable(file string, line int) string {
	if about, err := os.Stat(file); err != nil || !about.Mode().IsRegular() {
		return ""
	}
	opened, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer opened.Close()
	lines := bufio.NewScanner(io.LimitReader(opened, maxCaddyfile))
	for number := 1; lines.Scan(); number++ {
		if number != line {
			continue
		}
		text, _, _ := strings.Cut(lines.Text(), " #")
		for _, variable := range parsedVariable.FindAllStringSubmatch(text, -1) {
			if os.Getenv(variable[1]) == "" {
				return variable[1]
			}
		}
	}
	return ""
}

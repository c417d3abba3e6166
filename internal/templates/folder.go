// Package templates reads the files that a shop puts in the place of built-in
// templates, and puts them into their layout.
package templates

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// MailPrefix is what the names of mails begin with, which share the folder with pages.
const MailPrefix = "mail-"

// MaxBytes bounds one file of a shop's own templates.
const MaxBytes = 256 << 10

// ReadFolder returns the files of a folder that belong to a kind of template, by their
// names. One whose name is not among the names of that kind is an error, as is one that
// is empty or larger than [MaxBytes]; what else is in the folder is left alone.
func ReadFolder(folder string, belongs func(name string) bool, names []string) (map[string]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	own := make(map[string]string)
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !belongs(name) {
			continue
		}
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s: there is no template of that name; there are %s", filepath.Join(folder, name), strings.Join(names, ", "))
		}
		if own[name], err = read(filepath.Join(folder, name)); err != nil {
			return nil, err
		}
	}
	return own, nil
}

func read(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	switch {
	case err != nil:
	case len(text) > MaxBytes:
		err = fmt.Errorf("%s is larger than %d bytes", name, MaxBytes)
	case len(bytes.TrimSpace(text)) == 0:
		err = fmt.Errorf("%s is empty: remove it to use the built-in template", name)
	}
	return string(text), err
}

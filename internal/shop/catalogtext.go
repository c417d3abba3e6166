package shop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/strictjson"
)

// maxCatalogBytes bounds a catalogue file: far above 10,000 items.
const maxCatalogBytes = 16 << 20

// readCatalog reads a regular file of at most [maxCatalogBytes]: another kind, such as
// a pipe, could keep everybody waiting. What it says of the file is from before it was
// read, so that no later change is missed.
func readCatalog(file string) (text []byte, info os.FileInfo, err error) {
	if info, err = os.Stat(file); err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err = io.ReadAll(io.LimitReader(f, maxCatalogBytes+1))
	if err == nil && len(text) > maxCatalogBytes {
		err = fmt.Errorf("%s is larger than %d MiB", file, maxCatalogBytes>>20)
	}
	return text, info, err
}

// parseItems reads the text of a catalogue file: a JSON array of objects with "id",
// "price", "name", "max_quantity" and "stock". Members it does not know are errors, so
// that a misspelt one is noticed, and so are those that are given twice.
func parseItems(file string, text []byte) ([]Item, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // Windows editors write it
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%s is not UTF-8", file)
	}
	var objects []json.RawMessage
	if err := json.Unmarshal(text, &objects); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if objects == nil {
		return nil, fmt.Errorf("%s is not an array of items", file)
	}
	items := make([]Item, len(objects))
	for i, object := range objects {
		if err := strictjson.Unmarshal(object, &items[i]); err != nil {
			return nil, fmt.Errorf("%s: item %d: %w", file, i+1, err)
		}
	}
	return items, nil
}

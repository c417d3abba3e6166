// Package strictjson reads JSON that people and their programs write for this one:
// prices, refunds. What it does not know, and what says something twice, is an error.
// It must not read what services send, which may add members as they like.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Unmarshal reads one value, and nothing behind it. Members that the value does not
// have are errors, and so are those that an object has twice, in capitals or not:
// encoding/json would take the last. The other errors are those of encoding/json.
func Unmarshal(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("there is more than one JSON value")
	}
	return checkTwice(json.NewDecoder(bytes.NewReader(text)))
}

// checkTwice looks through one value that has been read before, which bounds its
// depth.
func checkTwice(decoder *json.Decoder) error {
	opening, err := decoder.Token()
	if err != nil || opening != json.Delim('{') && opening != json.Delim('[') {
		return err
	}
	seen := make(map[string]bool)
	for decoder.More() {
		if opening == json.Delim('{') {
			name, err := decoder.Token()
			if err != nil {
				return err
			}
			folded := strings.ToLower(fmt.Sprint(name))
			if seen[folded] {
				return fmt.Errorf("the JSON says %q twice", name)
			}
			seen[folded] = true
		}
		if err := checkTwice(decoder); err != nil {
			return err
		}
	}
	_, err = decoder.Token() // the end
	return err
}

package qfpay

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRepairQuotesBareLeadingZeros(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"as printed in the documentation": {`{"respcd": 0000, "a": 1}`, `{"respcd": "0000", "a": 1}`},
		"at the end of an object":         {`{"respcd":0000}`, `{"respcd":"0000"}`},
		"before a line break":             {"{\"respcd\":\t0000\n}", "{\"respcd\":\t\"0000\"\n}"},
		"more than once, and nested":      {`{"respcd":0000,"data":[{"respcd":0100}]}`, `{"respcd":"0000","data":[{"respcd":"0100"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, string(repair([]byte(test.body))))
			assert.True(t, json.Valid([]byte(test.want)))
		})
	}
}

func TestRepairTouchesNothingElse(t *testing.T) {
	for name, body := range map[string]string{
		"strings":                     `{"respmsg":"respcd: 0000, \"x\": 0000 ","respcd":"0000"}`,
		"strings that end in a slash": `{"a":"\\","b":": 0000,"}`,
		"zero":                        `{"a":0,"b":0.5,"c":0e1,"d":-0}`,
		"ordinary numbers":            `{"a":1000,"b":10}`,
		"array elements":              `{"a":[0000]}`,
		"negative numbers":            `{"a":-0000}`,
		"fractions":                   `{"a":00.5}`,
		"words":                       `{"a":00ff}`,
		"numbers that are cut off":    `{"a":0000`,
		"strings that are cut off":    `{"a":"x\`,
		"nothing":                     ``,
	} {
		assert.Equal(t, body, string(repair([]byte(body))), name)
	}
}

func TestOnlyOneObjectIsDecoded(t *testing.T) {
	var reply envelope
	require.NoError(t, decode([]byte("\r\n {\"respcd\": 0000, \"respmsg\": null, \"new\": {}}\n"), &reply))
	assert.Equal(t, envelope{Respcd: "0000"}, reply)

	for _, body := range []string{
		``, `null`, `"0000"`, `[]`, `[{"respcd":"0000"}]`, `<html>`, `{"respcd":"0000"`, `{"respcd":"0000"}{}`,
		`{"respcd":true}`, strings.Repeat(`{"a":`, 20_000),
	} {
		assert.Error(t, decode([]byte(body), &reply), "%.40s", body)
	}
}

func FuzzRepair(f *testing.F) {
	for _, body := range []string{
		`{"respcd": 0000}`, `{"respmsg":"\": 0000 ","respcd":0000}`, `{"a":[0000]}`, `{"a":00.5}`, `{"a":"\\"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		original := bytes.Clone(body)
		repaired := repair(body)
		assert.Equal(t, original, body, "the body is only read")
		if json.Valid(body) {
			assert.Equal(t, body, repaired, "valid JSON stays as it is")
		}
		assert.Equal(t, repaired, repair(repaired), "once is enough")
		assert.Equal(t, bytes.ReplaceAll(body, []byte(`"`), nil), bytes.ReplaceAll(repaired, []byte(`"`), nil), "only quotes are added")
	})
}

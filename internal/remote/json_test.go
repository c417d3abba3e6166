package remote

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyOneObjectIsDecoded(t *testing.T) {
	var reply struct{ Code Text }
	require.NoError(t, Decode([]byte("\r\n {\"code\": \"0000\", \"new\": {}}\n"), &reply))
	assert.Equal(t, Text("0000"), reply.Code)

	for _, body := range []string{``, `null`, `"0000"`, `[]`, `[{"code":"0000"}]`, `<html>`} {
		assert.ErrorIs(t, Decode([]byte(body), &reply), ErrNotObject, body)
	}
	assert.ErrorIs(t, Decode([]byte(`{"code":true}`), &reply), ErrScalar)
	for _, body := range []string{`{"code":"0000"`, `{"code":"0000"}{}`, strings.Repeat(`{"a":`, 20_000)} {
		assert.Error(t, Decode([]byte(body), &reply), "%.40s", body)
	}
}

func TestTextIsAnyScalar(t *testing.T) {
	for raw, want := range map[string]Text{
		`"0000"`:     "0000",
		`"\u8336"`:   "茶",
		`""`:         "",
		`100`:        "100",
		`-1.50`:      "-1.50",
		`null`:       "",
		`1732345678`: "1732345678",
	} {
		var got Text
		assert.NoError(t, json.Unmarshal([]byte(raw), &got), raw)
		assert.Equal(t, want, got, raw)
	}
	for _, raw := range []string{`true`, `false`, `[]`, `{}`, `["1"]`} {
		var got Text
		assert.ErrorIs(t, json.Unmarshal([]byte(raw), &got), ErrScalar, raw)
	}
}

func TestIntegersAreExact(t *testing.T) {
	for raw, want := range map[string]Integer{
		`100`:                 100,
		`"100"`:               100,
		`"007"`:               7,
		`-5`:                  -5,
		`null`:                0,
		`""`:                  0,
		`9007199254740993`:    9007199254740993, // a float64 would end in 2
		`9223372036854775807`: 9223372036854775807,
	} {
		var got Integer
		assert.NoError(t, json.Unmarshal([]byte(raw), &got), raw)
		assert.Equal(t, want, got, raw)
	}
	for _, raw := range []string{
		`100.0`, `"100.0"`, `1e2`, `"1e2"`, `"+1"`, `" 1"`, `"1_000"`, `"0x10"`, `"ten"`, `9223372036854775808`,
	} {
		var got Integer
		assert.ErrorIs(t, json.Unmarshal([]byte(raw), &got), ErrInteger, raw)
	}
}

func FuzzScalar(f *testing.F) {
	for _, raw := range []string{`"100"`, `100`, `null`, `100.0`, `"\u8336"`, `true`, `9007199254740993`, `""`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s Text
		textErr := json.Unmarshal(raw, &s)
		var n Integer
		if json.Unmarshal(raw, &n) != nil {
			return
		}
		assert.NoError(t, textErr, "an integer is a text")
		if s == "" {
			assert.Zero(t, n)
			return
		}
		want, err := strconv.ParseInt(string(s), 10, 64)
		assert.NoError(t, err)
		assert.Equal(t, want, int64(n))
	})
}

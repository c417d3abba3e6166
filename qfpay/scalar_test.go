package qfpay

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTextIsAnyScalar(t *testing.T) {
	for raw, want := range map[string]text{
		`"0000"`:     "0000",
		`"\u8336"`:   "茶",
		`""`:         "",
		`100`:        "100",
		`-1.50`:      "-1.50",
		`null`:       "",
		`1732345678`: "1732345678",
	} {
		var got text
		assert.NoError(t, json.Unmarshal([]byte(raw), &got), raw)
		assert.Equal(t, want, got, raw)
	}
	for _, raw := range []string{`true`, `false`, `[]`, `{}`, `["1"]`} {
		var got text
		assert.ErrorIs(t, json.Unmarshal([]byte(raw), &got), errScalar, raw)
	}
}

func TestIntegersAreExact(t *testing.T) {
	for raw, want := range map[string]integer{
		`100`:                 100,
		`"100"`:               100,
		`"007"`:               7,
		`-5`:                  -5,
		`null`:                0,
		`""`:                  0,
		`9007199254740993`:    9007199254740993, // a float64 would end in 2
		`9223372036854775807`: 9223372036854775807,
	} {
		var got integer
		assert.NoError(t, json.Unmarshal([]byte(raw), &got), raw)
		assert.Equal(t, want, got, raw)
	}
	for _, raw := range []string{
		`100.0`, `"100.0"`, `1e2`, `"1e2"`, `"+1"`, `" 1"`, `"1_000"`, `"0x10"`, `"ten"`, `9223372036854775808`,
	} {
		var got integer
		assert.ErrorIs(t, json.Unmarshal([]byte(raw), &got), errInteger, raw)
	}
}

func FuzzScalar(f *testing.F) {
	for _, raw := range []string{`"100"`, `100`, `null`, `100.0`, `"\u8336"`, `true`, `9007199254740993`, `""`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s text
		textErr := json.Unmarshal(raw, &s)
		var n integer
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

func TestAResponseCodeAsANumberGetsItsZerosBack(t *testing.T) {
	for raw, code := range map[string]string{
		`"0000"`: "0000", `0`: "0000", `"1143"`: "1143", `1143`: "1143", `null`: "", `"OK"`: "OK", `123456789`: "123456789",
	} {
		var c responseCode
		require.NoError(t, json.Unmarshal([]byte(raw), &c), raw)
		assert.Equal(t, code, string(c), raw)
	}
	assert.Error(t, json.Unmarshal([]byte(`{}`), new(responseCode)))
}

func TestALineIsFitForLogsAndEqualsNoOther(t *testing.T) {
	read := func(s string) string {
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		var l line
		require.NoError(t, json.Unmarshal(raw, &l))
		return string(l)
	}
	assert.Equal(t, "20261123000200020000000001", read("20261123000200020000000001"))
	assert.Equal(t, "订单 1", read("订单 1"))
	for _, hostile := range []string{"0000\n", "\x1b[2J0000", "0000\u009b", "0000\u202e", "0000" + strings.Repeat(" ", 300)} {
		shown := read(hostile)
		assert.Regexp(t, `^"[[:graph:] ]+$`, shown)
		assert.LessOrEqual(t, len(shown), 200)
	}
}

package qfpay

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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

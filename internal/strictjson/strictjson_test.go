package strictjson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type refund struct {
	ID     string   `json:"refund_id"`
	Amount int64    `json:"amount"`
	Lines  []refund `json:"lines"`
}

func TestWhatIsSaidOnceIsRead(t *testing.T) {
	var read refund
	require.NoError(t, Unmarshal([]byte(` {"refund_id":"r","amount":100,"lines":[{"amount":1},{"amount":1}]} `), &read))
	assert.Equal(t, refund{"r", 100, []refund{{Amount: 1}, {Amount: 1}}}, read)
}

func TestWhatIsUnknownOrSaidTwiceIsAnError(t *testing.T) {
	for text, reason := range map[string]string{
		`{"amount":100,"amount":10000}`:       `says "amount" twice`,
		`{"amount":100,"amount":100}`:         `says "amount" twice`,
		`{"amount":100,"Amount":10000}`:       `says "Amount" twice`,
		`{"amount":100,"amoun\u0074":10000}`:  `says "amount" twice`,
		`{"lines":[{"amount":1,"amount":2}]}`: `says "amount" twice`,
		`{"amount":100,"total":1}`:            "unknown field",
		`{"amount":100} {}`:                   "more than one JSON value",
		`{"amount":100}]`:                     "more than one JSON value",
		`{"amount":`:                          "unexpected EOF",
		``:                                    "EOF",
		`{"amount":100.0}`:                    "amount",
		strings.Repeat(`{"lines":[`, 20_000):  "",
	} {
		assert.ErrorContains(t, Unmarshal([]byte(text), new(refund)), reason, text[:min(len(text), 40)])
	}
	var mistaken *json.UnmarshalTypeError
	require.ErrorAs(t, Unmarshal([]byte(`{"amount":"1"}`), new(refund)), &mistaken)
	assert.Equal(t, "amount", mistaken.Field)
}

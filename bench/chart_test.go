package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChartIsWellFormedWhateverIsInIt(t *testing.T) {
	c := chart{title: `<"fast" & slow>`, note: "a < b", bars: []bar{{label: `"x" & <y>`, value: 1, text: "1 µs"}}}
	decoder := xml.NewDecoder(strings.NewReader(c.svg()))
	for {
		_, err := decoder.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
}

func TestBarsAreAsLongAsTheirValues(t *testing.T) {
	c := chart{bars: []bar{{value: 200}, {value: 100}, {value: 0.0001}, {value: 0}, {value: -3}}}
	longest := c.width(c.bars[0])
	assert.Equal(t, longest/2, c.width(c.bars[1]))
	assert.Equal(t, 1.0, c.width(c.bars[2]), "what is there is seen")
	assert.Zero(t, c.width(c.bars[3]))
	assert.Zero(t, c.width(c.bars[4]), "less than the gateway's own time")
	assert.LessOrEqual(t, labelWidth+longest+valueWidth, float64(chartWidth))
}

func TestChartWithoutValuesHasNoBars(t *testing.T) {
	c := chart{bars: []bar{{value: 0}, {value: 0}}}
	assert.Zero(t, c.width(c.bars[0]))
}

func TestChartIsToldToThoseWhoCannotSeeIt(t *testing.T) {
	c := chart{title: "Starts per second", bars: []bar{{label: "Caddy redir", value: 9, text: "9"}, {label: ours, value: 8, text: "8", ours: true}}}
	assert.Equal(t, "Starts per second: Caddy redir 9, qfpay_jsapi 8", c.spoken())
	assert.Contains(t, c.svg(), `aria-label="Starts per second: Caddy redir 9, qfpay_jsapi 8"`)
	assert.Equal(t, 1, strings.Count(c.svg(), `class="bar ours"`))
}

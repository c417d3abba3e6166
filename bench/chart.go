package main

import (
	"fmt"
	"html"
	"strings"
)

// chart is a picture of horizontal bars.
type chart struct {
	name  string // of its file, without .svg
	title string
	note  string // what a longer bar means
	bars  []bar
}

// bar is one of a chart.
type bar struct {
	label string
	value float64
	text  string // the value for people
	ours  bool   // drawn in another colour
}

// The measures of a chart, in its own units.
const (
	chartWidth  = 720
	labelWidth  = 210
	valueWidth  = 90
	barHeight   = 18
	barPitch    = 28
	chartHead   = 56
	chartMargin = 12
)

const chartStyle = `text{font:13px system-ui,sans-serif;fill:#222}.title{font-size:15px;font-weight:600}.note{fill:#666}
.bar{fill:#9aa5b1}.ours{fill:#07853e}.ground{fill:#fff}
@media (prefers-color-scheme:dark){text{fill:#e6e6e6}.note{fill:#aaa}.bar{fill:#66717d}.ours{fill:#2fbf71}.ground{fill:#0d1117}}`

// svg draws the chart. A bar that is longer than 0 is seen, however short.
func (c chart) svg() string {
	height := chartHead + len(c.bars)*barPitch + chartMargin
	var text strings.Builder
	fmt.Fprintf(&text, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n<style>%s</style>\n",
		chartWidth, height, chartWidth, height, html.EscapeString(c.spoken()), chartStyle)
	fmt.Fprintf(&text, `<rect class="ground" width="%d" height="%d"/>`+"\n", chartWidth, height)
	fmt.Fprintf(&text, `<text class="title" x="%d" y="24">%s</text>`+"\n", chartMargin, html.EscapeString(c.title))
	fmt.Fprintf(&text, `<text class="note" x="%d" y="43">%s</text>`+"\n", chartMargin, html.EscapeString(c.note))
	for i, b := range c.bars {
		y, class := chartHead+i*barPitch, "bar"
		if b.ours {
			class = "bar ours"
		}
		width := c.width(b)
		fmt.Fprintf(&text, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth-8, y+14, html.EscapeString(b.label))
		fmt.Fprintf(&text, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, labelWidth, y, width, barHeight)
		fmt.Fprintf(&text, `<text x="%.1f" y="%d">%s</text>`+"\n", labelWidth+width+8, y+14, html.EscapeString(b.text))
	}
	text.WriteString("</svg>\n")
	return text.String()
}

// width of the longest bar leaves room for its value.
func (c chart) width(b bar) float64 {
	var longest float64
	for _, other := range c.bars {
		longest = max(longest, other.value)
	}
	if longest <= 0 || b.value <= 0 {
		return 0
	}
	return max(1, b.value/longest*(chartWidth-labelWidth-valueWidth-chartMargin))
}

// spoken is the chart for those who cannot see it.
func (c chart) spoken() string {
	parts := make([]string, len(c.bars))
	for i, b := range c.bars {
		parts[i] = b.label + " " + b.text
	}
	return c.title + ": " + strings.Join(parts, ", ")
}

// barsOf draws one figure of all contenders.
func barsOf(contenders []*contender, one func(figures) float64, text func(float64) string) (bars []bar) {
	for _, c := range contenders {
		value := of(c.turns, one)
		bars = append(bars, bar{label: c.name, value: value, text: text(value), ours: c.name == ours})
	}
	return bars
}

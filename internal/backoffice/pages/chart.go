package pages

// Chart is what came in day by day, in one currency, the first day first.
type Chart struct {
	Currency string
	// Monthly says that a bar stands for a month.
	Monthly bool
	// GivesBack says that the spans know what went back in them.
	GivesBack bool
	Spans     []Span
}

// Span is a day or a month.
type Span struct {
	Name                 string // 2026-11-23 or 2026-11
	Paid                 int64
	Gross, Refunded, Net Money
	GivenBack            Money // what went back in it, of orders of whatever day
}

// Bar is how a span is drawn: what stayed, and on top of it what went back.
type Bar struct {
	Span
	X, NetY, NetHeight, BackY, BackHeight float64
}

// The measures of a chart, in the units of its drawing. Browsers stretch it to
// the width of the page.
const (
	barPitch    = 10
	barMargin   = 1
	chartHeight = 100
)

// Width is that of the drawing.
func (c Chart) Width() int { return max(len(c.Spans), 1) * barPitch }

// BarWidth is that of one bar.
func (Chart) BarWidth() int { return barPitch - 2*barMargin }

// Height is that of the drawing.
func (Chart) Height() int { return chartHeight }

// Most is what the highest bar stands for.
func (c Chart) Most() Money {
	most := Money{Currency: c.Currency}
	for _, span := range c.Spans {
		most.Minor = max(most.Minor, span.Gross.Minor)
	}
	return most
}

// First and Last are the ends of the chart.
func (c Chart) First() string { return c.Spans[0].Name }
func (c Chart) Last() string  { return c.Spans[len(c.Spans)-1].Name }

// Bars are drawn from the bottom up.
func (c Chart) Bars() []Bar {
	unit := chartHeight / float64(max(c.Most().Minor, 1))
	bars := make([]Bar, len(c.Spans))
	for i, span := range c.Spans {
		bar := Bar{Span: span, X: float64(i*barPitch + barMargin)}
		bar.NetHeight = float64(span.Net.Minor) * unit
		bar.BackHeight = float64(span.Refunded.Minor) * unit
		bar.NetY = chartHeight - bar.NetHeight
		bar.BackY = bar.NetY - bar.BackHeight
		bars[i] = bar
	}
	return bars
}

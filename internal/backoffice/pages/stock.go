package pages

import "time"

// Stock is how much there is of each item that has stock.
type Stock struct {
	Presets []Preset
	Items   []StockItem
	// Shops says that items of several shops are shown.
	Shops bool
	// Zone names the time zone of the times.
	Zone string
	// URL is where the forms are posted to.
	URL string
}

// StockItem is an item that has stock.
type StockItem struct {
	Item, Name, Shop    string
	Available, Reserved int64 // pieces
	// Counted is when it was last said how many there are; zero for never.
	Counted time.Time
	// Done says that this has just been said.
	Done bool
	// Changed says that it was not, since there is not any more what the page
	// showed; Typed is what stands in the form then.
	Changed bool
	Typed   string
	// Hidden is what the form posts beside the number.
	Hidden []Pair
}

func (Stock) file() string { return "stock.html" }

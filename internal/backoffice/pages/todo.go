package pages

import "time"

// ToDo is what the shop has to fulfil, the oldest order first.
type ToDo struct {
	Presets []Preset
	Packs   []Pack
	// Count is how many orders there are in all; Uncounted says that there are more.
	Count     int64
	Uncounted bool
	// Done is the order that has just been fulfilled; zero for none.
	Done Row
	// Shops says that orders of several shops are shown.
	Shops bool
	// Zone names the time zone of the times.
	Zone string
	// Where to go on; "" for nowhere.
	FirstURL, NextURL, PrintURL string
}

// Pack is an order with what has to be known to fulfil it.
type Pack struct {
	Row    Row
	PaidAt time.Time
	Short  bool // not enough was left of what it is for
	Items  []Item
	Fields []Pair // what the payer told the shop
	Fulfil []Pair // what the form posts beside the note
	URL    string // to which it does
}

// Sheets are orders to print for packing, one to a sheet of paper.
type Sheets struct {
	Packs []Pack
	// More says that there are more orders than are printed at once.
	More bool
	// Shops says that orders of several shops may be among them.
	Shops   bool
	BackURL string
}

package cli

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// halfBlocks draw two modules above each other in one character, the dark ones as
// ink.
var halfBlocks = map[[2]bool]string{
	{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█",
}

// quiet is the light border around a code, in modules.
const quiet = 2

// printCode draws a QR code on a terminal: dark on light whatever its colours, or
// without telling it any, with the light modules as ink, as terminals are mostly
// dark. It draws nothing into files and for other programs.
func (c *console) printCode(link string) error {
	room := c.width()
	if room == 0 {
		return nil
	}
	code, err := qr.Encode(link, qr.L)
	if err != nil {
		c.note("The link is too long for a QR code.")
		return nil
	}
	if wide := code.Size + 2*quiet; wide > room {
		c.note("The QR code needs a terminal that is %d columns wide.", wide)
		return nil
	}
	_, err = fmt.Fprint(c.out(), drawCode(code, hasColours()))
	return err
}

func drawCode(code *qr.Code, colours bool) string {
	before, after := "\x1b[38;5;16;48;5;231m", "\x1b[0m"
	if !colours {
		before, after = "", ""
	}
	var picture strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		picture.WriteString(before)
		for x := -quiet; x < code.Size+quiet; x++ {
			picture.WriteString(halfBlocks[[2]bool{code.Black(x, y) == colours, code.Black(x, y+1) == colours}])
		}
		picture.WriteString(after + "\n")
	}
	return picture.String()
}

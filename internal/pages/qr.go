package pages

import (
	"encoding/base64"
	"html/template"
	"strconv"

	"rsc.io/qr"
)

// MaxCodeLink is the longest link in bytes whose code phones read well from a screen:
// 49 modules on a side, 57 with its margin.
const MaxCodeLink = 192

// maxSafeLink is the longest link in bytes for which a code of this size can still be
// read with a seventh of it damaged.
const maxSafeLink = 152

// quiet is the width in modules of the white margin that scanners need.
const quiet = 4

// code is a QR code as one SVG path on a square of Side modules.
type code struct {
	Side int
	Path string
}

// newCode encodes link, or returns nil if it is too long for a QR code. Long
// links give up some of what makes up for damage, which a screen hardly has.
func newCode(link string) *code {
	level := qr.L
	if len(link) <= maxSafeLink {
		level = qr.M
	}
	matrix, err := qr.Encode(link, level)
	if err != nil {
		return nil
	}
	path := make([]byte, 0, 8*matrix.Size*matrix.Size)
	for y := range matrix.Size {
		path = appendRow(path, matrix, y)
	}
	return &code{Side: matrix.Size + 2*quiet, Path: string(path)}
}

// appendRow draws row y of m: one bar for every run of dark modules.
func appendRow(path []byte, m *qr.Code, y int) []byte {
	for x := 0; x < m.Size; x++ {
		from := x
		for m.Black(x, y) {
			x++
		}
		if x > from {
			path = appendBar(path, from+quiet, y+quiet, x-from)
		}
	}
	return path
}

// appendBar draws a bar of width modules with its top left corner at x, y.
func appendBar(path []byte, x, y, width int) []byte {
	path = append(path, 'M')
	path = strconv.AppendInt(path, int64(x), 10)
	path = append(path, ' ')
	path = strconv.AppendInt(path, int64(y), 10)
	path = append(path, 'h')
	path = strconv.AppendInt(path, int64(width), 10)
	path = append(path, "v1h-"...)
	path = strconv.AppendInt(path, int64(width), 10)
	return append(path, 'z')
}

// picture encodes link as the data URL of an image, or returns "" if it is too
// long for a QR code.
func picture(link string) template.URL {
	matrix, err := qr.Encode(link, qr.M)
	if err != nil {
		return ""
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(matrix.PNG()))
}

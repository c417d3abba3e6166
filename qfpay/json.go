package qfpay

import "github.com/caddy-qfpay/qfpay-jsapi/internal/remote"

// decode reads a body that is one JSON object and nothing else.
func decode(body []byte, into any) error {
	return remote.Decode(repair(body), into)
}

// repair puts quotes around the bare leading-zero numbers that are the value of
// a member, as in the documentation's "respcd": 0000. JSON has no such numbers,
// so a valid body comes back as it is, and so does everything inside strings.
func repair(body []byte) []byte {
	var repaired []byte // nil until something is repaired
	copied := 0
	last := byte(0) // the last byte outside strings that is not white space
	for i := 0; i < len(body); {
		end := i + 1
		switch c := body[i]; {
		case c == '"':
			end = stringEnd(body, i)
		case c == '0' && last == ':':
			end = digitsEnd(body, i)
			if end-i > 1 && endsValue(body, end) {
				repaired = append(repaired, body[copied:i]...)
				repaired = append(repaired, '"')
				repaired = append(repaired, body[i:end]...)
				repaired = append(repaired, '"')
				copied = end
			}
		}
		if !isSpace(body[i]) {
			last = body[i]
		}
		i = end
	}
	if repaired == nil {
		return body
	}
	return append(repaired, body[copied:]...)
}

// stringEnd returns the index behind the string that opens at start.
func stringEnd(body []byte, start int) int {
	for i := start + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

func digitsEnd(body []byte, start int) int {
	for i := start; i < len(body); i++ {
		if body[i] < '0' || body[i] > '9' {
			return i
		}
	}
	return len(body)
}

func endsValue(body []byte, i int) bool {
	return i < len(body) && (body[i] == ',' || body[i] == '}' || isSpace(body[i]))
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

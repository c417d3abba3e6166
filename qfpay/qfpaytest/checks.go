package qfpaytest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// timeLayout is the format of every time on the wire.
	timeLayout = "2006-01-02 15:04:05"

	// clockTolerance is how far txdtm may be from the clock of a strict simulator.
	// It is the simulator's own: wide enough for any clock that is set, and narrow
	// enough to catch local time that is not UTC+8.
	clockTolerance = 10 * time.Minute

	// maxTitle is the documented length of goods_name.
	maxTitle = 64

	// maxUdid is the documented length of udid, in bytes.
	maxUdid = 40
)

// gatewayZone is the time of everything the gateway says and expects.
var gatewayZone = time.FixedZone("UTC+8", 8*60*60)

var currencies = []string{
	"AED", "CNY", "EUR", "HKD", "IDR", "JPY", "MMK", "MYR", "SGD", "THB", "USD", "CAD", "AUD",
}

var (
	amountPattern  = regexp.MustCompile(`^[1-9][0-9]{0,10}$`)
	countPattern   = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)
	zonePattern    = regexp.MustCompile(`^[+-](0[0-9]|1[0-4])[0-5][0-9]$`)
	visiblePattern = regexp.MustCompile(`^[!-~]+$`)
)

func equal(want string) check {
	return func(value string) string {
		if value != want {
			return fmt.Sprintf("not %s", want)
		}
		return ""
	}
}

// text is printable and has at most so many bytes.
func text(maxBytes int) check {
	return func(value string) string {
		if len(value) > maxBytes {
			return fmt.Sprintf("longer than %d bytes", maxBytes)
		}
		return printable(value)
	}
}

func printable(value string) string {
	if strings.ContainsFunc(value, unicode.IsControl) {
		return "holds a control character"
	}
	return ""
}

// title is a text for people, of the documented length of 64. That has no unit:
// the strict count bytes, the others characters.
func (s *Simulator) title(value string) string {
	if s.cfg.Strict || utf8.RuneCountInString(value) > maxTitle {
		return text(maxTitle)(value)
	}
	return printable(value)
}

// visible is ASCII without spaces and has at most so many bytes.
func visible(maxBytes int) check {
	return func(value string) string {
		if !visiblePattern.MatchString(value) {
			return "holds other than visible ASCII"
		}
		return text(maxBytes)(value)
	}
}

// amount is Int(11) in minor units.
func amount(value string) string {
	if !amountPattern.MatchString(value) {
		return "not a positive whole number of at most 11 digits"
	}
	return ""
}

func currency(value string) string {
	if !slices.Contains(currencies, value) {
		return "not a currency of the gateway"
	}
	return ""
}

func moment(value string) string {
	if at, err := time.Parse(timeLayout, value); err != nil || at.Format(timeLayout) != value {
		return "not YYYY-MM-DD hh:mm:ss"
	}
	return ""
}

// timeOf reads a value that has passed moment.
func timeOf(value string, zone *time.Location) time.Time {
	at, err := time.ParseInLocation(timeLayout, value, zone)
	if err != nil {
		panic("qfpaytest: unchecked time: " + err.Error())
	}
	return at
}

// timeZone is the offset from UTC of a txzone, such as +0800.
func timeZone(value string) string {
	if !zonePattern.MatchString(value) {
		return "not an offset such as +0800"
	}
	return ""
}

// zoneOf is the zone of the times in a request: that of its txzone, if it has one
// that is right, and otherwise that of the gateway.
func zoneOf(p params) *time.Location {
	at, err := time.Parse("-0700", p["txzone"])
	if err != nil {
		return gatewayZone
	}
	_, seconds := at.Zone()
	return time.FixedZone("UTC"+p["txzone"], seconds)
}

// stamp is the check of a txdtm, and of the txzone that it is in. The gateway
// stores it as it was sent; the strict want it close to now.
func (s *Simulator) stamp(p params) check {
	if !s.cfg.Strict {
		return moment
	}
	return func(value string) string {
		if wrong := moment(value); wrong != "" {
			return wrong
		}
		if timeOf(value, zoneOf(p)).Sub(s.cfg.Now()).Abs() > clockTolerance {
			return fmt.Sprintf("more than %v from now in %s", clockTolerance, zoneOf(p))
		}
		return ""
	}
}

// webAddress is an absolute http or https URL of at most so many characters.
func webAddress(maxCharacters int) check {
	return func(value string) string {
		address, err := url.Parse(value)
		switch {
		case utf8.RuneCountInString(value) > maxCharacters:
			return fmt.Sprintf("longer than %d characters", maxCharacters)
		case strings.ContainsFunc(value, unicode.IsControl):
			return "holds a control character"
		case err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https"):
			return "not an absolute http or https URL"
		}
		return ""
	}
}

// notifyAddress is a web address of at most 256 characters on port 80 or 443.
func notifyAddress(anyPort bool) check {
	return func(value string) string {
		if wrong := webAddress(256)(value); wrong != "" {
			return wrong
		}
		address, _ := url.Parse(value)
		if port := address.Port(); !anyPort && port != "" && port != "80" && port != "443" {
			return "neither on port 80 nor on port 443"
		}
		return ""
	}
}

// upTo is a whole number from 1 to max.
func upTo(maximum int) check {
	return func(value string) string {
		if !countPattern.MatchString(value) || number(value) > int64(maximum) {
			return fmt.Sprintf("not a number from 1 to %d", maximum)
		}
		return ""
	}
}

// list is made of comma-separated values that are not empty and pass the check.
func list(each check) check {
	return func(value string) string {
		for item := range strings.SplitSeq(value, ",") {
			if item == "" {
				return "holds an empty item"
			}
			if wrong := each(item); wrong != "" {
				return wrong
			}
		}
		return ""
	}
}

// number reads a value that has passed amount or upTo.
func number(value string) int64 {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		panic("qfpaytest: unchecked number: " + err.Error())
	}
	return n
}

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

	// clockTolerance is how far txdtm may be from the simulator's clock. It is
	// the simulator's own: wide enough for any clock that is set, and narrow
	// enough to catch local time that is not UTC+8.
	clockTolerance = 10 * time.Minute
)

// gatewayZone is the time of everything the gateway says and expects.
var gatewayZone = time.FixedZone("UTC+8", 8*60*60)

var currencies = []string{
	"AED", "CNY", "EUR", "HKD", "IDR", "JPY", "MMK", "MYR", "SGD", "THB", "USD", "CAD", "AUD",
}

var (
	amountPattern  = regexp.MustCompile(`^[1-9][0-9]{0,10}$`)
	countPattern   = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)
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
		switch {
		case len(value) > maxBytes:
			return fmt.Sprintf("longer than %d bytes", maxBytes)
		case strings.ContainsFunc(value, unicode.IsControl):
			return "holds a control character"
		}
		return ""
	}
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

func parseTime(value string) (time.Time, error) {
	return time.ParseInLocation(timeLayout, value, gatewayZone)
}

func moment(value string) string {
	if at, err := parseTime(value); err != nil || at.Format(timeLayout) != value {
		return "not YYYY-MM-DD hh:mm:ss"
	}
	return ""
}

// near is a moment close to now, in UTC+8.
func near(now time.Time) check {
	return func(value string) string {
		if wrong := moment(value); wrong != "" {
			return wrong
		}
		at, _ := parseTime(value)
		if at.Sub(now).Abs() > clockTolerance {
			return fmt.Sprintf("more than %v from now in UTC+8", clockTolerance)
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

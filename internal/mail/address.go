package mail

import (
	"errors"
	"net/mail"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
)

// What can be wrong with an address. None of it repeats the address.
var (
	errAddress = errors.New("must be one mail address such as shop@example.com or Shop <shop@example.com>")
	errPayer   = errors.New("must be one mail address such as name@example.com")
)

// longestAddress bounds an address in bytes, as SMTP does (RFC 5321, erratum 1690).
const longestAddress = 254

// localPart is what every server takes before the @: ASCII without quotes.
var localPart = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")

// CheckAddress reports what is wrong with an address of the shop. It may have a
// name. The error does not show it.
func CheckAddress(text string) error {
	_, err := parseAddress(text)
	return err
}

// CheckPayer reports what is wrong with an address that a payer gave: it is one
// address of at most 254 bytes, without a name, at a domain with a dot. The error
// does not show it.
func CheckPayer(text string) error {
	_, err := parsePayer(text)
	return err
}

func parseAddress(text string) (*mail.Address, error) {
	if len(text) > 2*longestAddress {
		return nil, errAddress
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		return nil, errAddress
	}
	address, ok := plainAddress(parsed.Address)
	if !ok {
		return nil, errAddress
	}
	return &mail.Address{Name: line(parsed.Name, longestName), Address: address}, nil
}

func parsePayer(text string) (*mail.Address, error) {
	address, ok := plainAddress(strings.TrimSpace(text))
	if !ok || !strings.Contains(address[strings.LastIndex(address, "@"):], ".") {
		return nil, errPayer
	}
	return &mail.Address{Address: address}, nil
}

// plainAddress returns an address in ASCII, as every server takes it.
func plainAddress(text string) (string, bool) {
	at := strings.LastIndex(text, "@")
	if at < 1 || at > 64 || len(text) > longestAddress || !localPart.MatchString(text[:at]) {
		return "", false
	}
	domain, err := domains.ToASCII(text[at+1:])
	if err != nil || at+1+len(domain) > longestAddress {
		return "", false
	}
	if same, err := domains.ToASCII(domain); err != nil || same != domain { // it accepts what is not UTF-8, and changes it
		return "", false
	}
	return text[:at] + "@" + domain, true
}

// domains writes a domain in ASCII, and refuses what is none.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true))

func domainOf(a *mail.Address) string { return a.Address[strings.LastIndex(a.Address, "@")+1:] }

package checkout

import (
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"
)

// NewOrder returns a fresh order id: a ULID of now with 80 random bits, 26 of
// 0-9 A-Z. It is the gateway's out_trade_no, and whoever knows it may see the
// order's status, so it must not be guessable.
func NewOrder(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

// Started returns when an order was started, which its id says.
func Started(id string) (time.Time, error) {
	parsed, err := ulid.ParseStrict(id)
	return ulid.Time(parsed.Time()), err
}

// IsOrder reports whether id is an order id in its one canonical spelling.
func IsOrder(id string) bool {
	parsed, err := ulid.ParseStrict(id)
	return err == nil && parsed.String() == id
}

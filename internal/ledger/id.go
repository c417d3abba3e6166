package ledger

import (
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"
)

// NewID returns the id of a new order: a ULID of now with 80 random bits, 26 of
// 0-9 A-Z. It is the gateway's out_trade_no, and whoever knows it may see the
// order's status, so it must not be guessable.
func NewID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

// ValidID reports whether an id is that of an order: a ULID in its one canonical
// spelling.
func ValidID(id string) bool {
	parsed, err := ulid.ParseStrict(id)
	return err == nil && parsed.String() == id
}

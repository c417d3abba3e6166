package qfpayjsapi

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
)

// Duration is a length of time as Caddy's own configuration has it: a text such as
// "15m", or nanoseconds. A zero that is given is an error: it would be taken for the
// default, or for no time at all.
type Duration caddy.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(text []byte) error {
	if err := (*caddy.Duration)(d).UnmarshalJSON(text); err != nil {
		return err
	}
	if *d == 0 {
		return errors.New("timeout, order_ttl and keep_fields cannot be zero: leave them out for the default")
	}
	return nil
}

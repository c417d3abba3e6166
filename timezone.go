package qfpayjsapi

import (
	"fmt"
	"time"
	_ "time/tzdata" // for machines without a database of time zones

	"github.com/caddyserver/caddy/v2"
)

// checkTimeZone takes the names of the IANA. What Go calls Local differs between
// machines.
func checkTimeZone(value string) error {
	if _, err := time.LoadLocation(value); err != nil || value == "Local" {
		return fmt.Errorf("%q is no time zone such as Asia/Hong_Kong, Europe/Berlin or UTC", value)
	}
	return nil
}

func (h *Handler) openZone(caddy.Context) (err error) {
	if h.zone, err = time.LoadLocation(h.TimeZone); err != nil {
		return fieldError{"time_zone", err}
	}
	return nil
}

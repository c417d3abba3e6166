package webhook

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter bounds what an endpoint may ask for, so that a slip of its
// clock cannot silence it for good.
const maxRetryAfter = 24 * time.Hour

// parseRetryAfter reads a Retry-After header, a number of seconds or an HTTP
// date, as a wait from now of 0 to 24 h. What it cannot read is no wait.
func parseRetryAfter(header string, now time.Time) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range, seconds is the largest number
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}

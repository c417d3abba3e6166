package remote

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// RetryAfter reads a Retry-After header, a number of seconds or an HTTP date, as a
// wait from now of 0 to longest: a slip of the other side's clock must not silence
// it for good. What cannot be read is no wait.
func RetryAfter(header string, now time.Time, longest time.Duration) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range, seconds is the largest number
		return time.Duration(min(seconds, uint64(longest/time.Second))) * time.Second
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), longest)
}

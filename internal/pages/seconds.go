package pages

import "time"

// seconds rounds d up to whole seconds, as a refresh of a page needs them.
func seconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d-1)/time.Second) + 1
}

package qfpayjsapi

import (
	"net/http"
	"time"
)

// bodyTime is how long a client may take to send a body, far above what a form
// takes on a poor line. Caddy's own limit lets one go on that sends a byte now
// and then.
var bodyTime = 20 * time.Second

// limitBody bounds the body of a request in bytes and in time. The caller lifts
// the bound on time when the body is read: it would end the request later on.
func limitBody(w http.ResponseWriter, r *http.Request, most int64) (lift func()) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime))
	r.Body = http.MaxBytesReader(w, r.Body, most)
	return func() { _ = control.SetReadDeadline(time.Time{}) }
}

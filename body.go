package qfpayjsapi

import (
	"net/http"
	"time"
)

// bodyTime is how long a client may take to send a body, far above what a form
// takes on a poor line. Caddy's own limit lets one go on that sends a byte now
// and then.
var bodyTime = 20 * time.Second

// limitBody bounds the body of a request in bytes and in time. When the body has
// been read, the bound on time is over.
func limitBody(w http.ResponseWriter, r *http.Request, most int64) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	r.Body = http.MaxBytesReader(w, r.Body, most)
}

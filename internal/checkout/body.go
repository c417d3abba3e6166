package checkout

import (
	"net/http"
	"time"
)

// limitBody bounds the body of a request in bytes and in time: Caddy's own limit
// lets a client go on that sends a byte now and then. When the body has been read,
// the bound on time is over.
func (c *Checkout) limitBody(w http.ResponseWriter, r *http.Request, most int64) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(c.BodyTime))
	r.Body = http.MaxBytesReader(w, r.Body, most)
}

package mail

import (
	"net"
	"sync"
	"time"
)

// wire is a connection that only its context ends, and from which a bounded number of
// bytes is read. The library prolongs its own deadline with every mail, and leaves a
// connection open that fails before it is ready.
type wire struct {
	net.Conn
	left int // bytes that may still be read

	mu      sync.Mutex
	aborted bool
}

// open takes the connection, unless the wire was aborted: then it closes it and
// reports false.
func (w *wire) open(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aborted {
		_ = conn.Close()
		return false
	}
	w.Conn = conn
	return true
}

// abort closes the connection, now or as soon as it is open.
func (w *wire) abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.aborted = true
	if w.Conn != nil {
		_ = w.Conn.Close()
	}
}

// Read implements [net.Conn].
func (w *wire) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errTalkative
	}
	n, err := w.Conn.Read(p[:min(len(p), w.left)])
	w.left -= n
	return n, err
}

// SetDeadline leaves the deadline as it is.
func (w *wire) SetDeadline(time.Time) error { return nil }

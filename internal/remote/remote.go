// Package remote is what calls to others' services have in common: one request, a
// time-out, a bounded reply, what is known when it did not succeed, and JSON whose
// scalars come as strings, as numbers or as null.
//
// It knows nothing of any service: parameters, codes and their meanings belong to
// the package of each. It needs the standard library and internal/redact alone,
// so that package qfpay needs no more.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// Caller makes calls to one service.
type Caller struct {
	// Transport carries the requests. It must not repeat them by itself.
	Transport http.RoundTripper

	// Timeout bounds one call from dialing to the last byte of the reply.
	Timeout time.Duration

	// MaxReply bounds a reply in bytes, after it was unpacked.
	MaxReply int64

	// Received is shown every reply whose body Do returns, if it is set.
	Received func(header http.Header, body []byte)
}

// Do sends a request once and returns the body of a reply with status 200.
//
// It goes to the transport directly, without an http.Client: that follows
// redirects, and puts the URL, which may hold a payer's code, into its errors.
func (c Caller) Do(req *http.Request) ([]byte, *Failure) {
	ctx, cancel := context.WithTimeout(req.Context(), c.Timeout)
	defer cancel()
	resp, err := c.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, silence(ctx, err)
	}
	defer closeBody(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, badStatus(resp)
	}
	body, err := readBody(resp.Body, c.MaxReply)
	if err != nil {
		return nil, brokenOff(ctx, err)
	}
	if c.Received != nil {
		c.Received(resp.Header, body)
	}
	return body, nil
}

// CloseIdle closes connections that are kept alive but not in use. Calls in
// flight and later calls are not disturbed.
func (c Caller) CloseIdle() {
	if t, ok := c.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func readBody(body io.Reader, most int64) ([]byte, error) {
	read, err := io.ReadAll(io.LimitReader(body, most+1))
	if err == nil && int64(len(read)) > most {
		err = fmt.Errorf("reply is longer than %d bytes", most)
	}
	return read, err
}

// closeBody reads what little may be left, so that the connection can be kept.
func closeBody(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}

// silence is the lack of a reply.
func silence(ctx context.Context, err error) *Failure {
	f := &Failure{Outcome: Unknown, Fault: FaultSilent, Err: redact.Cause(ctx, err)}
	if ctx.Err() == nil && neverConnected(err) {
		f.Outcome = Refused
	}
	return f
}

// neverConnected reports whether err is a failed dial: of that alone is it
// certain that nothing has reached the service.
func neverConnected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// badStatus is a reply that is not 200. Its body is not looked at.
func badStatus(resp *http.Response) *Failure {
	f := &Failure{
		Outcome:    Unknown,
		Fault:      FaultBroken,
		Status:     resp.StatusCode,
		RetryAfter: RetryAfter(resp.Header.Get("Retry-After"), time.Now(), time.Hour),
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		f.Outcome, f.Fault = Refused, FaultBusy
	}
	return f
}

// brokenOff is a reply that ended early, or does not end.
func brokenOff(ctx context.Context, err error) *Failure {
	f := Garbage(redact.Cause(ctx, err))
	if ctx.Err() != nil {
		f.Fault = FaultSilent
	}
	return f
}

package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const userAgent = "caddy-qfpay-jsapi"

// maxReplyBytes is how much of an answer's body is read. Nothing in it is
// used: it is read so that the connection can carry the next message.
const maxReplyBytes = 64 << 10

// Send posts the message once, as an attempt made at now, and takes no longer
// than 15 s or ctx. Whether the endpoint has seen a message that was not
// delivered is unknown: it must be ready to see the same id again.
func (e *Endpoint) Send(ctx context.Context, m Message, now time.Time) Result {
	body, err := m.encode()
	if err != nil {
		return Result{Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	request, err := e.newRequest(ctx, m.ID, body, now)
	if err != nil {
		return Result{Err: fmt.Errorf("preparing the request to %s failed", e)} // the cause would show the query
	}
	// The transport rather than a client: it follows no redirect, keeps no
	// cookie, and does not put the URL with its query into errors.
	reply, err := e.transport.RoundTrip(request)
	if err != nil {
		return Result{Err: fmt.Errorf("posting to %s: %w", e, err)}
	}
	defer reply.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(reply.Body, maxReplyBytes)) // the status has been said
	return e.judge(reply.StatusCode, reply.Header.Get("Retry-After"), now)
}

func (e *Endpoint) newRequest(ctx context.Context, id string, body []byte, now time.Time) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	seconds := now.Unix()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(seconds, 10))
	request.Header.Set("Webhook-Signature", e.sign(id, seconds, body))
	return request, nil
}

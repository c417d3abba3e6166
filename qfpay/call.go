package qfpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
)

const (
	callOAuth   = "oauth"
	callOpenID  = "openid"
	callPayment = "payment"
	callPayPage = "paypage"
	callQuery   = "query"
	callClose   = "close"
	callRefund  = "refund"
)

// longestBody is far above the largest reply, a page of 100 trades.
const longestBody = 1 << 20

// call is one signed request.
type call struct {
	name   string // of those above
	method string
	path   string
	params map[string]string // empty ones are not sent

	// secrets are hidden, besides the client key, where the gateway repeats them.
	secrets []string
}

// do sends the call once and returns the body of a reply that says 0000.
//
// It goes to the transport directly, without an http.Client: that follows
// redirects, and puts the URL with the payer's code into its errors.
func (c *Client) do(ctx context.Context, call call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	req, err := c.request(ctx, call)
	if err != nil {
		return nil, invalid(call.name, err)
	}
	resp, err := c.config.Transport.RoundTrip(req)
	if err != nil {
		return nil, transportError(ctx, call.name, err)
	}
	defer closeBody(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(call.name, resp)
	}
	body, err := readBody(resp.Body)
	if err != nil {
		return nil, bodyError(ctx, call.name, err)
	}
	return body, c.judge(call, body)
}

func (c *Client) request(ctx context.Context, call call) (*http.Request, error) {
	params := c.complete(call.params)
	req, err := unsigned(ctx, call.method, c.gateway+call.path, params)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-QF-APPCODE", c.config.AppCode)
	req.Header.Set("X-QF-SIGN", params.sign(c.config.SignType, c.config.ClientKey))
	if c.config.SignType == SHA256 {
		req.Header.Set("X-QF-SIGNTYPE", "SHA256")
	}
	return req, nil
}

// complete returns what is both signed and sent.
func (c *Client) complete(values map[string]string) params {
	return sorted(values).with("mchid", c.config.MchID)
}

func unsigned(ctx context.Context, method, address string, params params) (*http.Request, error) {
	if method == http.MethodGet {
		// net/http may repeat a GET by itself, when a kept connection dies
		// before it has answered. At worst, the payer's code was used up by the
		// first try, the second is refused, and the payer starts again.
		return http.NewRequestWithContext(ctx, method, address+"?"+params.query(), nil)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(params.form()))
	if err != nil {
		return nil, err
	}
	// Without a way to read the body again, and without an idempotency key,
	// net/http cannot repeat a POST by itself, on HTTP/1 or HTTP/2.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req, nil
}

func readBody(body io.Reader) ([]byte, error) {
	read, err := io.ReadAll(io.LimitReader(body, longestBody+1))
	if err == nil && len(read) > longestBody {
		err = fmt.Errorf("reply is longer than %d bytes", longestBody)
	}
	return read, err
}

// closeBody reads what little may be left, so that the connection can be kept.
func closeBody(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}

// envelope is common to all replies.
type envelope struct {
	Respcd  responseCode `json:"respcd"`
	Respmsg text         `json:"respmsg"`
	Resperr text         `json:"resperr"`
}

// judge reads the envelope alone: a refusal must be understood even if the rest
// of the reply is not.
func (c *Client) judge(call call, body []byte) error {
	var reply envelope
	if err := decode(body, &reply); err != nil {
		return garbage(call.name, err)
	}
	switch reply.Respcd {
	case "":
		return garbage(call.name, errors.New("reply without a respcd"))
	case success:
		return nil
	default:
		hide := quote.Hiding(c.config.ClientKey).And(call.secrets...)
		return answer(call.name, string(reply.Respcd), hide.Line(reply.message()))
	}
}

func (reply envelope) message() string {
	message := string(reply.Respmsg)
	if reply.Resperr != "" && reply.Resperr != reply.Respmsg {
		message = strings.TrimPrefix(message+": "+string(reply.Resperr), ": ")
	}
	return message
}

package qfpay

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
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

// headerSign carries the signature of a request, and of some replies.
const headerSign = "X-QF-SIGN"

// maxReply bounds a reply in bytes, far above the largest, a page of 100 trades.
const maxReply = 1 << 20

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
func (c *Client) do(ctx context.Context, call call) ([]byte, error) {
	req, err := c.request(ctx, call)
	if err != nil {
		return nil, invalid(call.name, err)
	}
	body, failure := c.caller.Do(req)
	if failure != nil {
		return nil, failed(call.name, failure)
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
	req.Header.Set(headerSign, params.sign(c.config.SignType, c.key()))
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

// envelope is common to all replies.
type envelope struct {
	Respcd  responseCode `json:"respcd"`
	Respmsg remote.Text  `json:"respmsg"`
	Resperr remote.Text  `json:"resperr"`
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
		hide := redact.Hiding(c.key()).And(call.secrets...)
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

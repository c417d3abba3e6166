package qfpay

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// DefaultTimeout bounds one call when [Config] sets no Timeout.
const DefaultTimeout = 10 * time.Second

// Config is a merchant's account at one gateway. However it is printed, logged
// or marshalled, the client key stays out.
type Config struct {
	// Gateway is the base URL of the API, such as [Gateway] returns: absolute,
	// http or https, without query or fragment. Required.
	Gateway string

	// AppCode is the public id of the account. Required.
	AppCode string

	// ClientKey is the secret that signs. Required.
	ClientKey Secret `json:"-"`

	// MchID is sent with every call if QFPay issued one; leave it empty
	// otherwise, because the gateway then wants the parameter to be absent.
	MchID string

	// SignType is MD5 by default.
	SignType SignType

	// Timeout bounds one call from dialing to the last byte of the reply. The
	// default is [DefaultTimeout].
	Timeout time.Duration

	// Transport carries the requests. By default, all clients share one that
	// keeps connections alive and honours the usual proxy variables of the
	// environment. It must not repeat requests by itself.
	Transport http.RoundTripper `json:"-"`

	// WrongReplySignature is called, at most once by each client, when a reply
	// carries a signature that is not the MD5 of its body and the key. The reply
	// is taken all the same: QFPay's documentation has two rules, which cannot both
	// be right, and TLS tells whose reply it is. Optional.
	WrongReplySignature func() `json:"-"`
}

// Client calls one gateway for one merchant. It is safe for concurrent use, and
// however it is printed or logged, the client key stays out.
type Client struct {
	config  Config        // without the key
	key     func() string // a function, because fmt prints unexported fields as they are
	gateway string        // without a trailing slash
	caller  remote.Caller
}

// NewClient checks the configuration, calls nobody, and names the field in its
// errors, never the value.
func NewClient(config Config) (*Client, error) {
	if err := checkGateway(config.Gateway); err != nil {
		return nil, fmt.Errorf("qfpay: Config.Gateway: %w", err)
	}
	if config.AppCode == "" {
		return nil, errors.New("qfpay: Config.AppCode: is required")
	}
	if config.ClientKey == "" {
		return nil, errors.New("qfpay: Config.ClientKey: is required")
	}
	for _, field := range []struct{ name, value string }{
		{"AppCode", config.AppCode},
		{"ClientKey", string(config.ClientKey)},
		{"MchID", config.MchID},
	} {
		if strings.ContainsFunc(field.value, remote.NotGraphic) {
			return nil, fmt.Errorf("qfpay: Config.%s: must be ASCII without white space", field.name)
		}
	}
	switch config.SignType {
	case "":
		config.SignType = MD5
	case MD5, SHA256:
	default:
		return nil, fmt.Errorf("qfpay: Config.SignType: must be %s or %s", MD5, SHA256)
	}
	if config.Timeout < 0 {
		return nil, errors.New("qfpay: Config.Timeout: must not be negative")
	}
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	if config.Transport == nil {
		config.Transport = sharedTransport
	}
	key := string(config.ClientKey)
	config.ClientKey = ""
	return &Client{
		config:  config,
		key:     func() string { return key },
		gateway: strings.TrimRight(config.Gateway, "/"),
		caller: remote.Caller{
			Transport: config.Transport, Timeout: config.Timeout, MaxReply: maxReply,
			Received: replyCheck(key, config.WrongReplySignature),
		},
	}, nil
}

func checkGateway(gateway string) error {
	if _, err := remote.Address(gateway); err != nil {
		return err
	}
	if strings.ContainsAny(gateway, "?#") {
		return errors.New("must have neither a query nor a fragment")
	}
	return nil
}

// CloseIdle closes connections that are kept alive but not in use. Calls in
// flight and later calls are not disturbed. The default transport is shared, so
// other clients may have to connect again.
func (c *Client) CloseIdle() { c.caller.CloseIdle() }

// sharedTransport has room for hundreds of payers at once.
var sharedTransport = remote.NewTransport(256)

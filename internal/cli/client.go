package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
)

// Client asks the admin API of a running Caddy.
type Client interface {
	// Do sends a request for a path of the admin API, with JSON in its body if it
	// has one, and returns whatever Caddy answers, refusals too. An error means
	// that no answer came.
	Do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error)

	// String is the address of the admin API.
	String() string
}

// get asks the admin API, and reads the answer into a value.
func (c *console) get(uri string, into any) error { return c.ask(http.MethodGet, uri, nil, into) }

// post sends a value to the admin API, and reads the answer into another.
func (c *console) post(uri string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.ask(http.MethodPost, uri, bytes.NewReader(raw), into)
}

func (c *console) ask(method, uri string, body io.Reader, into any) error {
	answer, err := c.stream(method, uri, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(into); err != nil {
		return fmt.Errorf("the answer from %s cannot be read: %w", c.client, err)
	}
	return nil
}

// stream asks the admin API, and leaves reading and closing the answer to the caller.
func (c *console) stream(method, uri string, body io.Reader) (io.ReadCloser, error) {
	response, err := c.client.Do(c.cmd.Context(), method, "/qfpay_jsapi/"+uri, body)
	if err != nil {
		return nil, fmt.Errorf("no Caddy answers at %s: is it running? If its admin API has another address, give --address or --config; "+
			"if its configuration says \"admin off\", it has no admin API, and no command can reach it (%w)", c.client, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer response.Body.Close()
		return nil, c.refusal(response)
	}
	return response.Body, nil
}

// inFlags puts the flags of the commands where the admin API names its parameters.
var inFlags = strings.NewReplacer(
	"refund_id", "--id",
	"say which with its name", "say which with --name",
	"say which with the name of one of its shops", "say with --name which shop's is meant",
	"or send it along", "or give --public-url",
	"expires is in the past", "--expires is in the past",
	"q is not text", "--search is no text",
)

// denial is a refusal in the admin API's own words.
type denial struct {
	status int
	text   string
}

func (d denial) Error() string { return d.text }

// maxRefusal bounds in bytes what is read of a refusal.
const maxRefusal = 64 << 10

// refusal is what Caddy says to a request that it does not fulfil. The admin API
// says it as JSON; for a path that it does not have, it says nothing of its own.
func (c *console) refusal(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return fmt.Errorf("%s answered with status %d, and the connection broke: %w", c.client, response.StatusCode, err)
	}
	var said struct {
		Error string `json:"error"`
	}
	switch {
	case json.Unmarshal(text, &said) == nil && said.Error != "":
		return denial{response.StatusCode, backoffice.Printable(inFlags.Replace(said.Error))}
	case response.StatusCode == http.StatusNotFound:
		return fmt.Errorf("the Caddy at %s is built without qfpay_jsapi: is it a different one?", c.client)
	default:
		return fmt.Errorf("%s answered with status %d", c.client, response.StatusCode)
	}
}

package backoffice

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/strictjson"
)

const (
	// maxBody bounds the body of a request in bytes.
	maxBody = 16 << 10

	// bodyTime is how long a client may take to send it.
	bodyTime = 20 * time.Second
)

const wrongAmount = "amount must be a whole number of minor units, such as 2800 for 28.00 of a currency with cents"

// ReadJSON reads the body of a request into a value. That it must be declared as
// JSON keeps pages in the owner's browser from posting here: browsers ask first.
// The error is a [Denial].
func ReadJSON(r *http.Request, into any) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return Deny(http.StatusUnsupportedMediaType, "the body must be JSON with Content-Type: application/json")
	}
	text, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err == nil {
		err = strictjson.Unmarshal(text, into)
	}
	if mistaken, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mistaken.Field == "amount" {
		return Deny(http.StatusBadRequest, wrongAmount)
	}
	if err != nil {
		return Deny(http.StatusBadRequest, "the body cannot be read: %v", err)
	}
	return nil
}

// ReadNothing takes the body of a request that says all by its address: an empty
// object, or none. One that is declared as something else is none of those, as
// that of a form.
func ReadNothing(r *http.Request) error {
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		return nil
	}
	return ReadJSON(r, &struct{}{})
}

// WriteJSON answers with a value.
func WriteJSON(w http.ResponseWriter, status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(text, '\n'))
	return err
}

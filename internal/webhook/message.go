package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Message is one event. All attempts to deliver it carry the same body.
type Message struct {
	ID        string    // webhook-id, the same over all retries: 1 to 256 of A-Z a-z 0-9 _ . -
	Type      string    // such as order.paid
	Timestamp time.Time // when the event happened; the body has it as RFC 3339 in UTC
	Data      json.RawMessage
}

var (
	messageID    = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)
	errMessageID = errors.New("a message id is 1 to 256 of A-Z a-z 0-9 _ . -")
)

// encode returns the body of the message: one compact JSON object.
func (m Message) encode() ([]byte, error) {
	if !messageID.MatchString(m.ID) {
		return nil, errMessageID
	}
	body, err := json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{m.Type, m.Timestamp.UTC(), m.Data})
	if err != nil {
		return nil, fmt.Errorf("encoding message %s: %w", m.ID, err)
	}
	return body, nil
}

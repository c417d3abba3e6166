package mail

import (
	"encoding/json"
	"strings"
	"time"
)

// event is what the data of all events can say. Amounts are minor units.
type event struct {
	Order       string           `json:"order"`
	Method      string           `json:"method"`
	Amount      int64            `json:"amount"`
	Currency    string           `json:"currency"`
	Description string           `json:"description"`
	Ref         string           `json:"ref"`
	Items       []eventItem      `json:"items"`
	Fields      map[string]texts `json:"fields"`
	Syssn       string           `json:"syssn"`
	PaidAt      time.Time        `json:"paid_at"`
	Late        bool             `json:"late"`
	Stock       string           `json:"stock"`  // "short" where not enough was left
	Locale      string           `json:"locale"` // the payer's language; "" is not known
	Note        string           `json:"note"`   // of the fulfilment

	// What the gateway says, where it is another payment than was ordered.
	Gateway struct {
		Syssn    string `json:"syssn"`
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	} `json:"gateway"`

	// A payment without an order.
	OutTradeNo     string `json:"out_trade_no"`
	OrigSyssn      string `json:"orig_syssn"`
	OrigOutTradeNo string `json:"orig_out_trade_no"`
	NotifyType     string `json:"notify_type"`

	// A refund.
	Refund struct {
		ID         string `json:"refund_id"`
		OutTradeNo string `json:"out_trade_no"`
		Amount     int64  `json:"amount"`
		Respcd     string `json:"respcd"`
	} `json:"refund"`

	// A comparison.
	Day         string `json:"day"`
	Differences int    `json:"differences"`
	Problem     string `json:"problem"`
	Findings    []struct {
		Text string `json:"text"`
	} `json:"findings"`

	// A delivery that was given up.
	Endpoint string `json:"endpoint"`
	Event    string `json:"event"`
	Attempts int    `json:"attempts"`
	Error    string `json:"error"`
}

type eventItem struct {
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	Price    int64  `json:"price"` // of one piece
}

// texts are the values of a field of a form: one text, or several.
type texts []string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

func (t texts) String() string { return strings.Join(t, "\n") }

// first is the first of them; "" for none.
func (t texts) first() string {
	if len(t) == 0 {
		return ""
	}
	return t[0]
}

package qfpay

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Query asks about trades: one of Syssn and OutTradeNo, or the window from Start
// to End, or several of them. Zero values are not sent.
type Query struct {
	// Syssn is the gateway's number, or several with commas between them. Of
	// another month than the current one, send that month too: see [MonthOf].
	// Without a Syssn, only the current calendar month in [HongKong] is searched,
	// unless Start and End say otherwise: see [Windows].
	Syssn string

	// OutTradeNo is the shop's number, or several with commas between them.
	OutTradeNo string

	// Start and End are in any zone, and are sent in [HongKong], in whole seconds
	// of which both are searched. Without Syssn, they must lie in one calendar
	// month there.
	Start, End time.Time

	// Page counts from 1.
	Page int

	// PageSize is at most 100.
	PageSize int
}

// Query returns the trades that the gateway knows, which may be none: an empty
// slice says that it looked and found nothing. Look at [Trade.State] before
// believing in any of them.
//
// Errors are [*Error] and are about the enquiry, never about a trade.
func (c *Client) Query(ctx context.Context, q Query) ([]Trade, error) {
	if err := q.check(); err != nil {
		return nil, invalid(callQuery, err)
	}
	body, err := c.do(ctx, call{
		name:   callQuery,
		method: http.MethodPost,
		path:   "/trade/v1/query",
		params: q.params(),
	})
	if refusal, ok := errors.AsType[*Error](err); ok && refusal.NotFound() {
		return []Trade{}, nil
	}
	if err != nil {
		return nil, err
	}
	return trades(body)
}

func trades(body []byte) ([]Trade, error) {
	var reply struct {
		Data []row `json:"data"`
	}
	if err := decode(body, &reply); err != nil {
		return nil, garbage(callQuery, err)
	}
	found := make([]Trade, 0, len(reply.Data))
	for _, row := range reply.Data {
		found = append(found, row.trade())
	}
	return found, nil
}

func (q Query) check() error {
	window := !q.Start.IsZero() && !q.End.IsZero()
	if q.Syssn == "" && q.OutTradeNo == "" && !window {
		return errors.New("syssn, out_trade_no, or both start_time and end_time are missing")
	}
	if window && q.End.Before(q.Start) {
		return errors.New("end_time must not be before start_time")
	}
	if window && q.Syssn == "" && month(q.Start) != month(q.End) {
		return errors.New("start_time and end_time must be in one calendar month in Hong Kong")
	}
	if q.Page < 0 || q.PageSize < 0 || q.PageSize > 100 {
		return errors.New("page must not be negative, and page_size must be from 0 to 100")
	}
	return nil
}

func month(t time.Time) string {
	return t.In(HongKong).Format("2006-01")
}

func (q Query) params() map[string]string {
	params := map[string]string{
		"syssn":        q.Syssn,
		"out_trade_no": q.OutTradeNo,
	}
	if !q.Start.IsZero() {
		params["start_time"] = formatTime(q.Start)
	}
	if !q.End.IsZero() {
		params["end_time"] = formatTime(q.End)
	}
	if q.Page > 0 {
		params["page"] = strconv.Itoa(q.Page)
	}
	if q.PageSize > 0 {
		params["page_size"] = strconv.Itoa(q.PageSize)
	}
	return params
}

package backoffice

import (
	"cmp"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// CompareRequest asks for a comparison of the gateway's list of trades with the
// ledger.
type CompareRequest struct {
	From string `json:"from,omitempty"` // a day, such as 2026-11-23; default: that of To
	To   string `json:"to,omitempty"`   // default: yesterday, or From if that is later
	Name string `json:"name,omitempty"` // of a shop, for its account alone; default: all
}

// CompareAnswer is what a comparison found.
type CompareAnswer struct {
	From        string        `json:"from"`
	To          string        `json:"to"`
	Trades      int           `json:"trades"`      // payments and refunds that were made, by the gateway's list
	Here        int           `json:"here"`        // and by the ledger
	Differences int           `json:"differences"` // how many findings there are
	Findings    []FindingView `json:"findings"`    // the first of them

	// Problem says why the comparison is not complete; "" if it is.
	Problem string `json:"problem,omitempty"`
}

// FindingView is one difference.
type FindingView struct {
	Kind         orders.FindingKind `json:"kind"`
	Shop         string             `json:"name"`
	Order        string             `json:"order,omitempty"`       // "" for what is no order here
	OtherOrder   string             `json:"other_order,omitempty"` // of a payment that was made twice
	Syssn        string             `json:"syssn,omitempty"`       // the gateway's number of the payment or refund
	OutTradeNo   string             `json:"out_trade_no,omitempty"`
	There        int64              `json:"there"` // what the gateway has, minor units of Currency
	Here         int64              `json:"here"`  // and the ledger; 0 for nothing
	Currency     string             `json:"currency"`
	DisplayThere string             `json:"display_there"`
	DisplayHere  string             `json:"display_here"`
	Settled      bool               `json:"settled,omitempty"` // the ledger is up to date now
	Text         string             `json:"text"`
}

// ViewComparison is a comparison as the owner and programs see it.
func ViewComparison(made orders.Comparison) CompareAnswer {
	answer := CompareAnswer{
		From: made.First.String(), To: made.Last.String(), Trades: made.Trades, Here: made.Here,
		Differences: made.Differences(), Findings: make([]FindingView, len(made.Findings)), Problem: made.Problem,
	}
	for i, found := range made.Findings {
		answer.Findings[i] = FindingView{
			Kind: found.Kind, Shop: found.Shop, Order: found.Order, OtherOrder: found.Other, Syssn: found.Syssn, OutTradeNo: found.OutTradeNo,
			There: found.There, Here: found.Here, Currency: found.Currency,
			DisplayThere: DisplayAmount(found.There, found.Currency), DisplayHere: DisplayAmount(found.Here, found.Currency),
			Settled: found.Kind.IsSettled(), Text: found.Text,
		}
	}
	return answer
}

// CompareTrades lays the gateway's list of trades of some days beside the ledger, and
// answers with what differs.
func (o *Office) CompareTrades(w http.ResponseWriter, r *http.Request) error {
	var asked CompareRequest
	if err := ReadJSON(r, &asked); err != nil {
		return err
	}
	one, err := o.Only(asked.Name)
	if err != nil {
		return err
	}
	period, err := asked.period(ledger.DayOf(o.Now()).Previous().String())
	if err != nil {
		return err
	}
	var shops []string
	for _, l := range one.Ledgers {
		shops = append(shops, l.Shops...)
	}
	made, err := o.Compare(r.Context(), shops, period)
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, ViewComparison(made))
}

// period is the days that are meant.
func (asked CompareRequest) period(yesterday string) (p ledger.Period, err error) {
	last := cmp.Or(asked.To, max(asked.From, yesterday)) // days sort as text
	if p.First, err = ledger.ParseDay(cmp.Or(asked.From, last)); err != nil {
		return p, Deny(http.StatusBadRequest, "%v", err)
	}
	if p.Last, err = ledger.ParseDay(last); err != nil {
		return p, Deny(http.StatusBadRequest, "%v", err)
	}
	return p, nil
}

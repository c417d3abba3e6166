package qfpaytest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
)

// controlRows bounds the trades and deliveries on the control page.
const controlRows = 50

// routeControl adds the control address, which is the simulator's own.
func (s *Simulator) routeControl(mux *http.ServeMux) {
	for _, address := range []string{"GET /{$}", "GET /control"} {
		mux.HandleFunc(address, func(w http.ResponseWriter, _ *http.Request) { redirected(http.StatusFound, "control/").write(w) })
	}
	mux.HandleFunc("GET /control/{$}", s.controlPage)
	mux.HandleFunc("GET /control/trades", s.controlTrades)
	mux.HandleFunc("POST /control/trades/{out_trade_no}/{action}", s.controlPress)
	mux.HandleFunc("POST /control/trades/{out_trade_no}/refund", s.controlRefundElsewhere)
	mux.HandleFunc("POST /control/payments", s.controlPayElsewhere)
	mux.HandleFunc("GET /control/calls", s.controlCalls)
	mux.HandleFunc("GET /control/faults", s.controlFaults)
	mux.HandleFunc("POST /control/faults", s.controlInject)
	mux.HandleFunc("DELETE /control/faults", s.controlClear)
	mux.HandleFunc("POST /control/faults/clear", s.controlClear)
	mux.HandleFunc("GET /control/notifications", s.controlDeliveries)
	mux.HandleFunc("POST /control/notifications", s.controlNotifications)
	mux.HandleFunc("POST /control/refunds", s.controlRefunds)
}

// tradeView is a trade as the control address shows it.
type tradeView struct {
	Trade
	Respcd string `json:"respcd"`
	Cancel string `json:"cancel"`
}

// Decimal is the amount for people.
func (v tradeView) Decimal() string { return decimal(v.Amount, v.Currency) }

// Unit is what its minor units are called.
func (v tradeView) Unit() string {
	if v.Currency == "JPY" {
		return "yen"
	}
	return "cents"
}

// HowFar is its state for people: a refund is not paid, but done.
func (v tradeView) HowFar() string {
	if words := refundStates[v.State]; v.OrderType == Refund && words != "" {
		return words
	}
	return string(v.State)
}

var refundStates = map[State]string{Open: "waiting", Paid: "done", Failed: "refused"}

// CancelMeans says what the cancel member of its row means.
func (v tradeView) CancelMeans() string { return cancelMeanings[v.Trade.Cancel()] }

var cancelMeanings = map[string]string{"0": "no", "2": "cancelled", "3": "refunded", "5": "partly refunded"}

// IsOpen tells whether the wallet's buttons do anything.
func (v tradeView) IsOpen() bool { return v.State == Open }

// actionView is a button of the page, and the name of its action in the address.
type actionView struct{ Name, Label string }

// Actions are the buttons of an open trade: the wallet's, or how a refund ends.
func (v tradeView) Actions() []actionView {
	if v.OrderType == Refund {
		return []actionView{{"pay", "Done"}, {"fail", "Refuse"}}
	}
	return []actionView{{"pay", "Pay"}, {"cancel", "Cancel"}, {"fail", "Fail"}}
}

// CanBeRefunded tells whether there is anything to give back.
func (v tradeView) CanBeRefunded() bool {
	return v.OrderType == Payment && v.State == Paid && v.left() > 0
}

func (s *Simulator) tradeViews() []tradeView {
	trades := s.Trades()
	views := make([]tradeView, len(trades))
	for i, t := range trades {
		views[i] = tradeView{t, t.Respcd(), t.Cancel()}
	}
	return views
}

// callView is a call with how often it came.
type callView struct {
	Name  string
	Count int
}

func (s *Simulator) callViews() []callView {
	counts := s.callCounts()
	var views []callView
	for _, name := range CallNames() {
		views = append(views, callView{name, counts[name]})
	}
	return views
}

func (s *Simulator) controlPage(w http.ResponseWriter, _ *http.Request) {
	showPage(http.StatusOK, "control.html", map[string]any{
		"AppCode":         s.cfg.AppCode,
		"MchID":           s.cfg.MchID,
		"Trades":          newest(s.tradeViews()),
		"Calls":           s.callViews(),
		"NotificationsOn": s.notificationsOn(),
		"Deliveries":      newest(s.Notifications()),
		"SlowRefunds":     s.refundsAreSlow(),
		"Kinds":           FaultKinds(),
		"Faults":          s.Faults(),
	}).write(w)
}

func newest[T any](all []T) []T {
	last := slices.Clone(all[max(0, len(all)-controlRows):])
	slices.Reverse(last)
	return last
}

func (s *Simulator) controlTrades(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, s.tradeViews())
}

func (s *Simulator) controlCalls(w http.ResponseWriter, _ *http.Request) {
	counts := s.callCounts()
	for _, name := range CallNames() {
		counts[name] += 0
	}
	writeJSON(w, counts)
}

func (s *Simulator) controlDeliveries(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, slices.Concat([]Delivery{}, s.Notifications()))
}

func (s *Simulator) controlFaults(w http.ResponseWriter, _ *http.Request) {
	views := []faultView{}
	for _, f := range s.Faults() {
		views = append(views, viewOf(f))
	}
	writeJSON(w, views)
}

func (s *Simulator) controlInject(w http.ResponseWriter, r *http.Request) {
	f, err := readFault(r)
	if err != nil {
		controlFailed(w, r, http.StatusBadRequest, err.Error(), "./")
		return
	}
	s.Inject(f)
	controlDone(w, r, "./")
}

func (s *Simulator) controlClear(w http.ResponseWriter, r *http.Request) {
	s.ClearFaults()
	controlDone(w, r, "../")
}

func (s *Simulator) controlPress(w http.ResponseWriter, r *http.Request) {
	to, known := walletActions[r.PathValue("action")]
	if !known {
		controlFailed(w, r, http.StatusNotFound, "action: none of pay, cancel and fail", "../../")
		return
	}
	controlMoved(w, r, s.pressFor(r.PathValue("out_trade_no"), to), "../../")
}

// controlRefundElsewhere takes the field "amount" of a form, in minor units; empty
// is all that is left.
func (s *Simulator) controlRefundElsewhere(w http.ResponseWriter, r *http.Request) {
	number := r.PathValue("out_trade_no")
	paid, _ := s.Trade(number)
	back, wrong := formAmount(w, r, paid.left())
	if wrong != nil {
		controlFailed(w, r, http.StatusBadRequest, wrong.Error(), "../../")
		return
	}
	_, err := s.RefundElsewhere(number, back)
	controlMoved(w, r, err, "../../")
}

// controlPayElsewhere takes the fields "out_trade_no", "amount", in minor units,
// and "currency" of a form.
func (s *Simulator) controlPayElsewhere(w http.ResponseWriter, r *http.Request) {
	sum, wrong := formAmount(w, r, 0)
	if wrong != nil {
		controlFailed(w, r, http.StatusBadRequest, wrong.Error(), "./")
		return
	}
	controlMoved(w, r, s.PayElsewhere(r.PostForm.Get("out_trade_no"), sum, r.PostForm.Get("currency")), "./")
}

func formAmount(w http.ResponseWriter, r *http.Request, otherwise int64) (int64, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return 0, errors.New("the form cannot be read")
	}
	value := r.PostForm.Get("amount")
	if value == "" {
		return otherwise, nil
	}
	if wrong := amount(value); wrong != "" {
		return 0, errors.New("amount: " + wrong)
	}
	return number(value), nil
}

// controlMoved answers an action on a trade.
func controlMoved(w http.ResponseWriter, r *http.Request, err error, page string) {
	switch {
	case errors.Is(err, ErrUnknownTrade):
		controlFailed(w, r, http.StatusNotFound, err.Error(), page)
	case err != nil:
		controlFailed(w, r, http.StatusConflict, err.Error(), page)
	default:
		controlDone(w, r, page)
	}
}

// controlNotifications takes "on" or "off", as the whole body or as the field
// "notifications" of a form.
func (s *Simulator) controlNotifications(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	wanted := strings.TrimPrefix(strings.TrimSpace(string(body)), "notifications=")
	if err != nil || (wanted != "on" && wanted != "off") {
		controlFailed(w, r, http.StatusBadRequest, "neither on nor off", "./")
		return
	}
	s.SetNotifications(wanted == "on")
	controlDone(w, r, "./")
}

// controlRefunds takes "slow" or "prompt", as the whole body or as the field
// "refunds" of a form.
func (s *Simulator) controlRefunds(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	wanted := strings.TrimPrefix(strings.TrimSpace(string(body)), "refunds=")
	if err != nil || (wanted != "slow" && wanted != "prompt") {
		controlFailed(w, r, http.StatusBadRequest, "neither slow nor prompt", "./")
		return
	}
	s.SetSlowRefunds(wanted == "slow")
	controlDone(w, r, "./")
}

// controlDone leads a form back to the page, and tells a program that all is well.
// The way back is relative, so that a prefix in front of the address survives.
func controlDone(w http.ResponseWriter, r *http.Request, page string) {
	if !isBrowser(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	redirected(http.StatusSeeOther, page).write(w)
}

// controlFailed says why nothing was done, on a page that leads back or in a line.
func controlFailed(w http.ResponseWriter, r *http.Request, status int, reason, page string) {
	reason = strings.TrimPrefix(reason, "qfpaytest: ")
	if !isBrowser(r) {
		http.Error(w, reason, status)
		return
	}
	showPage(status, "wrong.html", map[string]string{"Reason": reason, "Back": page}).write(w)
}

func isBrowser(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value)
}

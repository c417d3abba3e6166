package qfpaytest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// controlRows bounds the trades and deliveries on the control page.
const controlRows = 50

// routeControl adds the control address, which is the simulator's own.
func (s *Simulator) routeControl(mux *http.ServeMux) {
	mux.Handle("GET /control", http.RedirectHandler("control/", http.StatusFound))
	mux.HandleFunc("GET /control/{$}", s.controlPage)
	mux.HandleFunc("GET /control/trades", s.controlTrades)
	mux.HandleFunc("POST /control/trades/{out_trade_no}/{action}", s.controlPress)
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

// IsOpen tells whether the wallet's buttons do anything.
func (v tradeView) IsOpen() bool { return v.State == Open }

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
		"Actions":         slices.Sorted(maps.Keys(walletActions)),
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
		http.Error(w, err.Error(), http.StatusBadRequest)
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
		http.Error(w, "action: none of pay, cancel and fail", http.StatusNotFound)
		return
	}
	switch err := s.pressFor(r.PathValue("out_trade_no"), to); {
	case errors.Is(err, ErrUnknownTrade):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusConflict)
	default:
		controlDone(w, r, "../../")
	}
}

// controlNotifications takes "on" or "off", as the whole body or as the field
// "notifications" of a form.
func (s *Simulator) controlNotifications(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	wanted := strings.TrimPrefix(strings.TrimSpace(string(body)), "notifications=")
	if err != nil || (wanted != "on" && wanted != "off") {
		http.Error(w, "neither on nor off", http.StatusBadRequest)
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
		http.Error(w, "neither slow nor prompt", http.StatusBadRequest)
		return
	}
	s.SetSlowRefunds(wanted == "slow")
	controlDone(w, r, "./")
}

// controlDone leads a form back to the page, and tells a program that all is well.
// The way back is relative, so that a prefix in front of the address survives.
func controlDone(w http.ResponseWriter, r *http.Request, page string) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	redirected(http.StatusSeeOther, page).write(w)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value)
}

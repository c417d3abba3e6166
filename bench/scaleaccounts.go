package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// scaleAccount is the app code of one of many shops.
func scaleAccount(n int) string { return fmt.Sprintf("%s%05d", scaleAccounts, n) }

const (
	scaleAccounts = "SCALE" // how their app codes begin

	scaleTradesKept = 1000 // of each account
)

// accounts are the simulators of many merchants, each with its own rate limit. One
// is made when its merchant first calls.
type accounts struct {
	mu      sync.Mutex
	byCode  map[string]*qfpaytest.Simulator
	refused atomic.Int64 // calls, because of the limit
}

// tally is what happened at all of them.
type tally struct {
	Accounts int
	Refused  int64
}

// of returns the simulator of one of the many merchants; nil for any other app code.
func (a *accounts) of(code string) (*qfpaytest.Simulator, error) {
	if !strings.HasPrefix(code, scaleAccounts) {
		return nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.byCode[code]; known != nil {
		return known, nil
	}
	simulator, err := qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: code, ClientKey: clientKey, Seed: rand.Uint64(), NotifyOff: true, MaxTrades: scaleTradesKept,
	})
	if err != nil {
		return nil, err
	}
	if a.byCode == nil {
		a.byCode = make(map[string]*qfpaytest.Simulator)
	}
	a.byCode[code] = simulator
	return simulator, nil
}

// codeIn is the app code of a call: a server's is in a header, a browser's in the
// query.
func codeIn(r *http.Request) string {
	if code := r.Header.Get("X-QF-APPCODE"); code != "" {
		return code
	}
	return r.URL.Query().Get("app_code")
}

// serve answers a call for the merchant whose simulator it is.
func (a *accounts) serve(simulator *qfpaytest.Simulator, w http.ResponseWriter, r *http.Request) {
	watched := &watchedWriter{ResponseWriter: w}
	simulator.ServeHTTP(watched, r)
	if watched.status == http.StatusTooManyRequests {
		a.refused.Add(1)
	}
}

// watchedWriter remembers the status.
type watchedWriter struct {
	http.ResponseWriter
	status int
}

func (w *watchedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (a *accounts) tell(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	known := len(a.byCode)
	a.mu.Unlock()
	_ = json.NewEncoder(w).Encode(tally{known, a.refused.Load()})
}

// tally asks the gateway what happened at the many accounts so far.
func (g *gateway) tally() (t tally, err error) {
	got, err := g.control.get("/bench/accounts", nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("the gateway's control answered %v", got)
	}
	return t, errors.Join(err, json.Unmarshal(got.body, &t))
}

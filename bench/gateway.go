package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// The merchant's account, at all shops.
const (
	appCode   = "BENCH"
	clientKey = "not-a-secret-for-benchmarks-only"

	// keyVariable is what hands the client key to servers.
	keyVariable = "BENCH_CLIENT_KEY"
)

// gateway is the simulator in a process of its own.
type gateway struct {
	*process
	address string
	control *line
}

func (b *bench) openGateway() (*gateway, error) {
	g := &gateway{address: freeAddress()}
	g.control = newLine(g.address)
	var err error
	if g.process, err = b.launch("gateway", nil, b.self, "serve", "gateway", "-listen", g.address); err != nil {
		return nil, err
	}
	return g, g.ready(g.address, "/bench/ready")
}

// slow sets how long the gateway's openid and payment calls take.
func (g *gateway) slow(delay time.Duration) error {
	got, err := g.control.post("/bench/slow?delay="+delay.String(), "text/plain", "", "", nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("the gateway's control answered %v", got)
	}
	return err
}

// serveGateway is the process of the gateway.
func serveGateway(args []string) error {
	flags := flag.NewFlagSet("gateway", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	_ = flags.Parse(args)
	simulator, err := qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: appCode, ClientKey: clientKey, Seed: rand.Uint64(), NotifyOff: true, NoRateLimit: true, MaxTrades: tradesKept,
	})
	if err != nil {
		return err
	}
	s := &slowGateway{simulator: simulator}
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.answer)
	mux.HandleFunc("GET /tool/v1/get_weixin_openid", s.answerLate)
	mux.HandleFunc("POST /trade/v1/payment", s.answerLate)
	mux.HandleFunc("GET /bench/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /bench/slow", s.control)
	mux.HandleFunc("POST /bench/pay", s.pay)
	mux.HandleFunc("GET /bench/accounts", s.many.tell)
	return http.ListenAndServe(*listen, mux)
}

// tradesKept is more than are under way at once. The gateway forgets the oldest, so
// that it stays as fast as it was. It is one gateway all the time: a new one would
// start its numbers again, and ledgers hold no number twice.
const tradesKept = 20_000

// slowGateway is a simulator whose calls take a while, and one for each of many
// more merchants.
type slowGateway struct {
	simulator *qfpaytest.Simulator
	many      accounts
	delay     atomic.Int64
}

func (s *slowGateway) answer(w http.ResponseWriter, r *http.Request) {
	merchant, err := s.many.of(codeIn(r))
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case merchant != nil:
		s.many.serve(merchant, w, r)
	default:
		s.simulator.ServeHTTP(w, r)
	}
}

// answerLate answers when the delay is over that began with the request, so
// that the gateway's own work is part of it.
func (s *slowGateway) answerLate(w http.ResponseWriter, r *http.Request) {
	began, delay := time.Now(), time.Duration(s.delay.Load())
	if delay == 0 {
		s.answer(w, r)
		return
	}
	held := httptest.NewRecorder()
	s.answer(held, r)
	if err := sleepExactly(delay - time.Since(began)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for name, values := range held.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(held.Code)
	_, _ = w.Write(held.Body.Bytes())
}

func (s *slowGateway) control(w http.ResponseWriter, r *http.Request) {
	delay, err := time.ParseDuration(r.URL.Query().Get("delay"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.delay.Store(int64(delay))
}

// pay presses Pay and answers with the notification's body.
func (s *slowGateway) pay(w http.ResponseWriter, r *http.Request) {
	order := r.URL.Query().Get("order")
	simulator, err := s.many.of(codeIn(r))
	if simulator == nil {
		simulator = s.simulator
	}
	if err = errors.Join(err, simulator.Pay(order)); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	trade, _ := simulator.Trade(order)
	_ = json.NewEncoder(w).Encode(map[string]string{
		"status": "1", "notify_type": "payment", "respcd": trade.Respcd(), "cancel": trade.Cancel(),
		"out_trade_no": order, "syssn": trade.Syssn, "txamt": fmt.Sprint(trade.Amount), "txcurrcd": trade.Currency,
		"paydtm": trade.PayDtm.In(qfpay.HongKong).Format(time.DateTime),
	})
}

package main

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// minimal takes payments and remembers nothing: the least that a hand-written
// program can do.
type minimal struct {
	public, gateway string // URLs
	key             string
	client          *http.Client

	notes notes
}

// notes are what the program remembers.
type notes interface {
	// remember keeps a fact of an order, before what follows from it.
	remember(order, fact string, value any) error

	// paid reports whether it was remembered that the order was paid.
	paid(order string) bool
}

// nothing is remembered.
type nothing struct{}

func (nothing) remember(string, string, any) error { return nil }
func (nothing) paid(string) bool                   { return false }

// openMinimal runs the program; with a folder it is durable.
func (b *bench) openMinimal(name, folder string) (*shop, error) {
	s := &shop{name: name, address: freeAddress(), gateway: b.gateway.address}
	p, err := b.launch(name, nil, b.self, "serve", "minimal", "-listen", s.address, "-gateway", "http://"+s.gateway, "-folder", folder)
	if err != nil {
		return nil, err
	}
	s.processes = []*process{p}
	return s, p.ready(s.address, "/")
}

// serveMinimal is the process of the program.
func serveMinimal(args []string) error {
	flags := flag.NewFlagSet("minimal", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	gateway := flags.String("gateway", "", "URL")
	folder := flags.String("folder", "", "where to remember payments; empty for not at all")
	_ = flags.Parse(args)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 512, 256
	m := &minimal{
		public: "http://" + *listen, gateway: *gateway, key: os.Getenv(keyVariable),
		client: &http.Client{Timeout: 10 * time.Second, Transport: transport},
	}
	m.notes = nothing{}
	if *folder != "" {
		m.notes = notebook(*folder)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET "+payLink, m.start)
	mux.HandleFunc("GET /pay/callback", m.callback)
	mux.HandleFunc("POST /pay/notify", m.notify)
	mux.HandleFunc("GET /pay/return", m.comeBack)
	return http.ListenAndServe(*listen, mux)
}

// start sends the payer to the OAuth page, with a state that the callback
// compares with the cookie.
func (m *minimal) start(w http.ResponseWriter, r *http.Request) {
	order := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: "order", Value: order, Path: "/pay", MaxAge: 900, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	params := map[string]string{"app_code": appCode, "redirect_uri": m.public + "/pay/callback?state=" + order}
	params["sign"] = sign(params, m.key)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, m.gateway+"/tool/v1/get_weixin_oauth_code?"+encode(params), http.StatusFound)
}

func (m *minimal) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	cookie, err := r.Cookie("order")
	if err != nil || cookie.Value != query.Get("state") || query.Get("code") == "" {
		http.Error(w, "another browser's payment", http.StatusForbidden)
		return
	}
	payPage, err := m.prepare(r.Context(), cookie.Value, query.Get("code"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, payPage, http.StatusFound)
}

// prepare makes the payment. What the gateway is about to be asked is
// remembered first, and its answer before the payer hears of it.
func (m *minimal) prepare(ctx context.Context, order, code string) (payPage string, err error) {
	var payer struct {
		OpenID string `json:"openid"`
	}
	if err := m.ask(ctx, http.MethodGet, "/tool/v1/get_weixin_openid", map[string]string{"code": code}, &payer); err != nil {
		return "", err
	}
	payment := map[string]string{
		"txamt": "12800", "txcurrcd": "HKD", "pay_type": "800207", "out_trade_no": order, "sub_openid": payer.OpenID,
		"txdtm": time.Now().In(hongKong).Format(time.DateTime), "goods_name": "Cat food 猫粮",
	}
	if err := cmp.Or(m.notes.remember(order, "open", struct{}{}), m.notes.remember(order, "intent", payment)); err != nil {
		return "", err
	}
	var prepared struct {
		Syssn     string            `json:"syssn"`
		PayParams map[string]string `json:"pay_params"`
	}
	if err := m.ask(ctx, http.MethodPost, "/trade/v1/payment", payment, &prepared); err != nil {
		return "", err
	}
	params := prepared.PayParams
	params["mchntnm"], params["txamt"], params["currency"] = "Harbour Pets", "12800", "HKD"
	params["goods_name"], params["redirect_url"] = "Cat food 猫粮", m.public+"/pay/return?order="+order
	payPage = m.gateway + "/q/direct?" + encode(params)
	return payPage, m.notes.remember(order, "prepared", map[string]string{"syssn": prepared.Syssn, "pay_url": payPage})
}

// notify takes the gateway's word that an order was paid.
func (m *minimal) notify(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || fmt.Sprintf("%X", md5.Sum(append(body[:len(body):len(body)], m.key...))) != r.Header.Get("X-QF-SIGN") {
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	}
	var news map[string]string
	if err := json.Unmarshal(body, &news); err != nil {
		http.Error(w, "not understood", http.StatusBadRequest)
		return
	}
	if err := m.notes.remember(news["out_trade_no"], "paid", news); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "SUCCESS")
}

// comeBack tells the payer whether the order was paid. What is not remembered,
// the gateway is asked.
func (m *minimal) comeBack(w http.ResponseWriter, r *http.Request) {
	title, order := "Not paid yet", r.URL.Query().Get("order")
	paid := m.notes.paid(order)
	if !paid {
		var err error
		if paid, err = m.enquire(r.Context(), order); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	if paid {
		title = receiptTitle
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><title>%s</title><h1>%s</h1><p>Cat food 猫粮, HKD 128.00", title, title)
}

func (m *minimal) enquire(ctx context.Context, order string) (paid bool, err error) {
	var reply struct {
		Data []struct {
			Respcd string `json:"respcd"`
			Cancel string `json:"cancel"`
		} `json:"data"`
	}
	err = m.ask(ctx, http.MethodPost, "/trade/v1/query", map[string]string{"out_trade_no": order}, &reply)
	return len(reply.Data) == 1 && reply.Data[0].Respcd == "0000" && reply.Data[0].Cancel == "0", err
}

var hongKong = time.FixedZone("UTC+8", 8*60*60)

// ask makes one signed call of the gateway.
func (m *minimal) ask(ctx context.Context, method, path string, params map[string]string, reply any) error {
	address, body := m.gateway+path, encode(params)
	if method == http.MethodGet {
		address, body = address+"?"+body, ""
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("X-QF-APPCODE", appCode)
	r.Header.Set("X-QF-SIGN", sign(params, m.key))
	response, err := m.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	var envelope struct {
		Respcd  string `json:"respcd"`
		Respmsg string `json:"respmsg"`
	}
	if err := json.Unmarshal(text, &envelope); err != nil {
		return err
	}
	if envelope.Respcd != "0000" {
		return fmt.Errorf("%s: %s %s", path, envelope.Respcd, envelope.Respmsg)
	}
	return json.Unmarshal(text, reply)
}

func sign(params map[string]string, key string) string {
	var text strings.Builder
	for i, name := range slices.Sorted(maps.Keys(params)) {
		if i > 0 {
			text.WriteByte('&')
		}
		text.WriteString(name + "=" + params[name])
	}
	return fmt.Sprintf("%X", md5.Sum([]byte(text.String()+key)))
}

func encode(params map[string]string) string {
	values := make(url.Values, len(params))
	for name, value := range params {
		values.Set(name, value)
	}
	return values.Encode()
}

package qfpaytest

import (
	"log/slog"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// call is one address of the gateway or of WeChat.
type call struct {
	name, path string
	methods    []string
	perform    func(*http.Request) answer

	// refuse answers in the words of whoever is called; refused unless it is set.
	refuse func(*refusal) answer

	// about reads what a refusal of a request names beside its code. Nil for nothing.
	about func(*http.Request) object

	// limited calls count against the merchant's limits: those that a server
	// makes, as opposed to those that payers' browsers make. Their replies are
	// signed.
	limited bool
	sign    func(body []byte) string
}

func (s *Simulator) allCalls() []call {
	get, post := []string{http.MethodGet}, []string{http.MethodPost}
	either := slices.Concat(get, post)
	openid := either
	if s.cfg.Strict {
		openid = get
	}
	return []call{
		{name: "oauth", path: "/tool/v1/get_weixin_oauth_code", methods: get, perform: s.oauth},
		{name: "openid", path: "/tool/v1/get_weixin_openid", methods: openid, perform: s.openid, limited: true},
		{name: "payment", path: "/trade/v1/payment", methods: post, perform: s.payment, limited: true},
		{name: "query", path: "/trade/v1/query", methods: post, perform: s.query, limited: true},
		{name: "close", path: "/trade/v1/close", methods: either, perform: s.closeTrade, limited: true},
		{name: "refund", path: "/trade/v1/refund", methods: post, perform: s.refund, about: s.aboutRefund, limited: true},
		{name: "paypage", path: "/q/direct", methods: get, perform: s.payPage},
		{name: "paypage", path: hostedPath, methods: get, perform: s.linkedPage},
		{name: "paypage", path: wapPath, methods: get, perform: s.linkedPage},
		{name: "wechat_authorize", path: "/connect/oauth2/authorize", methods: get, perform: s.wechatAuthorize, refuse: wrongWeChatPage},
		{name: "wechat_token", path: "/sns/oauth2/access_token", methods: get, perform: s.wechatToken, refuse: s.wechatRefused},
	}
}

// CallNames returns the names of the calls, for Calls and Fault.Call.
func CallNames() []string {
	return []string{
		"oauth", "openid", "payment", "query", "close", "refund", "paypage", "wechat_authorize", "wechat_token",
	}
}

// Calls returns how many requests of a call have arrived, accepted or not.
func (s *Simulator) Calls(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

// callCounts returns a copy of all counts.
func (s *Simulator) callCounts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

func (s *Simulator) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, c := range s.allCalls() {
		if c.limited {
			c.sign = func(body []byte) string { return s.sign(signMD5, body) }
		}
		mux.HandleFunc(c.path, s.handle(c))
	}
	mux.HandleFunc("POST /q/direct", s.press)
	s.routeControl(mux)
	return mux
}

// handle counts a request, lets a fault have its way, and answers.
func (s *Simulator) handle(c call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		count, fault := s.arrive(c.name)
		if !s.pause(r, fault.Delay) {
			drop(w)
			return
		}
		if fault.spoilsBefore(w, r, c, s.dice.roll("spoil "+c.name, count)) {
			s.log(r, c, slog.String("fault", string(fault.Kind)))
			return
		}
		a := s.answer(c, r)
		s.log(r, c, slog.String("respcd", a.respcd()), slog.String("fault", string(fault.Kind)))
		fault.writeDistorted(w, c, a)
	}
}

// refused answers a call with a refusal, and what that names.
func (c call) refused(r *refusal, named object) answer {
	if c.refuse != nil {
		return c.refuse(r)
	}
	return answer{status: http.StatusOK, reply: append(refusalReply(r), named...), sign: c.sign}
}

func (s *Simulator) arrive(call string) (count int, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[call]++
	return s.calls[call], s.faults.take(s.dice, call)
}

func (s *Simulator) answer(c call, r *http.Request) answer {
	if !slices.Contains(c.methods, r.Method) {
		return wrongMethod(strings.Join(c.methods, ", "))
	}
	if wait, ok := s.admit(c); !ok {
		return tooMany(int(math.Ceil(wait.Seconds())))
	}
	a := c.perform(r)
	a.sign = c.sign
	return a
}

func (s *Simulator) admit(c call) (wait time.Duration, ok bool) {
	if !c.limited || s.cfg.NoRateLimit {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limiter.admit(s.cfg.Now())
}

// log records a call without its parameters, which hold codes and names.
func (s *Simulator) log(r *http.Request, c call, attrs ...slog.Attr) {
	s.cfg.Logger.LogAttrs(r.Context(), slog.LevelDebug, "simulated "+c.name, attrs...)
}

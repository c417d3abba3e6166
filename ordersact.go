package qfpayjsapi

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"strconv"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/officepages"
)

// deed is what a form of the owner's does to an order.
type deed struct {
	Do       string // refund, close or query
	RefundID string // of a refund
	Amount   int64  // of a refund
}

// hidden is what a form carries that does it, and what shows that it is a form
// of this page, made for this browser and for exactly this.
func (o *Orders) hidden(session string, f file, d deed) []officepages.Pair {
	pairs := []officepages.Pair{{Name: "do", Value: d.Do}}
	if d.Do == "refund" {
		pairs = append(pairs, officepages.Pair{Name: "refund_id", Value: d.RefundID}, officepages.Pair{Name: "amount", Value: strconv.FormatInt(d.Amount, 10)})
	}
	return append(pairs, officepages.Pair{Name: "token", Value: o.app.sealOf(f.name).Form(d.parts(session, f)...)})
}

func (d deed) parts(session string, f file) []string {
	return []string{session, f.name, f.order.ID, d.Do, d.RefundID, strconv.FormatInt(d.Amount, 10)}
}

// act does what a form asks for, and shows the order. Forms of other sites are
// turned away three times: browsers say where a form comes from, they send no
// cookie along, and nobody else can make the token.
func (o *Orders) act(w http.ResponseWriter, r *http.Request) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return problem{officepages.Forged, err.Error()}
	}
	if _, kind := askedFor(w, r, ""); kind != "" {
		return problem{kind: officepages.WrongForm}
	}
	f, err := o.open(r.Context(), r.URL.Query().Get("order"))
	if err != nil {
		return err
	}
	d := deed{Do: r.PostForm.Get("do"), RefundID: r.PostForm.Get("refund_id")}
	if d.Do == "refund" {
		d.Amount, _ = strconv.ParseInt(r.PostForm.Get("amount"), 10, 64)
	}
	session, err := r.Cookie(sessionCookie(r))
	if err != nil || !isSession(session.Value) || !o.app.sealOf(f.name).IsForm(r.PostForm.Get("token"), d.parts(session.Value, f)...) {
		return problem{kind: officepages.Forged}
	}
	o.logger.Info("asked for on the orders page", append(orderFields(f.order.ID, f.order.Intent),
		zap.String("do", d.Do), zap.String("refund_id", d.RefundID), zap.Int64("refund_amount", d.Amount), zap.String("user", user(r)))...)
	done, err := f.carryOut(r, d)
	if err != nil {
		return err
	}
	officepages.SetCommonHeaders(w.Header())
	return redirect(w, r, orderURL(f.order.ID)+"&done="+done)
}

// carryOut does it, and returns what the page that follows is told.
func (f file) carryOut(r *http.Request, d deed) (done string, err error) {
	switch d.Do {
	case "refund":
		refunding, err := f.giveBack(r.Context(), f.order.ID, d.RefundID, d.Amount)
		return "refund." + refunding.Asked.RefundID, err
	case "close":
		_, err := f.closeByHand(r.Context(), f.order)
		return "close", err
	default:
		_, err := f.lookUp(r.Context(), f.order)
		return "query", gatewayDenial(err)
	}
}

// session is what ties forms to the browser that they are made for: a random
// text in a cookie that no other site's form brings along. It says nothing and
// lets nobody in.
func (o *Orders) session(w http.ResponseWriter, r *http.Request) string {
	name := sessionCookie(r)
	if cookie, err := r.Cookie(name); err == nil && isSession(cookie.Value) {
		return cookie.Value
	}
	session := rand.Text()
	http.SetCookie(w, &http.Cookie{ // without a path, for there may be proxies in front that change it
		Name: name, Value: session, Secure: requestOrigin(r).secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return session
}

func sessionCookie(r *http.Request) string { return cookiePrefix(requestOrigin(r).secure()) + "orders" }

// isSession reports whether a session looks like those that are made here.
var isSession = regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString

package backoffice

import (
	"crypto/rand"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// action is what a form of the owner's does to an order.
type action struct {
	Do       string // refund, close, fulfil, unfulfil or query
	RefundID string // of a refund
	Amount   int64  // of a refund
	Was      string // how the order stood when the form was made; see [stateOf]
	Note     string // of a fulfilment, which the owner types and the seal does not hold
}

// hidden is what a form carries that does it, and what shows that it is a form of
// this page, made for this browser and for exactly this.
func (p *Pages) hidden(session string, detail Detail, a action) []pages.Pair {
	pairs := []pages.Pair{{Name: "do", Value: a.Do}}
	if a.Do == "refund" {
		pairs = append(pairs, pages.Pair{Name: "refund_id", Value: a.RefundID}, pages.Pair{Name: "amount", Value: strconv.FormatInt(a.Amount, 10)})
	}
	if a.Was != "" {
		pairs = append(pairs, pages.Pair{Name: "was", Value: a.Was})
	}
	if seal := p.Seal(detail.Shop); seal != nil {
		pairs = append(pairs, pages.Pair{Name: "token", Value: seal.Form(a.parts(session, detail)...)})
	}
	return pairs
}

// parts are what the form of an action is sealed for.
func (a action) parts(session string, detail Detail) []string {
	return []string{session, detail.Shop, detail.Order, a.Do, a.RefundID, strconv.FormatInt(a.Amount, 10), a.Was}
}

// act does what a form asks for, and shows the order. Forms of other sites are
// turned away three times: browsers say where a form comes from, they send no
// cookie along, and nobody else can make the token.
func (p *Pages) act(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	detail, err := p.open(r)
	if err != nil {
		return err
	}
	a := action{Do: r.PostForm.Get("do"), RefundID: r.PostForm.Get("refund_id"), Was: r.PostForm.Get("was")}
	if a.Do == "refund" {
		a.Amount, _ = strconv.ParseInt(r.PostForm.Get("amount"), 10, 64)
	}
	if !p.isOurs(r, detail.Shop, func(session string) []string { return a.parts(session, detail) }) {
		return problem{kind: pages.Forged}
	}
	p.Log.Info("asked for on the orders page",
		zap.String("order", detail.Order), zap.Int64("amount", detail.Amount), zap.String("currency", detail.Currency),
		zap.String("do", a.Do), zap.String("refund_id", a.RefundID), zap.Int64("refund_amount", a.Amount), zap.String("user", p.User(r)))
	a.Note = strings.TrimSpace(r.PostForm.Get("note"))
	switch {
	case isDone(detail, a):
	case a.Do != "query" && a.Was != stateOf(detail.Row):
		return p.askAgain(w, r, detail, attempt{amount: a.Amount, note: a.Note})
	default:
		if err := p.carryOut(r, detail, a); err != nil {
			return err
		}
	}
	return goOn(w, afterwards(r.URL.Query(), detail, a))
}

// goOn leads from what was posted to the page that shows what came of it.
func goOn(w http.ResponseWriter, location string) error {
	pages.SetCommonHeaders(w.Header())
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// readForm reads the form of a POST, unless it is none or another site sent it.
func readForm(w http.ResponseWriter, r *http.Request) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return problem{pages.Forged, err.Error()}
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return problem{kind: pages.WrongForm}
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if r.ParseForm() != nil {
		return problem{kind: pages.WrongForm}
	}
	return nil
}

// isOurs reports whether a form is one that was made for this browser, this shop and
// these parts.
func (p *Pages) isOurs(r *http.Request, shop string, parts func(session string) []string) bool {
	name, _ := p.Cookie(r)
	session, err := r.Cookie(name)
	seal := p.Seal(shop)
	return err == nil && isSession(session.Value) && seal != nil && seal.IsForm(r.PostForm.Get("token"), parts(session.Value)...)
}

// isDone reports whether what a form asks for is so already, as after a second click.
func isDone(detail Detail, a action) bool {
	switch a.Do {
	case "refund":
		return slices.ContainsFunc(detail.Refunds, func(r RefundView) bool { return r.RefundID == a.RefundID && r.Amount == a.Amount })
	case "close":
		return detail.Status == ledger.StatusClosed
	case "fulfil":
		return !detail.FulfilledAt.IsZero() && detail.Note == a.Note
	case "unfulfil":
		return detail.FulfilledAt.IsZero()
	default:
		return false
	}
}

func (p *Pages) carryOut(r *http.Request, detail Detail, a action) (err error) {
	switch a.Do {
	case "refund":
		_, err = p.Office.refund(r.Context(), detail.Order, a.RefundID, a.Amount)
	case "close":
		err = p.Office.close(r.Context(), detail.Order)
	case "fulfil":
		err = p.Office.fulfil(r.Context(), detail.Order, a.Note)
	case "unfulfil":
		err = p.Office.unfulfil(r.Context(), detail.Order)
	default:
		err = p.Office.lookUp(r.Context(), detail.Order)
	}
	return err
}

// afterwards is the page that follows an action, which says what was done. Of a
// refund that is refused, that page says so.
func afterwards(query url.Values, detail Detail, a action) string {
	switch {
	case a.Do == "refund":
		return orderURL(detail.Order) + "&done=refund." + a.RefundID
	case a.Do == "fulfil" && isToDoView(query):
		return toDoURL(query, "done", detail.Order)
	default:
		return orderURL(detail.Order) + "&done=" + a.Do
	}
}

// session is what ties forms to the browser that they are made for: a random text
// in a cookie that no other site's form brings along. It says nothing and lets
// nobody in.
func (p *Pages) session(w http.ResponseWriter, r *http.Request) string {
	name, secure := p.Cookie(r)
	if cookie, err := r.Cookie(name); err == nil && isSession(cookie.Value) {
		return cookie.Value
	}
	session := rand.Text()
	http.SetCookie(w, &http.Cookie{ // without a path, for there may be proxies in front that change it
		Name: name, Value: session, Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return session
}

// isSession reports whether a session looks like those that are made here.
var isSession = regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString

package backoffice

import (
	"errors"
	"net/http"
	"net/url"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Seal makes the marks by which forms of a shop are known again.
type Seal interface {
	Form(parts ...string) string
	IsForm(token string, parts ...string) bool
}

// Pages are those on which the owner works with orders. They have one address,
// whatever it is: what is wanted is in the query alone.
type Pages struct {
	Office *Office
	Bound  bool // the office is of one shop, whatever requests say
	Seal   func(shop string) Seal
	Log    *zap.Logger

	// ParseAmount reads a decimal as minor units of a currency.
	ParseAmount func(decimal, currency string) (int64, error)

	// User is who sent a request; "" if that is not known.
	User func(*http.Request) string

	// Cookie is the name of the cookie that ties forms to a browser, and whether
	// the site is reached over https.
	Cookie func(*http.Request) (name string, secure bool)
}

// ServeHTTP shows pages, and does what their forms ask for.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	err := p.serve(w, r)
	if err == nil {
		return nil
	}
	problem := problemOf(err)
	if problem.Kind == pages.LedgerDown {
		p.Log.Error("the orders page cannot be shown", zap.Error(err))
	}
	if order := r.URL.Query().Get("order"); order != "" && problem.Kind != pages.UnknownOrder {
		problem.BackURL = orderURL(order)
	}
	return pages.Write(w, r, problem.Kind.Status(), problem)
}

// WriteUnguarded answers a request of which nobody knows who sent it.
func WriteUnguarded(w http.ResponseWriter, r *http.Request) error {
	return pages.Write(w, r, pages.Unguarded.Status(), pages.Problem{Kind: pages.Unguarded})
}

func (p *Pages) serve(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case err != nil:
		return Deny(http.StatusBadRequest, "the parameters in the address cannot be read")
	case r.Method == http.MethodPost && query.Has("stock"):
		return p.countStock(w, r)
	case r.Method == http.MethodPost:
		return p.act(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return problem{kind: pages.WrongMethod}
	case query.Has("stock"):
		return p.stockPage(w, r)
	case query.Has("order") && query.Has("refund"):
		return p.confirmRefund(w, r)
	case query.Has("order") && query.Has("close"):
		return p.confirmClose(w, r)
	case query.Has("order") && query.Has("print"):
		return p.printOrder(w, r)
	case query.Has("order"):
		return p.show(w, r)
	case query.Get("format") == "csv":
		return p.download(w, r)
	case isList(query):
		return p.list(w, r)
	case query.Has("print"):
		return p.printToDo(w, r)
	default:
		return p.toDo(w, r)
	}
}

// problem is why the owner does not get a page.
type problem struct {
	kind   pages.Kind
	detail string
}

func (p problem) Error() string { return string(p.kind) + ": " + p.detail }

func problemOf(err error) pages.Problem {
	var known problem
	if errors.As(err, &known) {
		return pages.Problem{Kind: known.kind, Detail: known.detail}
	}
	if errors.Is(err, ledger.ErrUnknown) {
		return pages.Problem{Kind: pages.UnknownOrder}
	}
	denied := DenialOf(err)
	switch denied.Status {
	case http.StatusBadGateway:
		return pages.Problem{Kind: pages.GatewayFailed, Detail: denied.Text}
	case http.StatusBadRequest, http.StatusNotFound:
		return pages.Problem{Kind: pages.BadRequest, Detail: denied.Text}
	case http.StatusConflict:
		return pages.Problem{Kind: pages.Denied, Detail: denied.Text}
	default: // the log says more
		return pages.Problem{Kind: pages.LedgerDown}
	}
}

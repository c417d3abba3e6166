package checkout

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// unstarted answers a request that asks for nothing that can be sold: with a
// form for what only the payer can tell, or else with the problem.
func (c *Checkout) unstarted(w http.ResponseWriter, r *http.Request, asked shop.Asked, intent ledger.Intent, err error) error {
	kind := startProblem(err)
	if wrong, isClaim := errors.AsType[*shop.ClaimError](err); isClaim {
		c.Log.Warn("an invoice link is signed with the shop's key but invalid, so nobody can pay it: check the program that makes these links",
			zap.String("claim", wrong.Claim), zap.String("reason", wrong.Reason))
	}
	form := pages.Form{Order: pages.Order{Merchant: c.Shop.Merchant}}
	fields, isFields := errors.AsType[*shop.FieldsError](err)
	switch bounds := c.Shop.OpenAmount; {
	case isFields:
		if over := c.isOver(r, intent); over != "" {
			return c.problem(w, r, pages.Problem{Kind: over})
		}
		form.Order = c.shown("", intent)
		form.Inputs = c.fieldInputs(asked, fields.Wrong)
	case bounds != nil && (kind == pages.NothingChosen || kind == pages.BadAmount) && asked.Item == "" && !asked.Values.Has("item"):
		form.Inputs = []pages.Input{{Name: "amount", Value: asked.Values.Get("amount"), Required: true, Wrong: wrongAmount(err, asked)}}
		form.Min = shownAmount(bounds.Min, c.Shop.Currency)
		form.Max = shownAmount(bounds.Max, c.Shop.Currency)
	default:
		return c.problem(w, r, pages.Problem{Kind: kind})
	}
	if c.isOutside(r) && c.OutsideWeChat != "handoff" { // what they told here would be lost on the way
		return redirect(w, r, c.OutsideWeChat)
	}
	return c.askFor(w, r, asked, kind, form)
}

func startProblem(err error) pages.Kind {
	for _, problem := range []struct {
		err  error
		kind pages.Kind
	}{
		{shop.ErrLink, pages.BadLink},
		{shop.ErrNothingChosen, pages.NothingChosen},
		{shop.ErrUnknownItem, pages.UnknownItem},
		{shop.ErrQuantity, pages.BadQuantity},
		{shop.ErrCart, pages.BadCart},
		{shop.ErrAmount, pages.BadAmount},
		{shop.ErrBounds, pages.BadAmount},
		{shop.ErrRef, pages.BadRef},
		{shop.ErrInvoice, pages.BadInvoice},
		{shop.ErrInvoiceEarly, pages.InvoiceEarly},
		{shop.ErrInvoiceExpired, pages.InvoiceExpired},
	} {
		if errors.Is(err, problem.err) {
			return problem.kind
		}
	}
	if _, isFields := errors.AsType[*shop.FieldsError](err); isFields {
		return pages.BadField
	}
	if _, isClaim := errors.AsType[*shop.ClaimError](err); isClaim {
		return pages.WrongInvoice
	}
	return pages.Internal
}

// askFor shows a form that posts to where it was asked for, with all that is known
// already. Clients that read no pages get the problem. So do the site's own error
// routes, but only of what the payer got wrong: to be asked is no error.
func (c *Checkout) askFor(w http.ResponseWriter, r *http.Request, asked shop.Asked, kind pages.Kind, form pages.Form) error {
	isWrong := slices.ContainsFunc(form.Inputs, func(input pages.Input) bool { return input.Wrong != "" })
	if prefersJSON(r) || c.PassErrors && isWrong {
		return c.problem(w, r, pages.Problem{Kind: kind})
	}
	form.Action = c.Path
	if asked.Item != "" {
		form.Action += "/" + asked.Item
	}
	isAsked := func(name string) bool {
		return slices.ContainsFunc(form.Inputs, func(input pages.Input) bool { return input.Name == name })
	}
	for _, name := range []string{"item", "quantity", "amount", "invoice", "ref", "again", "handoff"} {
		for _, value := range asked.Values[name] {
			if !isAsked(name) {
				form.Hidden = append(form.Hidden, pages.Pair{Name: name, Value: value})
			}
		}
	}
	for _, field := range c.Shop.Fields {
		for _, value := range asked.Form[field.Name] {
			if value != "" && !isAsked(field.Name) {
				form.Hidden = append(form.Hidden, pages.Pair{Name: field.Name, Value: value})
			}
		}
	}
	status := http.StatusOK
	if r.Method == http.MethodPost || asked.Values.Has("amount") && isAsked("amount") {
		status = kind.Status()
	}
	return c.Pages.Write(w, r, status, form)
}

// fieldInputs asks for all that the shop wants to know. What was not asked for
// before is not marked as wrong. An input takes one value: several that are good,
// as of checkboxes, are not asked for again.
func (c *Checkout) fieldInputs(asked shop.Asked, wrong map[string]error) (inputs []pages.Input) {
	for _, field := range c.Shop.Fields {
		why := wrong[field.Name]
		if len(asked.Form[field.Name]) > 1 && why == nil {
			continue
		}
		input := pages.Input{Name: field.Name, Value: asked.Form.Get(field.Name), Required: field.Required}
		if asked.Form.Has(field.Name) {
			input.Wrong = wrongs[why]
		}
		inputs = append(inputs, input)
	}
	return inputs
}

// wrongs are what the payer is told of what is wrong with a field. The rule of a field
// is that it holds an email address.
var wrongs = map[error]pages.Wrong{
	shop.ErrMissing: pages.Missing, shop.ErrTooLong: pages.TooLong, shop.ErrTooMany: pages.TooManyOf,
	shop.ErrNotText: pages.NotText, shop.ErrRule: pages.NotEmail,
}

// wrongAmount is what is wrong with the amount that was asked for, if one was.
func wrongAmount(err error, asked shop.Asked) pages.Wrong {
	switch {
	case errors.Is(err, shop.ErrBounds):
		return pages.OutOfRange
	case !errors.Is(err, shop.ErrAmount):
		return ""
	case strings.TrimSpace(asked.Values.Get("amount")) == "":
		return pages.Missing
	default:
		return pages.NotNumber
	}
}

// askRealName asks who pays, unless nothing can be paid any more. What was given is
// not shown again.
func (c *Checkout) askRealName(w http.ResponseWriter, r *http.Request, asked shop.Asked, intent ledger.Intent) error {
	if over := c.isOver(r, intent); over != "" {
		return c.problem(w, r, pages.Problem{Kind: over})
	}
	name, idCard := pages.Input{Name: "user_truename"}, pages.Input{Name: "user_creid"}
	name.Required = c.RealName == "required"
	idCard.Required = name.Required
	if asked.Form.Has(name.Name) || asked.Form.Has(idCard.Name) {
		name.Wrong = wrongPart(asked.Form.Get(name.Name), qfpay.CheckRealName, pages.NotRealName)
		idCard.Wrong = wrongPart(strings.ToUpper(asked.Form.Get(idCard.Name)), qfpay.CheckIDCard, pages.NotIDCard)
	}
	return c.askFor(w, r, asked, pages.BadRealName, pages.Form{Order: c.shown("", intent), Inputs: []pages.Input{name, idCard}})
}

// wrongPart is what is wrong with one half of a real name.
func wrongPart(given string, check func(string) error, wrong pages.Wrong) pages.Wrong {
	given = strings.TrimSpace(given)
	switch {
	case given == "":
		return pages.Missing
	case check(given) != nil:
		return wrong
	default:
		return ""
	}
}

package qfpayjsapi

import (
	"errors"
	"net/http"
	"slices"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// unstarted answers a request that asks for nothing that can be sold: with a
// form for what only the payer can tell, or else with the problem.
func (h *Handler) unstarted(w http.ResponseWriter, r *http.Request, asked checkout.Asked, intent ledger.Intent, err error) error {
	kind := startProblem(err)
	form := pages.Form{Order: pages.Order{Merchant: h.MerchantName}}
	var fields *checkout.FieldsError
	switch bounds := h.shop.OpenAmount; {
	case errors.As(err, &fields):
		form.Order = h.shown("", intent)
		form.Inputs = h.fieldInputs(asked, fields.Names)
	case bounds != nil && (kind == pages.NothingChosen || kind == pages.BadAmount) && asked.Item == "" && !asked.Values.Has("item"):
		form.Inputs = []pages.Input{{Name: "amount", Value: asked.Values.Get("amount"), Required: true, Wrong: kind == pages.BadAmount}}
		form.Min = pages.Amount{Decimal: checkout.Decimal(bounds.Min, h.Currency), Currency: h.Currency}
		form.Max = pages.Amount{Decimal: checkout.Decimal(bounds.Max, h.Currency), Currency: h.Currency}
	default:
		return h.problem(w, r, pages.Problem{Kind: kind})
	}
	if h.isOutside(r) && h.OutsideWeChat != "handoff" { // what they told here would be lost on the way
		return redirect(w, r, h.OutsideWeChat)
	}
	return h.askFor(w, r, asked, kind, form)
}

// askFor shows a form that posts to where it was asked for, with all that is known
// already. Clients that read no pages get the problem. So do the site's own error
// routes, but only of what the payer got wrong: to be asked is no error.
func (h *Handler) askFor(w http.ResponseWriter, r *http.Request, asked checkout.Asked, kind pages.Kind, form pages.Form) error {
	isWrong := slices.ContainsFunc(form.Inputs, func(input pages.Input) bool { return input.Wrong })
	if prefersJSON(r) || h.Errors == "pass" && isWrong {
		return h.problem(w, r, pages.Problem{Kind: kind})
	}
	form.Action = h.Path
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
	for _, field := range h.Fields {
		if value := asked.Form.Get(field.Name); value != "" && !isAsked(field.Name) {
			form.Hidden = append(form.Hidden, pages.Pair{Name: field.Name, Value: value})
		}
	}
	status := http.StatusOK
	if r.Method == http.MethodPost || asked.Values.Has("amount") && isAsked("amount") {
		status = kind.Status()
	}
	return h.pages.Write(w, r, status, form)
}

// fieldInputs asks for all that the shop wants to know. What was not asked for
// before is not marked as wrong.
func (h *Handler) fieldInputs(asked checkout.Asked, wrong []string) []pages.Input {
	inputs := make([]pages.Input, len(h.Fields))
	for i, field := range h.Fields {
		inputs[i] = pages.Input{
			Name: field.Name, Value: asked.Form.Get(field.Name), Required: field.Required,
			Wrong: asked.Form.Has(field.Name) && slices.Contains(wrong, field.Name),
		}
	}
	return inputs
}

// askRealName asks who pays. What was given is not shown again.
func (h *Handler) askRealName(w http.ResponseWriter, r *http.Request, asked checkout.Asked, intent ledger.Intent) error {
	given := asked.Form.Has("user_truename") || asked.Form.Has("user_creid")
	required := h.RealName == "required"
	return h.askFor(w, r, asked, pages.BadRealName, pages.Form{Order: h.shown("", intent), Inputs: []pages.Input{
		{Name: "user_truename", Required: required, Wrong: given},
		{Name: "user_creid", Required: required, Wrong: given},
	}})
}

package shop

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Asked is what a request asks for.
type Asked struct {
	Item   string     // from the path; "" for a cart, an invoice or an amount
	Values url.Values // query and form
	Form   url.Values // the form alone: what must not stand in an address
}

// Ask reads the query of a pay link, as it was written, and the form of a POST, which
// is nil for others. It returns [ErrLink] for what does not parse, names a parameter
// wrongly or says two things: nobody is to pay for less than the link was made for.
// Parameters that it does not know are others', such as those of WeChat and of
// campaigns.
func (s *Shop) Ask(item, query string, form url.Values) (Asked, error) {
	linked, err := url.ParseQuery(query)
	if err != nil {
		return Asked{}, fmt.Errorf("%w: the query cannot be read", ErrLink)
	}
	if err := checkParameters(linked, reservedFields); err != nil {
		return Asked{}, err
	}
	if err := checkParameters(form, s.parameters()); err != nil {
		return Asked{}, err
	}
	asked := Asked{Item: item, Values: linked, Form: form}
	for name, given := range form {
		asked.Values[name] = append(slices.Clone(given), linked[name]...)
	}
	return asked, s.checkAsked(asked)
}

// parameters are those that a form may have.
func (s *Shop) parameters() []string {
	names := Parameters()
	for _, field := range s.Fields {
		names = append(names, field.Name)
	}
	return names
}

// checkParameters refuses a parameter that is almost a known one, and a parameter of
// the module's own with two values. Items may have several, and so may fields.
func checkParameters(values url.Values, known []string) error {
	for name, given := range values {
		meant := strings.TrimPrefix(strings.ToLower(name), "amp;") // of a link that was escaped twice
		meant, _, _ = strings.Cut(meant, "[")                      // of a program that writes lists so
		switch meant = strings.TrimSpace(meant); {
		case !slices.Contains(known, meant):
		case meant != name:
			return fmt.Errorf("%w: a parameter is almost %s", ErrLink, meant)
		case name != "item" && slices.Contains(reservedFields, name) && differ(given):
			return fmt.Errorf("%w: %s has two values", ErrLink, name)
		}
	}
	return nil
}

// checkAsked refuses a query and a form that do not agree, two ways of saying what is
// bought, and a quantity of nothing that it could be the quantity of.
func (s *Shop) checkAsked(asked Asked) error {
	for name, given := range asked.Values {
		if slices.Contains(reservedFields, name) && name != "item" && differ(given) {
			return fmt.Errorf("%w: the query and the form have another %s", ErrLink, name)
		}
	}
	single, cart, invoice := asked.Item != "", asked.Values.Has("item"), s.Invoices != nil && asked.Values.Has("invoice")
	amount := s.OpenAmount != nil && asked.Values.Has("amount")
	switch {
	case single && cart, single && invoice, cart && invoice:
		return fmt.Errorf("%w: it says in two ways what is bought", ErrLink)
	case !single && (cart || invoice || amount) && asked.Values.Has("quantity"):
		return fmt.Errorf("%w: a quantity without one item", ErrLink)
	default:
		return nil
	}
}

func differ(values []string) bool {
	return slices.ContainsFunc(values, func(value string) bool { return value != values[0] })
}

package shop

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Field is something that the shop asks of the payer and that travels with the
// order: into the ledger, to the webhooks and to the owner, and nowhere else.
type Field struct {
	// The name of the form field: 1 to 32 of a-z 0-9 _, beginning with a
	// letter. Names that the module uses itself cannot be given. Required.
	Name string `json:"name,omitempty"`

	// Whether a payment needs it. Default: false.
	Required bool `json:"required,omitempty"`
}

// Limits of fields.
const (
	MaxFields      = 20
	MaxFieldValues = 20  // of one field
	MaxFieldRunes  = 500 // of one value
)

var (
	fieldName      = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	reservedFields = []string{"item", "quantity", "amount", "invoice", "ref", "again", "handoff", "user_truename", "user_creid"}
)

// Parameters returns the names of the parameters of a start, by link or form.
func Parameters() []string { return slices.Clone(reservedFields) }

// Check reports what is wrong with the field.
func (f Field) Check() error {
	switch {
	case !fieldName.MatchString(f.Name):
		return fmt.Errorf("%q is not a field name: 1 to 32 of a-z 0-9 _, beginning with a letter", f.Name)
	case slices.Contains(reservedFields, f.Name):
		return fmt.Errorf("qfpay_jsapi uses the parameter %q itself", f.Name)
	default:
		return nil
	}
}

// What can be wrong with a field.
var (
	ErrMissing = errors.New("missing")
	ErrTooLong = fmt.Errorf("longer than %d characters", MaxFieldRunes)
	ErrTooMany = fmt.Errorf("more than %d values", MaxFieldValues)
	ErrNotText = errors.New("not text")
	ErrRule    = errors.New("against the field's rule")
)

// FieldsError says of fields, by their names, why they cannot be taken.
type FieldsError struct{ Wrong map[string]error }

func (e *FieldsError) Error() string {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(e.Wrong)) {
		wrong = append(wrong, name+" "+e.Wrong[name].Error())
	}
	return "fields: " + strings.Join(wrong, ", ")
}

// fields takes the values of the shop's fields out of a form. Empty ones are
// left out.
func (s *Shop) fields(form url.Values) (ledger.Fields, error) {
	var told ledger.Fields
	wrong := make(map[string]error)
	for _, field := range s.Fields {
		values := given(form[field.Name])
		if err := s.checkField(field, values); err != nil {
			wrong[field.Name] = err
		} else if len(values) > 0 {
			if told == nil {
				told = make(ledger.Fields)
			}
			told[field.Name] = values
		}
	}
	if len(wrong) > 0 {
		return told, &FieldsError{wrong}
	}
	return told, nil
}

func (s *Shop) checkField(field Field, values ledger.Values) error {
	rule := s.Rules[field.Name]
	switch {
	case len(values) == 0 && field.Required:
		return ErrMissing
	case len(values) > MaxFieldValues:
		return ErrTooMany
	case !all(values, isProse):
		return ErrNotText
	case !all(values, func(value string) bool { return utf8.RuneCountInString(value) <= MaxFieldRunes }):
		return ErrTooLong
	case rule != nil && !all(values, func(value string) bool { return rule(value) == nil }):
		return ErrRule
	default:
		return nil
	}
}

func all(values ledger.Values, good func(string) bool) bool {
	return !slices.ContainsFunc(values, func(value string) bool { return !good(value) })
}

// given are the values of a field that say something.
func given(typed []string) (values ledger.Values) {
	for _, value := range typed {
		if value = strings.TrimSpace(strings.ReplaceAll(value, "\r\n", "\n")); value != "" {
			values = append(values, value)
		}
	}
	return values
}

// isProse reports whether s is UTF-8 in lines.
func isProse(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}

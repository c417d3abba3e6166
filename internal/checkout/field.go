package checkout

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Field is something that the shop asks of the payer and that travels with the
// order: into the ledger and to the webhooks, and nowhere else.
type Field struct {
	// The name of the form field: 1 to 32 of a-z 0-9 _, beginning with a
	// letter. Names that the module uses itself cannot be given. Required.
	Name string `json:"name,omitempty"`

	// Whether a payment needs it. Default: false.
	Required bool `json:"required,omitempty"`
}

// Limits of fields.
const (
	MaxFields     = 20
	MaxFieldRunes = 500
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
		return fmt.Errorf("%q is no field name: 1 to 32 of a-z 0-9 _, beginning with a letter", f.Name)
	case slices.Contains(reservedFields, f.Name):
		return fmt.Errorf("%q is a parameter of the module itself", f.Name)
	default:
		return nil
	}
}

// FieldsError names the fields that are missing or cannot be taken.
type FieldsError struct{ Names []string }

func (e *FieldsError) Error() string {
	return "fields missing or not text: " + strings.Join(e.Names, ", ")
}

// fields takes the values of the shop's fields out of a form. Empty ones are
// left out.
func (s *Shop) fields(form url.Values) (map[string]string, error) {
	var values map[string]string
	var wrong []string
	for _, field := range s.Fields {
		value := strings.TrimSpace(strings.ReplaceAll(form.Get(field.Name), "\r\n", "\n"))
		switch {
		case !isProse(value) || value == "" && field.Required:
			wrong = append(wrong, field.Name)
		case value != "":
			if values == nil {
				values = make(map[string]string)
			}
			values[field.Name] = value
		}
	}
	if wrong != nil {
		return values, &FieldsError{wrong}
	}
	return values, nil
}

// isProse reports whether s is UTF-8 of at most [MaxFieldRunes] characters, in
// lines.
func isProse(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= MaxFieldRunes &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}

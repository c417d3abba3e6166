package ledger

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// factTypes are the types of this package that are facts.
func factTypes(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, declared := range parsed.Decls {
			method, ok := declared.(*ast.FuncDecl)
			if ok && method.Recv != nil && method.Name.Name == "name" {
				names = append(names, method.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	return names
}

// The table of facts in docs/how-it-works.md lists what lies in the folder of
// an order to which everything has happened, and nothing else.
func TestTheDocumentListsEveryFact(t *testing.T) {
	everything := map[string]Fact{
		"Intent": intent, "Prepared": prepared, "Paid": paid, "Failed": failed,
		"Closed":            Closed{At: noon, Reason: "closed"},
		"Disputed":          Disputed{At: noon, Syssn: "1"},
		"RefundAsked":       RefundAsked{At: noon, RefundID: "broken-bag"},
		"RefundRefused":     RefundRefused{At: noon, RefundID: "broken-bag"},
		"Refund":            Refund{At: noon, Syssn: "2"},
		"PartiallyRefunded": PartiallyRefunded{At: noon},
		"Refunded":          Refunded{At: noon},
	}
	l, folder := newLedger(t)
	for _, name := range factTypes(t) {
		require.Contains(t, everything, name, "a new fact: add it here and to the document")
		require.NoError(t, l.Record(t.Context(), order, everything[name]))
	}
	delivery := Delivery{Event: "paid", Endpoint: "0123456789abcdef"}
	require.NoError(t, l.RecordAttempt(t.Context(), order, delivery, Attempt{At: noon}))
	require.NoError(t, l.RecordDelivered(t.Context(), order, delivery, Delivered{At: noon}))

	document, err := os.ReadFile("../../docs/how-it-works.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(document), "\n## The facts of an order\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n### ")
	var patterns []*regexp.Regexp
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			patterns = append(patterns, regexp.MustCompile("^"+regexp.MustCompile("<[^>]+>").ReplaceAllString(name[1], ".+")+"$"))
		}
	}
	written, err := os.ReadDir(filepath.Join(folder, "qfpay_jsapi/shop/orders/2026/11/23", order))
	require.NoError(t, err)
	require.Len(t, written, len(everything)+2)
	for _, pattern := range patterns {
		found := slices.IndexFunc(written, func(file os.DirEntry) bool {
			return pattern.MatchString(strings.TrimSuffix(file.Name(), ".json"))
		})
		if assert.GreaterOrEqual(t, found, 0, "the document has %s, which nobody writes", pattern) {
			written = slices.Delete(written, found, found+1)
		}
	}
	assert.Empty(t, written, "the document lacks what is written")
}

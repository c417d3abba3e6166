package qfpayjsapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testNames are those of all tests and fuzz targets of the repository, its other
// modules included.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w+ \*testing\.[TF]\)`)
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range declared.FindAllStringSubmatch(string(text), -1) {
			names[found[1]] = true
		}
		return err
	}))
	return names
}

func TestEveryThreatOfSECURITYIsHeldByATestThatExists(t *testing.T) {
	text, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	existing := testNames(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	threats, inTable := 0, false
	for line := range strings.Lines(string(text)) {
		tests := named.FindAllStringSubmatch(line, -1)
		for _, test := range tests {
			assert.True(t, existing[test[1]], "SECURITY.md names %s, which does not exist", test[1])
		}
		switch isHead := line == "| threat | answer | held by |\n"; {
		case inTable && strings.HasPrefix(line, "| "):
			threats++
			assert.NotEmpty(t, tests, "no test holds: %s", line)
		case !strings.HasPrefix(line, "|---"):
			inTable = isHead
		}
	}
	assert.Greater(t, threats, 40)
}

// A comparison that ends at the first difference tells how much of a guess was
// right. That cannot be measured reliably in a test, so it is read.
func TestSignaturesAreComparedInConstantTime(t *testing.T) {
	for file, function := range map[string][]string{
		"qfpay/notification.go":     {"VerifyNotification"},
		"internal/checkout/seal.go": {"IsState", "IsForm"},
	} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, name := range function {
			compares := false
			for _, declared := range parsed.Decls {
				if f, ok := declared.(*ast.FuncDecl); ok && f.Name.Name == name {
					ast.Inspect(f.Body, func(node ast.Node) bool {
						switch node := node.(type) {
						case *ast.SelectorExpr:
							compares = compares || node.Sel.Name == "ConstantTimeCompare"
						case *ast.BinaryExpr:
							isPlain := node.Op == token.EQL || node.Op == token.NEQ
							assert.False(t, isPlain && !isConstant(node.X) && !isConstant(node.Y), "%s compares in another way, too", name)
						}
						return true
					})
				}
			}
			assert.True(t, compares, "%s in %s", name, file)
		}
	}
}

func isConstant(expression ast.Expr) bool {
	_, literal := expression.(*ast.BasicLit)
	name, named := expression.(*ast.Ident)
	return literal || named && name.Name == strings.ToUpper(name.Name)
}
